"""Are hazards proportional? The score test that a coefficient changes with time, for each covariate and for all.

With g a function of time, coefficients b + c g(t) hold proportional hazards where c = 0. The gradient with respect to c
at c = 0 is the sum over events of g times the Schoenfeld residual: a trend of these over g.
Legend: p covariates, K event times, D events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.survival import cox_passes
from citylib.survival.cox import CoxFit
from citylib.survival.cox_newton import Likelihood
from citylib.survival.cox_residuals import likelihood_of

__all__ = ["Proportionality", "proportionality"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Proportionality:
    """Tests that hazards are proportional.

    Parameters
    ----------
    names : tuple of str
        Covariates.
    statistic : ndarray, shape (p,)
        Chi-squared with one degree of freedom for each covariate, the others held constant over time.
    p : ndarray, shape (p,)
        Its p-value: small where the coefficient changes.
    joint : float
        Chi-squared with p degrees of freedom that any changes.
    joint_p : float
        Its p-value.
    transform : str
        Function of time that changes were looked for along.
    """

    names: tuple[str, ...]
    statistic: FloatArray
    p: FloatArray
    joint: float
    joint_p: float
    transform: str

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with a row a covariate and one for all: statistic, degrees, p."""
        return pd.DataFrame(
            {
                "statistic": [*self.statistic, self.joint],
                "degrees": [1] * len(self.names) + [len(self.names)],
                "p": [*self.p, self.joint_p],
            },
            index=pd.Index([*self.names, "all"], name="covariate"),
        )


def proportionality(fit: CoxFit, *, transform: str = "km") -> Proportionality:
    """Test whether the coefficients of a fit change with time.

    Parameters
    ----------
    fit : CoxFit
        A fitted regression, its coefficients finite.
    transform : {"km", "identity", "rank", "log"}
        Function of time: one minus the survival curve of all rows just before it, time itself, its rank among the
        ends of all rows, its logarithm. "km" keeps a few late events from deciding.

    Returns
    -------
    Proportionality

    Raises
    ------
    InputError
        An unknown transform, "log" with an event at or before 0, all events at one time, a coefficient without bound.

    Notes
    -----
    It is the score test proper, not the approximation of 1994 that takes the covariance as constant over time. Robust
    errors don't enter it.

    References
    ----------
    Grambsch, P. M. and Therneau, T. M. (1994). Proportional hazards tests and diagnostics based on weighted residuals.
    Biometrika 81(3), 515-526.

    Examples
    --------
    >>> from citylib.survival import cox
    >>> found = cox.fit([5, 4, 3, 2, 2, 1], [1, 1, 0, 1, 1, 1], [[0], [1], [0], [1], [0], [1]])
    >>> proportionality(found, transform="identity").statistic.round(3).tolist()
    [0.055]
    """
    checks.one_of("transform", transform, ("km", "identity", "rank", "log"))
    if fit.unbounded:
        raise InputError("fit", "have finite coefficients only", ", ".join(fit.unbounded))
    rows, sets = fit.rows, fit.rows.sets
    course_K = _course(fit, transform)
    if np.ptp(course_K) == 0:
        raise InputError("fit", "have events at two times at least", f"all at {sets.time[0]:g}")
    middle = float(course_K @ sets.deaths / sets.deaths.sum())
    found = likelihood_of(fit)
    p = len(fit.names)
    information = found.at(fit.reached / found.scale).information
    mean_Kp, _ = found.means()
    ended = np.flatnonzero(rows.event)
    at = sets.last[ended]
    left_Dp = (rows.x[ended] - found.middle) * found.scale - mean_Kp[at]
    if rows.weight is not None:
        left_Dp *= rows.weight[ended, None]
    trend_p = (course_K - middle)[at] @ left_Dp
    # moments along g and g^2; g is moved to be 0 or more, as sums of squares need, and then back
    low = float(course_K.min())
    one, two = (_along(found, (course_K - low) ** power, p) for power in (1, 2))
    shift = low - middle
    cross = one + shift * information
    square = two + 2 * shift * one + shift**2 * information
    whole = np.block([[information, cross], [cross.T, square]])
    statistic = np.array([_quadratic(whole, trend_p, [j]) for j in range(p)])
    joint = _quadratic(whole, trend_p, list(range(p)))
    return Proportionality(
        fit.names,
        statistic,
        np.asarray(stats.chi2.sf(statistic, 1)),
        joint,
        float(stats.chi2.sf(joint, p)),
        transform,
    )


def _along(found: Likelihood, course_K: FloatArray, p: int) -> FloatArray:
    """Return the information with each event time's part times `course_K`."""
    step_K7 = found.step_K7 * course_K[:, None]
    cox_passes.hazards(found.sets.opens, step_K7)
    out = found.moments(step_K7)[:p, :p]
    return np.asarray((out + out.T) / 2)


def _quadratic(whole: FloatArray, trend_p: FloatArray, which: list[int]) -> float:
    """Return the score statistic for the changes of some coefficients; the gradient of the coefficients is 0."""
    p = len(trend_p)
    part = np.ix_(*[[*range(p), *(p + j for j in which)]] * 2)
    gradient = np.append(np.zeros(p), trend_p[which])
    return float(gradient @ np.linalg.solve(whole[part], gradient))


def _course(fit: CoxFit, transform: str) -> FloatArray:
    """Return the function of time at each event time, shape (K,)."""
    rows, sets = fit.rows, fit.rows.sets
    if transform == "identity":
        return sets.time
    if transform == "log":
        if sets.time.min() <= 0:
            raise InputError("transform", "not be log where an event is at or before 0", float(sets.time.min()))
        return np.asarray(np.log(sets.time))
    ends = np.sort(rows.stop)
    if transform == "rank":
        below, upto = (np.searchsorted(ends, sets.time, side=side) for side in ("left", "right"))
        return np.asarray((below + upto + 1) / 2)
    times, where = np.unique(sets.time, return_inverse=True)
    events = np.bincount(where, weights=sets.deaths)
    at_risk = len(ends) - np.searchsorted(ends, times, side="left")
    if rows.entry is not None:
        at_risk -= len(ends) - np.searchsorted(np.sort(rows.entry), times, side="left")
    before = np.append(1.0, np.cumprod(1 - events / at_risk)[:-1])
    return np.asarray((1 - before)[where])
