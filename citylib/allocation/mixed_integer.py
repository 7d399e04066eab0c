"""A mixed-integer programme solved by HiGHS, with what the solver can say of its answer: status, bound and gap.

scipy's `milp` stops by default at a gap of a ten-thousandth and calls the answer optimal. Here the gap asked for is 0,
and what is told of an answer is worked out again from the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from citylib import checks
from citylib.errors import InputError

__all__ = ["Outcome", "maximise"]

FloatArray = npt.NDArray[np.float64]
Status = Literal["optimal", "time limit", "stopped"]
SIZE = 1e5
ROUNDING = 1e-9  # relative: below it two sums of the same numbers are one


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the solver found, and what it knows of the best.

    Parameters
    ----------
    x : ndarray or None, shape (variables,)
        The best that was found; None: nothing was, in the time.
    value : float
        Its objective; minus infinity where nothing was found.
    bound : float
        No answer is better than this.
    status : {"optimal", "time limit", "stopped"}
        How the solver ended.
    message : str
        In the solver's words.
    nodes : int
        Of the tree of branch and bound.
    """

    x: FloatArray | None
    value: float
    bound: float
    status: Status
    message: str
    nodes: int


def maximise(
    objective: FloatArray,
    *,
    matrix: sparse.csr_array,
    low: FloatArray,
    high: FloatArray,
    whole: npt.NDArray[np.bool_],
    least: FloatArray,
    most: FloatArray,
    seconds: float,
    what: str,
) -> Outcome:
    """Return the x between its bounds that maximises the objective, rows of ``matrix @ x`` between theirs.

    Parameters
    ----------
    objective : ndarray, shape (variables,)
        Worth of a unit of each.
    matrix : scipy.sparse.csr_array, shape (rows, variables)
        Constraints.
    low, high : ndarray, shape (rows,)
        Ends of the rows.
    whole : ndarray of bool, shape (variables,)
        Which variables must be whole numbers.
    least, most : ndarray, shape (variables,)
        Ends of the variables.
    seconds : float
        Time limit, above 0.
    what : str
        The problem's name, for messages.

    Returns
    -------
    Outcome
        With a status; an early end is no error.

    Raises
    ------
    InputError
        No x keeps all constraints, or the objective has no end.

    Examples
    --------
    >>> knapsack = sparse.csr_array([[3.0, 4.0, 2.0]])
    >>> ends = (np.array([-np.inf]), np.array([6.0]))
    >>> found = maximise(np.array([5.0, 6.0, 3.0]), matrix=knapsack, low=ends[0], high=ends[1],
    ...     whole=np.ones(3, bool), least=np.zeros(3), most=np.ones(3), seconds=5, what="knapsack")
    >>> found.value, found.status
    (9.0, 'optimal')
    """
    limit = checks.number("seconds", seconds, above=0)
    scale = SIZE / max(float(np.abs(objective).sum()), 1e-300)  # the solver's own gap is absolute, a millionth
    found: Any = optimize.milp(
        -objective * scale,
        constraints=optimize.LinearConstraint(matrix, low, high),
        integrality=whole.astype(int),
        bounds=optimize.Bounds(least, most),
        options={"time_limit": limit, "mip_rel_gap": 0.0},
    )
    if found.status in (2, 3) or (found.x is None and "nbounded" in str(found.message)):
        told = str(found.message).split(" (")[0]
        raise InputError(what, "have a best answer that keeps all its constraints", told, "loosen or add some")
    x = None if found.x is None else np.where(whole, np.round(found.x), found.x)
    value = -np.inf if x is None else float(objective @ x)
    given = getattr(found, "mip_dual_bound", None)
    bound = np.inf if given is None or not np.isfinite(given) else -float(given) / scale
    ended: Status = "optimal" if found.status == 0 else "time limit" if found.status == 1 else "stopped"
    nodes = getattr(found, "mip_node_count", None)
    return Outcome(x, value, max(bound, value), ended, str(found.message), int(nodes or 0))
