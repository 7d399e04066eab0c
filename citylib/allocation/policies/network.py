"""A network that shares: a body that says two numbers of each resource, and a head that makes shares of them.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from citylib import checks
from citylib.allocation import water_filling_layer

__all__ = ["HEADS", "Network", "draw"]

HEADS = ("softmax", "water-filling")
LARGEST = 8.0  # of ln a and ln b: e^8 is 3,000 times the usual, and nothing overflows


class Network(nn.Module):
    """Body, then head.

    A **softmax** head makes shares of the first number: all are above 0, and the budget enters as one more feature
    of every resource (the logarithm of the units a resource). A **water-filling** head takes the two numbers for ln a
    and ln b of a concave effect and hands out the budget by the exact rule, so the network need not learn to optimise.

    Parameters
    ----------
    body : torch.nn.Module
        ``body(tokens, mask)`` gives two numbers a resource, shape (B, N, 2); takes F features for water-filling and
        F + 1 for softmax (see `inputs`).
    head : {"softmax", "water-filling"}
        How shares are made.

    Examples
    --------
    >>> from citylib import seeds
    >>> from citylib.allocation.policies.pointwise import Pointwise
    >>> body = Pointwise(Network.inputs(8, "softmax"), 16, generator=seeds.torch_generator(0))
    >>> tokens, there = torch.randn(4, 5, 8), torch.ones(4, 5, dtype=torch.bool)
    >>> shares = Network(body, "softmax")(tokens, there, torch.full((4,), 5.0))
    >>> bool(torch.allclose(shares.sum(dim=1), torch.ones(4)))
    True
    """

    def __init__(self, body: nn.Module, head: str) -> None:
        super().__init__()
        self.head: str = checks.one_of("head", head, HEADS)
        self.body = body

    @staticmethod
    def inputs(features: int, head: str) -> int:
        """Return how many inputs the body of a network with this head takes."""
        return features + int(checks.one_of("head", head, HEADS) == "softmax")

    def effects(
        self, tokens_BNF: torch.Tensor, mask_BN: torch.Tensor, budget_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the two numbers of each resource, ln a and ln b for a water-filling head, each of shape (B, N)."""
        known_BNF = torch.where(mask_BN[:, :, None], tokens_BNF, 0.0)
        if self.head == "softmax":
            units_B = torch.log(budget_B / mask_BN.sum(dim=1).to(budget_B.dtype))
            known_BNF = torch.cat([known_BNF, units_B[:, None, None].expand(-1, known_BNF.shape[1], 1)], dim=2)
        said_BN2 = self.body(known_BNF, mask_BN)
        return said_BN2[:, :, 0].clamp(-LARGEST, LARGEST), said_BN2[:, :, 1].clamp(-LARGEST, LARGEST)

    def forward(self, tokens_BNF: torch.Tensor, mask_BN: torch.Tensor, budget_B: torch.Tensor) -> torch.Tensor:
        """Return the shares, shape (B, N)."""
        first_BN, second_BN = self.effects(tokens_BNF, mask_BN, budget_B)
        if self.head == "water-filling":
            return water_filling_layer.fill(first_BN, second_BN, budget_B, mask_BN=mask_BN)
        return torch.softmax(first_BN.masked_fill(~mask_BN, -math.inf), dim=1)


def draw(model: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of a model's linear and recurrent layers, so that signals keep their size; biases start at 0."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear):
                bound = math.sqrt(6 / (module.in_features + module.out_features))
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.LSTM):
                bound = 1 / math.sqrt(module.hidden_size)
                for weight in module.parameters():
                    weight.uniform_(-bound, bound, generator=generator)
