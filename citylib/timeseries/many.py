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
from citylib.timeseries.specification import Specification

__all__ = ["FITTED", "STATUSES", "ManyArima", "aicc", "fit"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

EDGE = 0.999  # a partial autocorrelation beyond it lies on the edge of stationarity or invertibility
FIRST_TURNS = 3  # after which starts that have come together go on as one
TOGETHER = 0.05


def fit(
    values: Panel | npt.ArrayLike,
    /,
    *,
    order: tuple[int, int, int],
    seasonal: tuple[int, int, int, int] = (0, 0, 0, 1),
    x_TK: npt.ArrayLike | None = None,
    constant: bool = False,
    starts: int = 3,
    standard_errors: bool = True,
    block: int = 64,
    workers: int = 1,
    progress: bool = False,
) -> ManyArima:
    """Fit one ARIMA order to each sensor.

    y_t = x_t' beta + n_t with n_t a (seasonal) ARIMA process. Missing readings are passed over by the filter; no
    reading is lost to differencing beside a gap. The likelihood of a misspecified series has several maxima:
    each sensor is climbed from the first few of a list of starts, kinds of memory that city series have.

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
    starts : int, default 3
        Starts that are followed for each sensor.
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
    status = _status(y_TN, x_TC, spec)
    todo = np.flatnonzero(status == "")
    way = ways(y_TN[:, todo], x_TC, spec)  # a block goes one way
    parts = [part[i : i + step] for part in (todo[way == w] for w in WAYS) for i in range(0, len(part), step)]
    out = _empty(spec, sensors, status, x_TC.shape[1], constant)
    with (
        ThreadPoolExecutor(checks.integer("workers", workers, minimum=1)) as pool,
        tqdm(total=len(todo), unit="sensor", disable=not progress) as bar,
    ):
        done = pool.map(lambda part: _fit_block(y_TN[:, part], x_TC, spec, *settings), parts)
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
    status[(count > 0) & (spread <= 0)] = "constant"
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
    everyone = np.arange(block.series)
    points_SVk = spec.starts()[:starts]
    if points_SVk.shape[1] > 1:  # of each start the seasonal variant that stands highest
        grid = points_SVk.reshape(points_SVk.shape[0] * points_SVk.shape[1], spec.parameters)
        heights = block.heights(np.broadcast_to(grid, (block.series, *grid.shape)), everyone)
        heights = np.where(np.isfinite(heights), heights, -np.inf).reshape(block.series, *points_SVk.shape[:2])
        from_nSk = points_SVk[np.arange(len(points_SVk)), heights.argmax(axis=2)]
    else:
        from_nSk = np.broadcast_to(points_SVk[:, 0], (block.series, len(points_SVk), spec.parameters))
    which = np.repeat(everyone, from_nSk.shape[1])

    def climbed(at: FloatArray, rows: IntArray, turns: int) -> tuple[FloatArray, FloatArray, IntArray, npt.NDArray]:  # type: ignore[type-arg]
        found = climb(
            lambda points, active: block.heights(points, rows[active]),
            at,
            slope=lambda point, height, active: block.slope(point, height, rows[active]),
            turns=turns,
        )
        return found.at, found.value, found.turns, found.converged

    at, value, turns, converged = climbed(from_nSk.reshape(len(which), spec.parameters), which, FIRST_TURNS)
    go_on = np.flatnonzero(_apart(at, value, which))
    if len(go_on):
        at[go_on], value[go_on], more, converged[go_on] = climbed(at[go_on], which[go_on], 60)
        turns[go_on] += more
    top = np.where(np.isfinite(value), value, -np.inf).reshape(block.series, -1).argmax(axis=1)
    chosen = everyone * from_nSk.shape[1] + top
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
    for i, one in enumerate(-hessian):
        if np.isfinite(one).all() and np.linalg.eigvalsh(one)[0] > 0:
            out[i] = np.sqrt(np.diag(np.linalg.inv(one)))
    return out
