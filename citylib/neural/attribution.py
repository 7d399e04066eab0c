"""What an answer hangs on: the shared terms of every way to ask, and the answer with parts of the input taken away.

Legend: B examples, D numbers in one, G groups of them (a patch, a sensor, one number), K answers. A *score* says how
much a group adds to the answer: positive raises it. `keep_BG` says which groups of each example are left to the model.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from citylib import checks
from citylib.errors import InputError

__all__ = ["Answer", "Left", "by_group", "groups_of", "order_of", "replaced"]

Answer = Callable[[torch.Tensor], torch.Tensor]  # x_BD -> one number an example, shape (B,)
Left = Callable[[torch.Tensor], torch.Tensor]  # keep_BG -> the answer, shape (B,), or K answers, (B, K)


def groups_of(numbers: int, size: int) -> torch.Tensor:
    """Return the group of each number when runs of `size` belong together, shape (D,).

    Parameters
    ----------
    numbers : int
        D, a multiple of `size`.
    size : int
        Numbers in a group.

    Examples
    --------
    >>> groups_of(6, 2).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    size = checks.integer("size", size, minimum=1)
    if checks.integer("numbers", numbers, minimum=1) % size:
        raise InputError("numbers", f"be a multiple of {size}", numbers)
    return torch.arange(numbers) // size


def by_group(score_BD: torch.Tensor, group_D: torch.Tensor) -> torch.Tensor:
    """Return the sum of the scores of each group, shape (B, G): scores that add up to the answer still do.

    Parameters
    ----------
    score_BD : torch.Tensor, shape (B, D)
        Scores of single numbers.
    group_D : torch.Tensor of int, shape (D,)
        Group of each number, 0 to G - 1.

    Examples
    --------
    >>> by_group(torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([0, 0, 1])).tolist()
    [[3.0, 4.0]]
    """
    count = _groups(group_D, score_BD.shape[-1])
    out_BG = score_BD.new_zeros(len(score_BD), count)
    return out_BG.index_add(1, group_D.to(score_BD.device), score_BD)


def order_of(score_BG: torch.Tensor) -> torch.Tensor:
    """Return the groups from the one that moves the answer most, up or down, to the one that moves it least.

    Groups that move it alike come in the order they stand, so that equal scores give equal orders.

    Parameters
    ----------
    score_BG : torch.Tensor, shape (B, G)
        Scores.

    Returns
    -------
    torch.Tensor of int, shape (B, G)

    Examples
    --------
    >>> order_of(torch.tensor([[0.1, -3.0, 2.0]])).tolist()
    [[1, 2, 0]]
    """
    if not bool(torch.isfinite(score_BG).all()):
        raise InputError("score", "be finite", "NaN or infinite scores")
    return score_BG.abs().argsort(dim=1, descending=True, stable=True)


def replaced(answer: Answer, x_BD: torch.Tensor, baseline_BD: torch.Tensor, group_D: torch.Tensor) -> Left:
    """Return the answer with groups put back to a baseline, for models that have no other way to leave them out.

    Parameters
    ----------
    answer : callable
        From (B, D) to (B,).
    x_BD, baseline_BD : torch.Tensor, shape (B, D)
        Examples, and what stands for "nothing": it decides what is asked, so choose it with care.
    group_D : torch.Tensor of int, shape (D,)
        Group of each number.

    Examples
    --------
    >>> total = lambda x: x.sum(dim=1)
    >>> left = replaced(total, torch.ones(1, 3), torch.zeros(1, 3), torch.arange(3))
    >>> left(torch.tensor([[True, False, True]])).tolist()
    [2.0]
    """
    _groups(group_D, x_BD.shape[-1])
    if x_BD.shape != baseline_BD.shape:
        raise InputError("baseline", f"have the shape of the examples {tuple(x_BD.shape)}", tuple(baseline_BD.shape))
    at = group_D.to(x_BD.device)
    return lambda keep_BG: answer(torch.where(keep_BG.to(x_BD.device)[:, at], x_BD, baseline_BD))


def _groups(group_D: torch.Tensor, numbers: int) -> int:
    """Return G; every number has a group, and no group is empty."""
    known = sorted(set(group_D.tolist()))
    if group_D.ndim != 1 or len(group_D) != numbers or known != list(range(len(known))):
        raise InputError("group", f"name the group of each of {numbers} numbers, 0 to G - 1", known[:8])
    return len(known)
