"""GARCH(1,1) and GJR for many series: the variance of what comes next, from the shocks and variances before.

The model is in `citylib.timeseries.garch_model`. Held equal to arch by a test.
Legend: T time steps, N series (n in a block), k parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats
from tqdm import tqdm

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries import conditional_variance
from citylib.timeseries.garch_block import STATUSES as FITTED
from citylib.timeseries.garch_by_derivatives import ByDerivatives
from citylib.timeseries.garch_by_differences import ByDifferences
from citylib.timeseries.garch_model import Garch
from citylib.timeseries.garch_with_gaps import WithGaps

__all__ = ["Garch", "ManyGarch", "fit"]

FloatArray = npt.NDArray[np.float64]

STATUSES = (*FITTED, "too short", "constant", "straight line", "out of range")
FEWEST = 100  # readings
ROUNDING = 1e-13  # of the readings: what varies by less does not vary
ALIKE = 1e-9  # of their range: readings that are so near to two values, or to a line, lie on it


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
        Converged; boundary (a parameter on the edge of what it may be, Student's t as good as normal among it, where
        errors are not to be trusted or NaN); not converged; not identified (the likelihood is flat at its top:
        estimates without errors; or all shocks are of one size, as those of readings of two values are, or beside
        one reading the others are nothing: no estimates); too short; constant; straight line; out of range (numbers
        too large or small to be squared: take another unit).
    parameters, standard_errors : ndarray, shape (N, k)
        As `model.names`, in units of the readings; errors by the sandwich that does not ask for normal shocks. NaN for
        a series that could not be fitted.
    correlations : ndarray, shape (N, k, k)
        Of the estimates, by the same sandwich.
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
    correlations: FloatArray
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
            The series from the first step of the fit on; NaN where a reading is missing.
        """
        y_TN, _ = _values(values)
        if y_TN.shape[1] != len(self.sensors):
            raise InputError("values", f"have the {len(self.sensors)} series of the fit", y_TN.shape[1])
        out = np.full((len(y_TN) + 1, y_TN.shape[1]), np.nan)
        for i in np.flatnonzero(~np.isnan(self.loglikelihood)):
            s_T1, e_T1 = np.empty((2, len(y_TN) + 1, 1))
            padded = np.append(y_TN[:, i], 0.0)
            conditional_variance.logarithms(
                padded, self.first[i], self.model.six(self.parameters[i])[:, None], s_T1, e_T1
            )
            out[:, i] = s_T1[:, 0]
        return out

    def ahead(self, next_TN: npt.ArrayLike, /, *, steps: int) -> FloatArray:
        """Return the variances expected 1 .. H steps ahead, shape (H, T, N), of those expected one step ahead.

        Each is omega plus the persistence times the one before: they go to the variance of the long run.

        Parameters
        ----------
        next_TN : array_like, shape (T, N)
            From `variances`.
        steps : int
            How many, H.
        """
        now_TN = checks.matrix("next_TN", next_TN, missing=True)
        omega_N = self.model.six(self.parameters)[:, 1]
        out = [now_TN]
        for _ in range(checks.integer("steps", steps, minimum=1) - 1):
            out.append(omega_N + self.persistence * out[-1])
        return np.stack(out)

    def quantiles(self, level: float) -> FloatArray:
        """Return the quantile of a standardised shock, shape (N,): normal, or Student's t of variance 1.

        Parameters
        ----------
        level : float
            Between 0 and 1.
        """
        share = checks.fraction("level", level)
        if self.model.distribution == "normal":
            return np.where(np.isnan(self.loglikelihood), np.nan, stats.norm.ppf(share))
        nu_N = self.model.six(self.parameters)[:, 5]
        return np.asarray(special.stdtrit(nu_N, share) * np.sqrt((nu_N - 2) / nu_N))

    def half_lives(self, level: float = 0.95) -> FloatArray:
        """Return steps until half of what a shock adds to the variance is gone, with interval: shape (N, 3).

        log(1/2) / log(persistence). The interval is normal on the logarithm of the half-life, by the delta method.

        Parameters
        ----------
        level : float, default 0.95
            Coverage that the interval claims.

        Returns
        -------
        ndarray
            Half-life, low, high; ends NaN on the boundary, where no interval by derivatives is to be had.
        """
        reach = stats.norm.ppf((1 + checks.fraction("level", level)) / 2)
        pull_6 = np.array([0.0, 0.0, 1.0, 0.5, 1.0, 0.0])[self.model.rows()]
        part_Nk = self.standard_errors * pull_6
        with np.errstate(invalid="ignore", divide="ignore"):
            error_N = np.sqrt(np.einsum("nk,nkl,nl->n", part_Nk, self.correlations, part_Nk))
            rate_N = -np.log(self.persistence)
            half_N = np.log(2) / rate_N
            far_N = np.where(self.status == FITTED[1], np.nan, reach * error_N / (self.persistence * rate_N))
            return np.stack([half_N, half_N * np.exp(-far_N), half_N * np.exp(far_N)], axis=1)


def fit(
    values: Panel | npt.ArrayLike,
    /,
    *,
    model: Garch | None = None,
    standard_errors: bool = True,
    starts: int = 4,
    block: int = 256,
    progress: bool = False,
) -> ManyGarch:
    """Fit a GARCH(1,1) to each series by maximum likelihood.

    Parameters
    ----------
    values : Panel or array_like, shape (T, N)
        Series; a season or trend in mean or variance is to be taken out first. NaN where a reading is missing: the
        square of its shock is replaced by the conditional variance and it adds nothing to the likelihood.
    model : Garch, optional
        Which; by default with a mean, symmetric, normal.
    standard_errors : bool, default True
        Whether they are worked out.
    starts : int, default 4
        Starts that are followed for each series.
    block : int, default 256
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
    >>> y[3:450, 1] = np.nan
    >>> fit(y).status.tolist()[1]
    'too short'
    """
    model = Garch() if model is None else model
    y_TN, sensors = _values(values)
    starts, step = checks.integer("starts", starts, minimum=1), checks.integer("block", block, minimum=1)
    status = np.array([_trouble(y_T, model) for y_T in y_TN.T], dtype=f"<U{max(map(len, STATUSES))}")
    missing_N = np.isnan(y_TN).any(axis=0)
    k = len(model.names)
    parameters, errors = np.full((2, y_TN.shape[1], k), np.nan)
    correlations = np.full((y_TN.shape[1], k, k), np.nan)
    height, first = np.full((2, y_TN.shape[1]), np.nan)
    whole = ByDerivatives if model.distribution == "normal" else ByDifferences
    parts = []
    for way, asked in ((whole, ~missing_N), (WithGaps, missing_N)):
        todo = np.flatnonzero((status == "") & asked)
        parts += [(way, todo[i : i + step]) for i in range(0, len(todo), step)]
    for way, part in tqdm(parts, unit="block", disable=not progress):
        y_nT = np.ascontiguousarray(y_TN[:, part].T)
        found = way(y_nT, model).fitted(starts, standard_errors)
        status[part], parameters[part], errors[part], height[part], first[part], correlations[part] = found
    return ManyGarch(model, sensors, status, parameters, errors, correlations, height, first)


def _trouble(y_T: FloatArray, model: Garch) -> str:
    """Return why a series has no variance to be modelled, or an empty text."""
    step = np.flatnonzero(~np.isnan(y_T))
    if len(step) < FEWEST:
        return "too short"
    read = y_T[step]
    low, high = read.min(), read.max()
    largest = max(-low, high)
    if low == high or high / 2 - low / 2 <= ROUNDING / 2 * largest:
        return "constant"
    spread = high / 2 - low / 2
    if not (checks.SQUARES[0] <= spread and largest <= checks.SQUARES[1]):
        return "out of range"
    middle, size = ((low + high) / 2, spread) if model.mean else (0.0, largest)
    if (np.abs(np.abs(read - middle) - size) <= ALIKE * size).all():
        return "not identified"
    line = read[0] + (read[-1] - read[0]) * (step - step[0]) / (step[-1] - step[0])
    return "straight line" if (np.abs(read - line) <= ALIKE * (high - low)).all() else ""


def _values(values: Panel | npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    if isinstance(values, Panel):
        return checks.matrix("values", values.values, missing=True), tuple(map(str, values.sensors))
    y_TN = checks.matrix("values", values, missing=True)
    if not y_TN.shape[1]:
        raise InputError("values", "have a series", y_TN.shape)
    return y_TN, tuple(map(str, range(y_TN.shape[1])))
