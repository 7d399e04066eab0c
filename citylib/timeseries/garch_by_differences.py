"""GARCH by differences: derivatives of the likelihood from several points of each series, run side by side.

The way of Student's t, and the one that the faster way of normal shocks, `citylib.timeseries.garch_by_derivatives`, is
held equal to. Legend: T time steps, n series, M of them asked for, L points of each, k parameters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from citylib.timeseries import conditional_variance
from citylib.timeseries.climb import climb, curvature
from citylib.timeseries.garch_block import Block

__all__ = ["ByDifferences"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

WIDTH = 1e-6
WIDTH_MU = 0.1
REACH = 1e-5  # of the differences that make scores, of parameters as large as they are
ROUGH, FIRST_TURNS = 0.05, 5  # of the climb from each start, before the best of them goes on
FARTHEST = 25.0


class ByDifferences(Block):
    """A few series that are fitted by `climb`."""

    def best(self, starts: int) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Climb a few turns from the best starts, then to the top from the best of what they reach; see `Block`."""
        grid_nSk = self.around_means(self.model.starts())
        order = np.argsort(-self.heights(grid_nSk, self.everyone), axis=1, kind="stable")[:, :starts]
        which = np.repeat(self.everyone, order.shape[1])
        first = climb(
            lambda points, active: self.heights(points, which[active]),
            grid_nSk[which, order.ravel()],
            slope=lambda at, height, active: self.slope(at, height, which[active]),
            tolerance=ROUGH,
            turns=FIRST_TURNS,
            farthest=FARTHEST,
        )
        # Near the top the curvature that is expected is no longer the one there is.
        found = climb(self.heights, first.at[self.tops(first.value)], tolerance=1e-8, farthest=FARTHEST)
        return found.at, found.value, found.converged

    def measure(self, natural_MLk: FloatArray, which: IntArray, *, whole: bool = False) -> tuple[FloatArray, ...]:
        """Return log-likelihoods (M, L), products of relative changes of variances (M, L, L), sums of 1 / s (M,).

        Parameters
        ----------
        natural_MLk : ndarray, shape (M, L, k)
            Parameters.
        which : ndarray of int, shape (M,)
            Of which series.
        whole : bool, default False
            Whether the products and the sums are wanted.
        """
        points = np.swapaxes(self.model.six(natural_MLk), 1, 2)
        many, _, count = points.shape
        lanes = conditional_variance.LANES
        groups = -(-count // lanes)
        full = np.minimum(np.arange(groups * lanes), count - 1)
        grouped = points[:, :, full].reshape(many, 6, groups, lanes).swapaxes(1, 2)
        log_s, tail, steer = np.zeros((3, many, groups, lanes))
        gram = np.zeros((many, groups, lanes, lanes))
        heavy = self.model.distribution == "t"
        conditional_variance.sums(
            self.y_nT, self.first_n, np.ascontiguousarray(which), np.ascontiguousarray(grouped),
            heavy, whole, log_s, tail, gram, steer,
        )  # fmt: skip
        log_s, tail = log_s.reshape(many, -1)[:, :count], tail.reshape(many, -1)[:, :count]
        height = self._height(log_s, tail, points[:, 5], self.read_n[which][:, None])
        return height, gram[:, 0, :count, :count], steer[:, 0, 0]

    def heights(self, free_MLk: FloatArray, which: IntArray) -> FloatArray:
        """Return log-likelihoods (M, L) at points free of bounds; see `measure`."""
        return self.measure(self.model.natural(free_MLk), which)[0]

    def slope(self, at_Mk: FloatArray, _: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return gradients by differences, and curvatures as they are expected to be, from how the variances move.

        Parameters
        ----------
        at_Mk : ndarray, shape (M, k)
            Points free of bounds.
        _ : ndarray, shape (M,)
            The heights there, which are worked out again with the others.
        which : ndarray of int, shape (M,)
            Of which series.
        """
        k = at_Mk.shape[1]
        offsets = np.concatenate([np.zeros((1, k)), WIDTH * np.eye(k)])
        points = at_Mk[:, None, :] + offsets
        height, gram, inverse = self.measure(self.model.natural(points), which, whole=True)
        gradient = (height[:, 1:] - height[:, :1]) / WIDTH
        information = 0.5 * gram[:, 1:, 1:] / WIDTH**2
        if self.model.mean:
            information[:, 0, 0] += inverse
        if self.model.distribution == "t":  # of the degrees of freedom the variances know nothing
            information[:, -1, -1] = self.read_n[which] / (2.0 + np.exp(at_Mk[:, -1])) ** 2 + 1.0
        return gradient, -information

    def sandwich(self, natural_nk: FloatArray, value_n: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return covariances and their widths, curvature and scores by differences; see `Block`."""
        # Differences as wide as each parameter is large, for omega may be tiny.
        width_nk = np.maximum(np.abs(natural_nk), 1e-3)
        if self.model.mean:  # near zero, for levels are taken off: in standard deviations
            width_nk[:, 0] = np.maximum(width_nk[:, 0], WIDTH_MU)

        def heights(points: FloatArray, which: IntArray) -> FloatArray:
            return self.measure(points * width_nk[which][:, None, :], which)[0]

        _, hessian = curvature(heights, natural_nk / width_nk, value_n, self.everyone)
        out = np.full(hessian.shape, np.nan)
        for i, curve in enumerate(-hessian):
            if not np.isfinite(curve).all() or np.linalg.eigvalsh(curve)[0] <= 0:
                continue
            score_Tk = self.scores(natural_nk[i], width_nk[i], i)
            bread = np.linalg.inv(curve)
            out[i] = bread @ (score_Tk.T @ score_Tk) @ bread
        return out, width_nk

    def _height(self, log_s: FloatArray, tail: FloatArray, nu: FloatArray, steps: IntArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            if self.model.distribution == "normal":
                return np.asarray(-0.5 * (steps * np.log(2 * np.pi) + log_s + tail))
            constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(np.pi * (nu - 2))
            return np.asarray(steps * constant - 0.5 * log_s - (nu + 1) / 2 * tail)

    def scores(self, natural_k: FloatArray, width_k: FloatArray, which: int) -> FloatArray:
        """Return what each reading adds to the gradient of one series (T, k), in widths of the parameters.

        Parameters
        ----------
        natural_k, width_k : ndarray, shape (k,)
            The best parameters, and how large each is.
        which : int
            Of which series.
        """
        offsets = np.concatenate([np.eye(len(natural_k)), -np.eye(len(natural_k))]) * REACH * width_k
        six_6L = self.model.six(natural_k + offsets).T
        s_TL, e_TL = np.empty((2, self.y_nT.shape[1], six_6L.shape[1]))
        conditional_variance.logarithms(self.y_nT[which], self.first_n[which], np.ascontiguousarray(six_6L), s_TL, e_TL)
        with np.errstate(invalid="ignore", divide="ignore"):  # of a series that has no curvature, none is wanted
            if self.model.distribution == "normal":
                each = -0.5 * (np.log(s_TL) + e_TL**2 / s_TL)
            else:
                nu = six_6L[5]
                constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu - 2)
                each = constant - 0.5 * np.log(s_TL) - (nu + 1) / 2 * np.log1p(e_TL**2 / ((nu - 2) * s_TL))
        up, down = np.split(each, 2, axis=1)
        return np.asarray((up - down) / (2 * REACH))
