"""Where stations or crews stand, how good that is, and how far from the best it can be.

Legend: P demand points, S sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation.mixed_integer import ROUNDING, Outcome
from citylib.errors import InputError, UnknownNameError

__all__ = ["Placement", "SiteProblem", "judged", "positions", "site_problem"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Placement:
    """A choice of sites.

    Parameters
    ----------
    units : ndarray of int, shape (S,)
        Units at each site.
    value : float
        What the choice reaches, worked out from it: weighted demand covered, or weighted minutes.
    share : float
        The same over all demand: a share, or mean minutes.
    bound : float
        No choice is better than this, in the unit of `value`.
    gap : float
        How far `value` is from `bound`, relative to `value`; 0: proven the best. Infinite: nothing is known.
    status : {"optimal", "time limit", "stopped", "greedy"}
        How it was found.
    source : {"solver", "greedy"}
        Whose choice it is: where a solver that stopped early has a worse one than the greedy rule, the greedy one's.
    nodes : int
        Of the tree of branch and bound.
    """

    units: IntArray
    value: float
    share: float
    bound: float
    gap: float
    status: Literal["optimal", "time limit", "stopped", "greedy"]
    source: Literal["solver", "greedy"]
    nodes: int = 0

    @property
    def sites(self) -> IntArray:
        """Return the positions of sites that have a unit."""
        return np.flatnonzero(self.units)

    @property
    def proven(self) -> bool:
        """Whether no choice is better."""
        return self.status == "optimal" and self.gap == 0

    def told(self) -> str:
        """Return in words how good the choice is known to be."""
        if self.proven:
            return "proven the best (gap 0)"
        known = f"within {self.gap:.2%} of the best" if np.isfinite(self.gap) else "with no bound on the best"
        return f"not proven: {self.status}, {known}"


@dataclass(frozen=True, eq=False)
class SiteProblem:
    """Arguments of a problem of sites, checked.

    Parameters
    ----------
    minutes : ndarray, shape (P, S)
        From each site to each point.
    demand : ndarray, shape (P,)
        Weights.
    budget : int
        Units to place, those that are fixed included.
    fixed : ndarray of int
        Positions of sites that have a unit already.
    """

    minutes: FloatArray
    demand: FloatArray
    budget: int
    fixed: IntArray


def site_problem(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
    per_site: int = 1,
) -> SiteProblem:
    """Check what every problem of sites is made of.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each demand point; 0 or more.
    demand : array_like, shape (P,)
        Weights, 0 or more, some above.
    budget : int
        Units to place, at least 1, and no more than there are sites (times `per_site`).
    fixed : sequence of int or str
        Sites that have a unit already, by position or name.
    names : sequence of str, optional
        Names of the sites.
    per_site : int, default 1
        Units that fit into a site.

    Returns
    -------
    SiteProblem

    Raises
    ------
    InputError
        Any of these rules broken.
    UnknownNameError
        A site that is not there.

    Examples
    --------
    >>> site_problem([[1.0, 2.0]], [3.0], 3)
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: budget must be at most the number of candidate sites, 2, got 3
    """
    far = checks.matrix("minutes", minutes)
    if (far < 0).any():
        raise InputError("minutes", "be 0 or more", float(far.min()))
    weight = checks.array("demand", demand, ndim=1, minimum=0)
    checks.same_length(minutes=far, demand=weight)
    if not weight.sum() > 0:
        raise InputError("demand", "be above 0 somewhere", float(weight.sum()))
    checks.squarable("demand", weight)
    room = far.shape[1] * checks.integer("per_site", per_site, minimum=1)
    if isinstance(budget, (int, np.integer)) and not isinstance(budget, bool) and budget > room:
        whose = "candidate sites" if per_site == 1 else f"places at candidate sites ({per_site} each)"
        raise InputError("budget", f"be at most the number of {whose}, {room}", int(budget))
    count = checks.integer("budget", budget, minimum=1)
    held = positions("fixed", fixed, far.shape[1], names)
    if len(held) > count:
        raise InputError("budget", f"be at least the number of fixed sites, {len(held)}", count)
    return SiteProblem(far, weight, count, held)


def positions(argument: str, wanted: Sequence[int | str], count: int, names: Sequence[str] | None = None) -> IntArray:
    """Return positions of sites given by position or by name, each once.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    wanted : sequence of int or str
        Positions, or names.
    count : int
        Sites there are.
    names : sequence of str, optional
        Their names.

    Returns
    -------
    ndarray of int

    Raises
    ------
    InputError
        A site twice, a position beyond the last, as many names as sites not given.
    UnknownNameError
        A name that is not there; the nearest is offered.

    Examples
    --------
    >>> positions("fixed", ["south"], 2, ["north", "south"]).tolist()
    [1]
    """
    called = [str(name) for name in names] if names is not None else None
    if called is not None and len(checks.unique("names", called)) != count:
        raise InputError("names", f"name each of the {count} sites", len(called))
    out = []
    for k, site in enumerate(wanted):
        if isinstance(site, str):
            if called is None or site not in called:
                raise UnknownNameError(f"site of {argument}", site, called or ())
            out.append(called.index(site))
        else:
            out.append(checks.integer(f"{argument}[{k}]", site, minimum=0, maximum=count - 1))
    return np.array(checks.unique(argument, out), dtype=np.int64)


def judged(
    units: IntArray,
    value: float,
    outcome: Outcome,
    greedy_units: IntArray,
    greedy_value: float,
    total: float,
    *,
    sign: float = 1.0,
) -> Placement:
    """Return the better of the solver's choice and the greedy one, with the solver's bound.

    Parameters
    ----------
    units, greedy_units : ndarray of int, shape (S,)
        The two choices; the solver's is not looked at where it found none.
    value, greedy_value : float
        What they reach, worked out from them.
    outcome : Outcome
        The solver's.
    total : float
        All demand, that `share` is taken of.
    sign : float, default 1
        1: more is better; -1: less is, and the solver maximised minus the value.

    Returns
    -------
    Placement
    """
    solver = outcome.x is not None and sign * value >= sign * greedy_value * (1 - sign * ROUNDING)
    chosen, reached = (units, value) if solver else (greedy_units, greedy_value)
    bound = sign * max(outcome.bound, sign * reached)
    apart = abs(bound - reached) / abs(reached) if reached else (0.0 if bound == reached else np.inf)
    gap = 0.0 if apart <= ROUNDING else float(apart)
    return Placement(
        chosen.astype(np.int64),
        float(reached),
        float(reached / total),
        float(bound),
        gap,
        outcome.status,
        "solver" if solver else "greedy",
        outcome.nodes,
    )
