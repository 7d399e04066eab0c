"""LoRA: a trained linear layer kept as it is, and beside it a thin one that learns.

Legend: B examples, I inputs, O outputs, R rank.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from citylib import checks

__all__ = ["LowRank", "merge"]


class LowRank(nn.Module):
    """Add (scale / R) U V x to a frozen linear layer; U starts at zero, so at first nothing changes.

    Parameters
    ----------
    linear : torch.nn.Linear
        Is frozen and kept.
    rank : int
        R, at most the smaller of its inputs and outputs.
    generator : torch.Generator
        Draws V.
    scale : float, default 1
        How much the thin layer counts.

    References
    ----------
    Hu, E. J. et al. (2022). LoRA: low-rank adaptation of large language models. ICLR.

    Examples
    --------
    >>> from citylib import seeds
    >>> plain = nn.Linear(6, 4)
    >>> thin = LowRank(plain, 2, generator=seeds.torch_generator(0))
    >>> x = torch.rand(3, 6)
    >>> bool((thin(x) == plain(x)).all()), sum(p.numel() for p in thin.parameters() if p.requires_grad)
    (True, 20)
    """

    def __init__(self, linear: nn.Linear, rank: int, *, generator: torch.Generator, scale: float = 1.0) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        most = min(linear.in_features, linear.out_features)
        self.rank = checks.integer("rank", rank, minimum=1, maximum=most)
        self.scale = checks.number("scale", scale, above=0) / rank
        self.up_OR = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        bound = math.sqrt(3 / linear.in_features)
        down_RI = torch.empty(rank, linear.in_features, dtype=linear.weight.dtype)
        self.down_RI = nn.Parameter(down_RI.uniform_(-bound, bound, generator=generator).to(linear.weight.device))

    def forward(self, x_BI: torch.Tensor) -> torch.Tensor:
        """Return the outputs, shape (B, O)."""
        thin_BO = nn.functional.linear(nn.functional.linear(x_BI, self.down_RI), self.up_OR)
        out_BO: torch.Tensor = self.linear(x_BI) + self.scale * thin_BO
        return out_BO

    def merged(self) -> nn.Linear:
        """Return one plain layer that gives the same outputs."""
        old = self.linear.weight
        out = nn.Linear(self.linear.in_features, self.linear.out_features, dtype=old.dtype, device=old.device)
        with torch.no_grad():
            out.weight.copy_(self.linear.weight + self.scale * self.up_OR @ self.down_RI)
            out.bias.copy_(self.linear.bias)
        return out


def merge(model: nn.Module) -> nn.Module:
    """Put plain layers in the place of all low-rank ones of `model`, and return it: as fast as before them.

    Parameters
    ----------
    model : torch.nn.Module
        Is changed.

    Examples
    --------
    >>> from citylib import seeds
    >>> merge(nn.Sequential(LowRank(nn.Linear(6, 4), 2, generator=seeds.torch_generator(0))))
    Sequential(
      (0): Linear(in_features=6, out_features=4, bias=True)
    )
    """
    for name, child in model.named_children():
        if isinstance(child, LowRank):
            setattr(model, name, child.merged())
        else:
            merge(child)
    return model
