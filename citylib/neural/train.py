"""One readable training loop: batches, Adam, early stopping on validation data only; the same on CPU and GPU.

Legend: n examples. Same seed, same device, same number of threads: same weights.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from citylib import checks
from citylib.errors import FitWarning, InputError

__all__ = ["History", "device", "train"]

Loss = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class History:
    """How a training went.

    Parameters
    ----------
    train : tuple of float
        Mean loss over the batches of each epoch.
    validation : tuple of float
        Loss on the validation data after each epoch; empty without any.
    best : int
        Epoch whose weights were kept, from 1; the last without validation data.
    """

    train: tuple[float, ...]
    validation: tuple[float, ...]
    best: int


def device(name: str) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        ``"auto"`` takes the GPU if there is one.

    Raises
    ------
    InputError
        ``"cuda"`` where there is none.

    Examples
    --------
    >>> device("cpu")
    device(type='cpu')
    """
    checks.one_of("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device", "be one that is there", name, "use 'auto' or 'cpu'")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def train(
    model: nn.Module,
    loss: Loss,
    examples: Sequence[torch.Tensor],
    *,
    generator: torch.Generator,
    epochs: int,
    rate: float = 1e-2,
    batch: int = 128,
    decay: float = 0.0,
    validation: Sequence[torch.Tensor] | None = None,
    patience: int = 10,
) -> History:
    """Train `model` in place by Adam; with validation data, stop when it gets no better and keep the best weights.

    Parameters
    ----------
    model : torch.nn.Module
        On the device of its examples.
    loss : callable
        ``loss(model, *batch)`` gives the mean loss of a batch.
    examples : sequence of torch.Tensor
        Tensors with n rows each, inputs first.
    generator : torch.Generator
        Of the CPU, from `citylib.seeds.torch_generator`; draws the order of the examples.
    epochs : int
        At most so many passes over the examples.
    rate : float, default 0.01
        Step size of Adam.
    batch : int, default 128
        Examples a step.
    decay : float, default 0
        Weight decay (AdamW).
    validation : sequence of torch.Tensor, optional
        Like `examples`. Nothing is learned from them but when to stop.
    patience : int, default 10
        Epochs without a better validation loss after which training stops.

    Returns
    -------
    History

    Raises
    ------
    InputError
        No examples, tensors of different lengths, a number out of bounds.

    Warns
    -----
    FitWarning
        The loss is not finite any more: training stopped, the last good weights are kept.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.

    Examples
    --------
    >>> from citylib import seeds
    >>> line = nn.Linear(1, 1)
    >>> _ = nn.init.zeros_(line.weight), nn.init.zeros_(line.bias)
    >>> x = torch.linspace(0, 1, 32)[:, None]
    >>> square = lambda model, x, y: ((model(x) - y) ** 2).mean()
    >>> history = train(line, square, (x, 2 * x), generator=seeds.torch_generator(0), epochs=200, rate=0.05)
    >>> len(history.train), history.train[-1] < 1e-3
    (200, True)
    """
    count = _rows("examples", examples)
    if validation is not None:
        _rows("validation", validation)
    epochs, batch = checks.integer("epochs", epochs, minimum=1), checks.integer("batch", batch, minimum=1)
    patience = checks.integer("patience", patience, minimum=1)
    optimiser = torch.optim.AdamW(
        model.parameters(),
        lr=checks.number("rate", rate, above=0),
        weight_decay=checks.number("decay", decay, minimum=0),
    )
    kept, best, lowest = copy.deepcopy(model.state_dict()), 0, math.inf
    losses: list[float] = []
    checked: list[float] = []
    for epoch in range(1, epochs + 1):
        losses.append(_epoch(model, loss, examples, torch.randperm(count, generator=generator), batch, optimiser))
        checked += [] if validation is None else [_value(model, loss, validation)]
        now = checked[-1] if checked else losses[-1]
        if not (math.isfinite(losses[-1]) and math.isfinite(now)):
            text = f"the loss is not finite in epoch {epoch}: stopped, weights of epoch {best} kept; lower the rate"
            warnings.warn(text, FitWarning, stacklevel=2)
            break
        if validation is None or now < lowest:
            kept, best, lowest = copy.deepcopy(model.state_dict()), epoch, now
        elif epoch - best >= patience:
            break
    model.load_state_dict(kept)
    return History(tuple(losses), tuple(checked), best)


def _epoch(
    model: nn.Module,
    loss: Loss,
    examples: Sequence[torch.Tensor],
    order: torch.Tensor,
    batch: int,
    optimiser: torch.optim.Optimizer,
) -> float:
    model.train()
    order = order.to(examples[0].device)
    total = torch.zeros((), device=examples[0].device)
    for rows in torch.split(order, batch):
        value = loss(model, *(tensor[rows] for tensor in examples))
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += value.detach() * len(rows)
    return float(total) / len(order)


def _value(model: nn.Module, loss: Loss, examples: Sequence[torch.Tensor]) -> float:
    model.eval()
    with torch.no_grad():
        return float(loss(model, *examples))


def _rows(argument: str, tensors: Sequence[torch.Tensor]) -> int:
    if not tensors or len(tensors[0]) == 0:
        raise InputError(argument, "hold at least one example", len(tensors))
    lengths = {len(tensor) for tensor in tensors}
    if len(lengths) > 1:
        raise InputError(argument, "have tensors of one length", sorted(lengths))
    return lengths.pop()
