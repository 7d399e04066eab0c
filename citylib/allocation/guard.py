"""A guard before a policy: reports that cannot be right are filled in or refused, a safe rule steps in, and it is said.

It looks at each reading by itself: is it there, is it a number, does it lie where readings lay when the policy learned.
Readings that are wrong but possible pass; against those a policy has to be robust itself.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.allocation.policies.equal import equal
from citylib.allocation.policy import TOLERANCE, Policy, State, state
from citylib.errors import InputError

__all__ = ["Decision", "Guard", "Limits", "limits"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
SINGLE = 2.0**-23


@dataclass(frozen=True, eq=False)
class Limits:
    """Where readings lay when a policy learned; made by `limits`.

    Parameters
    ----------
    low_F, high_F, typical_F : ndarray, shape (F,)
        Smallest and largest reading that is believed, and the median, which stands in for one that is not.
    """

    low_F: FloatArray
    high_F: FloatArray
    typical_F: FloatArray


@dataclass(frozen=True, eq=False)
class Decision:
    """Shares, and how they came about.

    Parameters
    ----------
    shares_BN : ndarray, shape (B, N)
        What each resource gets.
    bad_BNF : ndarray of bool, shape (B, N, F)
        Readings that were not believed.
    safe_B : ndarray of bool, shape (B,)
        Where the safe rule stepped in.
    told : tuple of str
        A line for each instance in which something was not believed.
    """

    shares_BN: FloatArray
    bad_BNF: BoolArray
    safe_B: BoolArray
    told: tuple[str, ...]


def limits(tokens_BNF: npt.ArrayLike, *, margin: float = 0.1) -> Limits:
    """Learn from training contexts where readings lie.

    Parameters
    ----------
    tokens_BNF : array_like, shape (B, N, F)
        Features, all finite.
    margin : float, default 0.1
        By how much of the range seen a reading may lie outside it.

    Returns
    -------
    Limits

    Raises
    ------
    InputError
        Not three axes, no reading, one that is not finite, a margin below 0.

    Examples
    --------
    >>> found = limits([[[0.0], [1.0], [10.0]]])
    >>> found.low_F.round(3).tolist(), found.high_F.round(3).tolist(), found.typical_F.tolist()
    ([-1.0], [11.0], [1.0])
    """
    flat = checks.array("tokens", tokens_BNF, ndim=3)
    if not flat.size:
        raise InputError("tokens", "hold a reading to learn from", flat.shape)
    rows = flat.reshape(-1, flat.shape[2])
    low, high = rows.min(axis=0), rows.max(axis=0)
    wider = checks.number("margin", margin, minimum=0) * (high - low)
    wider += SINGLE * np.maximum(np.abs(low), np.abs(high))  # the same reading in single precision is no other
    return Limits(low - wider, high + wider, np.median(rows, axis=0))


class Guard:
    """Let a policy decide where its reports can be believed, and a safe rule where they cannot.

    Up to `tolerated` bad readings in an instance are replaced by their median and the policy decides. With more of
    them, or where the policy gives what are no shares, the last good shares are kept if there are any, and otherwise
    the safe rule shares. It is asked only then, and what it gives is looked at too.

    Parameters
    ----------
    policy : Policy
        What decides.
    believed : Limits
        Where readings lie, by `limits`.
    safe : Policy, optional
        What decides in its place; by default equal shares.
    tolerated : int, default 0
        Bad readings in one instance that are filled in.
    features : sequence of str, optional
        Names, for what is told.

    Raises
    ------
    InputError
        A number of names that is not that of the features, a tolerance below 0.

    Examples
    --------
    >>> guard = Guard(equal, limits([[[0.0], [1.0]]]), features=["calls"])
    >>> guard.decide([[[0.5], [float("nan")]]], 1.0, resources=["north", "south"]).told
    ('instance 0: calls of south is missing; the safe rule shares',)
    """

    def __init__(
        self,
        policy: Policy,
        believed: Limits,
        *,
        safe: Policy = equal,
        tolerated: int = 0,
        features: Sequence[str] | None = None,
    ) -> None:
        self.policy, self.safe, self.believed = policy, safe, believed
        self.tolerated = checks.integer("tolerated", tolerated, minimum=0)
        count = len(believed.low_F)
        self.features = [f"feature {f}" for f in range(count)] if features is None else list(features)
        if len(self.features) != count:
            raise InputError("features", f"be {count} names", len(self.features))

    def decide(
        self,
        tokens: npt.ArrayLike,
        budget: npt.ArrayLike,
        *,
        mask: npt.ArrayLike | None = None,
        last: npt.ArrayLike | None = None,
        resources: Sequence[str] | None = None,
    ) -> Decision:
        """Return shares for any reports, and what was not believed in them.

        Parameters
        ----------
        tokens : array_like, shape (B, N, F)
            Reports; missing ones are NaN.
        budget : array_like, shape (B,) or ()
            Units to share.
        mask : array_like of bool, shape (B, N), optional
            Which resources there are.
        last : array_like, shape (B, N), optional
            The last shares that came of good reports; kept where these are not.
        resources : sequence of str, optional
            Names, for what is told.

        Raises
        ------
        InputError
            As `citylib.allocation.policy.state`, but for missing readings; last shares that are none; a safe rule that
            gives no shares.
        """
        try:
            raw = np.asarray(tokens, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError("tokens", "be numeric, as many features for every resource", tokens) from None
        if raw.ndim != 3 or raw.shape[2] != len(self.features):
            raise InputError("tokens", f"be instances of resources of {len(self.features)} features", raw.shape)
        there = np.ones(raw.shape[:2], dtype=np.bool_) if mask is None else checks.binary("mask", mask)
        if there.shape != raw.shape[:2]:
            raise InputError("mask", f"have the shape {raw.shape[:2]}", there.shape)
        kept = None if last is None else _shares("last", last, there)
        believed = (raw >= self.believed.low_F) & (raw <= self.believed.high_F)
        bad = ~believed & there[..., None]
        given = state(np.where(bad, self.believed.typical_F, raw), budget, mask=there, resources=resources)
        found = _asked(self.policy, given, np.ones(len(raw), dtype=np.bool_))
        if found.shape != there.shape:
            found = np.full(there.shape, np.nan)
        broken = ~_sound(found, there)
        safe = (bad.sum(axis=(1, 2)) > self.tolerated) | broken
        if safe.any():
            found[safe] = (
                kept[safe] if kept is not None else _shares("safe", _asked(self.safe, given, safe), there[safe])
            )
        who = "the safe rule shares" if last is None else "the last good shares are kept"
        lines = []
        for b in np.flatnonzero(bad.any(axis=(1, 2)) | broken):
            end = who if safe[b] else "filled with what is usual"
            lines.append(f"instance {b}: {self._named(raw[b], bad[b], bool(broken[b]), resources)}; {end}")
        return Decision(found, bad, safe, tuple(lines))

    def _named(self, raw_NF: FloatArray, bad_NF: BoolArray, broken: bool, resources: Sequence[str] | None) -> str:
        """Name the first readings that were not believed, and count the others."""
        said = []
        for n, f in np.argwhere(bad_NF)[:3]:
            place = resources[n] if resources is not None else f"resource {n}"
            value = raw_NF[n, f]
            what = "is missing" if np.isnan(value) else f"is {value:.3g}, beyond what was ever seen"
            said.append(f"{self.features[f]} of {place} {what}")
        more = int(bad_NF.sum()) - len(said)
        said += [f"{more} more readings are bad"] * (more > 0)
        return ", ".join(said + ["the policy gave no shares"] * broken)


def _asked(policy: Policy, given: State, rows_B: BoolArray) -> FloatArray:
    """Return what a policy gives for some of the instances."""
    with torch.no_grad():
        found = policy(given.tokens_BNF[rows_B], given.mask_BN[rows_B], given.budget_B[rows_B])
    return np.asarray(found.double().numpy()).copy()


def _sound(shares_BN: FloatArray, there_BN: BoolArray) -> BoolArray:
    """Return for each instance whether these are shares: none negative, sum 1, 0 where there is no resource."""
    finite = np.asarray(np.isfinite(shares_BN).all(axis=1))
    known = np.where(finite[:, None], shares_BN, 0.0)
    inside = (known >= 0).all(axis=1) & (np.where(there_BN, 0.0, known) == 0).all(axis=1)
    return np.asarray(finite & inside & (np.abs(known.sum(axis=1) - 1) <= TOLERANCE))


def _shares(argument: str, value: npt.ArrayLike, there_BN: BoolArray) -> FloatArray:
    found = checks.array(argument, value, ndim=2)
    if found.shape != there_BN.shape or not _sound(found, there_BN).all():
        raise InputError(argument, f"be shares of shape {there_BN.shape}: none negative, sum 1", found.shape)
    return found
