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

    The order is made from the resources themselves, so that it does not matter in which they come: where the feature is
    the same, the next ones decide, and resources that are alike in all get the mean of what is read at their places.

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
        order_BN = torch.arange(x_BNF.shape[1], device=x_BNF.device).expand(mask_BN.shape)
        for feature in (*(f for f in reversed(range(x_BNF.shape[2])) if f != self.by), self.by):
            key_BN = (sign * x_BNF[:, :, feature]).masked_fill(~mask_BN, torch.inf)
            again_BN = torch.argsort(torch.gather(key_BN, 1, order_BN), dim=1, stable=True)
            order_BN = torch.gather(order_BN, 1, again_BN)
        ordered_BNF = torch.gather(x_BNF, 1, order_BN[:, :, None].expand_as(x_BNF))
        state_BNH, _ = layer(ordered_BNF)
        state_BNH = _alike(state_BNH, ordered_BNF, torch.gather(mask_BN, 1, order_BN))
        back_BN = torch.argsort(order_BN, dim=1)
        return torch.gather(state_BNH, 1, back_BN[:, :, None].expand_as(state_BNH))


def _alike(state_BNH: torch.Tensor, ordered_BNF: torch.Tensor, there_BN: torch.Tensor) -> torch.Tensor:
    """Return the states, where neighbours are there and alike in every feature their mean."""
    new_BN = ((ordered_BNF[:, 1:] != ordered_BNF[:, :-1]).any(dim=2) | ~there_BN[:, 1:]).long()
    group_BN1 = torch.nn.functional.pad(new_BN, (1, 0)).cumsum(dim=1)[:, :, None]
    group_BNH = group_BN1.expand_as(state_BNH)
    count_BN1 = torch.zeros_like(state_BNH[:, :, :1]).scatter_add(1, group_BN1, torch.ones_like(state_BNH[:, :, :1]))
    total_BNH = torch.zeros_like(state_BNH).scatter_add(1, group_BNH, state_BNH)
    return torch.gather(total_BNH / count_BN1.clamp(min=1.0), 1, group_BNH)
