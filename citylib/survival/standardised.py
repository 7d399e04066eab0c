"""Standardised times: how long a group's cases would last if it had the mix of strata of everybody.

Groups differ in what they are asked for: one gets requests that take a day, another those that take a year. After a
stratified Cox regression each stratum has its own hazard, and a group multiplies all of them. Mixing the curves of the
strata by the same shares for every group leaves only the multiplier between groups.
Legend: L log hazard ratios, M times, S strata, K event times of all strata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival.cox_residuals import Baseline

__all__ = ["quantile", "survival"]

FloatArray = npt.NDArray[np.float64]


def survival(
    baseline: Baseline, mix: Mapping[str, float], time: npt.ArrayLike, *, log_ratio: npt.ArrayLike = 0.0
) -> FloatArray:
    """Return the survival curve of a mix of strata, whose hazards are multiplied.

    It is the sum over strata s of mix_s exp(-H_s(t) exp(r)), the mix as shares.

    Parameters
    ----------
    baseline : Baseline
        From `citylib.survival.cox_residuals.baseline`.
    mix : mapping of str to float
        What each stratum counts; any positive multiples of shares. Strata without an event in the fit stay at 1.
    time : array_like, shape (M,)
        Times, in the unit of the durations.
    log_ratio : float or array_like, shape (M,), default 0
        Logarithm r of what multiplies all hazards at each time's curve.

    Returns
    -------
    ndarray, shape (M,)

    Raises
    ------
    InputError
        Shares that are negative or all 0, a number of log ratios that is neither one nor that of the times.

    Examples
    --------
    >>> base = Baseline(np.array(["a", "b"]), np.array([1.0, 2.0]), np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    >>> survival(base, {"a": 1, "b": 1}, [1.0, 2.0]).round(4).tolist()
    [0.8033, 0.6065]
    """
    when = checks.array("time", time, ndim=1)
    logs = checks.array("log_ratio", log_ratio)
    if logs.shape not in ((), (1,), when.shape):
        raise InputError("log_ratio", f"be one number, or one for each of {len(when)} times", logs.shape)
    return _mixed(_strata(baseline, mix), when, _ratio(np.broadcast_to(logs, when.shape)))


def quantile(
    baseline: Baseline, mix: Mapping[str, float], share: float, *, log_ratio: npt.ArrayLike = 0.0
) -> FloatArray:
    """Return the first time by which `share` of a mix of strata have ended.

    It moves one way with the log hazard ratio, so the ends of an interval of the ratio give those of an interval of the
    time. That interval is one between groups: the strata's hazards, which all groups share, are taken as known.

    Parameters
    ----------
    baseline : Baseline
        As in `survival`.
    mix : mapping of str to float
        As in `survival`.
    share : float
        Between 0 and 1; 0.5 gives the median.
    log_ratio : float or array_like, shape (L,)
        Logarithms of what multiplies all hazards.

    Returns
    -------
    ndarray, shape (L,)
        inf where the curve does not get there.

    Raises
    ------
    InputError
        As in `survival`.

    Examples
    --------
    >>> base = Baseline(np.array(["a", "a"]), np.array([1.0, 2.0]), np.array([0.5, 0.5]), np.array([0.5, 1.0]))
    >>> quantile(base, {"a": 1}, 0.5, log_ratio=[0.0, 1.0, -2.0]).tolist()
    [2.0, 1.0, inf]
    """
    goal = 1 - checks.fraction("share", share)
    ratio = _ratio(np.atleast_1d(checks.array("log_ratio", log_ratio)))
    strata = _strata(baseline, mix)
    time = np.unique(np.concatenate([stratum.time for stratum in strata]))
    low, high = np.full(len(ratio), -1), np.full(len(ratio), len(time))  # the answer lies in (low, high]
    while (high - low > 1).any():
        middle = np.clip((low + high) // 2, 0, len(time) - 1)
        there = _mixed(strata, time[middle], ratio) <= goal + 1e-12
        open_ = high - low > 1
        high, low = np.where(open_ & there, middle, high), np.where(open_ & ~there, middle, low)
    return np.asarray(np.append(time, np.inf)[high], dtype=np.float64)


def _ratio(logs: FloatArray) -> FloatArray:
    """Return hazard ratios, each a number: where nothing has yet happened, no ratio changes that."""
    return np.asarray(np.exp(np.clip(logs, -700.0, 700.0)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Stratum:
    share: float
    time: FloatArray
    hazard: FloatArray  # cumulative: before the first time, and from each time on


def _strata(baseline: Baseline, mix: Mapping[str, float]) -> list[_Stratum]:
    share = checks.array("mix", list(mix.values()), ndim=1, minimum=0)
    if not share.sum() > 0:
        raise InputError("mix", "have a share above 0", dict(mix))
    row = np.argsort(baseline.stratum, kind="stable")  # times stay in order
    names, first = np.unique(baseline.stratum[row], return_index=True)
    parts = dict(zip(names.tolist(), np.split(row, first[1:]), strict=True))
    nothing = row[:0]
    out = []
    for name, part in zip(map(str, mix), (share / share.sum()).tolist(), strict=True):
        at = parts.get(name, nothing)
        out.append(_Stratum(part, baseline.time[at], np.append(0.0, baseline.cumulative[at])))
    return out


def _mixed(strata: list[_Stratum], time: FloatArray, ratio: FloatArray) -> FloatArray:
    out = np.zeros(len(time))
    for stratum in strata:
        hazard = stratum.hazard[np.searchsorted(stratum.time, time, side="right")]
        out += stratum.share * np.exp(-hazard * ratio)
    return out
