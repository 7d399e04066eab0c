"""GARCH(1,1) and GJR for many series: the variance of what comes next, from the shocks and variances before.

The model is in `citylib.timeseries.garch_model`. Held equal to arch by a test.
Legend: T time steps, N series, k parameters, L points, H steps ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special
from tqdm import tqdm

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries import conditional_variance as compiled
from citylib.timeseries.climb import climb, curvature
from citylib.timeseries.garch_model import Garch, starting_variance

__all__ = ["Garch", "ManyGarch", "fit"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STATUSES = ("converged", "boundary", "not converged", "too short", "constant", "missing readings")
FEWEST = 100  # readings
WIDTH = 1e-6
ROUGH, FIRST_TURNS = 0.05, 5  # of the climb from each start, before the best of them goes on
FARTHEST = 25.0
EDGE = 1e-4  # a share, or a distance of the persistence from 1, below which it lies on the boundary


@dataclass(frozen=True, eq=False)
class ManyGarch:
    """Models of the variance of many series.

    Parameters
    ----------
    model : Garch
        Which.
    sensors : tuple of str
        Ids.
    status : ndarray of str, shape (N,)
        Converged, boundary, not converged, too short, constant, missing readings.
    parameters, standard_errors : ndarray, shape (N, k)
        As `model.names`, in units of the readings; errors by the sandwich that does not ask for normal shocks.
    loglikelihood : ndarray, shape (N,)
        At the optimum.
    first : ndarray, shape (N,)
        Starting variance.

    References
    ----------
    Bollerslev, T. and Wooldridge, J. M. (1992). Quasi-maximum likelihood estimation and inference in dynamic models
    with time-varying covariances. Econometric Reviews 11(2), 143-172.
    """

    model: Garch
    sensors: tuple[str, ...]
    status: npt.NDArray[np.str_]
    parameters: FloatArray
    standard_errors: FloatArray
    loglikelihood: FloatArray
    first: FloatArray

    def table(self) -> pd.DataFrame:
        """Return a row a series: status, parameters with standard errors, persistence, log-likelihood."""
        columns: dict[str, npt.NDArray[np.generic]] = {"status": self.status}
        for i, name in enumerate(self.model.names):
            columns[name], columns[f"{name}_se"] = self.parameters[:, i], self.standard_errors[:, i]
        columns |= {"persistence": self.persistence, "loglikelihood": self.loglikelihood}
        return pd.DataFrame(columns, index=pd.Index(self.sensors, name="sensor"))

    @property
    def persistence(self) -> FloatArray:
        """alpha + gamma / 2 + beta, shape (N,)."""
        six = self.model.six(self.parameters)
        return np.asarray(six[:, 2] + six[:, 3] / 2 + six[:, 4])

    def variances(self, values: Panel | npt.ArrayLike, /) -> FloatArray:
        """Return the variance expected of each step from what came before it, shape (T + 1, N): one step further.

        Parameters
        ----------
        values : Panel or array_like, shape (T, N)
            The series from the first step of the fit on.
        """
        y_TN, _ = _values(values)
        out = np.full((len(y_TN) + 1, y_TN.shape[1]), np.nan)
        for i in np.flatnonzero(~np.isnan(self.loglikelihood)):
            s_T1, e_T1 = np.empty((2, len(y_TN) + 1, 1))
            padded = np.append(y_TN[:, i], 0.0)
            compiled.logarithms(padded, self.first[i], self.model.six(self.parameters[i])[:, None], s_T1, e_T1)
            out[:, i] = s_T1[:, 0]
        return out


def fit(
    values: Panel | npt.ArrayLike,
    /,
    *,
    model: Garch | None = None,
    standard_errors: bool = True,
    starts: int = 4,
    block: int = 64,
    progress: bool = False,
) -> ManyGarch:
    """Fit a GARCH(1,1) to each series by maximum likelihood.

    Parameters
    ----------
    values : Panel or array_like, shape (T, N)
        Series with no readings missing; a season or trend in mean or variance is to be taken out first.
    model : Garch, optional
        Which; by default with a mean, symmetric, normal.
    standard_errors : bool, default True
        Whether they are worked out.
    starts : int, default 4
        Starts that are followed for each series.
    block : int, default 64
        Series held in work at a time.
    progress : bool, default False
        Whether a bar is shown.

    Returns
    -------
    ManyGarch

    Raises
    ------
    InputError
        Infinite readings.

    References
    ----------
    Bollerslev, T. (1986). Generalized autoregressive conditional heteroskedasticity. Journal of Econometrics 31.
    Glosten, L. R., Jagannathan, R. and Runkle, D. E. (1993). On the relation between the expected value and the
    volatility of the nominal excess return on stocks. Journal of Finance 48(5), 1779-1801.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal((500, 2))
    >>> y[3, 1] = np.nan
    >>> fit(y).status.tolist()[1]
    'missing readings'
    """
    model = Garch() if model is None else model
    y_TN, sensors = _values(values)
    starts, step = checks.integer("starts", starts, minimum=1), checks.integer("block", block, minimum=1)
    status = np.full(y_TN.shape[1], "", dtype=f"<U{max(map(len, STATUSES))}")
    missing = np.isnan(y_TN).any(axis=0)
    status[missing] = "missing readings"
    status[~missing & (np.ptp(y_TN, axis=0) == 0)] = "constant"
    if len(y_TN) < FEWEST:
        status[:] = "too short"
    todo = np.flatnonzero(status == "")
    parameters, errors = np.full((2, y_TN.shape[1], len(model.names)), np.nan)
    height, first = np.full((2, y_TN.shape[1]), np.nan)
    for i in tqdm(range(0, len(todo), step), unit="block", disable=not progress):
        part = todo[i : i + step]
        block_of = _Block(y_TN[:, part], model)
        found = block_of.fitted(starts, standard_errors)
        status[part], parameters[part], errors[part], height[part], first[part] = found
    return ManyGarch(model, sensors, status, parameters, errors, height, first)


class _Block:
    """A few series, in standard deviations, whose likelihood is worked out together."""

    def __init__(self, y_Tn: FloatArray, model: Garch) -> None:
        self.model = model
        self.scale_n = y_Tn.std(axis=0)
        self.y_nT = np.ascontiguousarray((y_Tn / self.scale_n).T)
        self.first_n = starting_variance(self.y_nT.T, mean=model.mean)
        self.offset = self.y_nT.mean(axis=1) if model.mean else np.zeros(len(self.y_nT))

    def fitted(self, starts: int, standard_errors: bool) -> tuple[object, ...]:
        everyone = np.arange(len(self.y_nT))
        grid = self._shifted(np.broadcast_to(self.model.starts(), (len(everyone), *self.model.starts().shape)))
        order = np.argsort(-self.heights(grid, everyone), axis=1)[:, :starts]
        which = np.repeat(everyone, order.shape[1])
        first = climb(
            lambda points, active: self.heights(points, which[active]),
            grid[which, order.ravel()],
            slope=lambda at, height, active: self.slope(at, height, which[active]),
            tolerance=ROUGH,
            turns=FIRST_TURNS,
            farthest=FARTHEST,
        )
        top = np.where(np.isfinite(first.value), first.value, -np.inf).reshape(len(everyone), -1).argmax(axis=1)
        # Near the top the curvature that is expected is no longer the one there is.
        found = climb(self.heights, first.at[everyone * order.shape[1] + top], tolerance=1e-8, farthest=FARTHEST)
        natural = self.model.natural(found.at)
        errors = np.full_like(natural, np.nan)
        if standard_errors:
            errors = self._standard_errors(natural, found.value)
        unit = self._units()
        status = self._status(natural, found.converged)
        height = found.value - self.y_nT.shape[1] * np.log(self.scale_n)
        return status, natural * unit, errors * unit, height, self.first_n * self.scale_n**2

    def measure(self, natural_MLk: FloatArray, which: IntArray, *, whole: bool = False) -> tuple[FloatArray, ...]:
        points = np.swapaxes(self.model.six(natural_MLk), 1, 2)
        many, _, count = points.shape
        groups = -(-count // compiled.LANES)
        full = np.minimum(np.arange(groups * compiled.LANES), count - 1)
        grouped = points[:, :, full].reshape(many, 6, groups, compiled.LANES).swapaxes(1, 2)
        log_s, tail, steer = np.zeros((3, many, groups, compiled.LANES))
        gram = np.zeros((many, groups, compiled.LANES, compiled.LANES))
        heavy = self.model.distribution == "t"
        compiled.sums(
            self.y_nT, self.first_n, np.ascontiguousarray(which), np.ascontiguousarray(grouped),
            heavy, whole, log_s, tail, gram, steer,
        )  # fmt: skip
        height = self._height(log_s.reshape(many, -1)[:, :count], tail.reshape(many, -1)[:, :count], points[:, 5])
        return height, gram[:, 0, :count, :count], steer[:, 0, 0]

    def heights(self, free_MLk: FloatArray, which: IntArray) -> FloatArray:
        return self.measure(self.model.natural(free_MLk), which)[0]

    def slope(self, at_Mk: FloatArray, _: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray]:
        """Gradient by differences; curvature as it is expected to be, from how the variances move."""
        k = at_Mk.shape[1]
        offsets = np.concatenate([np.zeros((1, k)), WIDTH * np.eye(k)])
        points = at_Mk[:, None, :] + offsets
        height, gram, inverse = self.measure(self.model.natural(points), which, whole=True)
        gradient = (height[:, 1:] - height[:, :1]) / WIDTH
        information = 0.5 * gram[:, 1:, 1:] / WIDTH**2
        if self.model.mean:
            information[:, 0, 0] += inverse
        if self.model.distribution == "t":  # of the degrees of freedom the variances know nothing
            last = self.y_nT.shape[1] / (2.0 + np.exp(at_Mk[:, -1])) ** 2 + 1.0
            information[:, -1, -1] = last
        return gradient, -information

    def _height(self, log_s: FloatArray, tail: FloatArray, nu: FloatArray) -> FloatArray:
        steps = self.y_nT.shape[1]
        with np.errstate(invalid="ignore"):
            if self.model.distribution == "normal":
                return np.asarray(-0.5 * (steps * np.log(2 * np.pi) + log_s + tail))
            constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(np.pi * (nu - 2))
            return np.asarray(steps * constant - 0.5 * log_s - (nu + 1) / 2 * tail)

    def _shifted(self, grid_nSk: FloatArray) -> FloatArray:
        grid = np.array(grid_nSk)
        if self.model.mean:
            grid[:, :, 0] = self.offset[:, None]
        return grid

    def _units(self) -> FloatArray:
        unit = {"mu": self.scale_n, "omega": self.scale_n**2}
        return np.stack([unit.get(name, np.ones_like(self.scale_n)) for name in self.model.names], axis=1)

    def _status(self, natural: FloatArray, converged: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
        six = self.model.six(natural)
        persistence = six[:, 2] + six[:, 3] / 2 + six[:, 4]
        edge = (six[:, 2] + six[:, 3] / 2 < EDGE) | (six[:, 4] < EDGE) | (persistence > 1 - EDGE)
        return np.where(edge, "boundary", np.where(converged, "converged", "not converged"))

    def _standard_errors(self, natural: FloatArray, height: FloatArray) -> FloatArray:
        """Bollerslev and Wooldridge's: curvature, scores, curvature."""
        everyone = np.arange(len(natural))
        # Differences as wide as each parameter is large, for omega may be tiny.
        width_nk = np.maximum(np.abs(natural), 1e-3)

        def heights(points: FloatArray, which: IntArray) -> FloatArray:
            return self.measure(points * width_nk[which][:, None, :], which)[0]

        _, hessian = curvature(heights, natural / width_nk, height, everyone)
        out = np.full_like(natural, np.nan)
        for i, curve in enumerate(-hessian):
            if not np.isfinite(curve).all() or np.linalg.eigvalsh(curve)[0] <= 0:
                continue
            score_Tk = self._scores(natural[i], width_nk[i], i)
            bread = np.linalg.inv(curve)
            out[i] = np.sqrt(np.diag(bread @ (score_Tk.T @ score_Tk) @ bread)) * width_nk[i]
        return out

    def _scores(self, natural_k: FloatArray, width_k: FloatArray, which: int) -> FloatArray:
        reach = 1e-5
        offsets = np.concatenate([np.eye(len(natural_k)), -np.eye(len(natural_k))]) * reach * width_k
        six_6L = self.model.six(natural_k + offsets).T
        s_TL, e_TL = np.empty((2, self.y_nT.shape[1], six_6L.shape[1]))
        compiled.logarithms(self.y_nT[which], self.first_n[which], np.ascontiguousarray(six_6L), s_TL, e_TL)
        if self.model.distribution == "normal":
            each = -0.5 * (np.log(s_TL) + e_TL**2 / s_TL)
        else:
            nu = six_6L[5]
            constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu - 2)
            each = constant - 0.5 * np.log(s_TL) - (nu + 1) / 2 * np.log1p(e_TL**2 / ((nu - 2) * s_TL))
        up, down = np.split(each, 2, axis=1)
        return np.asarray((up - down) / (2 * reach))


def _values(values: Panel | npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    if isinstance(values, Panel):
        return checks.matrix("values", values.values, missing=True), tuple(map(str, values.sensors))
    y_TN = checks.matrix("values", values, missing=True)
    if not y_TN.shape[1]:
        raise InputError("values", "have a series", y_TN.shape)
    return y_TN, tuple(map(str, range(y_TN.shape[1])))
