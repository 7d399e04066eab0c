"""When memory runs out: tell it from other errors, and find how much of a batch fits."""

from __future__ import annotations

from collections.abc import Callable

import torch

__all__ = ["fitting", "is_short"]

SHORT = ("not enough memory", "out of memory", "allocate memory", "bad_alloc")


def is_short(reason: BaseException) -> bool:
    """Return whether an error says that memory ran out, on a GPU or a CPU.

    Parameters
    ----------
    reason : BaseException
        What was raised.

    Examples
    --------
    >>> is_short(RuntimeError("DefaultCPUAllocator: can't allocate memory")), is_short(RuntimeError("shapes"))
    (True, False)
    """
    return isinstance(reason, torch.OutOfMemoryError) or any(text in str(reason) for text in SHORT)


def fitting(loss_of: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> int:
    """Return the largest half, quarter, ... of rows whose loss and gradient fit into memory; 0: not even one does.

    Parameters
    ----------
    loss_of : callable
        Takes rows, gives their loss.
    rows : torch.Tensor of int, shape (B,)
        The batch that did not fit.

    Returns
    -------
    int

    Examples
    --------
    >>> def greedy(rows):
    ...     if len(rows) > 5:
    ...         raise RuntimeError("out of memory")
    ...     return torch.ones((), requires_grad=True) * len(rows)
    >>> fitting(greedy, torch.arange(16))
    4
    """
    count = len(rows) // 2
    while count:
        if _fits(loss_of, rows[:count]):
            return count
        count //= 2
    return 0


def _fits(loss_of: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> bool:
    """Try rows in a frame of its own: what an error keeps alive is let go before the next try."""
    try:
        loss_of(rows).backward()  # type: ignore[no-untyped-call]
    except (torch.OutOfMemoryError, RuntimeError) as reason:
        if not is_short(reason):
            raise
        return False
    return True
