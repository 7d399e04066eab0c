"""ARIMA: the textbook's recursion in plain form, and a regression with ARIMA errors forecast from every origin.

With B the backward shift, ARIMA(p, d, q) is (1 - phi_1 B - ... - phi_p B^p)(1 - B)^d y_t = (1 + theta_1 B + ... +
theta_q B^q) e_t. Legend: T time steps, O origins, H steps ahead, K regressors, k states of the Kalman filter.
"""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import FitWarning, InputError

__all__ = ["RegressionArima", "level_coefficients", "recursion"]

FloatArray = npt.NDArray[np.float64]
SCREEN = 12  # iterations after which the better of two starts is followed


def level_coefficients(ar: npt.ArrayLike, differences: int) -> FloatArray:
    """Return the coefficients with which past levels enter, once the differences are multiplied out.

    Parameters
    ----------
    ar : array_like, shape (p,)
        phi_1 .. phi_p of the differenced series.
    differences : int
        d, 0 or more.

    Returns
    -------
    ndarray, shape (p + d,)
        a_1 .. a_(p+d) with y_t = a_1 y_(t-1) + ... + e_t + ...

    Examples
    --------
    An ARIMA(2,1,q): y_t = (1 + phi_1) y_(t-1) + (phi_2 - phi_1) y_(t-2) - phi_2 y_(t-3) + ...

    >>> level_coefficients([0.5, 0.2], 1).round(10).tolist()
    [1.5, -0.3, -0.2]
    """
    polynomial = np.append(1.0, -checks.array("ar", ar, ndim=1))
    for _ in range(checks.integer("differences", differences, minimum=0)):
        polynomial = np.convolve(polynomial, [1.0, -1.0])
    return -polynomial[1:]


def recursion(
    y: npt.ArrayLike, *, ar: npt.ArrayLike, ma: npt.ArrayLike, differences: int, steps: int
) -> tuple[FloatArray, FloatArray]:
    """Forecast by the recursion, shocks before the start taken as zero: the textbook's form, in plain loops.

    y_t = a_1 y_(t-1) + ... + a_(p+d) y_(t-p-d) + e_t + theta_1 e_(t-1) + ... + theta_q e_(t-q). Past shocks are
    what the recursion itself left over; future ones are put at their mean, zero. The reference for
    `RegressionArima`, which it meets once the start is forgotten.

    Parameters
    ----------
    y : array_like, shape (T,)
        Readings, none missing, more than p + d of them.
    ar, ma : array_like, shapes (p,) and (q,)
        phi and theta.
    differences : int
        d.
    steps : int
        Steps ahead H.

    Returns
    -------
    (forecast, shock) : ndarray, shapes (H,) and (T,)
        Point forecasts, and the one-step errors on the way (zero for the first p + d steps).
    """
    level = level_coefficients(ar, differences)
    theta = checks.array("ma", ma, ndim=1)
    y_T = checks.series("y", y, at_least=len(level) + 1)
    steps = checks.integer("steps", steps, minimum=1)
    path = list(y_T)
    shock = [0.0] * len(level)
    for t in range(len(level), len(y_T) + steps):
        expected = sum(a * path[t - i] for i, a in enumerate(level, start=1))
        expected += sum(m * shock[t - j] for j, m in enumerate(theta, start=1) if t >= j)
        if t < len(y_T):
            shock.append(path[t] - expected)
        else:
            path.append(expected)
            shock.append(0.0)
    return np.array(path[len(y_T) :]), np.array(shock[: len(y_T)])


class RegressionArima:
    """Regression with ARIMA errors, fitted by exact likelihood, then run over all origins in one filter pass.

    y_t = x_t' beta + n_t with n_t an ARIMA process. The regressors must be known ahead, as the calendar is.
    Missing readings are no obstacle: the Kalman filter passes over them. Without differences a constant is
    added. The likelihood is statsmodels' (``SARIMAX``); what is added here is a second start of the optimiser
    where the likelihood is known to have two hills (differences that an MA part nearly undoes), and forecasts
    from every origin at the cost of one pass, held equal to statsmodels' own by a test.

    Parameters
    ----------
    orders : (int, int, int)
        p, d, q.
    x_TK : array_like, shape (T or more, K), optional
        Regressors, row t for step t of the readings, as far ahead as is to be forecast.
    window : int, optional
        Most recent steps that a fit uses; by default all.
    iterations : int, default 200
        At most so many of the optimiser.

    Attributes
    ----------
    results_ : statsmodels SARIMAXResults
        Of the readings divided by `scale_`.
    scale_ : float
        Standard deviation of the readings fitted to.
    start_ : int
        First step used by the fit.

    References
    ----------
    Durbin, J. and Koopman, S. J. (2012). Time Series Analysis by State Space Methods, 2nd ed. Oxford.

    Examples
    --------
    >>> y = np.cumsum(np.random.default_rng(0).standard_normal(300))
    >>> model = RegressionArima((0, 1, 1)).fit(y[:200])
    >>> centre, lower, upper = model.forecast(y, origins=[200, 250], horizon=3)
    >>> centre.shape, bool((lower < centre).all())
    ((2, 3), True)
    """

    def __init__(
        self,
        orders: tuple[int, int, int],
        *,
        x_TK: npt.ArrayLike | None = None,
        window: int | None = None,
        iterations: int = 200,
    ) -> None:
        if len(orders) != 3:
            raise InputError("orders", "be three: AR, differences, MA", orders)
        self.orders = tuple(checks.integer("orders", k, minimum=0) for k in orders)
        self.x_TK = None if x_TK is None else checks.matrix("x_TK", x_TK)
        self.window = None if window is None else checks.integer("window", window, minimum=10)
        self.iterations = checks.integer("iterations", iterations, minimum=1)

    def fit(self, y_T: npt.ArrayLike, /) -> Self:
        """Fit to the most recent `window` readings.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 on; NaN where one is missing.

        Raises
        ------
        InputError
            Too few readings for the orders, a constant series, regressors that end too soon.

        Warns
        -----
        FitWarning
            The optimiser stopped before it converged.
        """
        known = checks.series("y_T", y_T, missing=True)
        self.start_ = max(0, len(known) - self.window) if self.window else 0
        part = known[self.start_ :]
        readings = int((~np.isnan(part)).sum())
        parameters = sum(self.orders) + self._columns() + 1
        if readings < 5 * parameters:
            raise InputError("y_T", f"hold at least 5 readings a parameter ({5 * parameters})", readings)
        self.scale_ = float(np.nanstd(part))
        if self.scale_ == 0:
            raise InputError("y_T", "vary", f"{readings} readings, all equal")
        model = self._model(known)
        with warnings.catch_warnings():
            # statsmodels speaks of starting values and of convergence; the second is asked for below
            warnings.simplefilter("ignore")
            start = max(self._starts(model), key=lambda at: _climbed(model, at, SCREEN).llf)
            self.results_ = _climbed(model, start, self.iterations)
        if not self.results_.mle_retvals["converged"]:
            text = (
                f"ARIMA{self.orders} did not converge in {self.iterations} iterations: raise them or lower the orders"
            )
            warnings.warn(text, FitWarning, stacklevel=2)
        return self

    def forecast(
        self, y_T: npt.ArrayLike, /, *, origins: npt.ArrayLike, horizon: int, level: float = 0.95
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centre, lower and upper ends from each origin, at the fitted parameters.

        One pass of the filter gives, at every step, the state expected from what came before it; from
        there the forecasts of all origins are stepped ahead together.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 up to the last origin at least.
        origins : array_like of int, shape (O,)
            Steps known at each origin, after the start of the fit.
        horizon : int
            Steps ahead H.
        level : float, default 0.95
            Coverage asked of the (Gaussian) intervals.

        Returns
        -------
        (centre, lower, upper) : ndarray
            Each of shape (O, H).

        Raises
        ------
        InputError
            Origins outside the readings, or regressors that end too soon.
        """
        known = checks.series("y_T", y_T, missing=True)
        origins_O = np.asarray(origins, dtype=np.int64)
        horizon = checks.integer("horizon", horizon, minimum=1)
        z = float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2))
        if origins_O.min() <= self.start_ or origins_O.max() > len(known):
            rule = f"lie after the start of the fit ({self.start_}) and within the readings given ({len(known)})"
            raise InputError("origins", rule, (int(origins_O.min()), int(origins_O.max())))
        regression_OH = self._regression(origins_O, horizon)
        model = self._model(known)
        filtered = model.filter(self.results_.params, return_ssm=True)
        mean_OH, variance_OH = _ahead(filtered, origins_O - self.start_, horizon)
        centre = (mean_OH + regression_OH) * self.scale_
        half = z * np.sqrt(variance_OH) * self.scale_
        return centre, centre - half, centre + half

    def _starts(self, model: Any) -> list[FloatArray]:
        """Return the parameters to start from: statsmodels' own, and slow decay with a difference nearly undone."""
        own = np.asarray(model.start_params, dtype=np.float64)
        ar, differences, ma = self.orders
        if not (ar and differences and ma):
            return [own]
        damped = own.copy()
        first = self._columns()
        damped[first : first + ar + ma] = 0.0
        damped[first], damped[first + ar] = 0.9, -0.95
        return [own, damped]

    def _columns(self) -> int:
        return (0 if self.x_TK is None else self.x_TK.shape[1]) + (self.orders[1] == 0)

    def _design(self, rows: slice) -> FloatArray | None:
        if self.x_TK is not None and rows.stop > len(self.x_TK):
            raise InputError("x_TK", f"reach to step {rows.stop}", f"{len(self.x_TK)} rows")
        parts = [np.ones((rows.stop - rows.start, 1))] if self.orders[1] == 0 else []
        parts += [] if self.x_TK is None else [self.x_TK[rows]]
        return np.hstack(parts) if parts else None

    def _model(self, known: FloatArray) -> Any:
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        rows = slice(self.start_, len(known))
        return SARIMAX(known[rows] / self.scale_, exog=self._design(rows), order=self.orders)

    def _regression(self, origins_O: npt.NDArray[np.int64], horizon: int) -> FloatArray:
        ahead_OH = origins_O[:, None] + np.arange(horizon)
        design = self._design(slice(0, int(ahead_OH.max()) + 1))
        if design is None:
            return np.zeros(ahead_OH.shape)
        return np.asarray((design @ self.results_.params[: self._columns()])[ahead_OH])


def _climbed(model: Any, start: FloatArray, iterations: int) -> Any:
    return model.fit(start, disp=False, method="lbfgs", maxiter=iterations, cov_type="none")


def _ahead(filtered: Any, rows_O: npt.NDArray[np.int64], horizon: int) -> tuple[FloatArray, FloatArray]:
    """Step the states expected at the given rows ahead; return means and variances, each (O, H)."""
    design_k = filtered.design[0, :, 0]
    transition_kk = filtered.transition[:, :, 0]
    selection = filtered.selection[:, :, 0]
    noise_kk = selection @ filtered.state_cov[:, :, 0] @ selection.T
    state_Ok = filtered.predicted_state[:, rows_O].T
    spread_Okk = np.moveaxis(filtered.predicted_state_cov[:, :, rows_O], 2, 0)
    mean_OH, variance_OH = np.empty((2, len(rows_O), horizon))
    for h in range(horizon):
        mean_OH[:, h] = state_Ok @ design_k
        variance_OH[:, h] = spread_Okk @ design_k @ design_k + filtered.obs_cov[0, 0, 0]
        state_Ok = state_Ok @ transition_kk.T
        spread_Okk = transition_kk @ spread_Okk @ transition_kk.T + noise_kk
    return mean_OH, variance_OH
