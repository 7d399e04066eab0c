"""Weights of learned rules: one set, or a set for each of several candidates that share the runs of a batch."""

from __future__ import annotations

import torch

from citylib import checks
from citylib.errors import InputError

__all__ = ["as_weights", "spread"]


def as_weights(weights: object, count: int) -> torch.Tensor:
    """Return weights as a tensor of shape (C, count).

    Parameters
    ----------
    weights : array_like, shape (count,) or (C, count)
        Finite numbers.
    count : int
        How many a candidate has.

    Returns
    -------
    torch.Tensor, shape (C, count)

    Raises
    ------
    InputError
        Another number of them, or one that isn't finite.
    """
    found = torch.tensor(checks.array("weights", weights), dtype=torch.float32)  # type: ignore[arg-type]
    if found.ndim not in (1, 2) or found.shape[-1] != count or found.numel() == 0:
        raise InputError("weights", f"be {count} a candidate", tuple(found.shape))
    return found.reshape(-1, count)


def spread(weights_CF: torch.Tensor, runs: int) -> torch.Tensor:
    """Return a row of weights for each run: the first B / C runs are the first candidate's, and so on.

    Parameters
    ----------
    weights_CF : torch.Tensor, shape (C, F)
        Of each candidate.
    runs : int
        B, a multiple of C.

    Returns
    -------
    torch.Tensor, shape (B, F)

    Raises
    ------
    InputError
        Runs that the candidates can't share equally.
    """
    if runs % len(weights_CF):
        raise InputError("weights", f"be of candidates that share {runs} runs equally", len(weights_CF))
    return weights_CF.repeat_interleave(runs // len(weights_CF), dim=0)
