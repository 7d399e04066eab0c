"""Shares in proportion to need: the rule cities use, and the strongest simple one.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

import torch

from citylib import checks
from citylib.allocation.policies.equal import equal
from citylib.errors import InputError

__all__ = ["Proportional"]


class Proportional:
    """Share in proportion to one feature, such as calls or people; equally where it is 0 for all.

    Parameters
    ----------
    feature : int
        Which one.

    Examples
    --------
    >>> rule = Proportional(0)
    >>> rule(torch.tensor([[[1.0], [3.0]]]), torch.ones(1, 2, dtype=torch.bool), torch.ones(1)).tolist()
    [[0.25, 0.75]]
    """

    def __init__(self, feature: int) -> None:
        self.feature = checks.integer("feature", feature, minimum=0)

    def __call__(self, tokens_BNF: torch.Tensor, mask_BN: torch.Tensor, budget_B: torch.Tensor) -> torch.Tensor:
        """Return the shares, shape (B, N); a need below 0 is refused."""
        if self.feature >= tokens_BNF.shape[2]:
            raise InputError("feature", f"be one of the {tokens_BNF.shape[2]}", self.feature)
        need_BN = torch.where(mask_BN, tokens_BNF[:, :, self.feature], 0.0)
        if float(need_BN.min()) < 0:
            raise InputError("need", "be 0 or more", float(need_BN.min()))
        total_B1 = need_BN.sum(dim=1, keepdim=True)
        shares_BN = need_BN / torch.where(total_B1 > 0, total_B1, 1.0)
        return torch.where(total_B1 > 0, shares_BN, equal(tokens_BNF, mask_BN, budget_B))
