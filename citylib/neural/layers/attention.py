"""A transformer block: every token looks at all others, then each is worked on by itself.

Legend: B examples, P tokens (patches), W width, A heads, D = W / A numbers a head.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["Block", "SelfAttention"]


class SelfAttention(nn.Module):
    """Mix tokens: each head takes softmax(q k' / sqrt(D)) v, the heads side by side go through one linear layer.

    Parameters
    ----------
    width : int
        W, a multiple of `heads`.
    heads : int
        A.

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS.

    Examples
    --------
    >>> layer = SelfAttention(8, 2)
    >>> layer(torch.rand(3, 5, 8)).shape, layer.map(torch.rand(3, 5, 8)).shape
    (torch.Size([3, 5, 8]), torch.Size([3, 2, 5, 5]))
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = checks.integer("heads", heads, minimum=1)
        if checks.integer("width", width, minimum=1) % heads:
            raise InputError("width", f"be a multiple of the {heads} heads", width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x_BPW: torch.Tensor, seen_BP: torch.Tensor | None = None, *, causal: bool = False
    ) -> torch.Tensor:
        """Return the mixed tokens, shape (B, P, W).

        Nobody looks at tokens that are not seen (False in ``seen_BP``), nor, where ``causal``, at later ones.
        """
        q_BAPD, k_BAPD, v_BAPD = self._heads(x_BPW)
        may = None if seen_BP is None else seen_BP[:, None, None, :]
        if causal and may is not None:
            may, causal = may & torch.ones(2 * (x_BPW.shape[1],), dtype=torch.bool, device=may.device).tril(), False
        mixed_BAPD = nn.functional.scaled_dot_product_attention(q_BAPD, k_BAPD, v_BAPD, attn_mask=may, is_causal=causal)
        out_BPW: torch.Tensor = self.out(mixed_BAPD.transpose(1, 2).flatten(2))
        return out_BPW

    def map(self, x_BPW: torch.Tensor) -> torch.Tensor:
        """Return how much each token (third axis) takes of each other (last), shape (B, A, P, P); rows add up to 1."""
        q_BAPD, k_BAPD, _ = self._heads(x_BPW)
        return torch.softmax(q_BAPD @ k_BAPD.transpose(2, 3) / math.sqrt(q_BAPD.shape[-1]), dim=-1)

    def _heads(self, x_BPW: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        examples, tokens, width = x_BPW.shape
        split = self.query_key_value(x_BPW).view(examples, tokens, 3, self.heads, width // self.heads)
        q_BAPD, k_BAPD, v_BAPD = split.permute(2, 0, 3, 1, 4)
        return q_BAPD, k_BAPD, v_BAPD


class Block(nn.Module):
    """Attention, then a small network on each token; both add to what they get, which is normed before.

    Parameters
    ----------
    width, heads : int
        W and A.
    widen : int, default 2
        Hidden units of the small network, in widths.
    dropout : float, default 0
        Share of what is added that is left out while training, 0 to 1.

    References
    ----------
    Xiong, R. et al. (2020). On layer normalization in the transformer architecture. ICML.

    Examples
    --------
    >>> Block(8, 2)(torch.rand(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(self, width: int, heads: int, *, widen: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        hidden = checks.integer("widen", widen, minimum=1) * width
        self.before_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.before_network = nn.LayerNorm(width)
        self.rise, self.fall = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.dropout = nn.Dropout(checks.fraction("dropout", dropout, closed=True))

    def forward(
        self, x_BPW: torch.Tensor, seen_BP: torch.Tensor | None = None, *, causal: bool = False
    ) -> torch.Tensor:
        """Return the tokens after the block, shape (B, P, W); ``seen_BP`` and ``causal`` as in `SelfAttention`."""
        x_BPW = x_BPW + self.dropout(self.attention(self.before_attention(x_BPW), seen_BP, causal=causal))
        hidden = nn.functional.gelu(self.rise(self.before_network(x_BPW)))
        out_BPW: torch.Tensor = x_BPW + self.dropout(self.fall(hidden))
        return out_BPW
