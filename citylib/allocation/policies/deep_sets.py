"""DeepSets: each resource beside the mean of all, the simplest network on sets.

Legend: B instances, N resources, F features, W width.
"""

from __future__ import annotations

import torch
from torch import nn

from citylib import checks
from citylib.allocation.policies.network import draw

__all__ = ["DeepSets"]


class DeepSets(nn.Module):
    """Embed each resource, take the mean over all that are there, and judge each resource beside that mean.

    Parameters
    ----------
    inputs : int
        F.
    width : int
        W, of the embedding and the hidden layers.
    generator : torch.Generator
        Draws the weights.

    References
    ----------
    Zaheer, M. et al. (2017). Deep sets. NeurIPS.

    Examples
    --------
    >>> from citylib import seeds
    >>> body = DeepSets(8, 16, generator=seeds.torch_generator(0))
    >>> body(torch.randn(4, 5, 8), torch.ones(4, 5, dtype=torch.bool)).shape
    torch.Size([4, 5, 2])
    """

    def __init__(self, inputs: int, width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        checks.integer("inputs", inputs, minimum=1)
        checks.integer("width", width, minimum=1)
        self.embed = nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width))
        self.judge = nn.Sequential(
            nn.Linear(inputs + width, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2)
        )
        draw(self, generator)

    def forward(self, x_BNF: torch.Tensor, mask_BN: torch.Tensor) -> torch.Tensor:
        """Return two numbers a resource, shape (B, N, 2)."""
        there_BN1 = mask_BN[:, :, None].to(x_BNF.dtype)
        mean_B1W = (self.embed(x_BNF) * there_BN1).sum(dim=1, keepdim=True) / there_BN1.sum(dim=1, keepdim=True)
        out_BN2: torch.Tensor = self.judge(torch.cat([x_BNF, mean_B1W.expand(-1, x_BNF.shape[1], -1)], dim=2))
        return out_BN2
