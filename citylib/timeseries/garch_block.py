"""A few series whose variance is modelled together: in standard deviations, with what every way of fitting needs.

Legend: T time steps, n series, M points, k parameters, S starts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib.timeseries.garch_model import Garch, starting_variance

__all__ = ["STATUSES", "Block"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STATUSES = ("converged", "boundary", "not converged", "not identified")
EDGE = 1e-4  # a share, or a distance of the persistence from 1 or of nu from 2, below which it lies on the boundary
NORMAL = 300.0  # degrees of freedom from which on Student's t is as good as normal, and no series tells how many


class Block:
    """A few series, to be fitted in one way or another.

    Every sum runs along one series, so that no series knows which others are in the block.

    Parameters
    ----------
    y_nT : ndarray, shape (n, T)
        Series.
    model : Garch
        Which.
    """

    def __init__(self, y_nT: FloatArray, model: Garch) -> None:
        self.model = model
        self.scale_n = self.spread(y_nT)
        # Far from zero the digits of mu would be those of the level: it is taken off first.
        self.level_n = self.means_of(y_nT) if model.mean else np.zeros(len(y_nT))
        self.y_nT = (y_nT - self.level_n[:, None]) / self.scale_n[:, None]
        self.first_n = self.starting()
        self.everyone = np.arange(len(y_nT))
        self.read_n = (~np.isnan(y_nT)).sum(axis=1)

    def spread(self, y_nT: FloatArray) -> FloatArray:
        """Return standard deviations (n,).

        Parameters
        ----------
        y_nT : ndarray, shape (n, T)
            Series.
        """
        return np.asarray(y_nT.std(axis=1))

    def means_of(self, y_nT: FloatArray) -> FloatArray:
        """Return means (n,).

        Parameters
        ----------
        y_nT : ndarray, shape (n, T)
            Series.
        """
        return np.asarray(y_nT.mean(axis=1))

    def means(self) -> FloatArray:
        """Return means (n,), in standard deviations."""
        return self.means_of(self.y_nT)

    def starting(self) -> FloatArray:
        """Return what stands for the variance before the first step, shape (n,)."""
        return starting_variance(self.y_nT.T, mean=self.model.mean)

    def fitted(self, starts: int, standard_errors: bool) -> tuple[npt.NDArray[np.generic], ...]:
        """Return status, parameters, standard errors, log-likelihood, starting variance, correlations of the estimates.

        In units of the readings.

        Parameters
        ----------
        starts : int
            Starts that are followed for each series.
        standard_errors : bool
            Whether they are worked out.
        """
        free, value, converged = self.best(starts)
        natural = self.model.natural(free)
        errors, correlation = np.full_like(natural, np.nan), np.full((*natural.shape, natural.shape[1]), np.nan)
        if standard_errors:
            sandwich, width = self.sandwich(natural, value)
            spread = np.sqrt(np.diagonal(sandwich, axis1=1, axis2=2))
            errors = spread * width
            with np.errstate(invalid="ignore", divide="ignore"):
                correlation = sandwich / (spread[:, :, None] * spread[:, None, :])
        scale = {"mu": self.scale_n, "omega": self.scale_n**2}
        unit = np.stack([scale.get(name, np.ones_like(self.scale_n)) for name in self.model.names], axis=1)
        height = value - self.read_n * np.log(self.scale_n)
        first = self.first_n * self.scale_n**2
        status = self._status(natural, converged)
        if standard_errors:
            flat = (status == STATUSES[0]) & ~np.isfinite(errors).all(axis=1)
            ends = self.model.asymmetric & (self.model.six(natural)[:, 2:4] < EDGE).any(axis=1)
            status[flat] = np.where(ends, STATUSES[1], STATUSES[3])[flat]
        parameters = natural * unit
        if self.model.mean:
            parameters[:, 0] += self.level_n
        return status, parameters, errors * unit, height, first, correlation

    def best(self, starts: int) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Return the best that is found (n, k), free of bounds, its height, and whether it is a top.

        Parameters
        ----------
        starts : int
            Starts that are followed for each series.
        """
        raise NotImplementedError

    def around_means(self, start_Sk: FloatArray) -> FloatArray:
        """Return points to start from for each series (n, S, k), where mu is its mean.

        Parameters
        ----------
        start_Sk : ndarray, shape (S, k)
            For series of mean zero.
        """
        start_nSk = np.tile(start_Sk, (len(self.everyone), 1, 1))
        if self.model.mean:
            start_nSk[:, :, 0] = self.means()[:, None]
        return start_nSk

    def sandwich(self, natural_nk: FloatArray, value_n: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return covariances (n, k, k) by Bollerslev and Wooldridge, in widths (n, k): curvature, scores, curvature.

        Parameters
        ----------
        natural_nk : ndarray, shape (n, k)
            The best parameters.
        value_n : ndarray, shape (n,)
            Log-likelihoods there.
        """
        raise NotImplementedError

    def tops(self, value_M: FloatArray) -> IntArray:
        """Return which of the points of each series is highest, as they are numbered in M."""
        value_nS = np.where(np.isfinite(value_M), value_M, -np.inf).reshape(len(self.everyone), -1)
        return np.asarray(self.everyone * value_nS.shape[1] + value_nS.argmax(axis=1))

    def _status(self, natural: FloatArray, converged: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
        six = self.model.six(natural)
        persistence = six[:, 2] + six[:, 3] / 2 + six[:, 4]
        edge = (six[:, 2] + six[:, 3] / 2 < EDGE) | (six[:, 4] < EDGE) | (persistence > 1 - EDGE)
        if self.model.distribution == "t":
            edge |= (six[:, 5] < 2 + EDGE) | (six[:, 5] > NORMAL)
        top, boundary, other, _ = STATUSES
        found = np.where(edge, boundary, np.where(converged, top, other))
        return np.asarray(found, dtype=f"<U{max(map(len, STATUSES))}")
