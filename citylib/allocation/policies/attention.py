"""A set transformer: every resource looks at all the others and takes from each what matters to it.

Legend: B instances, N resources, F features, W width, A heads, D = W / A numbers a head.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from citylib import checks
from citylib.allocation.policies.network import draw
from citylib.errors import InputError

__all__ = ["Block", "SetAttention"]


class Block(nn.Module):
    """Attention among the resources that are there, then a small network on each; both add to what they get.

    Parameters
    ----------
    width : int
        W, a multiple of `heads`.
    heads : int
        A.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = checks.integer("heads", heads, minimum=1)
        if checks.integer("width", width, minimum=1) % heads:
            raise InputError("width", f"be a multiple of the {heads} heads", width)
        self.before_attention, self.before_network = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x_BNW: torch.Tensor, mask_BN: torch.Tensor) -> torch.Tensor:
        """Return the resources after the block, shape (B, N, W)."""
        q_BAND, k_BAND, v_BAND = self._heads(x_BNW)
        mixed_BAND = nn.functional.scaled_dot_product_attention(
            q_BAND, k_BAND, v_BAND, attn_mask=mask_BN[:, None, None, :]
        )
        x_BNW = x_BNW + self.out(mixed_BAND.transpose(1, 2).flatten(2))
        out_BNW: torch.Tensor = x_BNW + self.network(self.before_network(x_BNW))
        return out_BNW

    def map(self, x_BNW: torch.Tensor, mask_BN: torch.Tensor) -> torch.Tensor:
        """Return how much each resource (third axis) takes of each other (last), shape (B, A, N, N)."""
        q_BAND, k_BAND, _ = self._heads(x_BNW)
        fit_BANN = q_BAND @ k_BAND.transpose(2, 3) / math.sqrt(q_BAND.shape[-1])
        return torch.softmax(fit_BANN.masked_fill(~mask_BN[:, None, None, :], -math.inf), dim=-1)

    def _heads(self, x_BNW: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        count, resources, width = x_BNW.shape
        split = self.query_key_value(self.before_attention(x_BNW))
        q, k, v = split.view(count, resources, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return q, k, v


class SetAttention(nn.Module):
    """Embed each resource, pass blocks of attention, judge each resource.

    No place in an order is told to it, so it cannot but treat shuffled resources alike, and any number of them.

    Parameters
    ----------
    inputs : int
        F.
    width, heads, blocks : int
        W, A and how many blocks.
    generator : torch.Generator
        Draws the weights.

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS. Lee, J. et al. (2019). Set transformer: a framework
    for attention-based permutation-invariant neural networks. ICML.

    Examples
    --------
    >>> from citylib import seeds
    >>> body = SetAttention(8, 16, 2, 1, generator=seeds.torch_generator(0))
    >>> x, there = torch.randn(4, 5, 8), torch.ones(4, 5, dtype=torch.bool)
    >>> body(x, there).shape, body.maps(x, there)[0].shape
    (torch.Size([4, 5, 2]), torch.Size([4, 2, 5, 5]))
    """

    def __init__(self, inputs: int, width: int, heads: int, blocks: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.Linear(checks.integer("inputs", inputs, minimum=1), width), nn.GELU(), nn.Linear(width, width)
        )
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(checks.integer("blocks", blocks, minimum=1)))
        self.judge = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2))
        draw(self, generator)

    def forward(self, x_BNF: torch.Tensor, mask_BN: torch.Tensor) -> torch.Tensor:
        """Return two numbers a resource, shape (B, N, 2)."""
        x_BNW = self.embed(x_BNF)
        for block in self.blocks:
            x_BNW = block(x_BNW, mask_BN)
        out_BN2: torch.Tensor = self.judge(x_BNW)
        return out_BN2

    def maps(self, x_BNF: torch.Tensor, mask_BN: torch.Tensor) -> list[torch.Tensor]:
        """Return the attention map of each block, shape (B, A, N, N); rows add up to 1."""
        x_BNW, found = self.embed(x_BNF), []
        for block in self.blocks:
            assert isinstance(block, Block)
            found.append(block.map(x_BNW, mask_BN))
            x_BNW = block(x_BNW, mask_BN)
        return found
