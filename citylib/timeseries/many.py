"""ARIMA and SARIMA for every sensor of a city in one call, by exact Gaussian likelihood.

Held equal to statsmodels' likelihood at the same parameters by a test. One bad sensor never fails the city: each
has a status. Legend: T time steps, N sensors, n of them in a block, K regressors, k ARMA parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries.arima_fits import FITTED, STATUSES, ManyArima, aicc, design, readings
from citylib.timeseries.block import WAYS, Block, Measured, ways
from citylib.timeseries.climb import climb, derivatives, neighbours
from citylib.timeseries.conditional import rough
from citylib.timeseries.exact_climb import MOST, ROUGH_TURNS, highest
from citylib.timeseries.seen import RANGE, Seen
from citylib.timeseries.specification import Specification

__all__ = ["FITTED", "STATUSES", "ManyArima", "aicc", "fit", "fit_orders"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PARTS = (
    "status", "parameters", "standard_errors", "variance", "loglikelihood", "readings", "turns", "regression",
    "regression_errors",
)  # fmt: skip
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
    spec = Specification(tuple(order), tuple(seasonal))  # type: ignore[arg-type]  # checked by itself
    return fit_orders(
        values, (spec,), x_TK=x_TK, constant=constant, starts=starts, standard_errors=standard_errors, block=block,
        workers=workers, progress=progress,
    )[0]  # fmt: skip


def fit_orders(
    values: Panel | npt.ArrayLike,
    specifications: Sequence[Specification],
    /,
    *,
    x_TK: npt.ArrayLike | None = None,
    constant: bool = False,
    starts: int = 8,
    standard_errors: bool = True,
    block: int = 64,
    workers: int = 1,
    progress: bool = False,
) -> tuple[ManyArima, ...]:
    """Fit several orders that difference alike to each sensor; the readings are made ready once for all of them.

    Parameters
    ----------
    values : Panel or array_like, shape (T, N)
        Readings; NaN where one is missing.
    specifications : sequence of Specification
        One or more, of the same differences and season.
    x_TK : array_like, shape (T, K), optional
        Regressors of all sensors.
    constant : bool, default False
        Whether the processes have a mean.
    starts : int, default 8
        Starts of each sensor and order.
    standard_errors : bool, default True
        Whether they are worked out.
    block : int, default 64
        Sensors held in work at a time by each worker.
    workers : int, default 1
        Threads.
    progress : bool, default False
        Whether a bar is shown.

    Returns
    -------
    tuple of ManyArima
        One for each specification.

    Raises
    ------
    InputError
        Specifications that difference otherwise than the first; what `fit` refuses.

    Examples
    --------
    >>> walks = np.random.default_rng(0).standard_normal((300, 3)).cumsum(axis=0)
    >>> walk, rough = fit_orders(walks, [Specification((0, 1, 0)), Specification((0, 1, 1))])
    >>> bool((rough.loglikelihood >= walk.loglikelihood).all())
    True
    """
    y_TN, sensors = readings(values)
    first = _alike(specifications)
    x_TC = design(x_TK, constant, first, len(y_TN))
    if len(x_TC) > len(y_TN):
        x_TC = x_TC[: len(y_TN)]
    _refuse_dependent(x_TC, constant, first)
    settings = (checks.integer("starts", starts, minimum=1), bool(standard_errors))
    step = checks.integer("block", block, minimum=1)
    columns = [slice(i, i + step) for i in range(0, max(1, y_TN.shape[1]), step)]  # no copy but of a few sensors
    seen = Seen.joined([Seen.of(y_TN[:, c], x_TC, first) for c in columns])
    out = [_empty(one, sensors, seen.status(one, x_TC.shape[1]), x_TC.shape[1], constant) for one in specifications]
    todo = np.flatnonzero(np.any([made.status == "" for made in out], axis=0))
    way = np.concatenate([ways(y_TN[:, c], x_TC, first) for c in columns])[todo]  # a block goes one way
    parts = [part[i : i + step] for part in (todo[way == w] for w in WAYS) for i in range(0, len(part), step)]
    with (
        ThreadPoolExecutor(checks.integer("workers", workers, minimum=1)) as pool,
        tqdm(total=len(todo), unit="sensor", disable=not progress) as bar,
    ):
        wanted = [[made.status[part] == "" for made in out] for part in parts]
        jobs = zip(parts, wanted, strict=True)
        done = pool.map(lambda job: _fit_part(y_TN[:, job[0]], x_TC, specifications, job[1], *settings), jobs)
        for part, those, found in zip(parts, wanted, done, strict=True):
            for made, which, results in zip(out, those, found, strict=True):
                for name, values_of in results.items():
                    getattr(made, name)[part[which]] = values_of
            bar.update(len(part))
    return tuple(out)


def _alike(specifications: Sequence[Specification]) -> Specification:
    """Return the first specification, if all the others difference as it does."""
    if not specifications:
        raise InputError("specifications", "be one or more", len(specifications))
    first = specifications[0]
    for one in specifications:
        if (one.order[1], one.seasonal[1], one.season) != (first.order[1], first.seasonal[1], first.season):
            raise InputError("specifications", f"difference alike, as {first.order} {first.seasonal} does", one)
    return first


def _refuse_dependent(x_TC: FloatArray, constant: bool, spec: Specification) -> None:
    """Say which regressor follows from those before it, once differenced."""
    size = np.abs(x_TC).max(axis=0, initial=0.0)
    if len(x_TC) and ((size > RANGE[1]) | (size < RANGE[0]) & (size > 0)).any():
        raise InputError(
            "x_TK", f"have columns of sizes from {RANGE[0]:g} to {RANGE[1]:g}", f"{size.min()} to {size.max()}"
        )
    moved = spec.differenced(x_TC)
    names = ["the constant"] * constant + [f"column {i}" for i in range(x_TC.shape[1] - constant)]
    for i in range(moved.shape[1]):
        before, own = moved[:, :i], moved[:, i]
        rest = own - before @ np.linalg.lstsq(before, own, rcond=None)[0] if i else own
        if np.linalg.norm(rest) <= 1e-9 * np.linalg.norm(own):
            what = f"{names[i]} follows from {', '.join(names[:i]) or 'nothing: it is zero'} once differenced"
            raise InputError("x_TK", "have linearly independent columns", what)


def _empty(
    spec: Specification, sensors: tuple[str, ...], status: npt.NDArray[np.str_], columns: int, constant: bool
) -> ManyArima:
    many, k = len(sensors), spec.parameters
    blank: dict[str, Any] = {name: np.full((many, k), np.nan) for name in ("parameters", "standard_errors")}
    blank |= {name: np.full(many, np.nan) for name in ("variance", "loglikelihood")}
    blank |= {name: np.full((many, columns), np.nan) for name in ("regression", "regression_errors")}
    counts: dict[str, Any] = {name: np.zeros(many, dtype=np.int64) for name in ("readings", "turns")}
    return ManyArima(spec, sensors, status, **blank, **counts, constant=bool(constant))


Results = dict[str, npt.NDArray[np.generic]]


def _fit_part(
    y_Tn: FloatArray, x_TC: FloatArray, specifications: Sequence[Specification],
    wanted: Sequence[npt.NDArray[np.bool_]], starts: int, standard_errors: bool,
) -> list[Results]:  # fmt: skip
    """Fit each order to those of a few sensors that it is wanted of."""
    whole = Block(y_Tn, x_TC, specifications[0])
    parts = zip(specifications, wanted, strict=True)
    return [_fit_apart(whole.of(np.flatnonzero(which), one), starts, standard_errors) for one, which in parts]


def _fit_apart(block: Block, starts: int, standard_errors: bool) -> Results:
    """Fit a block; where the readings of a sensor do not tell what it starts from, it alone has no fit."""
    try:
        return _fit_block(block, starts, standard_errors)
    except np.linalg.LinAlgError:
        pass
    spec = block.specification
    if block.series == 1:
        blank = _empty(spec, ("",), np.array(["not identified"]), block.columns, False)
        return {name: getattr(blank, name) for name in PARTS}
    alone = [_fit_apart(block.of(np.array([i]), spec), starts, standard_errors) for i in range(block.series)]
    return {name: np.concatenate([one[name] for one in alone]) for name in PARTS}


def _fit_block(block: Block, starts: int, standard_errors: bool) -> Results:
    spec = block.specification
    best, turns, converged = _highest(block, starts)
    natural, errors = spec.natural(best), np.full_like(best, np.nan)
    if standard_errors and spec.parameters:
        measured, height, errors = _with_errors(block, natural)
    else:
        measured = block.measure(natural[:, None, :], np.arange(block.series))
        height = block.height(measured)[:, 0]
    squares = measured.gram[:, -1, -1]
    variance = squares / measured.counted
    edge = (np.abs(np.tanh(best)) > EDGE).any(axis=1)
    status = np.where(edge, "boundary", np.where(converged, "converged", "not converged"))
    if standard_errors and spec.parameters:
        status = np.where((status == "converged") & np.isnan(errors).any(axis=1), "flat", status)
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


def _highest(block: Block, starts: int) -> tuple[FloatArray, IntArray, npt.NDArray[np.bool_]]:
    """Climb from the first starts for each series; return the best tops, turns, and who has converged."""
    spec = block.specification
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


def _with_errors(block: Block, natural: FloatArray) -> tuple[Measured, FloatArray, FloatArray]:
    """Measure the tops and what lies about them in one go; return that, the heights and the standard errors."""
    around = neighbours(natural.shape[1])
    points = np.append(around, np.zeros((1, natural.shape[1])), axis=0)
    measured = block.measure(natural[:, None, :] + points, np.arange(block.series))
    heights = block.height(measured)
    _, hessian = derivatives(heights[:, :-1], heights[:, -1], natural.shape[1])
    out = np.full_like(natural, np.nan)
    good = np.flatnonzero(np.isfinite(hessian).all(axis=(1, 2)))
    good = good[np.linalg.eigvalsh(-hessian[good])[:, 0] > 0]
    out[good] = np.sqrt(np.diagonal(np.linalg.inv(-hessian[good]), axis1=1, axis2=2))
    return measured, heights[:, -1], out
