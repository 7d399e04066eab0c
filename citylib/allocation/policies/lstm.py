"""A recurrent network that reads the resources one after the other: a tool for sequences, set to work on a set.

Legend: B instances, N resources, F features, H hidden units a direction.
"""

from __future__ import annotations

import torch
from torch import nn

from citylib import checks
from citylib.allocation.policies.network import draw

__all__ = ["Recurrent"]


class Recurrent(nn.Module):
    """Read the resources in the order of one feature, forwards and backwards, and judge each from both states.

    The order is made from the resources themselves, so that it does not matter in which they come.

    Parameters
    ----------
    inputs : int
        F.
    hidden : int
        H.
    generator : torch.Generator
        Draws the weights.
    by : int, default 0
        The feature that they are put in order by.

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8). Vinyals, O., Bengio, S.
    and Kudlur, M. (2016). Order matters: sequence to sequence for sets. ICLR.

    Examples
    --------
    >>> from citylib import seeds
    >>> body = Recurrent(8, 16, generator=seeds.torch_generator(0))
    >>> body(torch.randn(4, 5, 8), torch.ones(4, 5, dtype=torch.bool)).shape
    torch.Size([4, 5, 2])
    """

    def __init__(self, inputs: int, hidden: int, *, generator: torch.Generator, by: int = 0) -> None:
        super().__init__()
        self.by = checks.integer("by", by, minimum=0, maximum=inputs - 1)
        self.up = nn.LSTM(inputs, checks.integer("hidden", hidden, minimum=1), batch_first=True)
        self.down = nn.LSTM(inputs, hidden, batch_first=True)
        self.judge = nn.Linear(2 * hidden, 2)
        draw(self, generator)

    def forward(self, x_BNF: torch.Tensor, mask_BN: torch.Tensor) -> torch.Tensor:
        """Return two numbers a resource, shape (B, N, 2)."""
        read = [self._read(layer, x_BNF, mask_BN, sign) for layer, sign in ((self.up, 1.0), (self.down, -1.0))]
        out_BN2: torch.Tensor = self.judge(torch.cat(read, dim=2))
        return out_BN2

    def _read(self, layer: nn.LSTM, x_BNF: torch.Tensor, mask_BN: torch.Tensor, sign: float) -> torch.Tensor:
        """Return the state after each resource, those behind the mask read last, where nobody looks any more."""
        key_BN = (sign * x_BNF[:, :, self.by]).masked_fill(~mask_BN, torch.inf)
        order_BN = torch.argsort(key_BN, dim=1, stable=True)
        ordered_BNF = torch.gather(x_BNF, 1, order_BN[:, :, None].expand_as(x_BNF))
        state_BNH, _ = layer(ordered_BNF)
        back_BN = torch.argsort(order_BN, dim=1)
        return torch.gather(state_BNH, 1, back_BN[:, :, None].expand_as(state_BNH))
