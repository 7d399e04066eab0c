"""Groups held to their average, with intervals that hold for all of them at once.

A regression gives groups as differences from one of them, whichever was left out. Which one it was decides what looks
far apart. Here each group is held to the weighted mean of all, so no group is special, and the many comparisons are
paid for: simultaneous intervals, and p-values with the false discovery rate controlled.
Legend: G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["Contrasts", "against_average"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Each group less the weighted mean of all groups.

    Parameters
    ----------
    names : tuple of str
        The groups, the one left out of the regression first.
    estimate : ndarray, shape (G,)
        Differences from the weighted mean; their weighted mean is 0.
    covariance : ndarray, shape (G, G)
        Of the differences; singular, as they add up to 0.
    p_value : ndarray, shape (G,)
        Of each alone, two-sided.
    discovery : ndarray, shape (G,)
        Adjusted p-values by Benjamini and Hochberg: of all that are called different for being below q, a share of q at
        most is wrong on average.
    level : float
        Coverage that intervals claim.
    critical : float
        How many standard errors the simultaneous intervals reach to each side.
    joint, joint_p : float
        Chi-squared statistic, on G - 1 degrees of freedom, that all groups are alike, and its p-value.
    """

    names: tuple[str, ...]
    estimate: FloatArray
    covariance: FloatArray
    p_value: FloatArray
    discovery: FloatArray
    level: float
    critical: float
    joint: float
    joint_p: float

    @property
    def standard_errors(self) -> FloatArray:
        """Standard errors of the differences, shape (G,)."""
        return np.sqrt(np.diag(self.covariance))

    def interval(self, *, simultaneous: bool = True) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the intervals, each (G,): for all groups at once, or for each alone."""
        z = self.critical if simultaneous else float(stats.norm.ppf((1 + self.level) / 2))
        reach = z * self.standard_errors
        return self.estimate - reach, self.estimate + reach

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group: estimate, standard_error, low, high (simultaneous), alone_low, alone_high, p, q."""
        low, high = self.interval()
        alone_low, alone_high = self.interval(simultaneous=False)
        columns = {
            "estimate": self.estimate,
            "standard_error": self.standard_errors,
            "low": low,
            "high": high,
            "alone_low": alone_low,
            "alone_high": alone_high,
            "p": self.p_value,
            "q": self.discovery,
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="group"))


def against_average(
    coefficients: npt.ArrayLike,
    covariance: npt.ArrayLike,
    names: Sequence[str],
    *,
    weights: npt.ArrayLike | None = None,
    generator: np.random.Generator,
    level: float = 0.95,
    draws: int = 100_000,
) -> Contrasts:
    """Hold each group to the weighted mean of all, from coefficients against the one left out.

    With b the coefficients, 0 for the group left out, and w weights that add up to 1, the difference of group g is
    b_g - sum of w_h b_h. The simultaneous intervals reach to the `level` quantile of the largest of the G standardised
    differences in absolute value, under the normal law with the covariance given (Hothorn and others, 2008); it is
    found by drawing.

    Parameters
    ----------
    coefficients : array_like, shape (G - 1,)
        Of all groups but the first.
    covariance : array_like, shape (G - 1, G - 1)
        Of the coefficients.
    names : sequence of str, length G
        Groups; the first is the one left out.
    weights : array_like, shape (G,), optional
        What each group counts in the mean, such as its cases; by default all count alike.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    level : float, default 0.95
        Coverage that intervals claim.
    draws : int, default 100000
        For the simultaneous intervals, at least 1000.

    Returns
    -------
    Contrasts

    Raises
    ------
    InputError
        Shapes that do not go together, a covariance with missing values, a variance that is not above 0, or that is
        none; weights that are negative, or above 0 for fewer than two groups.

    References
    ----------
    Hothorn, T., Bretz, F. and Westfall, P. (2008). Simultaneous inference in general parametric models. Biometrical
    Journal 50(3), 346-363.

    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> from citylib import seeds
    >>> found = against_average([1.0], [[0.04]], ["north", "south"], generator=seeds.generator(0))
    >>> found.estimate.tolist(), found.standard_errors.round(6).tolist(), round(found.critical, 1)
    ([-0.5, 0.5], [0.1, 0.1], 2.0)
    """
    b = checks.series("coefficients", coefficients)
    v = checks.matrix("covariance", covariance)
    labels = tuple(str(name) for name in checks.unique("names", list(names)))
    level, draws = checks.fraction("level", level), checks.integer("draws", draws, minimum=1000)
    g = len(b) + 1
    if v.shape != (g - 1, g - 1) or len(labels) != g:
        told = f"{len(b)} coefficients, covariance {v.shape}, {len(labels)} names"
        raise InputError("coefficients", "go with a square covariance and one name more", told)
    w = np.ones(g) if weights is None else checks.array("weights", weights, ndim=1, minimum=0)
    if len(w) != g or w.sum() <= 0:
        raise InputError("weights", f"be {g} numbers of 0 or more, not all 0", np.asarray(weights).tolist())
    if (w > 0).sum() < 2:
        told = f"{labels[int(np.argmax(w))]} only"
        raise InputError("weights", "be above 0 for two groups at least", told, "a group is not held to itself")
    if (np.diag(v) <= 0).any():
        raise InputError("covariance", "have variances above 0 on its diagonal", float(np.diag(v).min()))
    root = _root(v)
    turn = np.eye(g) - w / w.sum()  # each row: the group less the mean
    turn = turn[:, 1:]
    spread = turn @ v @ turn.T
    estimate, errors = turn @ b, np.sqrt(np.diag(spread))
    p = 2 * stats.norm.sf(np.abs(estimate) / errors)
    drawn = generator.standard_normal((draws, g - 1)) @ (turn @ root).T / errors
    joint = float(b @ np.linalg.solve(v, b))
    return Contrasts(
        names=labels,
        estimate=estimate,
        covariance=spread,
        p_value=p,
        discovery=stats.false_discovery_control(p, method="bh"),
        level=level,
        critical=float(np.quantile(np.abs(drawn).max(axis=1), level)),
        joint=joint,
        joint_p=float(stats.chi2.sf(joint, g - 1)),
    )


def _root(covariance: FloatArray) -> FloatArray:
    """Return the triangular root of a covariance, or say that it is none."""
    if not np.allclose(covariance, covariance.T, rtol=1e-6, atol=0):
        raise InputError("covariance", "be symmetric", covariance.tolist())
    try:
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(covariance)[0])
        raise InputError("covariance", "be positive definite", f"{least:.2g} as its smallest eigenvalue") from None
