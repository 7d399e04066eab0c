"""A `SensorMLP` made smaller: whole hidden units pruned, or a small network taught by the large one.

What is left is an ordinary, smaller network, so every computer gains by it; single weights set to zero make a file
smaller and nothing faster. Numbers of 8 bits come after, in `citylib.neural.onnx_files`.

Legend: B examples, F numbers that describe one, D numbers in a layer, H steps ahead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural.models.sensor_mlp import SensorMLP
from citylib.neural.train import predict

__all__ = ["distilling", "importance", "memory", "pruned", "student", "taught"]

Inputs = Sequence[torch.Tensor]


def importance(model: SensorMLP, inputs: Inputs) -> list[torch.Tensor]:
    """Return what each hidden unit gives the next layer: the deviation of its value times the length of its weights.

    A unit that never changes can be replaced by a number, whatever its weights; one that nobody listens to as well.

    Parameters
    ----------
    model : SensorMLP
        Trained.
    inputs : sequence of torch.Tensor
        x_BF, sensor_B, slot_B of training examples.

    Returns
    -------
    list of torch.Tensor, shape (D,) each
        A tensor for each hidden layer.
    """
    where = next(model.parameters()).device
    with torch.no_grad():
        values = model.states(*(part.to(where) for part in inputs))[1:]
        after = model.linears[1:]
        return [
            h_BD.std(dim=0, correction=0) * layer.weight.norm(dim=0) for h_BD, layer in zip(values, after, strict=True)
        ]


def pruned(model: SensorMLP, keep: Sequence[int], inputs: Inputs) -> SensorMLP:
    """Return the network without its least important hidden units; what they gave on average goes to the next biases.

    Parameters
    ----------
    model : SensorMLP
        Trained; it is not changed.
    keep : sequence of int
        Units left in each hidden layer.
    inputs : sequence of torch.Tensor
        x_BF, sensor_B, slot_B of training examples, by which importance and averages are taken.

    Returns
    -------
    SensorMLP
        To be trained on (fine-tuned): pruning costs accuracy that some epochs bring back.

    Raises
    ------
    InputError
        More units than there are, or another number of layers.

    References
    ----------
    Molchanov, P. et al. (2017). Pruning convolutional neural networks for resource efficient inference. ICLR.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = SensorMLP(20, 5, 24, 3, hidden=(16, 8), generator=seeds.torch_generator(0))
    >>> inputs = torch.rand(50, 20), torch.arange(50) % 5, torch.arange(50) % 24
    >>> pruned(model, (6, 4), inputs).hidden
    (6, 4)
    """
    if len(keep) != len(model.hidden):
        raise InputError("keep", f"name the units of {len(model.hidden)} hidden layers", tuple(keep))
    for left, units in zip(keep, model.hidden, strict=True):
        checks.integer("keep", left, minimum=1, maximum=units)
    where = next(model.parameters()).device
    small, inputs = student(model, keep).to(where), [part.to(where) for part in inputs]
    weight = importance(model, inputs)
    chosen = [w.topk(left).indices.sort().values for w, left in zip(weight, keep, strict=True)]
    with torch.no_grad():
        means = [h_BD.mean(dim=0) for h_BD in model.states(*inputs)[1:]]
        columns: torch.Tensor | None = None
        for k, (old, new) in enumerate(zip(model.linears, small.linears, strict=True)):
            rows = chosen[k] if k < len(chosen) else torch.arange(old.out_features, device=where)
            taken, bias = old.weight[rows], old.bias[rows]
            if columns is not None:
                gone = torch.ones(old.in_features, dtype=torch.bool, device=where)
                gone[columns] = False
                bias = bias + taken[:, gone] @ means[k - 1][gone]
                taken = taken[:, columns]
            new.weight.copy_(taken)
            new.bias.copy_(bias)
            columns = rows
    return small


def memory(model: SensorMLP, items: int, *, bits: int = 32) -> int:
    """Return the bytes of the weights and of what flows between two layers, worked out, not measured.

    Parameters
    ----------
    model : SensorMLP
        The network.
    items : int
        Examples at once.
    bits : {32, 8}
        Of a weight, and of a hidden unit's value.

    Returns
    -------
    int
        What a runtime adds of its own comes on top, and is the same for all networks.
    """
    checks.one_of("bits", bits, (8, 32))
    widths = [model.linears[0].in_features, *model.hidden, int(model.head.out_features)]
    flow = max(a + b for a, b in itertools.pairwise(widths))
    return bits // 8 * (model.parameters_held + checks.integer("items", items, minimum=1) * flow)


def student(model: SensorMLP, hidden: Sequence[int], *, generator: torch.Generator | None = None) -> SensorMLP:
    """Return a network of other hidden layers that starts with the embeddings of `model`; the rest is drawn.

    Parameters
    ----------
    model : SensorMLP
        The teacher.
    hidden : sequence of int
        Units of the hidden layers.
    generator : torch.Generator, optional
        Draws the weights; by default of a fixed seed.

    Returns
    -------
    SensorMLP
    """
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    counts = model.inputs, model.sensor.num_embeddings, model.slot.num_embeddings, int(model.head.out_features)
    small = SensorMLP(*counts, hidden=hidden, embedding=model.sensor.embedding_dim, generator=generator)
    small.sensor.load_state_dict(model.sensor.state_dict())
    small.slot.load_state_dict(model.slot.state_dict())
    return small


def taught(model: nn.Module, examples: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return examples (x_BF, sensor_B, slot_B, y_BH) with what the teacher says of them as a fifth tensor, (B, H)."""
    return (*examples, predict(model, *examples[:3], batch=8192))


def distilling(delta: float, *, share: float = 0.5) -> Callable[..., torch.Tensor]:
    """Return the loss of a student: Huber's to the teacher's forecast, and to what came.

    What came is one draw; the teacher says what is to be expected, and says it of every example.

    Parameters
    ----------
    delta : float
        As `sensor_forecast.huber` takes it.
    share : float, default 0.5
        Weight of the teacher, 0 to 1.

    Returns
    -------
    callable
        ``loss(model, x_BF, sensor_B, slot_B, y_BH, told_BH)`` for `train`.

    References
    ----------
    Hinton, G., Vinyals, O. and Dean, J. (2015). Distilling the knowledge in a neural network. arXiv 1503.02531.

    Examples
    --------
    >>> loss = distilling(1.0, share=0.25)
    >>> one = torch.ones(1)
    >>> float(loss(lambda x, sensor, slot: x, 0 * one, one, one, 3 * one, 1 * one))
    2.0
    """
    delta, share = checks.number("delta", delta, above=0), checks.fraction("share", share, closed=True)

    def loss(model: nn.Module, *batch: torch.Tensor) -> torch.Tensor:
        *inputs, y_BH, told_BH = batch
        said_BH = model(*inputs)
        real = nn.functional.huber_loss(said_BH, y_BH, delta=delta)
        return share * nn.functional.huber_loss(said_BH, told_BH, delta=delta) + (1 - share) * real

    return loss
