"""A small network that looks at one resource at a time: strong where what counts stands in its own features.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

import torch
from torch import nn

from citylib import checks
from citylib.allocation.policies.network import draw

__all__ = ["Pointwise"]


class Pointwise(nn.Module):
    """Two hidden layers on each resource by itself; the others are seen only by the head that makes shares.

    Parameters
    ----------
    inputs : int
        F.
    hidden : int
        Units of each hidden layer.
    generator : torch.Generator
        Draws the weights.

    Examples
    --------
    >>> from citylib import seeds
    >>> body = Pointwise(8, 16, generator=seeds.torch_generator(0))
    >>> body(torch.randn(4, 5, 8), torch.ones(4, 5, dtype=torch.bool)).shape
    torch.Size([4, 5, 2])
    """

    def __init__(self, inputs: int, hidden: int, *, generator: torch.Generator) -> None:
        super().__init__()
        width = checks.integer("hidden", hidden, minimum=1)
        self.layers = nn.Sequential(
            nn.Linear(checks.integer("inputs", inputs, minimum=1), width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, 2),
        )
        draw(self, generator)

    def forward(self, x_BNF: torch.Tensor, mask_BN: torch.Tensor) -> torch.Tensor:
        """Return two numbers a resource, shape (B, N, 2)."""
        out_BN2: torch.Tensor = self.layers(x_BNF)
        return out_BN2
