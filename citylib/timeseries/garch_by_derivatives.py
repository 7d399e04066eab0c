"""GARCH of normal shocks by derivatives: every start of every series a lane of its own, none kept waiting.

From the starts the climb follows Fisher's scoring, which needs no top to be near; from the best of them Newton's steps.
Legend: T time steps, n series, M of them asked for, k parameters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib.timeseries import variance_slopes as compiled
from citylib.timeseries.ascent import ascend
from citylib.timeseries.garch_block import Block

__all__ = ["ByDerivatives"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Persistence, share of the shock in it. Two start where shocks count for next to nothing, for many a series has a top
# there that no climb from elsewhere comes upon.
STARTS = (
    *((0.98, 0.05), (0.95, 0.1), (0.9, 0.2), (0.8, 0.1), (0.7, 0.4), (0.3, 0.6), (0.99, 0.15)),
    *((0.98, 0.005), (0.96, 0.002)),
)
ROUGH, FIRST_TURNS = 0.05, 6  # of the climb from each start
NEAR = 0.05  # in every parameter, in standard deviations: where two climbs are on their way to the same top
SMOOTH = 1e-8
FARTHEST = 25.0


class ByDerivatives(Block):
    """A few series that are fitted by `ascend`."""

    def best(self, starts: int) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Score a few turns from each start, then go to the tops near the best of what is reached; see `Block`."""
        start_nSk = self.around_means(self.model.starts(STARTS))
        which = np.repeat(self.everyone, start_nSk.shape[1])
        first = ascend(
            lambda at, active: self.expected(at, which[active]),
            start_nSk.reshape(len(which), -1),
            tolerance=ROUGH,
            turns=FIRST_TURNS,
            farthest=FARTHEST,
        )
        chosen = np.flatnonzero(self._apart(first.at, first.value, starts))
        found = ascend(
            lambda at, active: self.exact(at, which[chosen[active]]),
            first.at[chosen],
            tolerance=SMOOTH,
            farthest=FARTHEST,
        )
        value_M = np.full(len(which), -np.inf)
        value_M[chosen] = found.value
        top = np.searchsorted(chosen, self.tops(value_M))
        return found.at[top], found.value[top], found.converged[top]

    def _apart(self, free_Mk: FloatArray, value_M: FloatArray, most: int) -> npt.NDArray[np.bool_]:
        """Whether a point is one of the best of its series, and not near a better one."""
        natural_nSk = self.model.natural(free_Mk).reshape(len(self.everyone), -1, free_Mk.shape[1])
        value_nS = np.where(np.isfinite(value_M), value_M, -np.inf).reshape(natural_nSk.shape[:2])
        taken_nS = np.zeros(value_nS.shape, dtype=bool)
        for _ in range(min(most, value_nS.shape[1])):
            best_n = value_nS.argmax(axis=1)
            taken_nS[self.everyone, best_n] |= np.isfinite(value_nS[self.everyone, best_n])
            away_nS = np.abs(natural_nSk - natural_nSk[self.everyone, best_n][:, None, :]).max(axis=2)
            value_nS[away_nS < NEAR] = -np.inf
        taken_nS[:, 0] |= ~taken_nS.any(axis=1)
        return taken_nS.ravel()

    def expected(self, free_Mk: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihoods (M,), gradients (M, k) and expected information (M, k, k), by numbers free of bounds.

        Parameters
        ----------
        free_Mk : ndarray, shape (M, k)
            Points.
        which : ndarray of int, shape (M,)
            Of which series.
        """
        value, slope, information = self.scored(self.model.natural(free_Mk), which, scores=False)
        first, _ = self.model.bends(free_Mk)
        turned = np.swapaxes(first, 1, 2)
        return value, (turned @ slope[:, :, None])[:, :, 0], turned @ information @ first

    def exact(self, free_Mk: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihoods (M,), gradients (M, k) and second derivatives (M, k, k) with their sign turned.

        Parameters
        ----------
        free_Mk, which : ndarray
            As in `expected`.
        """
        value, slope, curve = self.curved(self.model.natural(free_Mk), which)
        first, second = self.model.bends(free_Mk)
        turned = np.swapaxes(first, 1, 2)
        bent = (slope[:, None, :] @ second.reshape(len(free_Mk), slope.shape[1], -1)).reshape(curve.shape)
        return value, (turned @ slope[:, :, None])[:, :, 0], -(turned @ curve @ first + bent)

    def sandwich(self, natural_nk: FloatArray, value_n: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return covariances and their widths; see `Block`."""
        _, _, curve_nkk = self.curved(natural_nk, self.everyone)
        _, _, meat_nkk = self.scored(natural_nk, self.everyone, scores=True)
        # As large as each parameter is, for omega may be tiny.
        width_nk = np.maximum(np.abs(natural_nk), 1e-3)
        both = width_nk[:, :, None] * width_nk[:, None, :]
        curve_nkk, meat_nkk = -curve_nkk * both, meat_nkk * both
        out = np.full(curve_nkk.shape, np.nan)
        finite = np.isfinite(curve_nkk).all(axis=(1, 2)) & np.isfinite(meat_nkk).all(axis=(1, 2))
        top = np.flatnonzero(finite)[np.linalg.eigvalsh(curve_nkk[finite])[:, 0] > 0]
        bread = np.linalg.inv(curve_nkk[top])
        out[top] = bread @ meat_nkk[top] @ bread
        return out, width_nk

    def scored(self, natural_Mk: FloatArray, which: IntArray, *, scores: bool) -> tuple[FloatArray, ...]:
        """Return log-likelihoods, gradients by the parameters, and expected information or products of scores.

        Parameters
        ----------
        natural_Mk : ndarray, shape (M, k)
            Parameters.
        which : ndarray of int, shape (M,)
            Of which series.
        scores : bool
            Whether products of scores are wanted.
        """
        value, slope, two = _empty(len(natural_Mk))
        points = np.ascontiguousarray(self.model.six(natural_Mk)[:, :5])
        fill = compiled.slopes if self.model.asymmetric else compiled.symmetric_slopes
        fill(self.y_nT, self.first_n, np.ascontiguousarray(which), points, scores, value, slope, two)
        return self._wanted(value, slope, two)

    def curved(self, natural_Mk: FloatArray, which: IntArray) -> tuple[FloatArray, ...]:
        """Return log-likelihoods, gradients and second derivatives by the parameters; see `scored`."""
        value, slope, two = _empty(len(natural_Mk))
        points = np.ascontiguousarray(self.model.six(natural_Mk)[:, :5])
        fill = compiled.curves if self.model.asymmetric else compiled.symmetric_curves
        fill(self.y_nT, self.first_n, np.ascontiguousarray(which), points, value, slope, two)
        return self._wanted(value, slope, two)

    def _wanted(self, value: FloatArray, slope: FloatArray, two: FloatArray) -> tuple[FloatArray, ...]:
        rows = self.model.rows()
        return value, np.ascontiguousarray(slope[:, rows]), np.ascontiguousarray(two[:, rows[:, None], rows])


def _empty(many: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.empty(many), np.empty((many, 5)), np.empty((many, 5, 5))
