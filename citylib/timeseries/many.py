"""ARIMA and SARIMA for every sensor of a city in one call, by exact Gaussian likelihood.

Held equal to statsmodels' likelihood at the same parameters by a test. One bad sensor never fails the city: each
has a status. Legend: T time steps, N sensors, n of them in a block, K regressors, k ARMA parameters.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries.arima_fits import FITTED, STATUSES, ManyArima, aicc, design, readings
from citylib.timeseries.block import WAYS, Block, ways
from citylib.timeseries.climb import climb, curvature
from citylib.timeseries.conditional import rough
from citylib.timeseries.exact_climb import MOST, ROUGH_TURNS, highest
from citylib.timeseries.specification import Specification

__all__ = ["FITTED", "STATUSES", "ManyArima", "aicc", "fit"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PARTS = (
    "status", "parameters", "standard_errors", "variance", "loglikelihood", "readings", "turns", "regression",
    "regression_errors",
)  # fmt: skip
ROUNDING = 1e-13  # of the readings: what varies by less does not vary
EDGE = 0.999  # a partial autocorrelation beyond it lies on the edge of stationarity or invertibility
TURNS = 60  # of a climb, at most
TOLERANCE = 1e-6  # a climb is at the top when a turn gains less
FOLLOWED = 2  # climbs where the filter that gaps and regressors need is slow
FIRST_TURNS = 3  # of those, after which two that have come together go on as one
TOGETHER = 0.05


def fit(
    values: Panel | npt.ArrayLike,
    /,
    *,
    order: tuple[int, int, int],
    seasonal: tuple[int, int, int, int] = (0, 0, 0, 1),
    x_TK: npt.ArrayLike | None = None,
    constant: bool = False,
    starts: int = 8,
    standard_errors: bool = True,
    block: int = 64,
    workers: int = 1,
    progress: bool = False,
) -> ManyArima:
    """Fit one ARIMA order to each sensor.

    y_t = x_t' beta + n_t with n_t a (seasonal) ARIMA process. Missing readings are passed over by the filter; no
    reading is lost to differencing beside a gap. The likelihood of a misspecified series has several maxima:
    each sensor has several starts, kinds of memory that city series have.

    Parameters
    ----------
    values : Panel or array_like, shape (T, N)
        Readings; NaN where one is missing.
    order : (int, int, int)
        p, d, q.
    seasonal : (int, int, int, int), optional
        P, D, Q and the steps in a season.
    x_TK : array_like, shape (T, K), optional
        Regressors of all sensors.
    constant : bool, default False
        Whether the process has a mean; after d differences, a trend of degree d.
    starts : int, default 8
        Starts of each sensor, from which it goes down the conditional sum of squares; from where that ends apart
        the exact likelihood is climbed.
    standard_errors : bool, default True
        Whether they are worked out.
    block : int, default 64
        Sensors held in work at a time by each worker, which bounds memory.
    workers : int, default 1
        Threads.
    progress : bool, default False
        Whether a bar is shown.

    Returns
    -------
    ManyArima

    Raises
    ------
    InputError
        Infinite readings, regressors of another length, with gaps or (all sensors alike) collinear, orders that
        are none.

    References
    ----------
    Durbin, J. and Koopman, S. J. (2012). Time Series Analysis by State Space Methods, 2nd ed. Oxford.
    Ansley, C. F. (1979). An algorithm for the exact likelihood of a mixed autoregressive-moving average process.
    Biometrika 66(1), 59-65.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> walks = rng.standard_normal((300, 3)).cumsum(axis=0)
    >>> walks[:, 2] = 7.0
    >>> city = fit(walks, order=(0, 1, 1))
    >>> city.status.tolist()
    ['converged', 'converged', 'constant']
    """
    y_TN, sensors = readings(values)
    spec = Specification(tuple(order), tuple(seasonal))  # type: ignore[arg-type]  # checked by itself
    x_TC = design(x_TK, constant, spec, len(y_TN))
    if len(x_TC) > len(y_TN):
        x_TC = x_TC[: len(y_TN)]
    _refuse_dependent(x_TC, constant, spec)
    settings = (checks.integer("starts", starts, minimum=1), bool(standard_errors))
    step = checks.integer("block", block, minimum=1)
    columns = [
        slice(i, i + step) for i in range(0, max(1, y_TN.shape[1]), step)
    ]  # of a city, no copy but of a few sensors
    status = np.concatenate([_status(y_TN[:, some], x_TC, spec) for some in columns])
    todo = np.flatnonzero(status == "")
    way = np.concatenate([ways(y_TN[:, some], x_TC, spec) for some in columns])[todo]  # a block goes one way
    parts = [part[i : i + step] for part in (todo[way == w] for w in WAYS) for i in range(0, len(part), step)]
    out = _empty(spec, sensors, status, x_TC.shape[1], constant)
    with (
        ThreadPoolExecutor(checks.integer("workers", workers, minimum=1)) as pool,
        tqdm(total=len(todo), unit="sensor", disable=not progress) as bar,
    ):
        done = pool.map(lambda part: _fit_apart(y_TN[:, part], x_TC, spec, *settings), parts)
        for part, results in zip(parts, done, strict=True):
            for name, found in results.items():
                getattr(out, name)[part] = found
            bar.update(len(part))
    return out


def _refuse_dependent(x_TC: FloatArray, constant: bool, spec: Specification) -> None:
    """Say which regressor follows from those before it, once differenced."""
    moved = spec.differenced(x_TC)
    names = ["the constant"] * constant + [f"column {i}" for i in range(x_TC.shape[1] - constant)]
    for i in range(moved.shape[1]):
        before, own = moved[:, :i], moved[:, i]
        rest = own - before @ np.linalg.lstsq(before, own, rcond=None)[0] if i else own
        if np.linalg.norm(rest) <= 1e-9 * np.linalg.norm(own):
            what = f"{names[i]} follows from {', '.join(names[:i]) or 'nothing: it is zero'} once differenced"
            raise InputError("x_TK", "have linearly independent columns", what)


def _status(y_TN: FloatArray, x_TC: FloatArray, spec: Specification) -> npt.NDArray[np.str_]:
    """Say of each sensor why it cannot be fitted; an empty text where it can."""
    known = ~np.isnan(y_TN)
    count = known.sum(axis=0)
    status = np.full(y_TN.shape[1], "", dtype=f"<U{max(map(len, STATUSES))}")
    wanted = 3 * (spec.parameters + x_TC.shape[1] + 1) + spec.levels + spec.states
    status[count < wanted] = "too short"
    with np.errstate(invalid="ignore"):
        spread = np.fmax.reduce(y_TN, axis=0, initial=-np.inf) - np.fmin.reduce(y_TN, axis=0, initial=np.inf)
    with np.errstate(invalid="ignore"):
        size = np.fmax.reduce(np.abs(y_TN), axis=0, initial=0.0)
        left = np.abs(spec.differenced(y_TN)) if len(y_TN) > spec.levels else np.zeros((0, y_TN.shape[1]))
        moves = np.where(known.all(axis=0), left.max(axis=0, initial=0.0), np.inf)  # 0 of what repeats itself exactly
    status[(count > 0) & ((spread <= ROUNDING * size) | (moves <= ROUNDING * size) & (count >= wanted))] = "constant"
    status[count == 0] = "all missing"
    if x_TC.shape[1]:
        moved = spec.differenced(x_TC)
        for i in np.flatnonzero(status == ""):
            rows = moved if known[:, i].all() else moved[known[spec.levels :, i]]
            size = np.linalg.norm(rows, axis=0)
            if (size == 0).any() or np.linalg.matrix_rank(rows / np.where(size > 0, size, 1)) < rows.shape[1]:
                status[i] = "collinear"
    return status


def _empty(
    spec: Specification, sensors: tuple[str, ...], status: npt.NDArray[np.str_], columns: int, constant: bool
) -> ManyArima:
    many, k = len(sensors), spec.parameters
    blank: dict[str, Any] = {name: np.full((many, k), np.nan) for name in ("parameters", "standard_errors")}
    blank |= {name: np.full(many, np.nan) for name in ("variance", "loglikelihood")}
    blank |= {name: np.full((many, columns), np.nan) for name in ("regression", "regression_errors")}
    counts: dict[str, Any] = {name: np.zeros(many, dtype=np.int64) for name in ("readings", "turns")}
    return ManyArima(spec, sensors, status, **blank, **counts, constant=bool(constant))


def _fit_apart(
    y_Tn: FloatArray, x_TC: FloatArray, spec: Specification, starts: int, standard_errors: bool
) -> dict[str, npt.NDArray[np.generic]]:
    """Fit a block; where the readings of a sensor do not tell what it starts from, it alone has no fit."""
    try:
        return _fit_block(y_Tn, x_TC, spec, starts, standard_errors)
    except np.linalg.LinAlgError:
        pass
    if y_Tn.shape[1] == 1:
        blank = _empty(spec, ("",), np.array(["not identified"]), x_TC.shape[1], False)
        return {name: getattr(blank, name) for name in PARTS}
    alone = [_fit_apart(y_Tn[:, [i]], x_TC, spec, starts, standard_errors) for i in range(y_Tn.shape[1])]
    return {name: np.concatenate([one[name] for one in alone]) for name in PARTS}


def _fit_block(
    y_Tn: FloatArray, x_TC: FloatArray, spec: Specification, starts: int, standard_errors: bool
) -> dict[str, npt.NDArray[np.generic]]:
    block = Block(y_Tn, x_TC, spec)
    best, turns, converged = _highest(block, spec, starts)
    natural = spec.natural(best)
    measured = block.measure(natural[:, None, :], np.arange(block.series))
    height = block.height(measured)[:, 0]
    squares = measured.gram[:, 0, 0]
    variance = squares / measured.counted
    edge = (np.abs(np.tanh(best)) > EDGE).any(axis=1)
    status = np.where(edge, "boundary", np.where(converged, "converged", "not converged"))
    errors = np.full_like(natural, np.nan)
    if standard_errors and spec.parameters:
        errors = _standard_errors(block, natural, height)
    scale = block.scale_n
    regression_errors = np.sqrt(variance[:, None] * np.diagonal(measured.spread, axis1=1, axis2=2))
    return {
        "status": status,
        "parameters": natural,
        "standard_errors": errors,
        "variance": variance * scale**2,
        "loglikelihood": height - measured.counted * np.log(scale),
        "readings": measured.counted,
        "turns": turns,
        "regression": measured.beta * scale[:, None],
        "regression_errors": regression_errors * scale[:, None],
    }


def _highest(block: Block, spec: Specification, starts: int) -> tuple[FloatArray, IntArray, npt.NDArray[np.bool_]]:
    """Climb from the first starts for each series; return the best tops, turns, and who has converged."""
    lags, sizes, from_Sk = spec.lags, np.array(spec.sizes), spec.starts()[:starts]
    n, k = block.series, spec.parameters
    if block.complete and 0 < k <= MOST:
        at, value, turns, top = np.zeros((n, k)), np.empty(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
        highest(block.differenced(), sizes, *lags, spec.states, from_Sk, TURNS, TOLERANCE, at, value, turns, top)
        return at, turns, top
    at_nSk, squares_nS = np.zeros((n, len(from_Sk), k)), np.zeros((n, len(from_Sk)))
    if k:
        rough(block.differenced(), sizes, *lags, from_Sk, ROUGH_TURNS, at_nSk, squares_nS)
    return _climbed(block, _best_apart(block, at_nSk, squares_nS))


def _best_apart(block: Block, at_nSk: FloatArray, squares_nS: FloatArray) -> FloatArray:
    """Return the points of each series that stand highest and apart, (n, FOLLOWED, k), the best repeated to fill up."""
    everyone = np.arange(block.series)
    heights = np.where(np.isfinite(squares_nS), block.heights(at_nSk, everyone), -np.inf)
    heights = np.where(np.isfinite(heights), heights, -np.inf)
    out = np.empty((block.series, min(FOLLOWED, at_nSk.shape[1]), at_nSk.shape[2]))
    for one, points, height in zip(out, at_nSk, heights, strict=True):
        order = np.argsort(-height, kind="stable")
        one[:] = points[order[0]]
        kept = 1
        for i in order[1:]:
            apart = np.abs(np.tanh(points[i]) - np.tanh(one[:kept])).max(axis=-1, initial=0.0)
            if kept < len(one) and np.isfinite(height[i]) and apart.min() > TOGETHER:
                one[kept] = points[i]
                kept += 1
    return out


def _climbed(block: Block, from_nSk: FloatArray) -> tuple[FloatArray, IntArray, npt.NDArray[np.bool_]]:
    """Climb from some points of each series by the filter that its gaps and regressors need."""
    which = np.repeat(np.arange(block.series), from_nSk.shape[1])

    def climbed(at: FloatArray, rows: IntArray, turns: int) -> tuple[FloatArray, FloatArray, IntArray, npt.NDArray]:  # type: ignore[type-arg]
        found = climb(
            lambda points, active: block.heights(points, rows[active]),
            at,
            slope=lambda point, height, active: block.slope(point, height, rows[active]),
            tolerance=TOLERANCE,
            turns=turns,
        )
        return found.at, found.value, found.turns, found.converged

    at, value, turns, converged = climbed(from_nSk.reshape(len(which), -1), which, FIRST_TURNS)
    go_on = np.flatnonzero(_apart(at, value, which))
    if len(go_on):
        at[go_on], value[go_on], more, converged[go_on] = climbed(at[go_on], which[go_on], TURNS)
        turns[go_on] += more
    top = np.where(np.isfinite(value), value, -np.inf).reshape(block.series, -1).argmax(axis=1)
    chosen = np.arange(block.series) * from_nSk.shape[1] + top
    return at[chosen], turns.reshape(block.series, -1).sum(axis=1), converged[chosen]


def _apart(at: FloatArray, value: FloatArray, which: IntArray) -> npt.NDArray[np.bool_]:
    """Whether a start is to be followed: of those that have come together, the highest is."""
    keep = np.ones(len(at), dtype=bool)
    each = int((which == which[0]).sum())
    for i in range(0, len(at), each):
        order = i + np.argsort(-value[i : i + each])
        for rank, one in enumerate(order):
            higher = [other for other in order[:rank] if keep[other]]
            keep[one] = all(np.abs(np.tanh(at[one]) - np.tanh(at[other])).max() > TOGETHER for other in higher)
    return keep


def _standard_errors(block: Block, natural: FloatArray, height: FloatArray) -> FloatArray:
    def heights(points: FloatArray, which: IntArray) -> FloatArray:
        return block.height(block.measure(points, which))

    _, hessian = curvature(heights, natural, height, np.arange(len(natural)))
    out = np.full_like(natural, np.nan)
    good = np.flatnonzero(np.isfinite(hessian).all(axis=(1, 2)))
    good = good[np.linalg.eigvalsh(-hessian[good])[:, 0] > 0]
    out[good] = np.sqrt(np.diagonal(np.linalg.inv(-hessian[good]), axis1=1, axis2=2))
    return out
