"""Area under the ROC curve that moves with time: who ended by t against who lasted longer.

Legend: n durations, M times, R distinct risks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import censoring as censored
from citylib.survival import life_table, sorting
from citylib.survival.censoring import Censoring
from citylib.survival.kaplan_meier import kaplan_meier

__all__ = ["TimeAuc", "time_auc"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TimeAuc:
    """Area under the ROC curve at given times.

    Parameters
    ----------
    time : ndarray, shape (M,)
        The times.
    value : ndarray, shape (M,)
        Probability that one who ended by the time had a higher risk than one who lasted longer; NaN
        where there is none of one kind.
    error : ndarray, shape (M,)
        Standard error with the weights taken as known.
    mean : float
        Mean over times, each weighted by the share that ended since the time before.
    influence : ndarray, shape (n, M)
        What each row adds to the error: error^2 is the sum of squares over rows, or over sums within
        clusters. Two models on the same rows differ with error sqrt(sum((a.influence - b.influence)^2)).
    """

    time: FloatArray
    value: FloatArray
    error: FloatArray
    mean: float
    influence: FloatArray


def time_auc(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    censoring: Censoring | None = None,
) -> TimeAuc:
    """Return the cumulative/dynamic AUC, with cases weighted for censoring.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    risk : array_like, shape (n,) or (n, M)
        Predicted risk, the larger the sooner; one for all times or one for each.
    time : array_like, shape (M,)
        Times, rising.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`. Who comes after a time is not looked at there.
    censoring : Censoring, optional
        From `citylib.survival.censoring.fit` on the training rows; by default of these rows.

    Returns
    -------
    TimeAuc

    Raises
    ------
    InputError
        Risks of another shape; an ending at a time to which nobody is watched.

    References
    ----------
    Uno, H., Cai, T., Tian, L. and Wei, L. J. (2007). Evaluating prediction rules for t-year survivors
    with censored regression models. Journal of the American Statistical Association 102(478), 527-537.

    Examples
    --------
    >>> found = time_auc([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], [0.9, 0.3, 0.5, 0.1], [2.5])
    >>> found.value.tolist()
    [0.75]
    """
    data = life_table.durations(duration, event, entry=entry)
    n = len(data.exit)
    when = checks.increasing("time", checks.array("time", time, ndim=1, at_least=1, minimum=0))
    risk_n = checks.array("risk", risk)
    if risk_n.shape not in ((n,), (n, len(when))):
        raise InputError("risk", f"have the shape {(n,)} or {(n, len(when))}", risk_n.shape)
    seen = censored.fit(data.exit, data.event, entry=data.entry) if censoring is None else censoring
    weight = seen.weights(data.exit, data.event & (data.exit <= when[-1]))
    began = np.zeros(n) if data.entry is None else data.entry
    ranked = sorting.dense_ranks(risk_n) if risk_n.ndim == 1 else None
    value, influence = np.full(len(when), np.nan), np.full((n, len(when)), np.nan)
    for m, t in enumerate(when):
        rank, ranks = ranked or sorting.dense_ranks(np.ascontiguousarray(risk_n[:, m]))
        control = (data.exit > t) & (began <= t)
        value[m], influence[:, m] = _area(rank, ranks, np.where(data.exit <= t, weight, 0.0), control)
    drops = -np.diff(np.append(1.0, kaplan_meier(data.exit, data.event, entry=data.entry)["all"].at(when)))
    known = np.isfinite(value) & (drops > 0)
    mean = float(np.average(value[known], weights=drops[known])) if known.any() else float("nan")
    return TimeAuc(when, value, np.sqrt(np.square(influence).sum(axis=0)), mean, influence)


def _area(
    rank: npt.NDArray[np.int64], ranks: int, case: FloatArray, control: npt.NDArray[np.bool_]
) -> tuple[float, FloatArray | float]:
    """Return the area, and what each row adds to its error; `case` (n,) weighs who ended, `control` (n,) who lasted."""
    cases, controls = case.sum(), control.sum()
    if cases == 0 or controls == 0:
        return float("nan"), float("nan")
    case_R = np.bincount(rank, weights=case, minlength=ranks)
    control_R = np.bincount(rank, weights=control, minlength=ranks)
    below_R = (np.cumsum(control_R) - control_R / 2) / controls
    above_R = 1 - (np.cumsum(case_R) - case_R / 2) / cases
    value = float(case_R @ below_R / cases)
    return value, case * (below_R[rank] - value) / cases + control * (above_R[rank] - value) / controls
