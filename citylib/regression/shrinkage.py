"""Empirical Bayes: each sensor's coefficients drawn towards the city's, the more the less they are known.

Estimates b_i of N sensors with covariances V_i come from true coefficients that are themselves drawn from a city:
b_i ~ N(beta_i, V_i), beta_i ~ N(m, B). The city's mean m and spread B are learned from all sensors by maximum
likelihood, and each sensor keeps what its own readings say in proportion to how much they say.
Legend: N sensors, K coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["Shrunken", "posterior", "repeated", "shrink"]

FloatArray = npt.NDArray[np.float64]
STRUCTURES = ("full", "diagonal")
SKEW = 1e-8  # of a matrix's largest number: how far it may be from symmetric, and a spread's eigenvalues under zero
FLOOR = 1e-3  # of the noise: where the climb begins in directions without any spread to be seen


@dataclass(frozen=True, eq=False)
class Shrunken:
    """Coefficients drawn towards the mean of a city.

    Parameters
    ----------
    mean : ndarray, shape (K,)
        Of the city, m.
    mean_covariance : ndarray, shape (K, K)
        Of its estimate.
    spread : ndarray, shape (K, K)
        B, how much sensors truly differ.
    coefficients : ndarray, shape (N, K)
        Posterior means; the city's mean for a sensor without an estimate.
    covariance : ndarray, shape (N, K, K)
        Of the posterior, with the uncertainty of m but not of B.
    kept : ndarray, shape (N,)
        Share of its own deviation from the mean that a sensor keeps, on average over its coefficients: 0 all city, 1
        all its own.
    log_likelihood : float
        Of the estimates, in nats.
    converged : bool
        Whether the likelihood had come to rest.
    """

    mean: FloatArray
    mean_covariance: FloatArray
    spread: FloatArray
    coefficients: FloatArray
    covariance: FloatArray
    kept: FloatArray
    log_likelihood: float
    converged: bool

    @property
    def standard_errors(self) -> FloatArray:
        """Of the posterior, shape (N, K)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    def interval(self, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the ends of normal posterior intervals, each of shape (N, K).

        Parameters
        ----------
        level : float, default 0.95
            Probability that each claims.
        """
        reach = stats.norm.ppf(0.5 + checks.fraction("level", level) / 2) * self.standard_errors
        return self.coefficients - reach, self.coefficients + reach


def shrink(
    estimates: npt.ArrayLike,
    covariances: npt.ArrayLike,
    *,
    structure: str = "full",
    most: int = 2000,
    tolerance: float = 1e-6,
) -> Shrunken:
    """Learn a city's mean and spread from all sensors, and draw each sensor towards the mean.

    By the EM algorithm (m by generalised least squares in each turn), begun at the moments: the covariance of the
    estimates less the mean of their V_i, which is the answer already where all V_i are equal.

    Parameters
    ----------
    estimates : array_like, shape (N, K)
        Each sensor's own; NaN in rows that could not be fitted.
    covariances : array_like, shape (N, K, K)
        Of the estimates, positive definite, taken as known.
    structure : {"full", "diagonal"}
        Whether coefficients may go together across sensors. A full spread has K (K + 1) / 2 numbers to be learned from
        N sensors: with few sensors the diagonal one is safer.
    most : int, default 2000
        Turns at most.
    tolerance : float, default 1e-6
        Gain of the log-likelihood in a turn, in nats, below which it has come to rest.

    Returns
    -------
    Shrunken

    Raises
    ------
    InputError
        Fewer than three sensors with estimates, no columns, shapes that do not fit, covariances that are not symmetric
        and positive definite, a tolerance that is no number from 0, numbers that cannot be squared.

    References
    ----------
    Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its generalizations. Journal of the
    American Statistical Association 70(350), 311-319.
    Laird, N. M. and Ware, J. H. (1982). Random-effects models for longitudinal data. Biometrics 38(4), 963-974.

    Examples
    --------
    Four estimates of like precision vary by hardly more than they are unsure:

    >>> found = shrink([[0.0], [2.0], [4.0], [6.0]], [[[4.0]]] * 4, tolerance=1e-12)
    >>> found.spread.round(4).tolist(), found.coefficients.round(4).ravel().tolist()
    ([[1.0]], [2.4, 2.8, 3.2, 3.6])
    """
    checks.one_of("structure", structure, STRUCTURES)
    checks.integer("most", most, minimum=1)
    tolerance = checks.number("tolerance", tolerance, minimum=0)
    b, v, known = _checked(estimates, covariances)
    if known.sum() < 3:
        raise InputError("estimates", "hold at least three sensors with an estimate", int(known.sum()))
    own, noise = b[known], v[known]
    spread = _moments(own, noise, structure)
    height, converged = -np.inf, False
    for _ in range(most):
        mean, total, new = _mean(own, noise, spread)
        if new - height < tolerance:
            converged = True
            break
        height = new
        centred = own - mean
        pulled = np.einsum("jk,nkl,nl->nj", spread, total, centred)
        left = spread - np.einsum("jk,nkl,lm->njm", spread, total, spread)
        spread = (left + pulled[:, :, None] * pulled[:, None, :]).mean(axis=0)
        spread = np.diag(np.diag(spread)) if structure == "diagonal" else (spread + spread.T) / 2
    return _drawn(b, v, known, spread, converged)


def posterior(
    estimates: npt.ArrayLike, covariances: npt.ArrayLike, *, spread: npt.ArrayLike, converged: bool = True
) -> Shrunken:
    """Return the sensors drawn towards their mean where the spread of the city is given.

    Parameters
    ----------
    estimates : array_like, shape (N, K)
        Each sensor's own; NaN in rows that could not be fitted.
    covariances : array_like, shape (N, K, K)
        Of the estimates, positive definite.
    spread : array_like, shape (K, K)
        B; zero pools all sensors into one.
    converged : bool, default True
        Handed on.

    Returns
    -------
    Shrunken

    Raises
    ------
    InputError
        No sensor with an estimate, no columns, shapes that do not fit, covariances that are not symmetric and positive
        definite, a spread that is not symmetric or has an eigenvalue under zero, numbers that cannot be squared.
    """
    b, v, known = _checked(estimates, covariances)
    if not known.any():
        raise InputError("estimates", "hold a sensor with an estimate", f"{len(b)} sensors, none with all numbers")
    wide = checks.squarable("spread", checks.matrix("spread", spread))
    columns = b.shape[1]
    if wide.shape != (columns, columns):
        raise InputError("spread", f"have shape ({columns}, {columns})", wide.shape)
    largest = np.abs(wide).max()
    if (np.abs(wide - wide.T) > SKEW * largest).any():
        raise InputError("spread", "be symmetric", f"{np.abs(wide - wide.T).max():g} apart")
    if np.linalg.eigvalsh(wide)[0] < -SKEW * largest:
        raise InputError("spread", "have no eigenvalue under zero", f"{np.linalg.eigvalsh(wide)[0]:g}")
    return _drawn(b, v, known, wide, bool(converged))


def _checked(
    estimates: npt.ArrayLike, covariances: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return estimates and covariances as they are computed with, and which sensors have an estimate."""
    b = checks.squarable("estimates", checks.matrix("estimates", estimates, missing=True))
    v = checks.array("covariances", covariances, ndim=3, missing=True)
    many, columns = b.shape
    if not columns:
        raise InputError("estimates", "have a column at least", b.shape)
    if v.shape != (many, columns, columns):
        raise InputError("covariances", f"have shape ({many}, {columns}, {columns})", v.shape)
    known = np.asarray(~np.isnan(b).any(axis=1))
    noise = checks.squarable("covariances", checks.array("covariances of sensors with an estimate", v[known]))
    if len(noise):
        skew = np.abs(noise - noise.transpose(0, 2, 1)).max(axis=(1, 2)) > SKEW * np.abs(noise).max(axis=(1, 2))
        if skew.any():
            raise InputError("covariances", "be symmetric", f"that of sensor {np.flatnonzero(known)[skew][0]}")
        if np.linalg.eigvalsh(noise)[:, 0].min() <= 0:
            raise InputError("covariances", "be positive definite", "an eigenvalue of zero or less")
    return b, v, known


def _drawn(b: FloatArray, v: FloatArray, known: npt.NDArray[np.bool_], wide: FloatArray, converged: bool) -> Shrunken:
    many, columns = b.shape
    mean, inverse, height = _mean(b[known], v[known], wide)
    unsure = np.linalg.inv(inverse.sum(axis=0))
    share = np.zeros((many, columns, columns))  # of its own deviation; nothing of its own where nothing is known
    share[known] = wide @ inverse
    rest = np.eye(columns) - share
    deviation = np.where(known[:, None], b - mean, 0.0)
    found = mean + np.einsum("njk,nk->nj", share, deviation)
    covariance = rest @ wide + rest @ unsure @ rest.transpose(0, 2, 1)
    kept = np.trace(share, axis1=1, axis2=2) / columns
    return Shrunken(
        mean, unsure, wide, found, (covariance + covariance.transpose(0, 2, 1)) / 2, kept, height, converged
    )


def repeated(readings: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return each sensor's mean of vectors read repeatedly (whole days, say), and the covariance of that mean.

    A sensor read on three days cannot know how much its days differ. All sensors together can: the covariance within
    sensors, D, is pooled over all of them with one degree of freedom taken by each sensor's mean, and a mean of n
    vectors has covariance D / n.

    Parameters
    ----------
    readings : array_like, shape (N, D, K)
        Up to D vectors of each sensor; a vector with a NaN counts as not read.

    Returns
    -------
    (means, covariances) : tuple of ndarray, shapes (N, K) and (N, K, K)
        NaN for a sensor never read.

    Raises
    ------
    InputError
        Fewer degrees of freedom within sensors than the K numbers need, no columns.

    Examples
    --------
    >>> means, covariances = repeated([[[1.0], [3.0]], [[6.0], [6.0]], [[5.0], [np.nan]]])
    >>> means.ravel().tolist(), covariances.ravel().tolist()
    ([2.0, 6.0, 5.0], [0.5, 0.5, 1.0])
    """
    y = checks.array("readings", readings, ndim=3, missing=True)
    if not y.shape[2]:
        raise InputError("readings", "have a column at least", y.shape)
    known = np.asarray(~np.isnan(y).any(axis=2))
    number = known.sum(axis=1)
    held = np.where(known[:, :, None], y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = held.sum(axis=1) / number[:, None]
    free = int(np.maximum(number - 1, 0).sum())
    if free < y.shape[2] + 1:
        raise InputError("readings", f"repeat at least {y.shape[2] + 1} times in all", free)
    rest = np.where(known[:, :, None], y - np.where(number > 0, means.T, 0.0).T[:, None, :], 0.0)
    within = np.einsum("ndj,ndk->jk", rest, rest) / free
    with np.errstate(divide="ignore"):
        covariances = within / np.where(number > 0, number, np.nan)[:, None, None]
    return means, np.asarray(covariances)


def _moments(own: FloatArray, noise: FloatArray, structure: str) -> FloatArray:
    """Covariance of the estimates less the noise, none below nothing: the highest point itself if all V_i are equal."""
    rest = own - own.mean(axis=0)
    between, usual = rest.T @ rest / len(own), noise.mean(axis=0)
    if structure == "diagonal":
        return np.diag(np.maximum(np.diag(between - usual), FLOOR * np.diag(usual)))
    root = np.linalg.cholesky(usual)
    white = np.linalg.solve(root, np.linalg.solve(root, between).T)
    values, vectors = np.linalg.eigh((white + white.T) / 2)
    back = root @ vectors
    return np.asarray((back * np.maximum(values - 1, FLOOR)) @ back.T)


def _mean(own: FloatArray, noise: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Generalised least squares mean, the inverses of B + V_i, and the log-likelihood."""
    total = spread + noise
    inverse = np.asarray(np.linalg.inv(total), dtype=np.float64)
    mean = np.asarray(np.linalg.solve(inverse.sum(axis=0), np.einsum("njk,nk->j", inverse, own)), dtype=np.float64)
    rest = own - mean
    squares = np.einsum("nj,njk,nk->", rest, inverse, rest)
    height = -0.5 * (np.linalg.slogdet(total)[1].sum() + squares + own.size * np.log(2 * np.pi))
    return mean, inverse, float(height)
