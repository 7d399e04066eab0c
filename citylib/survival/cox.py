"""Cox regression: how much faster or slower the event comes with each covariate, the hazard over time left free.

The hazard of a row with covariates x at time t in stratum s is h_s(t) exp(x'b). The coefficients b are those at which
the partial likelihood, the chance that of all at risk at each event time just those had it who did, is largest.
`citylib.survival.cox_plain` says the same the way a textbook does.
Legend: n rows, p covariates.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import FitWarning, InputError
from citylib.survival import cox_rows
from citylib.survival.cox_newton import Climb, Likelihood, climb, endless_columns, still_columns
from citylib.survival.cox_rows import Rows

__all__ = ["CoxFit", "fit"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox regression.

    Parameters
    ----------
    names : tuple of str
        Names of the covariates.
    coefficients : ndarray, shape (p,)
        Change of the log hazard per unit of each covariate; infinite for those in `unbounded`.
    covariance : ndarray, shape (p, p)
        Of the coefficients, by the model: the inverse of the (penalised) information.
    robust : ndarray, shape (p, p), or None
        Of the coefficients, by the sandwich over clusters; None where none were given.
    loglikelihood, null_loglikelihood : float
        Log partial likelihood, without penalty, at the coefficients and at 0.
    ties : str
        "efron" or "breslow".
    ridge : float
        Penalty on half the square of each coefficient.
    steps : int
        Newton steps taken over all rows.
    unbounded : tuple of str
        Covariates whose coefficient grows without end.
    reached : ndarray, shape (p,)
        Coefficients at which the climb ended: finite also where `coefficients` are not. Residuals are worked out there.
    rows : Rows
        What was fitted.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    robust: FloatArray | None
    loglikelihood: float
    null_loglikelihood: float
    ties: str
    ridge: float
    steps: int
    unbounded: tuple[str, ...]
    reached: FloatArray
    rows: Rows

    @property
    def standard_errors(self) -> FloatArray:
        """Robust standard errors where clusters were given, else those of the model, shape (p,)."""
        return np.sqrt(np.diag(self.covariance if self.robust is None else self.robust))

    @property
    def hazard_ratios(self) -> FloatArray:
        """How many times the hazard is larger for one unit more of each covariate, shape (p,)."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.coefficients), dtype=np.float64)

    def interval(self, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the ends of Wald intervals of the coefficients, each (p,); NaN where a coefficient is unbounded."""
        reach = float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2)) * self.standard_errors
        return self.coefficients - reach, self.coefficients + reach

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return a data frame with a row a covariate: coefficient, standard_error, hazard_ratio, lower, upper, z, p.

        `lower` and `upper` are the ends of the hazard ratio's interval.
        """
        low, high = self.interval(level=level)
        errors = self.standard_errors
        z = self.coefficients / errors
        with np.errstate(over="ignore"):
            columns = {
                "coefficient": self.coefficients,
                "standard_error": errors,
                "hazard_ratio": self.hazard_ratios,
                "lower": np.exp(low),
                "upper": np.exp(high),
                "z": z,
                "p": 2 * stats.norm.sf(np.abs(z)),
            }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="covariate"))


def fit(
    stop: npt.ArrayLike,
    event: npt.ArrayLike,
    x: npt.ArrayLike | pd.DataFrame,
    *,
    entry: npt.ArrayLike | None = None,
    stratum: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    subject: npt.ArrayLike | None = None,
    ties: str = "efron",
    ridge: float = 0.0,
    names: Sequence[str] | None = None,
) -> CoxFit:
    """Fit a Cox regression to right-censored durations, or to rows (entry, stop] of subjects that change.

    Parameters
    ----------
    stop : array_like, shape (n,)
        When watching each row ended, in any unit. Without `entry` it is a duration, 0 or more.
    event : array_like of bool, shape (n,)
        True: it ended in an event. False: watching ended first.
    x : array_like or DataFrame, shape (n, p)
        Covariates, as they were from `entry` to `stop`.
    entry : array_like, shape (n,), optional
        When watching each row began, before `stop`. A row that enters at the time of an event is not yet at risk at it.
    stratum : array_like, shape (n,), optional
        Labels; each stratum has a hazard of its own.
    weight : array_like, shape (n,), optional
        How many rows like it each stands for, above 0.
    cluster : array_like, shape (n,), optional
        Labels of rows that depend on each other; errors become robust. Give each row a label of its own for errors that
        are robust to a wrong model only.
    subject : array_like, shape (n,), optional
        Labels of subjects; their rows are checked to follow each other in time. Says nothing about errors.
    ties : {"efron", "breslow"}
        What is done where several events share a time. Times are tied where they are equal.
    ridge : float, default 0
        Takes ridge / 2 times the sum of squared coefficients from the log likelihood; 0 or more.
    names : sequence of str, optional
        Names of the covariates; by default the columns of a DataFrame, or x0, x1, ...

    Returns
    -------
    CoxFit

    Raises
    ------
    InputError
        Missing or negative durations, entry not before stop, no event, weights not above 0, rows of one subject that
        overlap or go back in time; a covariate that never varies, or that others determine.

    Warns
    -----
    FitWarning
        A covariate separates the rows so that the likelihood grows without end (it is monotone): its coefficient is
        reported as infinite.

    References
    ----------
    Cox, D. R. (1972). Regression models and life-tables. Journal of the Royal Statistical Society B 34(2), 187-220.
    Efron, B. (1977). The efficiency of Cox's likelihood function for censored data. Journal of the American Statistical
    Association 72(359), 557-565.
    Lin, D. Y. and Wei, L. J. (1989). The robust inference for the Cox proportional hazards model. Journal of the
    American Statistical Association 84(408), 1074-1078.
    Therneau, T. M. and Grambsch, P. M. (2000). Modeling Survival Data: Extending the Cox Model. Springer.

    Examples
    --------
    >>> found = fit([5, 4, 3, 2, 2, 1], [True, True, False, True, True, True], [[0], [1], [0], [1], [0], [1]])
    >>> found.coefficients.round(4).tolist(), found.standard_errors.round(4).tolist()
    ([1.3411], [1.1605])
    """
    rows = cox_rows.checked(
        stop, event, x, entry=entry, stratum=stratum, weight=weight, cluster=cluster, subject=subject, names=names
    )
    ties = checks.one_of("ties", ties, ("efron", "breslow"))
    ridge = checks.number("ridge", ridge, minimum=0)
    likelihood = Likelihood(rows.x, rows.event, rows.sets, weight=rows.weight, efron=ties == "efron", ridge=ridge)
    _varies(rows, likelihood.scale)
    null = likelihood.height(np.zeros(rows.x.shape[1]))
    top = climb(likelihood)
    if top.ended == "dependent":
        raise _dependent(rows, top, float(likelihood.weight_K.sum()))
    unbounded = endless_columns(likelihood, top) if top.ended == "endless" else np.zeros(len(top.beta), dtype=np.bool_)
    _warn(rows, top, unbounded)
    scale = likelihood.scale
    inverse = np.linalg.pinv(top.point.information + np.diag(likelihood.penalty), hermitian=True)
    covariance = inverse * np.outer(scale, scale)
    reached = top.beta * scale
    robust = None
    if rows.cluster is not None:
        score_np = likelihood.scores(top.beta)
        if rows.weight is not None:
            score_np *= rows.weight[:, None]
        of_cluster = np.column_stack([np.bincount(rows.cluster, weights=column) for column in score_np.T])
        moved = of_cluster @ (inverse * scale)
        robust = moved.T @ moved
    return CoxFit(
        names=rows.names,
        coefficients=np.where(unbounded, np.copysign(np.inf, reached), reached),
        covariance=_without(covariance, unbounded),
        robust=None if robust is None else _without(robust, unbounded),
        loglikelihood=top.point.loglikelihood,
        null_loglikelihood=null,
        ties=ties,
        ridge=ridge,
        steps=top.steps,
        unbounded=tuple(name for name, odd in zip(rows.names, unbounded, strict=True) if odd),
        reached=reached,
        rows=rows,
    )


def _without(matrix: FloatArray, unbounded: npt.NDArray[np.bool_]) -> FloatArray:
    """Leave a covariance empty where a coefficient has none."""
    return np.where(unbounded[:, None] | unbounded[None, :], np.nan, matrix)


def _varies(rows: Rows, scale: FloatArray) -> None:
    """Refuse columns that never vary, or so little or so much that squares of it leave the range of a number."""
    still = np.flatnonzero((rows.x == rows.x[0]).all(axis=0)) if (scale == 0).any() else np.zeros(0, dtype=np.int64)
    if len(still):
        told = ", ".join(f"{rows.names[j]} is {rows.x[0, j]:g} throughout" for j in still[:5])
        raise InputError("x", "vary in every column", told, "leave it out: the hazard over time takes its place")
    wild = np.flatnonzero(~((scale > 1e-140) & (scale < 1e140)))
    if len(wild):
        told = ", ".join(f"{rows.names[j]} from {rows.x[:, j].min():g} to {rows.x[:, j].max():g}" for j in wild[:5])
        raise InputError("x", "spread by more than 1e-140 and less than 1e+140", told, "give it in another unit")


def _dependent(rows: Rows, top: Climb, mass: float) -> InputError:
    """Say which columns do not vary among those at risk together, or depend on each other."""
    information = top.point.information
    still = still_columns(information, mass)
    if still.any():
        told = ", ".join(np.array(rows.names)[still])
        hint = "leave it out, or look whether strata or entries leave nobody to compare with"
        return InputError("x", "vary among those at risk together", told, hint)
    size = np.sqrt(np.diag(information))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    share = np.abs(vectors[:, values < 1e-10 * max(values[-1], 1.0)]).max(axis=1, initial=0.0)
    told = ", ".join(np.array(rows.names)[share > 1e-3 * share.max()])
    return InputError("x", "have no columns that determine each other", told, "leave one out, or give ridge")


def _warn(rows: Rows, top: Climb, unbounded: npt.NDArray[np.bool_]) -> None:
    if unbounded.any():
        told = ", ".join(np.array(rows.names)[unbounded])
        warnings.warn(
            f"the likelihood grows without end (it is monotone): {told} separates those who had the event from those "
            "at risk with them; the coefficient is infinite. Merge categories, or give ridge",
            FitWarning,
            stacklevel=3,
        )
    elif top.ended != "settled":
        warnings.warn(
            f"the climb of the likelihood ended after {top.steps} steps with {top.gain / 2:.1e} still to gain; "
            "look for covariates that are nearly dependent, very long-tailed, or far from zero for how they vary",
            FitWarning,
            stacklevel=3,
        )
