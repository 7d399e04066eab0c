"""Dispatch with busy units, simulated: a call gets the nearest free unit, waits for one, or is lost.

Legend: n calls, U units.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import simpy

from citylib import checks
from citylib.errors import InputError

__all__ = ["Dispatched", "poisson_times", "simulate"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dispatched:
    """What became of every call, and of every unit.

    Parameters
    ----------
    unit : ndarray of int, shape (n,)
        Which unit came; -1: none.
    response : ndarray, shape (n,)
        Minutes from the call to the arrival, waiting included; NaN where none came.
    waited : ndarray, shape (n,)
        Minutes until a unit was free; NaN where none came.
    busy : ndarray, shape (U,)
        Share of the time from the first to the last call judged that a unit was busy.
    judged : ndarray of bool, shape (n,)
        Calls after the warm-up.
    """

    unit: IntArray
    response: FloatArray
    waited: FloatArray
    busy: FloatArray
    judged: npt.NDArray[np.bool_]

    def reached(self, within: float) -> npt.NDArray[np.bool_]:
        """Return which of the judged calls a unit reached in time; a lost call is none of them."""
        return np.asarray(self.response[self.judged] <= within)

    @property
    def lost(self) -> float:
        """Return the share of judged calls that no unit came to."""
        return float((self.unit[self.judged] < 0).mean())


def poisson_times(count: int, *, per_minute: float, generator: np.random.Generator) -> FloatArray:
    """Return times of calls that come independently of each other, at one rate.

    Parameters
    ----------
    count : int
        Calls, at least 1.
    per_minute : float
        Rate, above 0.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.

    Returns
    -------
    ndarray, shape (count,)
        Minutes, rising.

    Raises
    ------
    InputError
        No calls, or a rate of 0 or less.

    Examples
    --------
    >>> from citylib import seeds
    >>> poisson_times(3, per_minute=0.5, generator=seeds.generator(0)).shape
    (3,)
    """
    rate = checks.number("per_minute", per_minute, above=0)
    return np.asarray(np.cumsum(generator.exponential(1 / rate, checks.integer("count", count, minimum=1))))


def simulate(
    times: npt.ArrayLike,
    way: npt.ArrayLike,
    on_site: npt.ArrayLike,
    *,
    returns: bool = True,
    waits: bool = False,
    warm_up: float = 0.1,
) -> Dispatched:
    """Simulate dispatch call by call (SimPy): the nearest unit that is free at its station is sent.

    A unit is busy on the way, at the call and, if it returns, on the way back; it is not sent elsewhere meanwhile.

    Parameters
    ----------
    times : array_like, shape (n,)
        When calls come [minutes], rising.
    way : array_like, shape (n, U)
        Minutes from each unit's station to each call.
    on_site : array_like, shape (n,)
        Minutes at the call.
    returns : bool, default True
        Whether a unit is free only when it is back.
    waits : bool, default False
        What a call does while all units are busy: wait for the next one, first come first served, or be lost (to a
        neighbouring city, say).
    warm_up : float, default 0.1
        Share of the calls, the first, that are not judged, since all units begin free.

    Returns
    -------
    Dispatched

    Raises
    ------
    InputError
        No calls or units, times that fall, minutes that are missing or negative, a warm-up outside [0, 1).

    References
    ----------
    Larson, R. C. and Odoni, A. R. (1981). Urban Operations Research. Prentice-Hall. Chapter 5.

    Examples
    --------
    >>> found = simulate([0.0, 1.0, 2.0], [[1.0, 5.0]] * 3, [10.0] * 3, warm_up=0)
    >>> found.unit.tolist(), found.response.tolist()
    ([0, 1, -1], [1.0, 5.0, nan])
    """
    when = checks.series("times", times)
    far = checks.matrix("way", way)
    stay = checks.array("on_site", on_site, ndim=1, minimum=0)
    checks.same_length(times=when, way=far, on_site=stay)
    if far.shape[1] == 0:
        raise InputError("way", "have a column for at least one unit", far.shape)
    if (far < 0).any() or when[0] < 0 or (np.diff(when) < 0).any():
        raise InputError("times and way", "be 0 or more, and times must not fall", float(min(far.min(), when[0])))
    share = checks.number("warm_up", warm_up, minimum=0, maximum=0.99)
    city = _City(when, far, stay, returns, waits)
    city.run()
    judged = np.arange(len(when)) >= int(share * len(when))
    start, end = when[judged][0], when[-1]
    span = max(end - start, 1e-12)
    within = np.clip(np.minimum(city.until, end) - np.maximum(city.since, start), 0, None)
    came = city.unit >= 0
    busy = np.bincount(city.unit[came], within[came], minlength=far.shape[1]) / span
    return Dispatched(city.unit, city.waited + _taken(far, city.unit), city.waited, busy, judged)


class _City:
    """Units and calls in a SimPy environment."""

    def __init__(self, when: FloatArray, far: FloatArray, stay: FloatArray, returns: bool, waits: bool) -> None:
        self.when, self.far, self.stay, self.waits = when, far, stay, waits
        self.ways = 2.0 if returns else 1.0
        self.free = np.ones(far.shape[1], dtype=np.bool_)
        self.queue: deque[int] = deque()
        self.unit = np.full(len(when), -1, dtype=np.int64)
        self.waited, self.since, self.until = (np.full(len(when), np.nan) for _ in range(3))
        self.environment = simpy.Environment()

    def run(self) -> None:
        """Let all calls come and all jobs end."""
        self.environment.process(self._calls())
        self.environment.run()

    def _calls(self) -> Generator[Any, Any, None]:
        for call, at in enumerate(self.when):
            yield self.environment.timeout(max(0.0, at - self.environment.now))
            yield self.environment.timeout(0.0)  # a unit whose job ends at this very time is free
            if self.free.any():
                nearest = int(np.argmin(np.where(self.free, self.far[call], np.inf)))
                self._send(call, nearest, wait=0.0)
            elif self.waits:
                self.queue.append(call)

    def _send(self, call: int, unit: int, *, wait: float) -> None:
        self.free[unit] = False
        self.unit[call], self.waited[call] = unit, wait
        self.environment.process(self._job(call, unit))

    def _job(self, call: int, unit: int) -> Generator[Any, Any, None]:
        self.since[call] = self.environment.now
        yield self.environment.timeout(self.ways * self.far[call, unit] + self.stay[call])
        self.until[call] = self.environment.now
        self.free[unit] = True
        if self.queue:
            following = self.queue.popleft()
            self._send(following, unit, wait=self.environment.now - self.when[following])


def _taken(far: FloatArray, unit: IntArray) -> FloatArray:
    return np.where(unit >= 0, far[np.arange(len(unit)), np.maximum(unit, 0)], np.nan)
