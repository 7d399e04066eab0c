"""How far a small error in what is reported can lead a policy astray: the worst one, found by its gradients.

The errors lie in a ball of the sup norm: no feature of a resource is off by more than eps. What the shares bring is
judged by the effects of the true context, for a wrong report changes no street.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from citylib import checks
from citylib.errors import InputError

__all__ = ["SPAN", "STEPS", "benefit", "fgsm", "pgd", "random_points"]

Shares = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
Examples = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
STEPS = 10
SPAN = 2.5  # how many eps the steps of PGD are long together


def benefit(policy: Shares, tokens_BNF: torch.Tensor, seen: Examples) -> torch.Tensor:
    """Return what the shares that a policy gives on wrong tokens bring under the true effects, shape (B,).

    Parameters
    ----------
    policy : callable
        A policy; gradients pass it if they pass its network.
    tokens_BNF : torch.Tensor, shape (B, N, F)
        What is reported.
    seen : tuple of torch.Tensor
        Tokens, mask, budget, a and b of the true contexts, as `citylib.allocation.learn.examples` gives them.
    """
    _, mask_BN, budget_B, scale_BN, rate_BN = seen
    amount_BN = policy(tokens_BNF, mask_BN, budget_B) * budget_B[:, None]
    gain_BN = torch.where(mask_BN, -scale_BN * torch.expm1(-rate_BN * amount_BN), 0.0)
    return gain_BN.sum(dim=1) / mask_BN.sum(dim=1)


def fgsm(policy: Shares, seen: Examples, *, eps: float, features: Sequence[int] | None = None) -> torch.Tensor:
    """Return tokens moved by eps against the gradient of the benefit, in one step from the truth.

    Cheap, and weak: it takes the policy for a plane. See `pgd`.

    Parameters
    ----------
    policy : callable
        Differentiable.
    seen : tuple of torch.Tensor
        As for `benefit`.
    eps : float
        Largest error of a feature, in its units, 0 or more.
    features : sequence of int, optional
        Which features can be wrong; by default all.

    Returns
    -------
    torch.Tensor, shape (B, N, F)

    Raises
    ------
    InputError
        An eps below 0, a feature that is not there, a policy without gradients.

    References
    ----------
    Goodfellow, I., Shlens, J. and Szegedy, C. (2015). Explaining and harnessing adversarial examples. ICLR.

    Examples
    --------
    >>> first = lambda x, mask, budget: torch.softmax(x[:, :, 0], dim=1)
    >>> there = torch.ones(1, 2, dtype=torch.bool)
    >>> seen = (torch.zeros(1, 2, 1), there, torch.ones(1), torch.tensor([[2.0, 1.0]]), torch.ones(1, 2))
    >>> fgsm(first, seen, eps=0.5).tolist()
    [[[-0.5], [0.5]]]
    """
    reach = _reach(seen, eps, features)
    off = torch.zeros_like(seen[0])
    _, slope = _slope(policy, off, seen)
    return seen[0] - reach * slope.sign()


def pgd(
    policy: Shares,
    seen: Examples,
    *,
    eps: float,
    generator: torch.Generator,
    steps: int = STEPS,
    features: Sequence[int] | None = None,
) -> torch.Tensor:
    """Return the worst tokens met on steps against the gradient, from a random point of the ball and within it.

    Parameters
    ----------
    policy : callable
        Differentiable. Tokens found on one policy may be shown to another: a *transferred* attack.
    seen : tuple of torch.Tensor
        As for `benefit`.
    eps : float
        Largest error of a feature, in its units, 0 or more.
    generator : torch.Generator
        Draws where the steps start.
    steps : int, default 10
        How many, each 2.5 eps / `steps` long.
    features : sequence of int, optional
        Which features can be wrong; by default all.

    Returns
    -------
    torch.Tensor, shape (B, N, F)
        For each instance the point at which the benefit was least.

    Raises
    ------
    InputError
        As `fgsm`.

    References
    ----------
    Madry, A. et al. (2018). Towards deep learning models resistant to adversarial attacks. ICLR.

    Examples
    --------
    >>> first = lambda x, mask, budget: torch.softmax(x[:, :, 0], dim=1)
    >>> there = torch.ones(1, 2, dtype=torch.bool)
    >>> seen = (torch.zeros(1, 2, 1), there, torch.ones(1), torch.tensor([[2.0, 1.0]]), torch.ones(1, 2))
    >>> pgd(first, seen, eps=0.5, generator=torch.Generator().manual_seed(0)).tolist()
    [[[-0.5], [0.5]]]
    """
    checks.integer("steps", steps, minimum=1)
    reach, tokens = _reach(seen, eps, features), seen[0]
    off = (2 * torch.rand(tokens.shape, generator=generator).to(tokens) - 1) * reach
    worst, least = off, torch.full((len(tokens),), torch.inf).to(tokens)
    for _ in range(steps):
        value, slope = _slope(policy, off, seen)
        worst, least = _worse(off, value, worst, least)
        off = torch.clamp(off - SPAN / steps * reach * slope.sign(), -reach, reach)
    with torch.no_grad():
        worst, _ = _worse(off, benefit(policy, tokens + off, seen), worst, least)
    return tokens + worst


def random_points(
    policy: Shares,
    seen: Examples,
    *,
    eps: float,
    generator: torch.Generator,
    points: int = 100,
    features: Sequence[int] | None = None,
) -> torch.Tensor:
    """Return for each instance the worst of some random points of the ball; the policy need not be differentiable.

    What gradients miss, because a policy hides them, shows up here.

    Parameters
    ----------
    policy, seen, eps, generator, features : optional
        As for `pgd`.
    points : int, default 100
        How many are tried.

    Returns
    -------
    torch.Tensor, shape (B, N, F)
    """
    checks.integer("points", points, minimum=1)
    reach, tokens = _reach(seen, eps, features), seen[0]
    worst, least = torch.zeros_like(tokens), torch.full((len(tokens),), torch.inf).to(tokens)
    with torch.no_grad():
        for _ in range(points):
            off = (2 * torch.rand(tokens.shape, generator=generator).to(tokens) - 1) * reach
            worst, least = _worse(off, benefit(policy, tokens + off, seen), worst, least)
    return tokens + worst


def _slope(policy: Shares, off_BNF: torch.Tensor, seen: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the benefit at an error, and its gradient there."""
    moved = off_BNF.detach().requires_grad_(True)
    with torch.enable_grad():
        value = benefit(policy, seen[0] + moved, seen)
        if not value.requires_grad:
            raise InputError("policy", "pass gradients", type(policy).__name__, "use random_points, or transfer")
        (slope,) = torch.autograd.grad(value.sum(), moved, allow_unused=True)
    if slope is None:
        raise InputError("policy", "look at the tokens", type(policy).__name__)
    return value.detach(), slope


def _worse(
    off: torch.Tensor, value: torch.Tensor, worst: torch.Tensor, least: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    lower = value < least
    return torch.where(lower[:, None, None], off, worst), torch.where(lower, value, least)


def _reach(seen: Examples, eps: float, features: Sequence[int] | None) -> torch.Tensor:
    """Return the largest error of each feature of each resource, 0 behind the mask."""
    size = checks.number("eps", eps, minimum=0)
    count = seen[0].shape[2]
    allowed = torch.zeros(count, dtype=seen[0].dtype)
    for one in range(count) if features is None else features:
        allowed[checks.integer("feature", one, minimum=0, maximum=count - 1)] = size
    return torch.where(seen[1][:, :, None], allowed, 0.0)
