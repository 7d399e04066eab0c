"""Patches: a series cut into short runs of steps, each one token; what is not seen becomes a mask token.

Legend: B examples, T steps, P patches, S steps a patch (T = P S), W width.
"""

from __future__ import annotations

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["PatchEmbedding", "cut", "spread"]


def cut(x_BT: torch.Tensor, steps: int) -> torch.Tensor:
    """Return the patches of series, shape (B, P, S).

    Parameters
    ----------
    x_BT : torch.Tensor, shape (B, T)
        Series whose length is a multiple of `steps`.
    steps : int
        S.

    Raises
    ------
    InputError
        Another length.

    Examples
    --------
    >>> cut(torch.arange(6.0)[None], 3).tolist()
    [[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]]
    """
    if x_BT.ndim != 2 or not x_BT.shape[1] or x_BT.shape[1] % steps:
        raise InputError("x", f"be examples of a multiple of {steps} steps", tuple(x_BT.shape))
    return x_BT.view(x_BT.shape[0], -1, steps)


def spread(mask_BP: torch.Tensor, steps: int) -> torch.Tensor:
    """Return what is said of patches for each of their steps, shape (B, T).

    Parameters
    ----------
    mask_BP : torch.Tensor, shape (B, P)
        Such as whether a patch is hidden.
    steps : int
        S.

    Examples
    --------
    >>> spread(torch.tensor([[True, False]]), 2).tolist()
    [[True, True, False, False]]
    """
    return mask_BP.repeat_interleave(steps, dim=1)


class PatchEmbedding(nn.Module):
    """Turn patches into tokens: a linear layer on the values seen and on which they are.

    A value that is not seen cannot enter: its place holds nothing, and a flag says so. A patch of which nothing is
    seen is the same learned mask token wherever it stands.

    Parameters
    ----------
    steps : int
        S.
    width : int
        W.

    Examples
    --------
    >>> layer = PatchEmbedding(3, 8)
    >>> seen = torch.tensor([[[True, True, False], [False, False, False]]])
    >>> layer(torch.rand(1, 2, 3), seen).shape
    torch.Size([1, 2, 8])
    """

    def __init__(self, steps: int, width: int) -> None:
        super().__init__()
        self.steps = checks.integer("steps", steps, minimum=1)
        self.linear = nn.Linear(2 * steps, width)
        self.mask_token = nn.Parameter(torch.zeros(width))

    def forward(self, x_BPS: torch.Tensor, seen_BPS: torch.Tensor) -> torch.Tensor:
        """Return the tokens, shape (B, P, W)."""
        known_BPS = torch.where(seen_BPS, x_BPS, torch.zeros((), dtype=x_BPS.dtype, device=x_BPS.device))
        token_BPW = self.linear(torch.cat([known_BPS, seen_BPS.to(x_BPS.dtype)], dim=-1))
        return torch.where(seen_BPS.any(dim=-1, keepdim=True), token_BPW, self.mask_token)
