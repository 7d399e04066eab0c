"""Water-filling as the last layer of a network: predicted effects in, best shares out, exact gradients through both.

Legend: B instances, N resources.
"""

from __future__ import annotations

import numpy as np
import torch

from citylib.allocation.water_filling_kernel import FREE, fill_rows
from citylib.errors import InputError

__all__ = ["fill"]


def fill(
    log_scale_BN: torch.Tensor,
    log_rate_BN: torch.Tensor,
    budget_B: torch.Tensor,
    *,
    mask_BN: torch.Tensor | None = None,
    low_BN: torch.Tensor | None = None,
    high_BN: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the shares of `citylib.allocation.water_filling.fill`, differentiable to both effects and the budget.

    Which resources end at a bound is found by the compiled search, without gradients, on the CPU; given that, the
    shares are a formula of the others' a and b. So the gradient is that of the implicit function theorem, and second
    derivatives come for free. It jumps where a resource reaches a bound, as the true one does.

    Parameters
    ----------
    log_scale_BN, log_rate_BN : torch.Tensor, shape (B, N)
        ln a and ln b: whatever a network says, the effects are concave and rising.
    budget_B : torch.Tensor, shape (B,)
        R, above 0.
    mask_BN : torch.Tensor of bool, shape (B, N), optional
        Which resources there are.
    low_BN, high_BN : torch.Tensor, shape (B, N), optional
        Smallest and largest shares, between which shares that sum to 1 must lie (`citylib.allocation.bounds.check`);
        no gradient goes to them.

    Returns
    -------
    torch.Tensor, shape (B, N)
        Of the type of `log_scale_BN`; worked out in float64.

    Raises
    ------
    InputError
        Other shapes, a budget that is not above 0.

    References
    ----------
    Amos, B. and Kolter, J. Z. (2017). OptNet: differentiable optimization as a layer in neural networks. ICML.

    Examples
    --------
    >>> log_a = torch.tensor([[0.0, 0.6931]], requires_grad=True)
    >>> shares = fill(log_a, torch.zeros(1, 2), torch.ones(1))
    >>> shares[0, 1].backward()
    >>> [round(v, 4) for v in shares[0].tolist()], [round(v, 4) for v in log_a.grad[0].tolist()]
    ([0.1535, 0.8465], [-0.5, 0.5])
    """
    for name, given in (("log_rate", log_rate_BN), ("mask", mask_BN), ("low", low_BN), ("high", high_BN)):
        if given is not None and given.shape != log_scale_BN.shape:
            raise InputError(name, f"have the shape {tuple(log_scale_BN.shape)}", tuple(given.shape))
    if budget_B.shape != log_scale_BN.shape[:1] or not bool((budget_B > 0).all()):
        raise InputError("budget", f"be {len(log_scale_BN)} numbers above 0", budget_B.tolist())
    rate_BN, budget_B1 = log_rate_BN.double().exp(), budget_B.double()[:, None]
    worth_BN = log_scale_BN.double() + log_rate_BN.double()
    side_BN, share_BN = _search(worth_BN, rate_BN, budget_B, mask_BN, low_BN, high_BN)
    free_BN = side_BN == FREE
    fixed_BN = torch.where(free_BN, 0.0, share_BN) * budget_B1
    inverse_BN = torch.where(free_BN, 1.0 / rate_BN, 0.0)
    any_B1 = free_BN.any(dim=1, keepdim=True)
    over_B1 = torch.where(any_B1, inverse_BN.sum(dim=1, keepdim=True), 1.0)
    rest_B1 = budget_B1 - fixed_BN.sum(dim=1, keepdim=True)
    base_B1 = (torch.where(free_BN, worth_BN, 0.0) * inverse_BN).sum(dim=1, keepdim=True)
    level_B1 = (base_B1 - rest_B1) / over_B1
    amount_BN = torch.where(free_BN, (worth_BN - level_B1) * inverse_BN, fixed_BN)
    return (amount_BN / budget_B1).clamp(min=0.0).to(log_scale_BN.dtype)


def _search(
    worth_BN: torch.Tensor,
    rate_BN: torch.Tensor,
    budget_B: torch.Tensor,
    mask_BN: torch.Tensor | None,
    low_BN: torch.Tensor | None,
    high_BN: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return on which side of its bounds each resource ends, and the shares, as tensors without gradients."""
    count, n = worth_BN.shape
    shares, side = np.empty((count, n)), np.empty((count, n), dtype=np.int8)
    mask = np.ones((1, n), dtype=np.bool_) if mask_BN is None else mask_BN.cpu().numpy()
    low = np.zeros((1, n)) if low_BN is None else low_BN.detach().double().cpu().numpy()
    high = np.full((1, n), np.inf) if high_BN is None else high_BN.detach().double().cpu().numpy()
    worth, rate = worth_BN.detach().cpu().numpy(), rate_BN.detach().cpu().numpy()
    budget = budget_B.detach().double().cpu().numpy()
    w, b, least, most, there, r = (np.ascontiguousarray(part) for part in (worth, rate, low, high, mask, budget))
    fill_rows(w, b, least, most, there, r, shares, np.empty(count), np.empty(count), side)
    return torch.from_numpy(side).to(worth_BN.device), torch.from_numpy(shares).to(worth_BN.device)
