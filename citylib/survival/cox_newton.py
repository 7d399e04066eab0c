"""Newton's climb to the top of Cox's partial likelihood, with the likelihood, its gradient and curvature at a point.

All is worked out for columns brought to mean 0 and standard deviation 1, which changes nothing but the rounding.
Legend: n rows, p columns, P columns with room to spare, K event times (see `citylib.survival.cox_passes`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib.survival import cox_passes
from citylib.survival.risk_sets import RiskSets

__all__ = ["Climb", "Likelihood", "Point", "climb", "endless_columns", "still_columns"]

FloatArray = npt.NDArray[np.float64]

STEPS = 60  # a likelihood without a top is known for one after about 40
HALVINGS = 30
STILL = 1e-12  # of the information on a column that varies
NOTHING = 1e-140  # one over its square is still a number
FAR = 30.0  # range of x'b that no covariate gives but one that separates
NEAR = 3e-9  # of a standard deviation: what the next step would change in coefficients and errors
PART = 8  # the first steps see every eighth row,
ENOUGH = 16_000  # where there are so many


@dataclass(frozen=True, eq=False)
class Point:
    """The penalised log partial likelihood at coefficients, in columns of standard deviation 1.

    Parameters
    ----------
    loglikelihood : float
        Its value, without the penalty.
    height : float
        Its value, with it.
    gradient : ndarray, shape (p,)
        With the penalty.
    information : ndarray, shape (p, p)
        Minus the second derivative, without the penalty.
    """

    loglikelihood: float
    height: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class Climb:
    """Where a climb ended.

    Parameters
    ----------
    beta : ndarray, shape (p,)
        Coefficients of the columns of standard deviation 1.
    point : Point
        The likelihood there, or a step of at most `NEAR` before.
    step : ndarray, shape (p,)
        The last step.
    gain : float
        What it promised to gain, twice.
    steps : int
        Steps over all rows.
    ended : {"settled", "dependent", "endless", "stuck"}
        Steps became small; the information has no inverse; the top lies at infinity; no step led up.
    """

    beta: FloatArray
    point: Point
    step: FloatArray
    gain: float
    steps: int
    ended: str


class Likelihood:
    """Cox's partial likelihood of rows.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Covariates, contiguous.
    event : ndarray of bool, shape (n,)
        Whether a row ended in an event.
    sets : RiskSets
        Who is at risk when.
    weight : ndarray, shape (n,), or None
        Weights of the rows; None: all one.
    efron : bool
        Efron's ties; else Breslow's.
    ridge : float
        Penalty on half the square of each coefficient, as `x` has its unit.
    extents : (middle, scale), optional
        Means and one over standard deviations, each (p,), to use instead of those of the rows.
    """

    def __init__(
        self,
        x: FloatArray,
        event: npt.NDArray[np.bool_],
        sets: RiskSets,
        *,
        weight: FloatArray | None,
        efron: bool,
        ridge: float,
        extents: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        self.x, self.sets, self.efron, self.ridge = x, sets, efron, ridge
        self.dies = event.view(np.int8)
        self.weight = np.ones(1) if weight is None else weight
        rows, columns = x.shape
        if extents is None:
            extents = np.empty(columns), np.empty(columns)
            cox_passes.extents(x, *extents)
        self.middle, self.scale = extents
        times, wide = len(sets.time), (columns + 4) // 4 * 4
        counted = None if weight is None else weight[event]
        died = np.bincount(sets.last[event], weights=counted, minlength=times)
        self.weight_K = np.asarray(died, dtype=np.float64)
        self.mass = float(self.weight_K.sum() / sets.deaths.sum())  # of an event: what is small is small beside it
        self.penalty = ridge * self.scale**2
        self.sum_K2, self.step_K7 = np.empty((times, 2)), np.empty((times, 7))
        self.sum_K2P, self.out_PP = np.empty((times, 2, wide)), np.empty((wide, wide))
        self.r = np.empty(rows)
        self.top = 0.0

    def height(self, beta: FloatArray) -> float:
        """Return the log partial likelihood at `beta`, without penalty; leaves r and the steps of the hazard.

        What is left of r is divided by exp(`top`), the largest of x'b, so that it is a number.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            np.dot(self.x, beta * self.scale, out=self.r)
            self.top = float(self.r.max())
            if not math.isfinite(self.top):
                return -math.inf
            self.r -= self.top
            if len(self.weight) > 1:
                of_deaths = float(self.r @ (self.dies * self.weight))
            else:
                of_deaths = float(np.where(self.dies, self.r, 0.0).sum())
            np.exp(self.r, out=self.r)
        if len(self.weight) > 1:
            self.r *= self.weight
        self.sum_K2[:] = 0.0
        sets = self.sets
        cox_passes.spread(self.r, sets.last, sets.before, self.dies, self.sum_K2)
        if not (self.sum_K2[:, 1] > NOTHING * self.mass).all():
            return -math.inf  # coefficients so large that the dying weigh nothing
        logs = cox_passes.steps(self.sum_K2, sets.deaths, self.weight_K, sets.opens, self.efron, self.step_K7)
        return of_deaths - float(logs)

    def moments(self, step_K7: FloatArray) -> FloatArray:
        """Return gradient and information at the point that `height` left, for given steps, shape (P, P)."""
        sets = self.sets
        rows = (self.r, self.weight, sets.last, sets.before, self.dies)
        cox_passes.moments(self.x, self.middle, self.scale, *rows, step_K7, self.sum_K2P, self.out_PP)
        cox_passes.curvature(self.sum_K2P, sets.opens, step_K7, self.out_PP)
        return self.out_PP

    def at(self, beta: FloatArray, *, loglikelihood: float | None = None) -> Point:
        """Return the likelihood at `beta`; its value is given where `height` has just been there."""
        if loglikelihood is None:
            loglikelihood = self.height(beta)
        columns = len(beta)
        out = self.moments(self.step_K7)
        information = out[:columns, :columns]
        return Point(
            loglikelihood,
            self.penalised(loglikelihood, beta),
            out[:columns, columns] - self.penalty * beta,
            (information + information.T) / 2,
        )

    def means(self) -> tuple[FloatArray, FloatArray]:
        """Return, after `at`, the mean of each risk set as its deaths see it (K, p), and what it adds up to (K, 2, p).

        The latter is its sum over steps of the hazard up to each time, for who lives on and for who dies there.
        """
        columns = self.x.shape[1]
        living, dying = self.sum_K2P[:, 0, :columns], self.sum_K2P[:, 1, :columns]
        step = self.step_K7[:, :, None]
        mean_Kp = (step[:, cox_passes.ONE] * living + step[:, cox_passes.DEATH] * dying) / self.weight_K[:, None]
        here = step[:, cox_passes.ALIVE] * living + step[:, cox_passes.CROSS] * dying
        whole = np.cumsum(here, axis=0)
        first = np.flatnonzero(self.sets.opens)
        before = whole[first] - here[first]
        whole -= before[np.cumsum(self.sets.opens) - 1]
        at_death = step[:, cox_passes.CROSS] * living + step[:, cox_passes.DEAD] * dying
        return mean_Kp, np.stack([whole, whole - here + at_death], axis=1)

    def scores(self, beta: FloatArray) -> FloatArray:
        """Return score residuals at `beta` per unit of weight, shape (n, p), in columns of standard deviation 1."""
        self.at(beta)
        out = np.empty_like(self.x)
        sets = self.sets
        rows = (self.r, self.weight, sets.last, sets.before, self.dies)
        cox_passes.scores(self.x, self.middle, self.scale, *rows, self.step_K7, *self.means(), out)
        return out

    def penalised(self, loglikelihood: float, beta: FloatArray) -> float:
        """Return the likelihood less the penalty on `beta`."""
        return loglikelihood - float(self.penalty @ beta**2) / 2

    def part(self) -> Likelihood:
        """Return the likelihood of every eighth row."""
        every = slice(None, None, PART)
        event = self.dies[every].astype(np.bool_)
        fewer = self.sets.part(event, PART)
        return Likelihood(
            np.ascontiguousarray(self.x[every]), event, fewer, efron=self.efron, ridge=self.ridge / PART,
            weight=np.ascontiguousarray(self.weight[every]) if len(self.weight) > 1 else None,
            extents=(self.middle, self.scale),
        )  # fmt: skip


def climb(likelihood: Likelihood, *, steps: int = STEPS) -> Climb:
    """Climb from 0, or from the top of a part of the rows where there are many, to the top.

    Newton's steps; one that leads down is halved.

    Parameters
    ----------
    likelihood : Likelihood
        What to climb.
    steps : int
        At most so many.

    Returns
    -------
    Climb
    """
    beta = _start(likelihood)
    point = likelihood.at(beta)
    if not math.isfinite(point.height):
        beta = np.zeros_like(beta)
        point = likelihood.at(beta)
    step, gain = np.zeros_like(beta), math.inf
    if _singular(point.information + np.diag(likelihood.penalty), float(likelihood.weight_K.sum())):
        return Climb(beta, point, step, gain, 0, "dependent")
    for count in range(1, steps + 1):
        whole = point.information + np.diag(likelihood.penalty)
        try:
            np.linalg.cholesky(whole)
        except np.linalg.LinAlgError:
            return Climb(beta, point, step, gain, count, _lost(likelihood, beta))
        step = np.asarray(np.linalg.solve(whole, point.gradient), dtype=np.float64)
        gain = float(step @ point.gradient)
        if float(np.abs(step).max()) < NEAR or gain < 1e-20 * likelihood.mass * len(likelihood.r):
            return Climb(beta + step, point, step, gain, count, "settled")
        whole_step = step
        for _ in range(HALVINGS):
            found = likelihood.height(beta + step)
            if likelihood.penalised(found, beta + step) >= point.height - 1e-11 * abs(point.height):
                break
            step = step / 2
        else:
            return Climb(beta, point, whole_step, gain, count, _lost(likelihood, beta + whole_step))
        beta = beta + step
        point = likelihood.at(beta, loglikelihood=found)
        if _endless(likelihood, step, gain):
            return Climb(beta, point, step, gain, count, "endless")
    return Climb(beta, point, step, gain, steps, "stuck")


def endless_columns(likelihood: Likelihood, top: Climb) -> npt.NDArray[np.bool_]:
    """Return which coefficients of an endless climb were still growing, shape (p,)."""
    moved = np.abs(top.step * likelihood.scale) * np.ptp(likelihood.x, axis=0)
    return np.asarray(moved > 1e-3 * moved.max(), dtype=np.bool_)


def _start(likelihood: Likelihood) -> FloatArray:
    """Return where to begin: near the top of a part of the rows, if it has one."""
    zero = np.zeros(likelihood.x.shape[1])
    if len(likelihood.r) < ENOUGH:
        return zero
    if likelihood.dies[::PART].sum() < 20 * len(zero):
        return zero
    found = climb(likelihood.part(), steps=12)
    return found.beta if found.ended == "settled" else zero


def still_columns(information: FloatArray, mass: float) -> npt.NDArray[np.bool_]:
    """Return which columns do not vary among those at risk together, as far as rounding lets one tell, shape (p,).

    `mass` is the weight of all events: the information on a column that varies there as it does elsewhere.
    """
    return np.asarray(np.diag(information) <= STILL * max(mass, float(np.diag(information).max())), dtype=np.bool_)


def _singular(information: FloatArray, mass: float) -> bool:
    """Whether columns do not vary, or depend on each other."""
    if still_columns(information, mass).any():
        return True
    size = np.sqrt(np.diag(information))
    return bool(np.linalg.eigvalsh(information / np.outer(size, size))[0] < 1e-11)


def _lost(likelihood: Likelihood, beta: FloatArray) -> str:
    """Say why no step leads on: the top lies at infinity where x'b is already spread as no hazard is."""
    far = float((np.abs(beta * likelihood.scale) * np.ptp(likelihood.x, axis=0)).max())
    return "endless" if far > FAR else "stuck"


def _endless(likelihood: Likelihood, step: FloatArray, gain: float) -> bool:
    """Whether steps stay large while nothing is left to gain: the top lies at infinity."""
    if (
        gain > 1e-8 * likelihood.mass or np.abs(step).max() * math.sqrt(len(likelihood.r)) < 5e-3
    ):  # the range is below 2 sqrt(n)
        return False
    return float((np.abs(step * likelihood.scale) * np.ptp(likelihood.x, axis=0)).max()) > 1e-2
