"""Equal shares: what every other rule must beat.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

import torch

__all__ = ["equal"]


def equal(tokens_BNF: torch.Tensor, mask_BN: torch.Tensor, budget_B: torch.Tensor) -> torch.Tensor:
    """Return 1 / (number of resources there are) for each, shape (B, N).

    Parameters
    ----------
    tokens_BNF, budget_B : torch.Tensor
        Not looked at.
    mask_BN : torch.Tensor of bool, shape (B, N)
        Which resources there are.

    Examples
    --------
    >>> equal(torch.zeros(1, 3, 2), torch.tensor([[True, True, False]]), torch.ones(1)).tolist()
    [[0.5, 0.5, 0.0]]
    """
    there_BN = mask_BN.to(tokens_BNF.dtype)
    return there_BN / there_BN.sum(dim=1, keepdim=True)
