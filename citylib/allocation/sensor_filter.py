"""One Kalman filter for all rules that choose which sensors to read, several runs at once, in Joseph's form.

x(t + 1) = A x(t) + w; a sensor that is read tells x plus noise; what is believed of all the others follows from how
they move together. Legend: B runs, T steps, N sensors, K reads a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation.sensor_dynamics import Dynamics
from citylib.errors import InputError

__all__ = ["Rule", "State", "Watched", "predict", "read", "watch"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class State:
    """What is known when sensors are chosen.

    Parameters
    ----------
    step : int
        From 0.
    mean_BN, cov_BNN : ndarray
        What the filter believes before it reads: departures from the usual, and their covariance.
    usual_N : ndarray, shape (N,)
        The usual reading of this step.
    can_BN : ndarray of bool, shape (B, N)
        Which sensors answer.
    age_BN : ndarray of int, shape (B, N)
        Steps since each was read; `step` + 1 if never.
    surprise_BN : ndarray, shape (B, N)
        By how many standard deviations its last reading missed the belief; 0 if never read.
    noise : float
        Standard deviation of what a reading is off by.
    """

    step: int
    mean_BN: FloatArray
    cov_BNN: FloatArray
    usual_N: FloatArray
    can_BN: BoolArray
    age_BN: IntArray
    surprise_BN: FloatArray
    noise: float


class Rule(Protocol):
    """What chooses the sensors of a step."""

    def pick(self, state: State, reads: int) -> IntArray:
        """Return up to `reads` different sensors of each run that answer, shape (B, K); -1: a read that is not used."""
        ...


@dataclass(frozen=True, eq=False)
class Watched:
    """What came of watching a field by a rule.

    Parameters
    ----------
    estimate_BTN, variance_BTN : ndarray, shape (B, T, N)
        What is believed after the reads of each step, and how sure.
    read_BTN : ndarray of bool, shape (B, T, N)
        What was read when.
    """

    estimate_BTN: FloatArray
    variance_BTN: FloatArray
    read_BTN: BoolArray


def predict(mean_BN: FloatArray, cov_BNN: FloatArray, moves: Dynamics) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance one step on.

    Parameters
    ----------
    mean_BN, cov_BNN : ndarray, shape (B, N) and (B, N, N)
        Belief.
    moves : Dynamics
        How the field moves.

    Returns
    -------
    tuple of ndarray
    """
    if moves.diagonal:
        kept = moves.transition_NN.diagonal()
        return mean_BN * kept, cov_BNN * np.outer(kept, kept) + moves.noise_NN
    move = moves.transition_NN
    cov = move @ cov_BNN @ move.T + moves.noise_NN
    return mean_BN @ move.T, (cov + np.swapaxes(cov, 1, 2)) / 2


def read(
    mean_BN: FloatArray, cov_BNN: FloatArray, chosen_BK: IntArray, told_BK: FloatArray, *, noise: float
) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance after reading some sensors, by Joseph's form.

    With gain G and the rows H that pick sensors, the covariance is (I - G H) P (I - G H)' + r^2 G G': a sum of squares,
    which stays a covariance whatever is rounded. The short form P - G H P does not.

    Parameters
    ----------
    mean_BN, cov_BNN : ndarray, shape (B, N) and (B, N, N)
        Belief before.
    chosen_BK : ndarray of int, shape (B, K)
        Sensors, none twice; -1: none.
    told_BK : ndarray, shape (B, K)
        Their readings; of no matter where there is no sensor.
    noise : float
        r, the standard deviation of their noise.

    Returns
    -------
    tuple of ndarray

    References
    ----------
    Bucy, R. S. and Joseph, P. D. (1968). Filtering for Stochastic Processes with Applications to Guidance.

    Examples
    --------
    >>> before = np.zeros((1, 2)), np.array([[[1.0, 0.5], [0.5, 1.0]]])
    >>> mean, cov = read(*before, np.array([[0]]), np.array([[2.0]]), noise=1.0)
    >>> mean.tolist(), cov.round(12).tolist()
    ([[1.0, 0.5]], [[[0.5, 0.25], [0.25, 0.875]]])
    """
    used = chosen_BK >= 0
    at = np.where(used, chosen_BK, 0)
    size = at.shape[1]
    cross_BNK = np.take_along_axis(cov_BNN, at[:, None, :], axis=2) * used[:, None, :]
    seen_BKK = np.take_along_axis(cross_BNK, at[:, :, None], axis=1) * used[:, :, None]
    seen_BKK = seen_BKK + np.eye(size) * np.where(used, noise**2, 1.0)[:, None, :]
    gain_BNK = np.swapaxes(np.linalg.solve(seen_BKK, np.swapaxes(cross_BNK, 1, 2)), 1, 2)
    miss_BK = np.where(used, told_BK - np.take_along_axis(mean_BN, at, axis=1), 0.0)
    mean_BN = mean_BN + (gain_BNK @ miss_BK[:, :, None])[..., 0]
    back_BKN = np.swapaxes(gain_BNK, 1, 2)
    half_BNN = cov_BNN - gain_BNK @ np.swapaxes(cross_BNK, 1, 2)  # (I - G H) P
    half_BNK = np.take_along_axis(half_BNN, at[:, None, :], axis=2) * used[:, None, :]
    cov = half_BNN + (noise**2 * gain_BNK - half_BNK) @ back_BKN
    return mean_BN, (cov + np.swapaxes(cov, 1, 2)) / 2


def watch(
    values_BTN: npt.ArrayLike,
    moves: Dynamics,
    rule: Rule,
    *,
    reads: int,
    noise: float,
    generator: np.random.Generator,
    usual_TN: npt.ArrayLike | None = None,
    before: Callable[[State], None] | None = None,
) -> Watched:
    """Let a rule read a field step by step, and say what is believed of all sensors after each step.

    Parameters
    ----------
    values_BTN : array_like, shape (B, T, N)
        True readings without the noise; NaN: the sensor does not answer, is not read and not scored.
    moves : Dynamics
        How departures from the usual move.
    rule : Rule
        What chooses.
    reads : int
        K, 0 (none is read: the ceiling of the error) to N (all are: its floor).
    noise : float
        Standard deviation of the noise that is added to a reading, above 0.
    generator : numpy.random.Generator
        Draws it.
    usual_TN : array_like, shape (T, N), optional
        The usual reading; by default 0.
    before : callable, optional
        Called with the state before each choice.

    Returns
    -------
    Watched

    Raises
    ------
    InputError
        Shapes that don't fit, reads below 0 or above N, noise not above 0, a rule that picks an unknown or silent
        sensor, or one twice.
    """
    values = checks.array("values", values_BTN, ndim=3, missing=True, at_least=1)
    runs, steps, sensors = values.shape
    if moves.noise_NN.shape != (sensors, sensors):
        raise InputError("values", f"have the {len(moves.noise_NN)} sensors of the dynamics", sensors)
    checks.integer("reads", reads, minimum=0, maximum=sensors)
    off = checks.number("noise", noise, above=0)
    usual = np.zeros((steps, sensors)) if usual_TN is None else checks.matrix("usual", usual_TN)
    if usual.shape != (steps, sensors):
        raise InputError("usual", f"have the shape {(steps, sensors)}", usual.shape)
    error_BTN = off * generator.standard_normal(values.shape)
    mean_BN, cov_BNN = np.zeros((runs, sensors)), np.repeat(moves.start_NN[None], runs, axis=0)
    age_BN, surprise_BN = np.ones((runs, sensors), dtype=np.int64), np.zeros((runs, sensors))
    out = Watched(np.empty(values.shape), np.empty(values.shape), np.zeros(values.shape, dtype=np.bool_))
    rows = np.arange(runs)[:, None]
    for t in range(steps):
        if t:
            mean_BN, cov_BNN = predict(mean_BN, cov_BNN, moves)
        now_BN = values[:, t]
        state = State(t, mean_BN, cov_BNN, usual[t], ~np.isnan(now_BN), age_BN, surprise_BN, off)
        if before is not None:
            before(state)
        age_BN = age_BN + 1
        if reads:
            chosen_BK = _checked(rule.pick(state, reads), state, reads)
            used, at = chosen_BK >= 0, np.where(chosen_BK >= 0, chosen_BK, 0)
            told_BK = (now_BN - usual[t] + error_BTN[:, t])[rows, at]
            spread_BK = np.sqrt(cov_BNN[rows, at, at] + off**2)
            surprise_BN = surprise_BN.copy()
            who, which = np.nonzero(used)
            surprise_BN[who, at[who, which]] = ((told_BK - mean_BN[rows, at]) / spread_BK)[who, which]
            age_BN[who, at[who, which]] = 1
            out.read_BTN[who, t, at[who, which]] = True
            mean_BN, cov_BNN = read(mean_BN, cov_BNN, chosen_BK, told_BK, noise=off)
        out.estimate_BTN[:, t] = mean_BN + usual[t]
        out.variance_BTN[:, t] = np.diagonal(cov_BNN, axis1=1, axis2=2)
    return out


def _checked(picked: npt.ArrayLike, state: State, reads: int) -> IntArray:
    """Return what a rule chose, if it may be read."""
    runs, sensors = state.can_BN.shape
    chosen_BK = np.asarray(picked)
    if not np.issubdtype(chosen_BK.dtype, np.integer):
        raise InputError("rule", "pick sensors by whole numbers", chosen_BK.dtype)
    if chosen_BK.ndim != 2 or len(chosen_BK) != runs or chosen_BK.shape[1] > reads:
        raise InputError("rule", f"pick at most {reads} sensors of each of {runs} runs", chosen_BK.shape)
    if chosen_BK.size and (chosen_BK.min() < -1 or chosen_BK.max() >= sensors):
        raise InputError("rule", f"pick among the sensors 0 to {sensors - 1}", int(np.abs(chosen_BK).max()))
    count = np.zeros((runs, sensors + 1), dtype=np.int64)
    np.add.at(count, (np.arange(runs)[:, None], chosen_BK), 1)  # -1 is the last column
    bad = (count[:, :-1] > 1) | ((count[:, :-1] > 0) & ~state.can_BN)
    if bad.any():
        b, n = (int(i) for i in np.argwhere(bad)[0])
        raise InputError("rule", "pick sensors that answer, none twice", f"sensor {n} at step {state.step} of run {b}")
    return chosen_BK
