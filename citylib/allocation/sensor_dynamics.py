"""How readings of many sensors move together: a vector autoregression of order 1, learned from the past with its gaps.

x(t + 1) = A x(t) + w, w normal with covariance Q; x is what a reading departs from the usual one of its hour.

Legend: T steps, N sensors, H harmonics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from citylib import checks
from citylib.errors import InputError

__all__ = ["KINDS", "Dynamics", "covariance", "dynamics", "fit", "usual"]

FloatArray = npt.NDArray[np.float64]
KINDS = ("level", "steps", "vector")
STABLE = 0.9995  # largest modulus of an eigenvalue of A: a field that forgets
SMALLEST = 1e-6  # of an eigenvalue, as a share of the mean variance
SYMMETRIC = 1e-8


@dataclass(frozen=True, eq=False)
class Dynamics:
    """How a field moves; made by `fit` or `dynamics`, which check it.

    Parameters
    ----------
    transition_NN, noise_NN : ndarray, shape (N, N)
        A and Q.
    start_NN : ndarray, shape (N, N)
        Covariance before anything is read: the stationary one.
    """

    transition_NN: FloatArray
    noise_NN: FloatArray
    start_NN: FloatArray

    @property
    def diagonal(self) -> bool:
        """Whether each sensor depends on its own past only."""
        return not (self.transition_NN - np.diag(self.transition_NN.diagonal())).any()


def dynamics(transition_NN: npt.ArrayLike, noise_NN: npt.ArrayLike) -> Dynamics:
    """Return dynamics from A and Q, with the stationary covariance that follows from them.

    Parameters
    ----------
    transition_NN, noise_NN : array_like, shape (N, N)
        A, with all eigenvalues inside the unit circle, and Q, symmetric and not negative.

    Returns
    -------
    Dynamics

    Raises
    ------
    InputError
        Shapes that differ, a covariance that is not symmetric or has a negative eigenvalue, an A that does not forget.

    Examples
    --------
    >>> float(dynamics([[0.6]], [[0.64]]).start_NN[0, 0].round(12))
    1.0
    """
    move, noise = checks.matrix("transition", transition_NN), covariance("noise", noise_NN)
    if move.shape != noise.shape:
        raise InputError("transition", f"have the shape of the noise {noise.shape}", move.shape)
    largest = float(np.abs(np.linalg.eigvals(move)).max())
    if largest >= 1:
        raise InputError("transition", "have eigenvalues inside the unit circle", f"{largest:.4g}")
    if (move - np.diag(move.diagonal())).any():
        start = np.asarray(linalg.solve_discrete_lyapunov(move, noise))
    else:
        start = noise / (1 - np.outer(move.diagonal(), move.diagonal()))
    return Dynamics(move, noise, (start + start.T) / 2)


def covariance(argument: str, value: npt.ArrayLike) -> FloatArray:
    """Return `value` if it is a covariance.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like, shape (N, N)
        Symmetric, no eigenvalue below 0.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    InputError
        It is none; the smallest eigenvalue is told.
    """
    found = checks.matrix(argument, value)
    if found.shape[0] != found.shape[1]:
        raise InputError(argument, "be square", found.shape)
    size = float(np.abs(found).max())
    if not np.allclose(found, found.T, atol=SYMMETRIC * size, rtol=0):
        raise InputError(argument, "be symmetric", f"entries differ by up to {np.abs(found - found.T).max():.3g}")
    least = float(np.linalg.eigvalsh(found)[0])
    if least < -SYMMETRIC * size:
        raise InputError(argument, "be a covariance, with no negative eigenvalue", f"smallest {least:.3g}")
    return (found + found.T) / 2


def fit(away_TN: npt.ArrayLike, *, kind: str = "level", shrink: float = 0.1, penalty: float = 100.0) -> Dynamics:
    """Learn dynamics from departures of the past.

    With ``"level"`` all sensors forget alike, A = a I, and Q = (1 - a^2) S with S the covariance of the departures: the
    pattern in space is that of the field itself. With ``"steps"`` each sensor has its own coefficient and Q is the
    covariance of what it leaves over. ``"vector"`` adds to that what the others' past tells, by a ridge regression. A
    covariance is counted over the pairs that are there, drawn towards its diagonal by `shrink`, and negative
    eigenvalues, which gaps can cause, are lifted to just above 0.

    Parameters
    ----------
    away_TN : array_like, shape (T, N)
        Departures from the usual reading, NaN where there is none.
    kind : {"level", "steps", "vector"}
        What is learned.
    shrink : float, default 0.1
        Share of the diagonal, 0 to 1.
    penalty : float, default 100
        Of the ridge regression.

    Returns
    -------
    Dynamics

    Raises
    ------
    InputError
        Fewer than 10 steps; a sensor that has no two readings in a row, or that never moves (it is told by its number).

    References
    ----------
    Lütkepohl, H. (2005). New Introduction to Multiple Time Series Analysis. Ledoit, O. and Wolf, M. (2004). A
    well-conditioned estimator for large-dimensional covariance matrices. Journal of Multivariate Analysis 88.

    Examples
    --------
    >>> from citylib.allocation.sensor_field import field
    >>> found = fit(field(seed=0, learned=4000, jams=False).learned_TN, shrink=0.0)
    >>> bool(abs(found.transition_NN[0, 0] - 0.9) < 0.02)
    True
    """
    checks.one_of("kind", kind, KINDS)
    away = checks.matrix("away", away_TN, missing=True, at_least=10)
    share = checks.number("shrink", shrink, minimum=0, maximum=1)
    both = ~np.isnan(away[1:]) & ~np.isnan(away[:-1])
    now, then = np.where(both, away[:-1], 0.0), np.where(both, away[1:], 0.0)
    power = (now**2).sum(axis=0)
    if not (power > 0).all():
        told = f"sensor {int((power > 0).argmin())} has none"
        raise InputError("away", "have readings in a row that differ from the usual ones, at every sensor", told)
    own = np.clip((now * then).sum(axis=0) / power, 0.0, STABLE)
    if kind == "level":
        alike = float(np.clip((now * then).sum() / power.sum(), -STABLE, STABLE))
        return dynamics(alike * np.eye(len(own)), (1 - alike**2) * _shrunk(away, share))
    move = np.diag(own)
    if kind == "vector":
        ridge = checks.number("penalty", penalty, above=0)
        # what others add: their past as it is, 0 (the usual) where it is missing; on a sensor's own pairs alone
        past, left = np.nan_to_num(away[:-1]), then - now * own
        whole = past.T @ past + ridge * np.eye(len(own))
        for n in range(len(own)):
            gone = past[~both[:, n]]
            move[n] += np.linalg.solve(whole - gone.T @ gone, past.T @ left[:, n])
        move *= min(1.0, STABLE / float(np.abs(np.linalg.eigvals(move)).max()))
    over = np.where(both, away[1:] - np.nan_to_num(away[:-1]) @ move.T, np.nan)
    return dynamics(move, _shrunk(over, share))


def usual(values_TN: npt.ArrayLike, *, learned: int, per_day: int, harmonics: int, ridge: float = 5.0) -> FloatArray:
    """Return the usual reading of each hour: a mean and waves of a day, learned from the first steps.

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Readings, NaN where there is none.
    learned : int
        How many steps may be learned from.
    per_day : int
        Steps a day.
    harmonics : int
        Waves, the first of a day, the second of half a day; 0: the mean alone.
    ridge : float, default 5
        What waves are held back by, in readings; the mean is not.

    Returns
    -------
    ndarray, shape (T, N)

    Raises
    ------
    InputError
        Nothing to learn from; a sensor without a reading among the first steps; more waves than a day has steps for.

    Examples
    --------
    >>> day = np.sin(2 * np.pi * np.arange(48) / 24)[:, None]
    >>> bool(np.allclose(usual(day, learned=24, per_day=24, harmonics=1, ridge=0.0), day))
    True
    """
    values = checks.matrix("values", values_TN, missing=True)
    first = checks.integer("learned", learned, minimum=1, maximum=len(values))
    day = checks.integer("per_day", per_day, minimum=1)
    waves = checks.integer("harmonics", harmonics, minimum=0, maximum=max(0, (day - 1) // 2))
    there = ~np.isnan(values[:first])
    if not there.any(axis=0).all():
        raise InputError(
            "values", "have a reading to learn from at every sensor", f"none at {int(there.any(0).argmin())}"
        )
    turn = 2 * np.pi * np.arange(len(values))[:, None] / day * np.arange(1, waves + 1)
    design = np.hstack([np.ones((len(values), 1)), np.cos(turn), np.sin(turn)])
    held = checks.number("ridge", ridge, minimum=0) * np.diag([0.0, *np.ones(2 * waves)])
    out = np.empty_like(values)
    for n in range(values.shape[1]):
        rows = design[:first][there[:, n]]
        weight = np.linalg.lstsq(rows.T @ rows + held, rows.T @ values[:first][there[:, n], n])[0]
        out[:, n] = design @ weight
    return out


def _shrunk(rows_TN: FloatArray, share: float) -> FloatArray:
    """Return the covariance about 0 over pairs that are there, shrunk and made positive."""
    there = ~np.isnan(rows_TN)
    filled = np.where(there, rows_TN, 0.0)
    count = there.astype(np.float64).T @ there
    cov = np.where(count > 0, filled.T @ filled / np.maximum(count, 1), 0.0)
    cov = (1 - share) * cov + share * np.diag(cov.diagonal())
    value, vector = np.linalg.eigh(cov)
    value = np.maximum(value, SMALLEST * cov.diagonal().mean())
    out = (vector * value) @ vector.T
    return np.asarray((out + out.T) / 2)
