"""Cox regression as a textbook has it: a loop over event times, each with its risk set written out.

The reference for `citylib.survival.cox`, for reading and for tests; its work grows with the square of the rows.
Legend: n rows, p covariates, R rows at risk at one time, D of them that die at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Moment", "Plain"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moment:
    """One denominator of the partial likelihood: with Efron's ties one of the D at an event time.

    Parameters
    ----------
    rows : ndarray of int, shape (R,)
        Who is at risk.
    dying : ndarray of int, shape (D,)
        Rows whose event it is.
    present : ndarray, shape (R,)
        Share of each row that is still there: 1, or less for the dying.
    weight : float
        Mean weight of the dying: what this denominator counts.
    chance : ndarray, shape (R,)
        Chance of each row to be the one, of those there.
    hazard : float
        `weight` over the sum of weight times exp(x'b) of those there.
    """

    rows: npt.NDArray[np.int64]
    dying: npt.NDArray[np.int64]
    present: FloatArray
    weight: float
    chance: FloatArray
    hazard: float


@dataclass(frozen=True, eq=False)
class Plain:
    """Rows of a Cox regression, and what follows from coefficients.

    Parameters
    ----------
    stop : ndarray, shape (n,)
        When watching a row ended.
    event : ndarray of bool, shape (n,)
        Whether it ended in an event.
    x : ndarray, shape (n, p)
        Covariates.
    entry : ndarray, shape (n,), optional
        When watching it began.
    stratum : ndarray, shape (n,), optional
        Its stratum.
    weight : ndarray, shape (n,), optional
        How much it counts.
    efron : bool
        Efron's ties; else Breslow's.
    ridge : float
        Penalty on half the square of each coefficient.
    """

    stop: FloatArray
    event: npt.NDArray[np.bool_]
    x: FloatArray
    entry: FloatArray | None = None
    stratum: npt.NDArray[np.generic] | None = None
    weight: FloatArray | None = None
    efron: bool = True
    ridge: float = 0.0

    def moments(self, beta: FloatArray) -> Iterator[Moment]:
        """Yield the denominators of the partial likelihood, stratum by stratum, in order of time."""
        n = len(self.stop)
        entry = np.full(n, -np.inf) if self.entry is None else self.entry
        stratum = np.zeros(n) if self.stratum is None else self.stratum
        weight = self._weight
        risk = weight * np.exp(self.x @ beta)
        for s in np.unique(stratum):
            for time in np.unique(self.stop[self.event & (stratum == s)]):
                rows = np.flatnonzero((stratum == s) & (entry < time) & (time <= self.stop))
                dies = self.event[rows] & (self.stop[rows] == time)
                deaths = int(dies.sum())
                for m in range(deaths):
                    # of the dying, m have on average left already
                    present = np.where(dies, 1 - m / deaths, 1.0) if self.efron else np.ones(len(rows))
                    there = present * risk[rows]
                    mean = float(weight[rows[dies]].mean())
                    yield Moment(rows, rows[dies], present, mean, there / there.sum(), mean / float(there.sum()))

    def likelihood(self, beta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Return the penalised log partial likelihood, its gradient (p,) and minus its second derivative (p, p)."""
        weight, ended = self._weight, self.event
        value = float(weight[ended] @ (self.x[ended] @ beta)) - self.ridge / 2 * float(beta @ beta)
        gradient = weight[ended] @ self.x[ended] - self.ridge * beta
        information = self.ridge * np.eye(len(beta))
        for moment in self.moments(beta):
            x_Rp = self.x[moment.rows]
            mean = moment.chance @ x_Rp
            value += moment.weight * float(np.log(moment.hazard / moment.weight))
            gradient = gradient - moment.weight * mean
            information = information + moment.weight * ((x_Rp - mean).T * moment.chance @ (x_Rp - mean))
        return value, gradient, information

    def fit(self, *, steps: int = 30) -> tuple[FloatArray, FloatArray]:
        """Return coefficients and covariance after so many Newton steps from 0."""
        beta = np.zeros(self.x.shape[1])
        for _ in range(steps):
            _, gradient, information = self.likelihood(beta)
            beta = beta + np.linalg.solve(information, gradient)
        return beta, np.asarray(np.linalg.inv(self.likelihood(beta)[2]), dtype=np.float64)

    def martingale(self, beta: FloatArray) -> FloatArray:
        """Return whether each row had the event less what was to be expected, (n,)."""
        left = self.event.astype(np.float64)
        for moment in self.moments(beta):
            left[moment.rows] -= moment.present * np.exp(self.x[moment.rows] @ beta) * moment.hazard
        return left

    def score(self, beta: FloatArray) -> FloatArray:
        """Return what each row adds to the gradient per unit of weight, without penalty, (n, p)."""
        out = np.zeros_like(self.x)
        for moment in self.moments(beta):
            x_Rp = self.x[moment.rows]
            mean = moment.chance @ x_Rp
            lived = moment.present * np.exp(x_Rp @ beta) * moment.hazard
            out[moment.rows] -= lived[:, None] * (x_Rp - mean)
            out[moment.dying] += (self.x[moment.dying] - mean) / len(moment.dying)
        return out

    def robust(self, beta: FloatArray, cluster: npt.NDArray[np.generic]) -> FloatArray:
        """Return the sandwich covariance over clusters, (p, p)."""
        bread = np.linalg.inv(self.likelihood(beta)[2])
        weighed = self.score(beta) * self._weight[:, None]
        sums = np.array([weighed[cluster == c].sum(axis=0) for c in np.unique(cluster)])
        return np.asarray(bread @ (sums.T @ sums) @ bread)

    def hazards(self, beta: FloatArray) -> FloatArray:
        """Return the step of the baseline hazard at each event time, stratum by stratum, (K,)."""
        out: dict[tuple[int, ...], float] = {}
        for moment in self.moments(beta):
            key = tuple(moment.dying)
            out[key] = out.get(key, 0.0) + moment.hazard
        return np.array(list(out.values()))

    @property
    def _weight(self) -> FloatArray:
        return np.ones(len(self.stop)) if self.weight is None else self.weight
