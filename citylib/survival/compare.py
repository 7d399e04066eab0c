"""Models compared on the same unseen rows: every measure, its error over clusters, and paired differences.

Each measure is a mean of what rows add, or nearly so; what each row adds is kept. Errors are sums of squares over
clusters, and two models judged on the same rows are compared by what each row adds to their difference. Errors take
models and weights for censoring as given: they are those of the rows on which models are judged.
Legend: n rows, M times, Q measures, H horizons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.survival import censoring, concordance, life_table
from citylib.survival.brier import brier
from citylib.survival.time_auc import time_auc

__all__ = ["Scores", "compared", "pooled", "scores"]

FloatArray = npt.NDArray[np.float64]
LARGER, SMALLER, NEARER = 1, -1, 0


@dataclass(frozen=True, eq=False)
class Scores:
    """One model's measures on unseen rows.

    Parameters
    ----------
    measure : tuple of str, length Q
        Their names.
    better : tuple of int, length Q
        1: the larger the better; -1: the smaller; 0: the nearer to `ideal`.
    ideal : tuple of float, length Q
        Value of a perfect forecast.
    value : ndarray, shape (Q,)
        The measures; NaN where one is not defined, such as the slope of a forecast that is the same for all.
    influence : ndarray, shape (n, Q)
        What each row adds to the error.
    cluster : ndarray of str, shape (n,)
        Rows of one cluster may depend on each other.
    """

    measure: tuple[str, ...]
    better: tuple[int, ...]
    ideal: tuple[float, ...]
    value: FloatArray
    influence: FloatArray
    cluster: npt.NDArray[np.str_]

    @property
    def error(self) -> FloatArray:
        """Standard error of each measure over clusters, shape (Q,)."""
        return _error(self.influence, self.cluster)


def scores(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    survival: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    horizons: Sequence[float],
    cluster: npt.ArrayLike | None = None,
) -> Scores:
    """Judge forecasts of survival: order, squared error, calibration.

    The order is judged by Harrell's C, Uno's C up to the last time (of the mean probability of having ended over the
    times) and by the area under the ROC curve at each horizon; the forecast as a whole by Brier's score at each horizon
    and integrated over the times; calibration at each horizon by what was seen less what was forecast, on average, and
    by the slope of what was seen on what was forecast. What was seen of a row that ended by t is 1 / G(T-), with G the
    probability of being watched so long; that of the others is 0.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`; rows that no model has learned from.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    survival : array_like, shape (n, M)
        Forecast probability of each row to last longer than each time.
    time : array_like, shape (M,)
        Times, rising, at least two, to which somebody is watched.
    horizons : sequence of float, length H
        Some of those times.
    cluster : array_like, shape (n,), optional
        Labels of rows that may depend on each other; by default each row is its own.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        A horizon that is not among the times, and what the single measures refuse.

    References
    ----------
    Graf, E., Schmoor, C., Sauerbrei, W. and Schumacher, M. (1999). Assessment and comparison of prognostic
    classification schemes for survival data. Statistics in Medicine 18(17-18), 2529-2545.

    Examples
    --------
    >>> found = scores([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], [[0.2, 0.1], [0.7, 0.3], [0.9, 0.8], [0.9, 0.9]],
    ...                [1.5, 2.5], horizons=[2.5])
    >>> dict(zip(found.measure, found.value.round(3).tolist()))["observed - expected at 2.5"]
    0.025
    """
    when = checks.increasing("time", checks.array("time", time, ndim=1, at_least=2, minimum=0))
    forecast = checks.array("survival", survival, ndim=2, minimum=0)
    at = _places(when, horizons)
    seen = censoring.fit(duration, event)
    score = brier(duration, event, forecast, when, censoring=seen)
    data = life_table.durations(duration, event)
    n = len(data.exit)
    risk = 1 - np.trapezoid(forecast, when, axis=1) / (when[-1] - when[0])
    order = {
        "Harrell's C": concordance.harrell(data.exit, data.event, risk),
        "Uno's C": concordance.uno(data.exit, data.event, risk, until=float(when[-1]), censoring=seen),
    }
    area = time_auc(data.exit, data.event, 1 - forecast[:, at], when[at], censoring=seen)
    found = [(name, LARGER, 1.0, c.value, c.influence) for name, c in order.items()]
    squares = score.integrated_contribution
    weight = seen.weights(data.exit, data.event & (data.exit <= when[-1]))
    for k, m in enumerate(at):
        t = f"{when[m]:g}"
        found.append((f"AUC at {t}", LARGER, 1.0, float(area.value[k]), area.influence[:, k]))
        each = score.contribution[:, m]
        found.append((f"Brier at {t}", SMALLER, 0.0, float(each.mean()), (each - each.mean()) / n))
    found.append(("integrated Brier", SMALLER, 0.0, float(squares.mean()), (squares - squares.mean()) / n))
    for m in at:
        came = weight * (data.exit <= when[m])
        found += _calibration(came, 1 - forecast[:, m], f"{when[m]:g}")
    names = np.arange(n) if cluster is None else np.asarray(cluster)
    checks.same_length(duration=data.exit, cluster=names)
    measure, better, ideal, value, influence = zip(*found, strict=True)
    return Scores(measure, better, ideal, np.array(value), np.column_stack(influence), names.astype(np.str_))


def pooled(parts: Sequence[Scores]) -> Scores:
    """Put the folds of a cross-validation together: each measure is the mean over folds.

    Parameters
    ----------
    parts : sequence of Scores
        One a fold. Rows of one cluster may lie in several of them.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        No fold, or folds with other measures.

    Examples
    --------
    >>> one = scores([1.0, 2.0, 3.0], [1, 1, 1], [[0.5, 0.1], [0.7, 0.3], [0.9, 0.8]], [1.5, 2.5], horizons=[2.5])
    >>> both = pooled([one, one])
    >>> bool((both.value == one.value).all()), bool((both.error <= one.error + 1e-12).all())
    (True, True)
    """
    if not parts or any(part.measure != parts[0].measure for part in parts):
        raise InputError("parts", "be folds with the same measures, at least one", [part.measure for part in parts])
    first = parts[0]
    return Scores(
        first.measure,
        first.better,
        first.ideal,
        np.mean([part.value for part in parts], axis=0),
        np.concatenate([part.influence for part in parts]) / len(parts),
        np.concatenate([part.cluster for part in parts]),
    )


def compared(models: Mapping[str, Scores], *, simple: Sequence[str], level: float = 0.95) -> pd.DataFrame:
    """Return every measure of every model with its interval, and its paired difference to the best simple model.

    Which simple model is best is asked measure by measure on the same rows, so the rival is a little luckier than it
    deserves: the comparison leans against the other models, not towards them.

    Parameters
    ----------
    models : mapping of str to Scores
        By name, all on the same rows.
    simple : sequence of str
        Names of the simple ones.
    level : float, default 0.95
        Coverage that the intervals claim, by the normal distribution.

    Returns
    -------
    pandas.DataFrame
        A row a measure and model: measure, model, value, error, low, high, baseline, difference, difference_low,
        difference_high. Calibration, where nearer is better and not more, has no difference.

    Raises
    ------
    InputError
        No simple model, one that is not among the models, models on other rows.
    """
    z = float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2))
    if not simple or not set(simple) <= set(models):
        raise InputError("simple", f"name some of {', '.join(models)}", list(simple))
    first = next(iter(models.values()))
    for name, one in models.items():
        if one.measure != first.measure or not np.array_equal(one.cluster, first.cluster):
            raise InputError("models", "be judged on the same rows by the same measures", name)
    rows = []
    for q, measure in enumerate(first.measure):
        known = [name for name in simple if np.isfinite(models[name].value[q])]
        rival = max(known, key=lambda name: first.better[q] * models[name].value[q], default="")
        for name, one in models.items():
            value, error = one.value[q], one.error[q]
            row = {"measure": measure, "model": name, "value": value, "error": error}
            row |= {"low": value - z * error, "high": value + z * error, "baseline": "", "difference": np.nan}
            row |= {"difference_low": np.nan, "difference_high": np.nan}
            if first.better[q] != NEARER and rival and name != rival:
                less = value - models[rival].value[q]
                apart = one.influence[:, [q]] - models[rival].influence[:, [q]]
                reach = z * _error(apart, one.cluster)[0]
                row |= {"baseline": rival, "difference": less}
                row |= {"difference_low": less - reach, "difference_high": less + reach}
            rows.append(row)
    return pd.DataFrame(rows)


def _calibration(came: FloatArray, chance: FloatArray, t: str) -> list[tuple[str, int, float, float, FloatArray]]:
    """Judge forecast chances, shape (n,), by what came, weighted for censoring, shape (n,)."""
    n, off = len(came), came - chance
    away = chance - chance.mean()
    spread = float(away @ away)
    slope, pull = np.nan, np.full(n, np.nan)
    if spread > 1e-18 * n:
        slope = float(away @ came / spread)
        pull = away * (came - came.mean() - slope * away) / spread
    return [
        (f"observed - expected at {t}", NEARER, 0.0, float(off.mean()), (off - off.mean()) / n),
        (f"calibration slope at {t}", NEARER, 1.0, slope, pull),
    ]


def _error(influence: FloatArray, cluster: npt.NDArray[np.str_]) -> FloatArray:
    names, code = np.unique(cluster, return_inverse=True)
    sums = np.zeros((len(names), influence.shape[1]))
    np.add.at(sums, code, influence)
    return np.asarray(np.sqrt(np.square(sums).sum(axis=0)))


def _places(time: FloatArray, horizons: Sequence[float]) -> list[int]:
    wanted = checks.increasing("horizons", checks.array("horizons", horizons, ndim=1, at_least=1))
    place = [int(np.abs(time - h).argmin()) for h in wanted]
    for h, m in zip(wanted, place, strict=True):
        if not np.isclose(time[m], h):
            raise InputError("horizons", "be among the times", float(h))
    return place
