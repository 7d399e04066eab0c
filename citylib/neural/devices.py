"""Where to compute: one CPU, one GPU, or several processes under torchrun, by the same code (Lightning Fabric)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["PRECISIONS", "Place", "device", "place"]

PRECISIONS = ("32-true", "64-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class Place:
    """A device, its precision and the processes that share the work; made by `place`.

    Parameters
    ----------
    fabric : lightning_fabric.Fabric
        Launched.
    precision : {"32-true", "64-true", "bf16-mixed", "16-mixed"}
        Of weights and sums.
    """

    fabric: Any
    precision: str = "32-true"

    @property
    def device(self) -> torch.device:
        """Device of this process."""
        found: torch.device = self.fabric.device
        return found

    @property
    def processes(self) -> int:
        """Number of processes that train together."""
        return int(self.fabric.world_size)

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return int(self.fabric.global_rank)

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """Return the sum of a tensor over all processes."""
        if self.processes == 1:
            return value
        total: torch.Tensor = self.fabric.all_reduce(value, reduce_op="sum")
        return total


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


def place(
    name: str = "auto", *, precision: Literal["32-true", "64-true", "bf16-mixed", "16-mixed"] = "32-true"
) -> Place:
    """Return where to train; under ``torchrun`` all its processes train one model together (DDP).

    Processes exchange gradients by NCCL on GPUs and by gloo on CPUs. A batch is shared among them, so the
    number of processes changes the speed and not the result (but for rounding, for dropout, and for a loss that is a
    mean over what is observed: shares with gaps are weighted by their examples, not by their readings).

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        ``"auto"`` takes the GPU if there is one.
    precision : {"32-true", "64-true", "bf16-mixed", "16-mixed"}
        Of weights and sums; ``"64-true"`` turns the model into float64.

    Returns
    -------
    Place

    Raises
    ------
    InputError
        No such device or precision, a GPU that is not there, more processes than GPUs.

    References
    ----------
    Li, S. et al. (2020). PyTorch Distributed: experiences on accelerating data parallel training. VLDB.

    Examples
    --------
    >>> here = place("cpu")
    >>> here.device, here.processes, here.rank
    (device(type='cpu'), 1, 0)
    """
    return _made(device(name).type, precision, None)


def of(model: nn.Module) -> Place:
    """Return the place where a model's weights are, on the same GPU: one process, the model's own precision."""
    first = next(model.parameters(), None)
    if first is None:
        raise InputError("model", "have weights to train", type(model).__name__)
    kind = device("cuda" if first.device.type == "cuda" else "cpu").type
    return _made(kind, "64-true" if first.dtype == torch.float64 else "32-true", first.device.index)


def _made(kind: str, precision: str, index: int | None) -> Place:
    """Return a place on all GPUs that the processes at hand have, or on the one of that number."""
    checks.one_of("precision", precision, PRECISIONS)
    if precision == "16-mixed" and kind == "cpu":
        raise InputError("precision", "be one the CPU can do", precision, "use 'bf16-mixed'")
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.precision import DoublePrecision, Precision
    from lightning_fabric.strategies.ddp import DDPStrategy

    class Double(DoublePrecision):  # type: ignore[misc, unused-ignore]
        """Fabric's, but what the model gives stays float64: the loss is worked out in it too."""

        convert_output = Precision.convert_output

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if kind == "cuda" and processes > torch.cuda.device_count():
        raise InputError("--nproc-per-node", f"be at most the {torch.cuda.device_count()} GPUs", processes)
    together = int(os.environ.get("WORLD_SIZE", "1")) > 1
    backend = "nccl" if kind == "cuda" else "gloo"
    strategy: Any = DDPStrategy(process_group_backend=backend) if together else "auto"
    nodes = int(os.environ.get("GROUP_WORLD_SIZE", "1"))
    how: dict[str, Any] = {"plugins": [Double()]} if precision == "64-true" else {"precision": precision}
    which = [index] if kind == "cuda" and index is not None and not together else processes
    fabric = Fabric(accelerator=kind, devices=which, num_nodes=nodes, strategy=strategy, **how)
    fabric.launch()
    return Place(fabric, precision)
