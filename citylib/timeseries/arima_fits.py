"""ARIMA models of many sensors once fitted: parameters with their errors, criterion, forecasts from any origin.

Legend: T time steps, N sensors, K regressors, k ARMA parameters, O origins, H steps ahead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries import kalman
from citylib.timeseries.specification import Specification

__all__ = ["FITTED", "STATUSES", "ManyArima", "aicc", "design", "readings"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STATUSES = (
    "converged",
    "boundary",  # on the edge of what is stationary or invertible
    "flat",  # some way the likelihood hardly falls from the top: there are no standard errors
    "not converged",
    "too short",
    "constant",
    "all missing",
    "collinear",
    "not identified",
    "out of range",  # so large or small that their variance is no number
)
FITTED = STATUSES[:4]


@dataclass(frozen=True, eq=False)
class ManyArima:
    """ARIMA models of many sensors, of one order.

    Rows of sensors that could not be fitted are NaN; `status` says why.

    Parameters
    ----------
    specification : Specification
        Orders and names of the parameters.
    sensors : tuple of str
        Their ids.
    status : ndarray of str, shape (N,)
        One of `STATUSES`.
    parameters, standard_errors : ndarray, shape (N, k)
        AR, MA, seasonal AR, seasonal MA, and their standard errors from the observed information.
    variance : ndarray, shape (N,)
        Of the shocks, in squared units of the readings.
    loglikelihood : ndarray, shape (N,)
        At the optimum.
    readings : ndarray of int, shape (N,)
        That count in the likelihood, differencing taken off.
    turns : ndarray of int, shape (N,)
        Of the climb.
    regression, regression_errors : ndarray, shape (N, K)
        Coefficients of the regressors (the constant first, if there is one) and their standard errors.
    constant : bool
        Whether there is one.
    """

    specification: Specification
    sensors: tuple[str, ...]
    status: npt.NDArray[np.str_]
    parameters: FloatArray
    standard_errors: FloatArray
    variance: FloatArray
    loglikelihood: FloatArray
    readings: IntArray
    turns: IntArray
    regression: FloatArray
    regression_errors: FloatArray
    constant: bool

    @property
    def aicc(self) -> FloatArray:
        """Corrected Akaike criterion, shape (N,)."""
        counted = self.specification.parameters + self.regression.shape[1] + 1
        return aicc(self.loglikelihood, counted, self.readings)

    def of(self, which: npt.ArrayLike) -> ManyArima:
        """Return the fits of some of the sensors, by position."""
        at = np.asarray(which, dtype=np.int64)
        rows = {
            name: getattr(self, name)[at]
            for name in ("status", "parameters", "standard_errors", "variance", "loglikelihood", "readings", "turns",
                         "regression", "regression_errors")
        }  # fmt: skip
        return replace(self, sensors=tuple(self.sensors[i] for i in at), **rows)

    def table(self) -> pd.DataFrame:
        """Return a row a sensor: status, parameters, standard errors, variance, log-likelihood, AICc."""
        columns: dict[str, npt.NDArray[np.generic]] = {"status": self.status}
        for i, name in enumerate(self.specification.names):
            columns[name], columns[f"{name}_se"] = self.parameters[:, i], self.standard_errors[:, i]
        columns |= {"variance": self.variance, "loglikelihood": self.loglikelihood, "aicc": self.aicc}
        return pd.DataFrame(columns, index=pd.Index(self.sensors, name="sensor"))

    def forecast(
        self,
        values: Panel | npt.ArrayLike,
        /,
        *,
        origins: npt.ArrayLike,
        horizon: int,
        level: float = 0.95,
        x_TK: npt.ArrayLike | None = None,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centre, lower and upper ends of each sensor from each origin, at the fitted parameters.

        The intervals take the parameters for known. Where a first level that differencing needs is missing it
        is interpolated, from readings before the origin alone.

        Parameters
        ----------
        values : Panel or array_like, shape (T, N)
            Readings of the same sensors from the first step of the fit on; NaN where one is missing.
        origins : array_like of int, shape (O,)
            Steps known at each origin, increasing, more than differencing uses up.
        horizon : int
            Steps ahead H.
        level : float, default 0.95
            Coverage asked of the (Gaussian) intervals.
        x_TK : array_like, shape (T + H or more, K), optional
            The regressors of the fit, as far ahead as is to be forecast.

        Returns
        -------
        (centre, lower, upper) : ndarray
            Each of shape (N, O, H); NaN for sensors without a fit, and from origins before a sensor's first levels can
            be told.

        Raises
        ------
        InputError
            Other sensors, origins that are no whole numbers or outside the readings, regressors that end too soon.
        """
        y_TN, _ = readings(values)
        spec, horizon = self.specification, checks.integer("horizon", horizon, minimum=1)
        z = float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2))
        if y_TN.shape[1] != len(self.sensors):
            raise InputError("values", f"have the {len(self.sensors)} sensors of the fit", y_TN.shape[1])
        origins_O = _origins(origins, spec, len(y_TN))
        x_TC = design(x_TK, self.constant, spec, int(origins_O[-1]) + horizon)
        if x_TC.shape[1] != self.regression.shape[1]:
            raise InputError("x_TK", f"have the {self.regression.shape[1] - self.constant} columns of the fit", x_TK)
        centre, half = np.full((2, len(self.sensors), len(origins_O), horizon), np.nan)
        ahead_OH = origins_O[:, None] + np.arange(horizon)
        for i in np.flatnonzero(np.isin(self.status, FITTED)):
            regression_T = x_TC @ self.regression[i]
            rest = y_TN[: origins_O[-1], i] - regression_T[: origins_O[-1]]
            mean, variance = _ahead(spec, self.parameters[i], rest, origins_O, horizon)
            centre[i] = mean + regression_T[ahead_OH]
            half[i] = z * np.sqrt(variance * self.variance[i])
        return centre, centre - half, centre + half


def aicc(loglikelihood: npt.ArrayLike, parameters: int, readings: npt.ArrayLike) -> FloatArray:
    """Return the corrected Akaike criterion; infinite where readings are too few for it.

    Parameters
    ----------
    loglikelihood : array_like
        At the optimum.
    parameters : int
        Estimated ones, the variance among them.
    readings : array_like
        That the likelihood is of.

    References
    ----------
    Hurvich, C. M. and Tsai, C.-L. (1989). Regression and time series model selection in small samples.
    Biometrika 76(2), 297-307.

    Examples
    --------
    >>> float(aicc(-100.0, 3, 104))
    206.24
    """
    rest = np.asarray(readings, dtype=np.float64) - parameters - 1
    with np.errstate(divide="ignore"):
        extra = np.where(rest > 0, 2 * parameters * (parameters + 1) / rest, np.inf)
    return np.asarray(2 * parameters - 2 * np.asarray(loglikelihood) + extra)


def readings(values: Panel | npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    """Return readings (T, N) of a panel or an array, and the ids of the sensors."""
    if isinstance(values, Panel):
        return checks.matrix("values", values.values, missing=True), tuple(map(str, values.sensors))
    y_TN = checks.matrix("values", values, missing=True)
    return y_TN, tuple(map(str, range(y_TN.shape[1])))


def design(x_TK: npt.ArrayLike | None, constant: bool, spec: Specification, steps: int) -> FloatArray:
    """Return the regressors with the constant's column in front.

    Parameters
    ----------
    x_TK : array_like, shape (T, K), optional
        Regressors.
    constant : bool
        Whether there is a constant: after differences, a trend of as high a degree.
    spec : Specification
        The orders.
    steps : int
        Rows that there must be at least.

    Raises
    ------
    InputError
        Missing or infinite values, too few rows.
    """
    parts = []
    if constant:
        trend = spec.order[1] + spec.seasonal[1]
        rows = steps if x_TK is None else len(np.asarray(x_TK))
        parts.append((np.arange(rows, dtype=np.float64) ** trend)[:, None])
    if x_TK is not None:
        parts.append(checks.matrix("x_TK", x_TK))
        if len(parts[-1]) < steps:
            raise InputError("x_TK", f"reach to step {steps}", f"{len(parts[-1])} rows")
    return np.hstack(parts) if parts else np.zeros((steps, 0))


def _origins(origins: npt.ArrayLike, spec: Specification, steps: int) -> IntArray:
    at = checks.steps("origins", origins)
    if not len(at) or at[0] <= spec.levels or at[-1] > steps:
        raise InputError("origins", f"be more than {spec.levels} and at most {steps}, the readings given", at.tolist())
    return at.astype(np.int64)


def _ahead(
    spec: Specification, natural: FloatArray, rest_T: FloatArray, origins_O: IntArray, horizon: int
) -> tuple[FloatArray, FloatArray]:
    """Return means and variances (in variances of the shock) of one sensor, each (O, H)."""
    a_r, b_r = _dense(spec, natural)
    c = spec.level_coefficients
    told_O = np.ones(len(origins_O), dtype=np.bool_)
    gaps = np.flatnonzero(np.isnan(rest_T[: spec.levels]))
    if len(gaps):
        known = np.flatnonzero(~np.isnan(rest_T))
        # Filled up to the next reading, or with the last: an origin that does not know that reading has no forecast.
        told_O = origins_O > known[min(np.searchsorted(known, gaps[-1]), len(known) - 1)] if len(known) else ~told_O
        if not told_O.any():
            nothing = np.full((len(origins_O), horizon), np.nan)
            return nothing, nothing
        rest_T = rest_T.copy()
        rest_T[: spec.levels] = np.interp(np.arange(spec.levels), known, rest_T[known])
    states = len(a_r) + len(c)
    s_Om, P_Omm = np.zeros((len(origins_O), states)), np.zeros((len(origins_O), states, states))
    kalman.states_at(rest_T, a_r, b_r, c, origins_O, s_Om, P_Omm)
    weights_Hm, psi_H = _weights(a_r, b_r, c, horizon)
    mean_OH = s_Om @ weights_Hm.T
    variance_OH = np.einsum("hm,omn,hn->oh", weights_Hm, P_Omm, weights_Hm, optimize=True)
    later = np.concatenate([[0.0], np.cumsum(psi_H[:-1] ** 2)])
    return np.where(told_O[:, None], mean_OH, np.nan), np.where(told_O[:, None], variance_OH + later, np.nan)


def _weights(a_r: FloatArray, b_r: FloatArray, c: FloatArray, horizon: int) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the state in the reading h steps on, (H, m), and of a shock h steps ago, (H,)."""
    r, m = len(a_r), len(a_r) + len(c)
    transition = np.zeros((m, m))
    transition[:r, 0] = a_r
    transition[: r - 1, 1:r] += np.eye(r - 1)
    if len(c):
        transition[r, 0], transition[r, r:] = 1.0, c
        transition[r + 1 :, r:-1] = np.eye(len(c) - 1)
    entry = np.concatenate([b_r, np.zeros(len(c))])
    weights = np.zeros((horizon, m))
    weights[0, 0], weights[0, r:] = 1.0, c
    for h in range(1, horizon):
        weights[h] = weights[h - 1] @ transition
    return weights, weights @ entry


def _dense(spec: Specification, natural: FloatArray) -> tuple[FloatArray, FloatArray]:
    ar, ma = spec.multiplied(natural)
    a_r, b_r = np.zeros((2, spec.states))
    a_r[: len(ar)] = ar
    b_r[0], b_r[1 : 1 + len(ma)] = 1.0, ma
    return a_r, b_r
