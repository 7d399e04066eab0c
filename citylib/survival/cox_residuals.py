"""What a fitted Cox regression leaves over: baseline hazards, and residuals that show where it fits badly.

Each is worked out at the coefficients of the fit, with the treatment of ties it was fitted with.
Legend: n rows, p covariates, K event times of all strata, D events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from citylib import checks
from citylib.errors import InputError
from citylib.survival import cox_passes
from citylib.survival.cox import CoxFit
from citylib.survival.cox_newton import Likelihood

__all__ = [
    "Baseline",
    "Schoenfeld",
    "baseline",
    "deviance",
    "dfbeta",
    "likelihood_of",
    "martingale",
    "schoenfeld",
    "score",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Baseline:
    """Hazard over time of a row with given covariates.

    Parameters
    ----------
    stratum : ndarray of str, shape (K,)
        Stratum of each event time.
    time : ndarray, shape (K,)
        Event times, increasing within each stratum, in the unit of the durations.
    hazard : ndarray, shape (K,)
        Step of the cumulative hazard at each.
    cumulative : ndarray, shape (K,)
        Cumulative hazard up to and including each, from the first of its stratum on.
    """

    stratum: npt.NDArray[np.str_]
    time: FloatArray
    hazard: FloatArray
    cumulative: FloatArray

    @property
    def survival(self) -> FloatArray:
        """Probability of lasting longer than each time, exp(-cumulative), shape (K,)."""
        return np.asarray(np.exp(-self.cumulative), dtype=np.float64)

    def at(self, time: npt.ArrayLike, *, stratum: str = "all") -> FloatArray:
        """Return the cumulative hazard of one stratum at given times.

        Examples
        --------
        >>> from citylib.survival import cox
        >>> found = cox.fit([5, 4, 3, 2, 2, 1], [1, 1, 0, 1, 1, 1], [[0], [1], [0], [1], [0], [1]])
        >>> baseline(found).at([0.5, 1.0, 4.5]).round(4).tolist()
        [0.0, 0.0691, 0.4918]
        """
        part = self.stratum == checks.one_of("stratum", stratum, sorted(set(self.stratum.tolist())))
        when = checks.array("time", time)
        return np.append(0.0, self.cumulative[part])[np.searchsorted(self.time[part], when, side="right")]

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with a row an event time: stratum, time, hazard, cumulative."""
        names = ("stratum", "time", "hazard", "cumulative")
        return pd.DataFrame({name: getattr(self, name) for name in names})


@dataclass(frozen=True, eq=False)
class Schoenfeld:
    """Covariates of those who had the event less their mean over those at risk, an event a row.

    Parameters
    ----------
    row : ndarray of int, shape (D,)
        Row of each event, by stratum and time.
    time : ndarray, shape (D,)
        When it was.
    residuals : ndarray, shape (D, p)
        In the units of the covariates; where scaled, the coefficient that each event speaks for.
    """

    row: npt.NDArray[np.int64]
    time: FloatArray
    residuals: FloatArray


def baseline(fit: CoxFit, x: npt.ArrayLike | None = None) -> Baseline:
    """Return the hazard over time of a row with covariates `x`.

    At each event time the hazard steps up by the events there over the sum of exp(x'b) of those at risk (Breslow); with
    Efron's ties those who die together leave that sum one after the other.

    Parameters
    ----------
    fit : CoxFit
        A fitted regression.
    x : array_like, shape (p,), optional
        Covariates; by default all 0. Give a typical row where 0 lies far from the data.

    Returns
    -------
    Baseline

    Raises
    ------
    InputError
        `x` does not have a value for each covariate.

    References
    ----------
    Breslow, N. (1972). Discussion of Professor Cox's paper. Journal of the Royal Statistical Society B 34(2), 216-217.
    """
    at_p = np.zeros(len(fit.names)) if x is None else checks.series("x", x)
    if len(at_p) != len(fit.names):
        raise InputError("x", f"have a value for each of {', '.join(fit.names)}", len(at_p))
    found = likelihood_of(fit)
    found.height(fit.reached / found.scale)
    factor = float(np.exp(at_p @ fit.reached - found.top))
    sets = fit.rows.sets
    return Baseline(
        np.array(fit.rows.strata)[sets.stratum],
        sets.time,
        found.step_K7[:, cox_passes.ONE] * factor,
        found.step_K7[:, cox_passes.LIVED] * factor,
    )


def martingale(fit: CoxFit) -> FloatArray:
    """Return, for each row, whether it had the event less the events to expect of it, shape (n,).

    Parameters
    ----------
    fit : CoxFit
        A fitted regression.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Therneau, T. M., Grambsch, P. M. and Fleming, T. R. (1990). Martingale-based residuals for survival models.
    Biometrika 77(1), 147-160.
    """
    found = likelihood_of(fit)
    found.height(fit.reached / found.scale)
    rows, sets = fit.rows, fit.rows.sets
    lived = found.step_K7[sets.last, rows.event.astype(np.int64)]
    lived -= np.where(sets.before >= 0, found.step_K7[sets.before, cox_passes.LIVED], 0.0)
    one = found.r if rows.weight is None else found.r / rows.weight
    return np.where(sets.last >= 0, rows.event - one * lived, 0.0)


def deviance(fit: CoxFit) -> FloatArray:
    """Return martingale residuals brought to a more even spread around 0, shape (n,).

    Parameters
    ----------
    fit : CoxFit
        A fitted regression.

    Returns
    -------
    ndarray, shape (n,)
    """
    left = martingale(fit)
    # x log x is 0 at 0, where there was no event
    return np.asarray(
        np.sign(left) * np.sqrt(-2 * (left + special.xlogy(fit.rows.event, fit.rows.event - left))), dtype=np.float64
    )


def score(fit: CoxFit) -> FloatArray:
    """Return what each row adds to the gradient of the log likelihood, per unit of weight, shape (n, p).

    Parameters
    ----------
    fit : CoxFit
        A fitted regression.

    Returns
    -------
    ndarray, shape (n, p)
    """
    found = likelihood_of(fit)
    return found.scores(fit.reached / found.scale) / found.scale


def dfbeta(fit: CoxFit) -> FloatArray:
    """Return by about how much each row moves the coefficients, shape (n, p).

    Parameters
    ----------
    fit : CoxFit
        A fitted regression.

    Returns
    -------
    ndarray, shape (n, p)
    """
    _bounded(fit)
    weighed = score(fit) if fit.rows.weight is None else score(fit) * fit.rows.weight[:, None]
    return np.asarray(weighed @ fit.covariance, dtype=np.float64)


def schoenfeld(fit: CoxFit, *, scaled: bool = False) -> Schoenfeld:
    """Return Schoenfeld residuals: a covariate whose effect changes shows as a trend over time.

    Parameters
    ----------
    fit : CoxFit
        A fitted regression.
    scaled : bool, default False
        Times the events and the covariance, with the coefficients added: their mean over time is the coefficient, their
        smoothed course that of a coefficient that may change.

    Returns
    -------
    Schoenfeld

    References
    ----------
    Grambsch, P. M. and Therneau, T. M. (1994). Proportional hazards tests and diagnostics based on weighted residuals.
    Biometrika 81(3), 515-526.
    """
    found = likelihood_of(fit)
    found.at(fit.reached / found.scale)
    mean_Kp, _ = found.means()
    rows, sets = fit.rows, fit.rows.sets
    ended = np.flatnonzero(rows.event)
    ended = ended[np.argsort(sets.last[ended], kind="stable")]
    values = rows.x[ended] - (found.middle + mean_Kp[sets.last[ended]] / found.scale)
    if scaled:
        _bounded(fit)
        values = len(ended) * values @ fit.covariance + fit.reached
    return Schoenfeld(ended, rows.stop[ended], values)


def _bounded(fit: CoxFit) -> None:
    if fit.unbounded:
        raise InputError("fit", "have finite coefficients only", ", ".join(fit.unbounded))


def likelihood_of(fit: CoxFit) -> Likelihood:
    """Return the likelihood of what was fitted."""
    rows = fit.rows
    return Likelihood(rows.x, rows.event, rows.sets, weight=rows.weight, efron=fit.ties == "efron", ridge=fit.ridge)
