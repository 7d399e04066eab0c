"""Rules that choose which sensors to read: by chance, in turn, always the same ones, or those that tell most now.

Legend: B runs, T steps, N sensors, K reads a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from citylib import checks
from citylib.allocation.sensor_choice_kernel import choose
from citylib.allocation.sensor_dynamics import covariance
from citylib.allocation.sensor_filter import FloatArray, IntArray, Rule, State
from citylib.errors import InputError

__all__ = [
    "AIMS",
    "Alternating",
    "Chance",
    "Everything",
    "Fixed",
    "Greedy",
    "InTurn",
    "by_determinant",
    "by_name",
    "by_pivots",
    "by_variance",
    "corrected",
    "greedy",
    "greedy_plainly",
]

AIMS = ("variance", "deviation")


class Everything:
    """Read all that answer: what no choice can beat, the floor of the error."""

    def pick(self, state: State, reads: int) -> IntArray:
        """Return all sensors that answer."""
        return np.where(state.can_BN, np.arange(state.can_BN.shape[1]), -1)


@dataclass(frozen=True)
class Chance:
    """Read sensors drawn by chance, none twice a step.

    Parameters
    ----------
    generator : numpy.random.Generator
        Draws.
    """

    generator: np.random.Generator

    def pick(self, state: State, reads: int) -> IntArray:
        """Return a draw."""
        return _first(np.where(state.can_BN, self.generator.random(state.can_BN.shape), np.inf), reads)


class InTurn:
    """Round-robin: read what has gone unread for longest, the first of equals."""

    def pick(self, state: State, reads: int) -> IntArray:
        """Return those unread for longest."""
        return _first(np.where(state.can_BN, -state.age_BN.astype(np.float64), np.inf), reads)


@dataclass(frozen=True)
class Alternating:
    """Let rules choose by turns, a step each: one that trusts the model, say, and one that trusts nothing.

    Parameters
    ----------
    rules : tuple of Rule
        At least one.
    """

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        if not self.rules:
            raise InputError("rules", "name at least one", len(self.rules))

    def pick(self, state: State, reads: int) -> IntArray:
        """Return the choice of the rule whose turn it is."""
        return self.rules[state.step % len(self.rules)].pick(state, reads)


class Fixed:
    """Read the same sensors at every step, as if only they had been built; one that doesn't answer is a read lost.

    Parameters
    ----------
    chosen : sequence of int
        Sensors by their number.
    """

    def __init__(self, chosen: Sequence[int] | IntArray) -> None:
        numbers = [checks.integer(f"chosen[{k}]", n, minimum=0) for k, n in enumerate(chosen)]
        self.chosen = np.array(checks.unique("chosen", numbers), dtype=np.int64)

    def pick(self, state: State, reads: int) -> IntArray:
        """Return them."""
        chosen = self.chosen[:reads]
        outside = chosen >= state.can_BN.shape[1]
        if outside.any():
            raise InputError("chosen", f"be sensors 0 to {state.can_BN.shape[1] - 1}", int(chosen[outside][0]))
        return np.where(state.can_BN[:, chosen], chosen, -1)


@dataclass(frozen=True)
class Greedy:
    """Read what brings the filter's uncertainty down most, one sensor after the other.

    Where the covariance does not depend on what is read, neither does the choice: it could be written down beforehand.

    Parameters
    ----------
    aim : {"variance", "deviation"}
        The sum of variances, for the least squared error; or, to first order, that of standard deviations, for the
        least absolute error: a variance counts the less the larger it is.
    """

    aim: str = "variance"

    def __post_init__(self) -> None:
        checks.one_of("aim", self.aim, AIMS)

    def pick(self, state: State, reads: int) -> IntArray:
        """Return the greedy choice."""
        return corrected(state, 1.0, reads, aim=self.aim)


def greedy(
    cov_NN: npt.ArrayLike,
    reads: int,
    *,
    noise: float,
    can_N: npt.ArrayLike | None = None,
    weight_N: npt.ArrayLike | None = None,
) -> IntArray:
    """Return the sensors that bring the weighted sum of variances down most, one after the other.

    The sum of variances has no bound of (1 - 1/e) in general, as a reading can make another one worth more; such
    covariances are rare in a field where near means alike (Das and Kempe, 2008). For the same reason every gain is
    worked out anew after every read, and none taken as a bound of later ones.

    Parameters
    ----------
    cov_NN : array_like, shape (N, N)
        What is believed.
    reads : int
        K, 1 to N.
    noise : float
        Standard deviation of the noise of a reading, above 0.
    can_N : array_like of bool, shape (N,), optional
        Sensors that answer; by default all.
    weight_N : array_like, shape (N,), optional
        What a sensor's variance counts, none negative; by default 1.

    Returns
    -------
    ndarray of int, shape (K,)
        In the order of choice; -1 where no sensor is left.

    Raises
    ------
    InputError
        A covariance that is none, reads below 1 or above N, noise not above 0, a negative weight.

    References
    ----------
    Krause, A., Singh, A. and Guestrin, C. (2008). Near-optimal sensor placements in Gaussian processes. Journal of
    Machine Learning Research 9. Das, A. and Kempe, D. (2008). Algorithms for subset selection in linear regression.
    STOC.

    Examples
    --------
    >>> greedy([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.5]], 2, noise=0.1).tolist()
    [0, 2]
    """
    cov, can, weight = _greedy_given(cov_NN, reads, noise, can_N, weight_N)
    chosen = np.full(reads, -1, dtype=np.int64)
    choose(cov, float(noise) ** 2, weight, can, chosen)
    return chosen


def greedy_plainly(
    cov_NN: npt.ArrayLike,
    reads: int,
    *,
    noise: float,
    can_N: npt.ArrayLike | None = None,
    weight_N: npt.ArrayLike | None = None,
) -> IntArray:
    """Return what `greedy` does, with every gain worked out anew after every read: its plain form.

    Parameters
    ----------
    cov_NN, reads, noise, can_N, weight_N
        As in `greedy`.

    Returns
    -------
    ndarray of int, shape (K,)
    """
    cov, can, weight = _greedy_given(cov_NN, reads, noise, can_N, weight_N)
    chosen = np.full(reads, -1, dtype=np.int64)
    for m in range(reads):
        gain = np.where(can, (weight[:, None] * cov**2).sum(axis=0) / (cov.diagonal() + noise**2), -1.0)
        best = int(gain.argmax())
        if gain[best] < 0:
            break
        cov = cov - np.outer(cov[best], cov[best]) / (cov[best, best] + noise**2)
        can[best] = False
        chosen[m] = best
    return chosen


def by_variance(cov_NN: npt.ArrayLike, reads: int, *, noise: float) -> Fixed:
    """Return the fixed set that greedily brings down the sum of variances of one step (A-optimal).

    Parameters
    ----------
    cov_NN, reads, noise
        As in `greedy`.

    Returns
    -------
    Fixed
    """
    return Fixed(greedy(cov_NN, reads, noise=noise))


def by_determinant(cov_NN: npt.ArrayLike, reads: int, *, noise: float) -> Fixed:
    """Return the fixed set whose readings have greedily the largest determinant of covariance (D-optimal).

    Its logarithm is submodular, so the greedy set has at least 1 - 1/e of the best one's information.

    Parameters
    ----------
    cov_NN, reads, noise
        As in `greedy`.

    Returns
    -------
    Fixed

    References
    ----------
    Shamaiah, M., Banerjee, S. and Vikalo, H. (2010). Greedy sensor selection: leveraging submodularity. CDC.

    Examples
    --------
    >>> by_determinant([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 0.5]], 2, noise=0.1).chosen.tolist()
    [0, 2]
    """
    cov, can, _ = _greedy_given(cov_NN, reads, noise, None, None)
    chosen = []
    for _ in range(reads):
        best = int(np.where(can, cov.diagonal(), -np.inf).argmax())
        cov = cov - np.outer(cov[best], cov[best]) / (cov[best, best] + noise**2)
        can[best] = False
        chosen.append(best)
    return Fixed(chosen)


def by_name(named: Sequence[str], sensors: Sequence[str]) -> Fixed:
    """Return the fixed set of named sensors.

    Parameters
    ----------
    named, sensors : sequence of str
        Wanted names and all names.

    Returns
    -------
    Fixed

    Raises
    ------
    UnknownNameError
        A sensor that is not among them; the nearest is offered.

    Examples
    --------
    >>> by_name(["c", "a"], ["a", "b", "c"]).chosen.tolist()
    [2, 0]
    """
    place = {name: n for n, name in enumerate(checks.unique("sensors", list(sensors)))}
    return Fixed([place[checks.one_of("sensor", name, place)] for name in named])


def by_pivots(cov_NN: npt.ArrayLike, reads: int) -> Fixed:
    """Return the fixed set that QR with column pivoting finds on the first patterns of the field (QDEIM).

    Parameters
    ----------
    cov_NN : array_like, shape (N, N)
        Its first K eigenvectors, each times its standard deviation, are the patterns.
    reads : int
        K, 1 to N.

    Returns
    -------
    Fixed

    Raises
    ------
    InputError
        As `greedy`.

    References
    ----------
    Manohar, K., Brunton, B. W., Kutz, J. N. and Brunton, S. L. (2018). Data-driven sparse sensor placement for
    reconstruction. IEEE Control Systems 38(3).

    Examples
    --------
    >>> by_pivots([[1.0, 0.9, 0.0], [0.9, 1.2, 0.0], [0.0, 0.0, 1.5]], 2).chosen.tolist()
    [2, 1]
    """
    cov = covariance("cov", cov_NN)
    checks.integer("reads", reads, minimum=1, maximum=len(cov))
    value, vector = np.linalg.eigh(cov)
    patterns = vector[:, ::-1][:, :reads] * np.sqrt(np.maximum(value[::-1][:reads], 0))
    pivots = linalg.qr(patterns.T, mode="r", pivoting=True)[1]
    return Fixed(pivots[:reads])


def corrected(state: State, ratio_BN: FloatArray | float, reads: int, *, aim: str) -> IntArray:
    """Return the greedy choice where variances are believed to be `ratio_BN` times those of the filter.

    Parameters
    ----------
    state : State
        What is known.
    ratio_BN : ndarray, shape (B, N), or float
        Above 0.
    reads : int
        K.
    aim : {"variance", "deviation"}
        As in `Greedy`.

    Returns
    -------
    ndarray of int, shape (B, K)
    """
    root = np.broadcast_to(np.sqrt(ratio_BN), state.can_BN.shape)
    out = np.full((len(root), reads), -1, dtype=np.int64)
    for b, cov_NN in enumerate(state.cov_BNN):
        believed = np.ascontiguousarray(cov_NN * np.outer(root[b], root[b]))
        weight = np.ones(len(believed))
        if aim == "deviation":  # what is known for sure has nothing to bring down
            known = believed.diagonal() <= 0
            weight = np.where(known, 0.0, np.where(known, 1.0, believed.diagonal()) ** -0.5)
        choose(believed, state.noise**2, weight, np.ascontiguousarray(state.can_BN[b]), out[b])
    return out


def _first(order_BN: FloatArray, reads: int) -> IntArray:
    """Return the `reads` smallest of each row, -1 in place of what is infinite."""
    at = np.argsort(order_BN, axis=1, kind="stable")[:, :reads]
    return np.where(np.isfinite(np.take_along_axis(order_BN, at, axis=1)), at, -1)


def _greedy_given(
    cov_NN: npt.ArrayLike, reads: int, noise: float, can_N: npt.ArrayLike | None, weight_N: npt.ArrayLike | None
) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
    cov = np.ascontiguousarray(covariance("cov", cov_NN))
    checks.integer("reads", reads, minimum=1, maximum=len(cov))
    checks.number("noise", noise, above=0)
    can = np.ones(len(cov), dtype=np.bool_) if can_N is None else checks.binary("can", can_N).copy()
    weight = np.ones(len(cov)) if weight_N is None else checks.array("weight", weight_N, ndim=1, minimum=0)
    checks.same_length(cov=cov, can=can, weight=weight)
    return cov, can, weight
