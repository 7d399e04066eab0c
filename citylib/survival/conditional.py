"""How much longer: survival from now on, given what has been waited for already; and hazards beyond what was watched.

Legend: n rows, M times, K times ahead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["carried_on", "survival_ahead"]

FloatArray = npt.NDArray[np.float64]


def carried_on(hazard: npt.ArrayLike, time: npt.ArrayLike, *, known_to: float) -> FloatArray:
    """Carry cumulative hazards on beyond the time to which they are known.

    Estimates that are steps (Kaplan and Meier's, Cox's baseline, a forest's) know nothing beyond the longest wait that
    was watched; read there as they stand, they promise that nothing will ever end. Here the hazard goes on at the rate
    it had on average in the second half of what is known. That is a decision, not an estimate.

    Parameters
    ----------
    hazard : array_like, shape (n, M)
        Cumulative hazard of each row at each time; what stands beyond `known_to` is not read.
    time : array_like, shape (M,)
        Times, rising, from 0 on.
    known_to : float
        The last time at which the hazards are known, above 0.

    Returns
    -------
    ndarray, shape (n, M)

    Raises
    ------
    InputError
        Times that do not rise from 0, shapes that do not fit.

    Examples
    --------
    >>> carried_on([[0.0, 1.0, 3.0, 9.0]], [0.0, 1.0, 2.0, 4.0], known_to=2.0).tolist()
    [[0.0, 1.0, 3.0, 7.0]]
    """
    h_nM, when = _hazards(hazard, time)
    end = checks.number("known_to", known_to, above=0)
    top, half = _read(h_nM, when, np.full(len(h_nM), end)), _read(h_nM, when, np.full(len(h_nM), end / 2))
    beyond = np.maximum(when - end, 0.0)
    return np.where(when > end, top[:, None] + beyond * ((top - half) / (end / 2))[:, None], h_nM)


def survival_ahead(
    hazard: npt.ArrayLike, time: npt.ArrayLike, ahead: npt.ArrayLike, *, waited: npt.ArrayLike | None = None
) -> FloatArray:
    """Return the probability to last longer than each time ahead, given what has been waited for already.

    That is S(w + u) / S(w), or exp(-(H(w + u) - H(w))) with H the cumulative hazard, a straight line between times.

    Parameters
    ----------
    hazard : array_like, shape (n, M)
        Cumulative hazard of each row at each time.
    time : array_like, shape (M,)
        Times, rising, from 0 to at least the largest wait and time ahead together.
    ahead : array_like, shape (K,)
        Times from now on.
    waited : array_like, shape (n,), optional
        How long each has lasted by now; by default 0.

    Returns
    -------
    ndarray, shape (n, K)

    Raises
    ------
    InputError
        Times that end too soon, negative waits, shapes that do not fit.

    Examples
    --------
    >>> survival_ahead([[0.0, 1.0, 3.0]], [0.0, 1.0, 2.0], [1.0], waited=[1.0]).round(4).tolist()
    [[0.1353]]
    """
    h_nM, when = _hazards(hazard, time)
    u = checks.array("ahead", ahead, ndim=1, at_least=1, minimum=0)
    w = np.zeros(len(h_nM)) if waited is None else checks.array("waited", waited, ndim=1, minimum=0)
    checks.same_length(hazard=h_nM, waited=w)
    if w.max() + u.max() > when[-1] + 1e-9:
        raise InputError("time", f"reach {w.max() + u.max():g}", float(when[-1]))
    now = _read(h_nM, when, w)
    return np.exp(-np.column_stack([_read(h_nM, when, w + step) - now for step in u]))


def _hazards(hazard: npt.ArrayLike, time: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    h_nM = checks.array("hazard", hazard, ndim=2, minimum=0)
    when = checks.increasing("time", checks.array("time", time, ndim=1, at_least=2, minimum=0))
    if when[0] != 0:
        raise InputError("time", "begin at 0", float(when[0]))
    if h_nM.shape[1] != len(when):
        raise InputError("hazard", f"have {len(when)} columns, one a time", h_nM.shape)
    return h_nM, np.asarray(when)


def _read(h_nM: FloatArray, when: FloatArray, at_n: FloatArray) -> FloatArray:
    """Read each row's hazard at its own time."""
    right = np.clip(np.searchsorted(when, at_n, side="right"), 1, len(when) - 1)
    row = np.arange(len(h_nM))
    share = np.clip((at_n - when[right - 1]) / (when[right] - when[right - 1]), 0.0, 1.0)
    return np.asarray((1 - share) * h_nM[row, right - 1] + share * h_nM[row, right])
