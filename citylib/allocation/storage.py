"""A battery and load that can wait, planned a day ahead: one linear program over the days that may come.

Legend: S days that may come (scenarios), T hours of a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from citylib import checks
from citylib.errors import CitylibError, InputError

__all__ = ["Battery", "Schedule", "bill", "plan"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Battery:
    """A battery that begins and ends each day with the same charge.

    Parameters
    ----------
    energy : float
        What it holds [MWh].
    power : float
        Fastest charging and discharging, on the side of the grid [MW].
    efficiency : float, default 0.9
        Of a round trip; both ways lose the same share.
    kept : float, default 0.5
        Share of `energy` that it begins and ends with, 0 to 1.

    Examples
    --------
    >>> Battery(8.0, 2.0).start
    4.0
    """

    energy: float
    power: float
    efficiency: float = 0.9
    kept: float = 0.5

    def __post_init__(self) -> None:
        checks.number("energy", self.energy, minimum=0)
        checks.number("power", self.power, minimum=0)
        checks.number("efficiency", self.efficiency, above=0, maximum=1)
        checks.fraction("kept", self.kept, closed=True)

    @property
    def start(self) -> float:
        """Charge at the beginning and the end of a day [MWh]."""
        return self.kept * self.energy


@dataclass(frozen=True, eq=False)
class Schedule:
    """What is to be done hour by hour, and what one unit more would be worth.

    Parameters
    ----------
    charge, discharge : ndarray, shape (T,)
        Of the battery, on the side of the grid, mean of each hour [MW].
    moved : ndarray, shape (T,)
        Load that other hours send here (above 0) or that waits or comes earlier (below 0); sums to 0 [MW].
    state : ndarray, shape (T + 1,)
        Charge before each hour and at the end [MWh].
    cost : ndarray, shape (S,)
        Bill of each of the days that may come, if this is done.
    objective : float
        What was made least.
    worth_energy, worth_power : float
        What the objective would fall by, for a MWh and a MW of battery more (shadow prices).
    """

    charge: FloatArray
    discharge: FloatArray
    moved: FloatArray
    state: FloatArray
    cost: FloatArray
    objective: float
    worth_energy: float
    worth_power: float

    def drawn(self, load: npt.ArrayLike) -> FloatArray:
        """Return what is drawn from the grid when `load`, shape (..., T), comes."""
        return np.asarray(load, dtype=float) + self.charge - self.discharge + self.moved


def bill(drawn: npt.ArrayLike, price: npt.ArrayLike, peak_price: float, *, peak_so_far: float = 0.0) -> FloatArray:
    """Return what days cost: energy by the hour, and their highest hour.

    Parameters
    ----------
    drawn : array_like, shape (..., T)
        From the grid [MW].
    price : array_like, shape (T,)
        Of energy [money / MWh].
    peak_price : float
        Of the highest hour [money / MW].
    peak_so_far : float, default 0
        Highest hour before these [MW].

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> float(bill([2.0, 3.0], [10.0, 20.0], 100.0))
    380.0
    """
    hours = np.asarray(drawn, dtype=float)
    highest = np.maximum(hours.max(axis=-1), peak_so_far)
    return np.asarray(hours @ np.asarray(price, dtype=float) + peak_price * highest)


def plan(
    load_ST: npt.ArrayLike,
    battery: Battery,
    *,
    price: npt.ArrayLike,
    peak_price: float,
    flexible: npt.ArrayLike = 0.0,
    tail: float = 0.0,
    start: float | None = None,
    end: float | None = None,
    peak_so_far: float = 0.0,
    owed: float = 0.0,
) -> Schedule:
    """Return the schedule whose bill is least, over days any of which may come.

    One day is a deterministic plan. Of several, each as likely, the mean bill is made least (stochastic), the mean
    over the dearest of them, or the bill of the dearest one (robust over what is given). The schedule is the same
    whichever day comes: nothing is decided after it has begun. What the battery gives beyond the load goes to the grid
    and is paid at the price of the hour.

    Parameters
    ----------
    load_ST : array_like, shape (S, T)
        Days that may come [MW].
    battery : Battery
        What there is.
    price : array_like, shape (T,)
        Of energy, not below 0 [money / MWh].
    peak_price : float
        Of the highest hour of the day [money / MW].
    flexible : array_like, shape (T,) or a number, default 0
        Most load that may leave an hour or be added to it [MW]; never more leaves than the least that may be there.
    tail : float, default 0
        The mean is taken over the dearest ``1 - tail`` of the days: 0 for all, 1 for the dearest one.
    start, end : float, optional
        Charge before the first hour and after the last [MWh]; by default the battery's own.
    peak_so_far : float, default 0
        Highest hour before these, which is paid for in any case [MW].
    owed : float, default 0
        Load that earlier hours of the day let wait, to be met in these; below 0 what they took ahead [MWh].

    Returns
    -------
    Schedule

    Raises
    ------
    InputError
        Not finite, prices below 0, an end that cannot be reached from the start, more owed than may be moved.
    CitylibError
        The solver gave up.

    References
    ----------
    Rockafellar, R. T. and Uryasev, S. (2000). Optimization of conditional value-at-risk. Journal of Risk, 2(3).
    Shapiro, A., Dentcheva, D. and Ruszczynski, A. (2014). Lectures on stochastic programming. 2nd ed. SIAM.

    Examples
    --------
    >>> day = [[2.0, 2.0, 6.0, 2.0]]
    >>> found = plan(day, Battery(4.0, 4.0, efficiency=1.0), price=[1.0] * 4, peak_price=10.0)
    >>> found.drawn(day).round(6).tolist()
    [[3.0, 3.0, 3.0, 3.0]]
    """
    load = checks.array("load_ST", load_ST, ndim=2)
    days, hours = load.shape
    if not days or not hours:
        raise InputError("load_ST", "hold a day with an hour", load.shape)
    cost = checks.array("price", price, ndim=1, minimum=0)
    checks.same_length(load_ST=load[0], price=cost)
    checks.number("peak_price", peak_price, minimum=0)
    checks.fraction("tail", tail, closed=True)
    room = checks.array("flexible", np.atleast_1d(flexible), ndim=1, minimum=0)
    if len(room) not in (1, hours):
        raise InputError("flexible", f"be one number, or one for each of {hours} hours", len(room))
    room = np.broadcast_to(room, (hours,))
    checks.number("peak_so_far", peak_so_far, minimum=0)
    first = battery.start if start is None else checks.number("start", start, minimum=0, maximum=battery.energy)
    last = battery.start if end is None else checks.number("end", end, minimum=0, maximum=battery.energy)
    _reachable(battery, first, last, hours)
    most = float((_leaves(load, room) if checks.number("owed", owed) < 0 else room).sum())
    if abs(owed) > most * (1 + 1e-9) + 1e-9:
        raise InputError("owed", f"be at most what may be moved, {most:.4g} MWh", owed)
    program = _program(load, battery, cost, peak_price, room, tail, (first, last, owed), peak_so_far)
    found = linprog(**program, method="highs")
    if found.status != 0:
        raise CitylibError(f"the schedule was not found: {found.message}")
    charge, discharge, moved, state = found.x[: 4 * hours].reshape(4, hours)
    costs = bill(load + charge - discharge + moved, cost, peak_price, peak_so_far=peak_so_far)
    total = float(found.fun) + (float((load @ cost).mean()) if tail == 0 else 0.0)
    energy = found.upper.marginals[3 * hours : 4 * hours - 1].sum()
    if start is None:  # it grows with the battery
        energy += battery.kept * found.eqlin.marginals[0]
    if end is None:
        at = 4 * hours - 1
        energy += battery.kept * (found.upper.marginals[at] + found.lower.marginals[at])
    worth = -float(energy), -float(found.upper.marginals[: 2 * hours].sum())
    return Schedule(charge, discharge, moved, np.concatenate([[first], state]), costs, total, *worth)


def _leaves(load: FloatArray, room: FloatArray) -> FloatArray:
    """Return how much load may leave each hour, whichever day comes, shape (T,)."""
    return np.asarray(np.clip(load.min(axis=0), 0.0, room))


def _reachable(battery: Battery, first: float, last: float, hours: int) -> None:
    one_way = np.sqrt(battery.efficiency)
    most = battery.power * hours * (one_way if last > first else 1 / one_way)
    if abs(last - first) > most * (1 + 1e-9) + 1e-12:
        raise InputError("end", f"be within {most:.4g} MWh of the start, {first:.4g}, in {hours} hours", last)


def _program(
    load: FloatArray,
    battery: Battery,
    price: FloatArray,
    peak_price: float,
    room: FloatArray,
    tail: float,
    ends: tuple[float, float, float],
    peak_so_far: float,
) -> dict[str, Any]:
    """Columns: charge, discharge, moved, state after each hour, highest hour of each day, then the tail's."""
    days, hours = load.shape
    extra = 0 if tail == 0 else 1 if tail == 1 else 1 + days
    peaks, width = slice(4 * hours, 4 * hours + days), 4 * hours + days + extra
    eye, none = sparse.eye_array(hours), sparse.csr_array((hours, hours))
    one_way = np.sqrt(battery.efficiency)
    drawn = sparse.kron(np.ones((days, 1)), sparse.hstack([eye, -eye, eye, none]))
    highest = -sparse.kron(sparse.eye_array(days), np.ones((hours, 1)))
    rows, limits = [sparse.hstack([drawn, highest, sparse.csr_array((days * hours, extra))])], [-load.ravel()]
    least = np.zeros(width)
    least[: 3 * hours] = np.concatenate([price, -price, price])
    if tail == 0:
        least[peaks] = peak_price / days
    else:  # what is dearer than a level, itself chosen, is counted (Rockafellar and Uryasev)
        level = [sparse.csr_array((days, 4 * hours)), peak_price * sparse.eye_array(days), -np.ones((days, 1))]
        rows.append(sparse.hstack(level if tail == 1 else [*level, -sparse.eye_array(days)]))
        limits.append(-(load @ price))
        least[4 * hours + days] = 1.0
        least[4 * hours + days + 1 :] = 1 / ((1 - tail) * days) if tail < 1 else 0.0
    step = eye - sparse.eye_array(hours, k=-1)
    balance = sparse.hstack([-one_way * eye, eye / one_way, none, step, sparse.csr_array((hours, days + extra))])
    shifted = sparse.csr_array(np.repeat([0.0, 1.0, 0.0], [2 * hours, hours, width - 3 * hours])[None])
    low, high = np.zeros(width), np.full(width, np.inf)
    high[: 2 * hours], high[3 * hours : 4 * hours] = battery.power, battery.energy
    low[2 * hours : 3 * hours], high[2 * hours : 3 * hours] = -_leaves(load, room), room
    low[4 * hours - 1] = high[4 * hours - 1] = ends[1]
    low[peaks], low[4 * hours + days : 4 * hours + days + min(extra, 1)] = peak_so_far, -np.inf
    same = np.concatenate([[ends[0]], np.zeros(hours - 1), [ends[2]]])
    return {
        "c": least,
        "A_ub": sparse.vstack(rows).tocsr(),
        "b_ub": np.concatenate(limits),
        "A_eq": sparse.vstack([balance, shifted]).tocsr(),
        "b_eq": same,
        "bounds": np.column_stack([low, high]),
    }
