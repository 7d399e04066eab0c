"""Likelihoods of counts and how their highest points are climbed, for a block of series at once.

Newton's method with Fisher's information (iteratively reweighted least squares) for the coefficients, and by turns
with it Newton's method for the logarithm of the dispersion; the two hardly lean on each other, for their
expected information is zero.
Legend: n series, T rows, K columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["Block", "Peaks", "climb", "covariance", "dispersion_error"]

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ENOUGH = 1e-16  # squared distance from the top, in standard errors
TURNS, STEPS, HALVES = 200, 100, 40
TINY = 1e-7  # dispersion times mean below which counts are as Poisson's
LARGEST = 700.0  # of a linear predictor, beyond which exp overflows


@dataclass(frozen=True, eq=False)
class Block:
    """Series in work together; rows that don't count are zero in `x` and `y`.

    Parameters
    ----------
    x : ndarray, shape (n, T, K)
        Designs.
    y, exposure : ndarray, shape (n, T)
        Counts, and over how much they were made.
    known : ndarray of bool, shape (n, T)
        Rows that count.
    """

    x: FloatArray
    y: FloatArray
    exposure: FloatArray
    known: Mask

    def mean(self, beta: FloatArray) -> FloatArray:
        """Return expected counts, shape (n, T)."""
        linear = np.clip((self.x @ beta[:, :, None])[:, :, 0], -LARGEST, LARGEST)
        return np.asarray(self.exposure * np.exp(linear))

    def part(self, which: npt.NDArray[np.intp]) -> Block:
        """Return some of the series."""
        return Block(self.x[which], self.y[which], self.exposure[which], self.known[which])


@dataclass(frozen=True, eq=False)
class Peaks:
    """Where the climbs ended.

    Parameters
    ----------
    beta : ndarray, shape (n, K)
        Coefficients.
    alpha, height : ndarray, shape (n,)
        Dispersion and log-likelihood.
    converged : ndarray of bool, shape (n,)
        Whether it is a top.
    """

    beta: FloatArray
    alpha: FloatArray
    height: FloatArray
    converged: Mask


def climb(block: Block, *, negative_binomial: bool) -> Peaks:
    """Return the highest points of the likelihoods.

    Parameters
    ----------
    block : Block
        Series whose likelihood has one.
    negative_binomial : bool
        Whether the dispersion is estimated; else it is zero.

    Returns
    -------
    Peaks
    """
    many = len(block.y)
    alpha = np.zeros(many)
    beta, done = _coefficients(block, alpha, _start(block))
    if negative_binomial:
        # At alpha = 0 the slope in alpha is sum((y - mu)^2 - y) / 2: where it falls, zero is the top.
        mu = block.mean(beta)
        slope = (((block.y - mu) ** 2 - block.y) * block.known).sum(axis=1)
        wide = np.flatnonzero((slope > 0) & done)
        alpha[wide] = np.clip(slope[wide] / (mu[wide] ** 2 * block.known[wide]).sum(axis=1), 1e-6, 1e3)
        done[wide] = False
        for _ in range(TURNS):
            if not len(wide):
                break
            own = block.part(wide)
            new, moved = _dispersion(own, own.mean(beta[wide]), alpha[wide])
            alpha[wide] = new
            beta[wide], ended = _coefficients(own, new, beta[wide])
            # alpha's own remaining step after the coefficients have moved: both must be at rest together
            settled = ended & (moved < np.sqrt(ENOUGH))
            done[wide[settled]] = True
            wide = wide[~settled]
    height = log_likelihood(block, block.mean(beta), alpha)
    return Peaks(beta, alpha, height, done & np.isfinite(height))


def log_likelihood(block: Block, mu: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return the log-likelihoods, shape (n,), in nats."""
    y, a = block.y, alpha[:, None]
    plain = special.xlogy(y, mu) - mu
    spread = (a * np.where(block.known, mu, 0.0)).max(axis=1) >= TINY
    if spread.any():
        r, m = 1 / a[spread], mu[spread]
        wide = special.gammaln(y[spread] + r) - special.gammaln(r) - r * np.log1p(m / r)
        plain[spread] = wide + special.xlogy(y[spread], m / (r + m))
    return np.asarray(((plain - special.gammaln(y + 1)) * block.known).sum(axis=1))


def covariance(block: Block, found: Peaks, errors: str, codes: npt.NDArray[np.intp] | None) -> FloatArray:
    """Return the covariances of the coefficients.

    Parameters
    ----------
    block : Block
        Series that were fitted.
    found : Peaks
        Where their climbs ended.
    errors : str
        "model", "robust" or "cluster", as `citylib.regression.counts.fit` has them.
    codes : ndarray of int, shape (T,), optional
        For "cluster": each row's group, from 0.

    Returns
    -------
    ndarray, shape (n, K, K)
    """
    mu = block.mean(found.beta)
    shrunk = 1 / (1 + found.alpha[:, None] * mu)
    bread: FloatArray = np.asarray(np.linalg.inv(_information(block.x, mu * shrunk)), dtype=np.float64)
    if errors == "model":
        return bread
    rows, columns = block.known.sum(axis=1)[:, None, None], block.x.shape[2]
    scores = block.x * ((block.y - mu) * shrunk)[:, :, None]
    factor = rows / (rows - columns)
    if codes is not None:
        member = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)
        present = ((block.known.astype(float) @ member) > 0).sum(axis=1)[:, None, None]
        scores = member.T @ scores
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(present > 1, present / (present - 1), np.nan) * (rows - 1) / (rows - columns)
    return np.asarray(factor * (bread @ (scores.transpose(0, 2, 1) @ scores) @ bread))


def dispersion_error(block: Block, found: Peaks) -> FloatArray:
    """Return the standard errors of the dispersions, shape (n,); NaN where it is zero."""
    mu = block.mean(found.beta)
    with np.errstate(invalid="ignore", divide="ignore"):
        _, curve = _slopes(block, mu, np.where(found.alpha > 0, found.alpha, 1.0))
        out = found.alpha / np.sqrt(-curve)  # curve is that in log(alpha)
    return np.where((found.alpha > 0) & (curve < 0), out, np.nan)


def _start(block: Block) -> FloatArray:
    """Weighted least squares of log rates, drawn half way to the mean rate so that zeros have a logarithm."""
    total = (block.exposure * block.known).sum(axis=1)
    rate = block.y.sum(axis=1) / total
    half = (block.y + rate[:, None] * block.exposure) / 2
    z = np.log(half / block.exposure)
    gram = _information(block.x, half)
    right = (block.x * (half * z)[:, :, None]).sum(axis=1)
    return _solve(gram, right)


def _coefficients(block: Block, alpha: FloatArray, beta: FloatArray) -> tuple[FloatArray, Mask]:
    beta, done = beta.copy(), np.zeros(len(beta), dtype=bool)
    left = np.arange(len(beta))
    height = log_likelihood(block, block.mean(beta), alpha)
    for _ in range(STEPS):
        own, a = block.part(left), alpha[left]
        mu = own.mean(beta[left])
        shrunk = 1 / (1 + a[:, None] * mu)
        score = (own.x * ((own.y - mu) * shrunk)[:, :, None]).sum(axis=1)
        step = _solve(_information(own.x, mu * shrunk), score)
        distance = (score * step).sum(axis=1)
        size = np.ones(len(left))
        for _ in range(HALVES):
            new = log_likelihood(own, own.mean(beta[left] + size[:, None] * step), a)
            lower = ~(new >= height[left] - 1e-10 * (1 + np.abs(height[left])))
            if not lower.any():
                break
            size[lower] /= 2
        beta[left] += size[:, None] * step
        height[left] = new
        ended = np.abs(distance) < ENOUGH
        done[left[ended]] = True
        left = left[~ended]
        if not len(left):
            break
    return beta, done


def _dispersion(block: Block, mu: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the best dispersions at these means, and how far they were from it, in standard errors."""
    at = np.log(alpha)
    first = np.zeros(len(at))
    for turn in range(STEPS):
        slope, curve = _slopes(block, mu, np.exp(at))
        falls = curve < 0
        step = np.where(falls, -slope / np.where(falls, curve, 1.0), np.sign(slope))
        step = np.clip(step, -1.0, 1.0)
        if turn == 0:
            first = np.where(falls, np.abs(slope) / np.sqrt(np.where(falls, -curve, 1.0)), np.inf)
        at = np.clip(at + step, -30.0, 10.0)
        if np.abs(step).max() < 1e-12:
            break
        if (np.abs(slope) < 1e-13 * (1 + block.y.sum(axis=1))).all():
            break
    return np.exp(at), first


def _slopes(block: Block, mu: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first and second derivatives of the log-likelihood in log(alpha), shape (n,)."""
    r, y = 1 / alpha[:, None], block.y
    small = special.digamma(y + r) - special.digamma(r) - np.log1p(mu / r) + (mu - y) / (mu + r)
    curl = special.polygamma(1, y + r) - special.polygamma(1, r) + mu / r / (mu + r) - (mu - y) / (mu + r) ** 2
    in_r = (small * block.known).sum(axis=1)
    in_rr = (curl * block.known).sum(axis=1)
    scale = 1 / alpha
    return -scale * in_r, scale**2 * in_rr + scale * in_r


def _information(x: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray((x * weight[:, :, None]).transpose(0, 2, 1) @ x)


def _solve(gram: FloatArray, right: FloatArray) -> FloatArray:
    """Solve with columns of like size, which spares digits."""
    size = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 1e-300))
    scaled = gram / size[:, :, None] / size[:, None, :]
    return np.asarray(np.linalg.solve(scaled, (right / size)[:, :, None])[:, :, 0] / size)
