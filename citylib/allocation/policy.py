"""What a policy is: from the state of a city's resources to their shares; and a check that something is one.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["Policy", "State", "breaches", "shares", "state"]

FloatArray = npt.NDArray[np.float64]
TOLERANCE = 1e-5  # single precision, sums over some hundred resources


class Policy(Protocol):
    """A rule that shares a budget.

    For any number N of resources it returns shares of shape (B, N) that sum to 1 and are none negative, 0 where the
    mask is False. Resources have no order: shuffled resources get the same shares, shuffled.
    """

    def __call__(self, tokens_BNF: torch.Tensor, mask_BN: torch.Tensor, budget_B: torch.Tensor) -> torch.Tensor:
        """Return the shares, shape (B, N)."""
        ...


@dataclass(frozen=True, eq=False)
class State:
    """What is known when a budget is shared; made by `state`, which checks it.

    Parameters
    ----------
    tokens_BNF : torch.Tensor, shape (B, N, F)
        A row of features a resource.
    mask_BN : torch.Tensor of bool, shape (B, N)
        Which resources there are.
    budget_B : torch.Tensor, shape (B,)
        Units to share.
    """

    tokens_BNF: torch.Tensor
    mask_BN: torch.Tensor
    budget_B: torch.Tensor


def state(
    tokens: npt.ArrayLike,
    budget: npt.ArrayLike,
    *,
    mask: npt.ArrayLike | None = None,
    resources: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float32,
) -> State:
    """Return a state, checked once, where it comes in.

    Parameters
    ----------
    tokens : array_like, shape (B, N, F)
        Features; what the mask leaves out may hold anything.
    budget : array_like, shape (B,) or ()
        Units to share, above 0.
    mask : array_like of bool, shape (B, N), optional
        Which resources there are; by default all.
    resources : sequence of str, optional
        Their names, for messages.
    dtype : torch.dtype, default torch.float32
        Of the tensors.

    Returns
    -------
    State

    Raises
    ------
    InputError
        A feature that is missing, infinite or too large for the type (the resource is named), a budget that is not
        above 0, an instance without resources, shapes that don't fit.

    Examples
    --------
    >>> given = state([[[1.0, 2.0], [3.0, float("nan")]]], 2.0, mask=[[True, False]])
    >>> given.tokens_BNF.tolist(), given.budget_B.tolist()
    ([[[1.0, 2.0], [0.0, 0.0]]], [2.0])
    """
    try:
        found = np.asarray(tokens, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("tokens", "be numeric, as many features for every resource", tokens) from None
    if found.ndim != 3 or 0 in found.shape:
        raise InputError("tokens", "be instances of resources of features", found.shape)
    there = np.ones(found.shape[:2], dtype=np.bool_) if mask is None else checks.binary("mask", mask)
    if there.shape != found.shape[:2]:
        raise InputError("mask", f"have the shape {found.shape[:2]}", there.shape)
    if not there.any(axis=1).all():
        raise InputError(
            "mask", "leave every instance a resource", f"none in instance {int(there.any(axis=1).argmin())}"
        )
    if resources is not None and len(resources) != found.shape[1]:
        raise InputError("resources", f"name the {found.shape[1]} resources", len(resources))
    bad = ~(np.abs(found) <= torch.finfo(dtype).max) & there[..., None]
    if bad.any():
        b, n, f = (int(at) for at in np.argwhere(bad)[0])
        called = resources[n] if resources is not None else f"resource {n}"
        told = f"feature {f} of {called} in instance {b}"
        raise InputError("tokens", "be known for every resource", told, "fill it in or mask the resource")
    money = checks.array("budget", budget)
    if (money <= 0).any():
        raise InputError("budget", "be above 0", float(money.min()))
    if (money > torch.finfo(dtype).max).any():
        raise InputError("budget", f"fit into {dtype}", float(money.max()))
    if money.ndim and money.shape != (len(found),):
        raise InputError("budget", f"be one number or {len(found)}", money.shape)
    known = torch.tensor(np.where(there[..., None], found, 0.0), dtype=dtype)
    paid = torch.tensor(np.broadcast_to(money, len(found)).copy(), dtype=dtype)
    return State(known, torch.tensor(there), paid)


def shares(policy: Policy, given: State, *, batch: int = 1024) -> FloatArray:
    """Return what a policy gives, batch by batch and without gradients.

    Parameters
    ----------
    policy : Policy
        A rule, or a network, which is put into its mode for use meanwhile.
    given : State
        B instances.
    batch : int, default 1024
        Instances a call.

    Returns
    -------
    ndarray, shape (B, N)

    Raises
    ------
    InputError
        The policy breaks its contract: shares that are not finite, negative, or don't sum to 1.
    """
    size = checks.integer("batch", batch, minimum=1)
    module = policy if isinstance(policy, nn.Module) else None
    was = module.training if module is not None else False
    parts = []
    try:
        if module is not None:
            module.eval()
        with torch.no_grad():
            for start in range(0, len(given.budget_B), size):
                rows = slice(start, start + size)
                parts.append(policy(given.tokens_BNF[rows], given.mask_BN[rows], given.budget_B[rows]))
    finally:
        if module is not None:
            module.train(was)
    whole = torch.cat(parts)
    wrong = _wrong(whole, given, TOLERANCE)
    if wrong:
        raise InputError("policy", "give shares: none negative, sum 1, 0 where the mask is False", wrong[0])
    return whole.double().numpy()


def breaches(policy: Policy, given: State, *, generator: torch.Generator, tolerance: float = TOLERANCE) -> list[str]:
    """Return how a policy breaks its contract on the given states, a line each; none if it keeps it.

    Parameters
    ----------
    policy : Policy
        In its mode for use.
    given : State
        States of two resources or more.
    generator : torch.Generator
        Draws the shuffles and what stands behind the mask.
    tolerance : float, default 1e-5
        By how much shares may differ.

    Returns
    -------
    list of str
    """
    tokens, mask, budget = given.tokens_BNF, given.mask_BN, given.budget_B
    with torch.no_grad():
        plain = policy(tokens, mask, budget)
        found = _wrong(plain, given, tolerance)
        if plain.shape != mask.shape:
            return found  # the rest compares resource by resource
        order = _shuffled(tokens.shape[1], generator)
        moved = policy(tokens[:, order], mask[:, order], budget)
        off = float((moved - plain[:, order]).abs().max())
        if not off <= tolerance:
            found.append(f"shuffled resources get other shares: they differ by {off:.2g}")
        extra = torch.randn((len(tokens), 3, tokens.shape[2]), generator=generator).to(tokens.dtype)
        wide = torch.cat([tokens, extra], dim=1)
        there = torch.cat([mask, torch.zeros(len(mask), 3, dtype=torch.bool)], dim=1)
        padded = policy(wide, there, budget)
        if padded.shape != there.shape:
            return [*found, f"with {there.shape[1]} resources shares have the shape {tuple(padded.shape)}"]
        off = float((padded[:, : tokens.shape[1]] - plain).abs().max())
        if not off <= tolerance or float(padded[:, tokens.shape[1] :].abs().max()) != 0:
            found.append(f"resources behind the mask change shares: they differ by {off:.2g}")
        one = policy(tokens[:1], mask[:1], budget[:1])
        off = float((one - plain[:1]).abs().max())
        if not off <= tolerance:
            found.append(f"an instance alone gets other shares than among others: they differ by {off:.2g}")
    return found


def _shuffled(count: int, generator: torch.Generator) -> torch.Tensor:
    """Return an order that is not the one there is: of two resources every second draw would be."""
    order = torch.randperm(count, generator=generator)
    return order if count < 2 or (order != torch.arange(count)).any() else order.roll(1)


def _wrong(shares_BN: torch.Tensor, given: State, tolerance: float) -> list[str]:
    """Return what is wrong with shares as such."""
    if shares_BN.shape != given.mask_BN.shape:
        return [f"shares have the shape {tuple(shares_BN.shape)}, not {tuple(given.mask_BN.shape)}"]
    if not torch.isfinite(shares_BN).all():
        return ["shares are not finite"]
    found = []
    if float(shares_BN.min()) < 0:
        found.append(f"a share is negative: {float(shares_BN.min()):.2g}")
    off = float((shares_BN.sum(dim=1) - 1).abs().max())
    if off > tolerance:
        found.append(f"shares don't sum to 1: off by {off:.2g}")
    if float(torch.where(given.mask_BN, 0.0, shares_BN).abs().max()) > 0:
        found.append("a resource behind the mask gets a share")
    return found
