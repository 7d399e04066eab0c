"""Busy units in closed form: Erlang's loss and waiting formulas, and Larson's hypercube of a few units.

They are what a simulation of dispatch is held to. Legend: Z zones, U units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import spsolve

from citylib import checks
from citylib.errors import InputError

__all__ = ["Hypercube", "erlang_loss", "erlang_wait", "hypercube"]

FloatArray = npt.NDArray[np.float64]
MOST_UNITS = 12  # two to this power states


@dataclass(frozen=True, eq=False)
class Hypercube:
    """The steady state of a few units.

    Parameters
    ----------
    busy : ndarray, shape (U,)
        Share of the time that each unit is busy.
    lost : float
        Share of calls that find all busy.
    sent : ndarray, shape (Z, U)
        Share of all calls that come from a zone and are answered by a unit.
    """

    busy: FloatArray
    lost: float
    sent: FloatArray


def erlang_loss(units: int, load: float) -> float:
    """Return the share of calls lost when `units` units share a load and nobody waits (Erlang B).

    It holds for any law of the service times, not only the exponential one.

    Parameters
    ----------
    units : int
        At least 1.
    load : float
        Calls that come in the mean time of a service, above 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        No units, or no load.

    Examples
    --------
    >>> erlang_loss(2, 1.0)
    0.2
    """
    a = checks.number("load", load, above=0)
    loss = 1.0
    for k in range(1, checks.integer("units", units, minimum=1) + 1):
        loss = a * loss / (k + a * loss)
    return loss


def erlang_wait(units: int, load: float) -> float:
    """Return the share of calls that must wait when calls queue and services are exponential (Erlang C).

    The mean wait of all calls is this share times the mean service over (units - load).

    Parameters
    ----------
    units : int
        At least 1.
    load : float
        Calls that come in the mean time of a service, above 0 and below `units`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        No units, no load, or a load that the units cannot carry.

    Examples
    --------
    >>> round(erlang_wait(2, 1.0), 4)
    0.3333
    """
    loss = erlang_loss(units, load)
    if load >= units:
        raise InputError("load", f"be below the number of units, {units}, or the queue has no end", load)
    return units * loss / (units - load * (1 - loss))


def hypercube(rate: npt.ArrayLike, order: npt.ArrayLike, service: float) -> Hypercube:
    """Solve the hypercube queueing model exactly: every set of busy units is a state of a Markov chain.

    A call of a zone gets the first free unit in the zone's order; with all busy it is lost. Services are exponential,
    with one mean for all units.

    Parameters
    ----------
    rate : array_like, shape (Z,)
        Calls a minute of each zone, 0 or more.
    order : array_like of int, shape (Z, U)
        Units from the first asked to the last, by zone.
    service : float
        Mean minutes of a service, above 0.

    Returns
    -------
    Hypercube

    Raises
    ------
    InputError
        More than 12 units; an order that doesn't name each unit once; no calls.

    References
    ----------
    Larson, R. C. (1974). A hypercube queuing model for facility location and redistricting in urban emergency
    services. Computers and Operations Research 1(1), 67-95.

    Examples
    --------
    >>> found = hypercube([0.5, 0.5], [[0, 1], [1, 0]], 1.0)
    >>> found.busy.round(3).tolist(), round(found.lost, 3)
    ([0.4, 0.4], 0.2)
    """
    calls = checks.array("rate", rate, ndim=1, minimum=0)
    named = checks.matrix("order", order)
    checks.same_length(rate=calls, order=named)
    zones, units = named.shape
    if units > MOST_UNITS:
        raise InputError("order", f"hold at most {MOST_UNITS} units: there are two to their number of states", units)
    if not (np.sort(named, axis=1) == np.arange(units)).all():
        raise InputError("order", "name each unit once in every zone", named.tolist())
    asked = named.astype(np.int64)
    if not calls.sum() > 0:
        raise InputError("rate", "be above 0 in some zone", calls.tolist())
    ends = 1 / checks.number("service", service, above=0)
    states = np.arange(2**units)
    is_busy = (states[:, None] >> np.arange(units)) & 1
    first = np.full((len(states), zones), -1)  # the unit that a call of the zone gets in a state
    for rank in range(units - 1, -1, -1):
        free = is_busy[:, asked[:, rank]] == 0
        first = np.where(free, asked[:, rank], first)
    rows, columns, flows = [], [], []
    for zone in range(zones):
        finds = np.flatnonzero(first[:, zone] >= 0)
        rows.append(finds)
        columns.append(finds + (1 << first[finds, zone]))
        flows.append(np.full(len(finds), calls[zone]))
    for unit in range(units):
        at = np.flatnonzero(is_busy[:, unit])
        rows.append(at)
        columns.append(at - (1 << unit))
        flows.append(np.full(len(at), ends))
    moves = sparse.csr_array(
        (np.concatenate(flows), (np.concatenate(rows), np.concatenate(columns))), shape=(len(states),) * 2
    )
    balance = sparse.csc_array(moves - sparse.diags_array(moves.sum(axis=1))).T.tolil()
    balance[0] = 1.0  # one balance follows from the others; probabilities add up to 1 instead
    chance = spsolve(balance.tocsc(), np.r_[1.0, np.zeros(len(states) - 1)])
    sent = np.zeros((zones, units))
    for zone in range(zones):
        some = first[:, zone] >= 0
        sent[zone] = np.bincount(first[some, zone], chance[some], minlength=units) * calls[zone] / calls.sum()
    return Hypercube(np.asarray(chance @ is_busy), float(chance[-1]), sent)
