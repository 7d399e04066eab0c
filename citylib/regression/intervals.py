"""Prediction intervals: which readings are unusual, and for which hours an error is large.

A constant width treats 3 a.m. like the rush hour. Here the errors of past
readings are pooled by group (hour of the day, say) and their own quantiles used.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError

__all__ = ["by_group", "episodes", "pooled_below"]

FloatArray = npt.NDArray[np.float64]
ALL = "(all)"


def by_group(
    forecast: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    errors: npt.ArrayLike,
    error_groups: npt.ArrayLike,
    level: float = 0.95,
) -> tuple[FloatArray, FloatArray]:
    """Return prediction intervals from the errors that past readings of the same group had.

    Within a group of n errors the ends are the ``ceil((n + 1)(1 - a/2))``-th largest and its
    mirror (a = 1 - level), which covers a new exchangeable reading with probability `level` or
    more: Vovk et al. (2005), as in split conformal prediction. Groups with too few errors for that use all errors.

    Parameters
    ----------
    forecast : array_like, shape (T,)
        Expected readings; NaN gives a NaN interval.
    groups : array_like, shape (T,)
        Group of each forecast.
    errors : array_like, shape (R,)
        Reading minus forecast on rows the model did not learn from, or left-one-out residuals
        (`LinearFit.left_out`); NaN is passed over.
    error_groups : array_like, shape (R,)
        Group of each error.
    level : float, default 0.95
        Coverage wanted within each group.

    Returns
    -------
    (lower, upper) : tuple of ndarray, shape (T,)
        In the unit of the readings.

    Raises
    ------
    InputError
        Fewer errors in all than the level needs, lengths that differ.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic Learning in a Random World. Springer.

    Examples
    --------
    >>> past = np.arange(-50.0, 51.0)
    >>> low, high = by_group([100.0], ["08"], errors=past, error_groups=["08"] * 101, level=0.9)
    >>> low.tolist(), high.tolist()
    ([54.0], [146.0])
    """
    expected = checks.series("forecast", forecast, missing=True, at_least=0)
    past = checks.series("errors", errors, missing=True)
    where, past_where = np.asarray(groups).astype(str), np.asarray(error_groups).astype(str)
    checks.same_length(forecast=expected, groups=where)
    checks.same_length(errors=past, error_groups=past_where)
    known = ~np.isnan(past)
    past, past_where = past[known], past_where[known]
    least = pooled_below(level)
    if len(past) < least:
        raise InputError("errors", f"hold at least {least} values for level {level:g}", len(past))
    ends = {ALL: _ends(past, level)}
    for name, part in pd.Series(past).groupby(past_where):
        ends[str(name)] = _ends(np.asarray(part, dtype=np.float64), level) if len(part) >= least else ends[ALL]
    reach = np.array([ends.get(name, ends[ALL]) for name in where]).reshape(-1, 2)
    return expected + reach[:, 0], expected + reach[:, 1]


def pooled_below(level: float) -> int:
    """Return how many errors a group needs for its own interval at `level`.

    Examples
    --------
    >>> pooled_below(0.95)
    39
    """
    alpha = 1 - checks.fraction("level", level)
    return math.ceil(round(2 / alpha, 9)) - 1


def episodes(
    times: npt.ArrayLike, actual: npt.ArrayLike, forecast: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike
) -> pd.DataFrame:
    """Return runs of consecutive readings outside their interval on one side: a case each, not an alarm an hour.

    Parameters
    ----------
    times : array_like of datetime64, shape (T,)
        Regular steps, in order; a missing reading ends a run.
    actual, forecast, lower, upper : array_like, shape (T,)
        Readings, what was expected, ends of the interval.

    Returns
    -------
    pandas.DataFrame
        since, until (first and last step), steps, side ("above" or "below"), read and expected (means), excess
        (sum of reading minus expected, unit times steps); largest absolute excess first.

    Examples
    --------
    >>> hours = np.arange("2026-01-01T00", "2026-01-01T04", dtype="datetime64[h]")
    >>> found = episodes(hours, [5.0, 9.0, 8.0, 5.0], [5.0] * 4, [4.0] * 4, [6.0] * 4)
    >>> found[["steps", "side", "excess"]].values.tolist()
    [[2, 'above', 7.0]]
    """
    when = checks.increasing("times", np.asarray(times).astype("datetime64[ns]"))
    given = {"actual": actual, "forecast": forecast, "lower": lower, "upper": upper}
    lines = {name: checks.series(name, line, missing=True, at_least=0) for name, line in given.items()}
    checks.same_length(times=when, **lines)
    side = np.where(lines["actual"] > lines["upper"], 1, np.where(lines["actual"] < lines["lower"], -1, 0))
    frame = pd.DataFrame({"time": when, "side": side, "read": lines["actual"], "expected": lines["forecast"]})
    frame["excess"] = frame["read"] - frame["expected"]
    run = (frame["side"].diff() != 0).cumsum()
    cases = frame[side != 0].groupby(run[side != 0])
    out = pd.DataFrame(
        {
            "since": cases["time"].first(),
            "until": cases["time"].last(),
            "steps": cases.size(),
            "side": cases["side"].first().map({1: "above", -1: "below"}),
            "read": cases["read"].mean(),
            "expected": cases["expected"].mean(),
            "excess": cases["excess"].sum(),
        }
    )
    return out.sort_values("excess", key=lambda e: -e.abs(), kind="stable").reset_index(drop=True)


def _ends(errors: FloatArray, level: float) -> tuple[float, float]:
    count = len(errors)
    rank = math.ceil(round((count + 1) * (0.5 + level / 2), 9))
    ordered = np.sort(errors)
    return float(ordered[count - rank]), float(ordered[rank - 1])
