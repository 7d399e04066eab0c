"""Remaining life: how much longer a thing of a given age lasts, by Weibull laws that are themselves only estimated.

Several causes may end it, each with a law of its own; whichever comes first ends it. What is not known about the laws
comes in as draws of their parameters: a forecast is the mean over draws, so that its intervals hold both chance and
ignorance.
Legend: n things, C causes, B draws of parameters, P shares.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["outlives", "quantiles"]

FloatArray = npt.NDArray[np.float64]
HALVINGS = 60


def outlives(age: npt.ArrayLike, ahead: npt.ArrayLike, shape: npt.ArrayLike, scale: npt.ArrayLike) -> FloatArray:
    """Return the probability that a thing of some age lasts longer than so many years more.

    Parameters
    ----------
    age : array_like, shape (n,)
        Age of each, 0 or more.
    ahead : array_like, shape (n,)
        Years from now on, of each, 0 or more.
    shape : array_like, shape (C, B)
        Weibull shape of each cause in each draw.
    scale : array_like, shape (C, n, B)
        Weibull scale of each cause, thing and draw; infinite where a cause does not end it.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        Negative ages or years, shapes or scales not above 0, arrays that do not fit.

    Examples
    --------
    >>> outlives([30.0], [20.0], [[1.0], [2.0]], [[[40.0]], [[50.0]]]).round(4).tolist()  # exp(-20/40 - 1 + 0.36)
    [0.3198]
    """
    a_n, shape_CB, scale_CnB = _laws(age, shape, scale)
    r_n = checks.array("ahead", ahead, ndim=1, minimum=0)
    checks.same_length(age=a_n, ahead=r_n)
    return _outlives(a_n, r_n, shape_CB, scale_CnB)


def quantiles(
    age: npt.ArrayLike, shape: npt.ArrayLike, scale: npt.ArrayLike, shares: npt.ArrayLike, *, longest: float = 1000.0
) -> FloatArray:
    """Return the years by which given shares of things like each have ended.

    Parameters
    ----------
    age : array_like, shape (n,)
        As in `outlives`.
    shape : array_like, shape (C, B)
        As in `outlives`.
    scale : array_like, shape (C, n, B)
        As in `outlives`.
    shares : array_like, shape (P,)
        Between 0 and 1: 0.5 for the median, 0.1 and 0.9 for an interval of 80 %.
    longest : float, default 1000
        Years within which they are looked for.

    Returns
    -------
    ndarray, shape (n, P)
        Infinite where the share is not reached within `longest`.

    Raises
    ------
    InputError
        As `outlives` does; shares not between 0 and 1.

    Examples
    --------
    >>> quantiles([0.0, 30.0], [[1.0]], [[[40.0], [40.0]]], [0.5]).round(2).tolist()  # no ageing: 40 log 2, at any age
    [[27.73], [27.73]]
    """
    a_n, shape_CB, scale_CnB = _laws(age, shape, scale)
    wanted = checks.array("shares", shares, ndim=1, at_least=1)
    if not ((wanted > 0) & (wanted < 1)).all():
        raise InputError("shares", "lie between 0 and 1", wanted.tolist())
    end = checks.number("longest", longest, above=0)
    found = np.empty((len(a_n), len(wanted)))
    for p, share in enumerate(wanted):
        low, high = np.zeros(len(a_n)), np.full(len(a_n), end)
        never = _outlives(a_n, high, shape_CB, scale_CnB) > 1 - share
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            stays = _outlives(a_n, middle, shape_CB, scale_CnB) > 1 - share
            low, high = np.where(stays, middle, low), np.where(stays, high, middle)
        found[:, p] = np.where(never, np.inf, (low + high) / 2)
    return found


def _outlives(a_n: FloatArray, r_n: FloatArray, shape_CB: FloatArray, scale_CnB: FloatArray) -> FloatArray:
    hazard = np.zeros((len(a_n), shape_CB.shape[1]))
    for shape_B, scale_nB in zip(shape_CB, scale_CnB, strict=True):
        hazard += ((a_n + r_n)[:, None] / scale_nB) ** shape_B - (a_n[:, None] / scale_nB) ** shape_B
    return np.asarray(np.exp(-hazard).mean(axis=1))


def _laws(age: npt.ArrayLike, shape: npt.ArrayLike, scale: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    a_n = checks.array("age", age, ndim=1, at_least=1, minimum=0)
    shape_CB = checks.array("shape", shape, ndim=2, at_least=1)
    scale_CnB = np.asarray(scale, dtype=np.float64)
    fits = (len(shape_CB), len(a_n), shape_CB.shape[1])
    if scale_CnB.shape != fits:
        raise InputError("scale", f"have the shape {fits} of causes, things and draws", scale_CnB.shape)
    for name, values in (("shape", shape_CB), ("scale", scale_CnB)):
        if not (values > 0).all():
            raise InputError(name, "be above 0", float(values[~(values > 0)][0]))
    return a_n, shape_CB, scale_CnB
