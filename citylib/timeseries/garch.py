"""GARCH(1,1) and GJR for many series: the variance of what comes next, from the shocks and variances before.

The model is in `citylib.timeseries.garch_model`. Held equal to arch by a test.
Legend: T time steps, N series (n in a block), k parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries import conditional_variance as compiled
from citylib.timeseries.garch_block import STATUSES as FITTED
from citylib.timeseries.garch_by_derivatives import ByDerivatives
from citylib.timeseries.garch_by_differences import ByDifferences
from citylib.timeseries.garch_model import Garch

__all__ = ["Garch", "ManyGarch", "fit"]

FloatArray = npt.NDArray[np.float64]

STATUSES = (*FITTED, "too short", "constant", "missing readings")
FEWEST = 100  # readings


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
    block: int = 256,
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
    way = ByDerivatives if model.distribution == "normal" else ByDifferences
    for i in tqdm(range(0, len(todo), step), unit="block", disable=not progress):
        part = todo[i : i + step]
        y_nT = np.ascontiguousarray(y_TN[:, part].T)
        found = way(y_nT, model).fitted(starts, standard_errors)
        status[part], parameters[part], errors[part], height[part], first[part] = found
    return ManyGarch(model, sensors, status, parameters, errors, height, first)


def _values(values: Panel | npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    if isinstance(values, Panel):
        return checks.matrix("values", values.values, missing=True), tuple(map(str, values.sensors))
    y_TN = checks.matrix("values", values, missing=True)
    if not y_TN.shape[1]:
        raise InputError("values", "have a series", y_TN.shape)
    return y_TN, tuple(map(str, range(y_TN.shape[1])))
