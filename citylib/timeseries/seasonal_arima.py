"""A seasonal ARIMA of one series that can be backtested, by the compiled likelihood of `citylib.timeseries.many`."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import FitWarning, InputError
from citylib.timeseries import many
from citylib.timeseries.arima_fits import FITTED

__all__ = ["SeasonalArima"]

FloatArray = npt.NDArray[np.float64]


class SeasonalArima:
    """ARIMA(p, d, q)(P, D, Q)m, with a mean where nothing is differenced.

    Parameters
    ----------
    orders : (int, int, int)
        p, d, q.
    seasonal : (int, int, int, int), optional
        P, D, Q and the steps in a season m.
    window : int, optional
        Most recent steps that a fit uses; by default all.
    starts : int, default 8
        Starts of the climb.

    Attributes
    ----------
    fits_ : ManyArima
        Of the one series: parameters, standard errors, AICc.
    start_ : int
        First step used by the fit.

    References
    ----------
    Box, G. E. P., Jenkins, G. M., Reinsel, G. C. and Ljung, G. M. (2015). Time Series Analysis: Forecasting and
    Control, 5th ed. Wiley, chapter 9.

    Examples
    --------
    >>> y = np.cumsum(np.random.default_rng(0).standard_normal(300))
    >>> centre, lower, upper = SeasonalArima((0, 1, 1)).fit(y[:200]).forecast(y, origins=[200, 250], horizon=3)
    >>> centre.shape, bool((lower < centre).all())
    ((2, 3), True)
    """

    def __init__(
        self,
        orders: tuple[int, int, int],
        *,
        seasonal: tuple[int, int, int, int] = (0, 0, 0, 1),
        window: int | None = None,
        starts: int = 8,
    ) -> None:
        self.orders, self.seasonal = orders, seasonal
        self.window = None if window is None else checks.integer("window", window, minimum=10)
        self.starts = checks.integer("starts", starts, minimum=1)

    def fit(self, y_T: npt.ArrayLike, /) -> Self:
        """Fit to the most recent `window` readings.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 on; NaN where one is missing.

        Raises
        ------
        InputError
            Orders that are none, or a series that cannot be fitted: too short, constant, all missing.

        Warns
        -----
        FitWarning
            The climb stopped before it converged.
        """
        known = checks.series("y_T", y_T, missing=True)
        self.start_ = max(0, len(known) - self.window) if self.window else 0
        self.fits_ = many.fit(
            known[self.start_ :, None], order=self.orders, seasonal=self.seasonal,
            constant=self.orders[1] + self.seasonal[1] == 0, starts=self.starts, standard_errors=False,
        )  # fmt: skip
        status = str(self.fits_.status[0])
        if status not in FITTED:
            rule = f"be a series that ARIMA{self.orders}{self.seasonal} can be fitted to"
            raise InputError("y_T", rule, f"{len(known) - self.start_} steps: {status}")
        if status == "not converged":
            warnings.warn(f"ARIMA{self.orders}{self.seasonal} did not converge", FitWarning, stacklevel=2)
        return self

    def forecast(
        self, y_T: npt.ArrayLike, /, *, origins: npt.ArrayLike, horizon: int, level: float = 0.95
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centre, lower and upper ends from each origin, at the fitted parameters.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 up to the last origin at least.
        origins : array_like of int, shape (O,)
            Steps known at each origin, increasing, after the start of the fit.
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
            Origins outside the readings.
        """
        known = checks.series("y_T", y_T, missing=True)[self.start_ :, None]
        since = checks.steps("origins", origins) - self.start_
        centre, lower, upper = self.fits_.forecast(known, origins=since, horizon=horizon, level=level)
        return centre[0], lower[0], upper[0]
