"""Minimum shares and caps: given by name or by position, refused by name where no split can keep them.

Legend: N resources, Q rows: 1 (the same for all instances) or B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError, UnknownNameError

__all__ = ["by_name", "check"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
ROUNDING = 1e-12  # by which bounds may miss 1: shares worked out by division don't add up exactly


def by_name(argument: str, values: Mapping[str, float], resources: Sequence[str], *, otherwise: float) -> FloatArray:
    """Return a number for each resource from those given by name.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    values : mapping of str to float
        Numbers of some resources.
    resources : sequence of str
        Names of all, in order.
    otherwise : float
        The number of those not named.

    Returns
    -------
    ndarray, shape (N,)

    Raises
    ------
    UnknownNameError
        A resource that is not there; the nearest is offered.
    InputError
        What is no finite number; for no cap, `otherwise` is 1.

    Examples
    --------
    >>> by_name("minimum", {"north": 0.2}, ["north", "south"], otherwise=0).tolist()
    [0.2, 0.0]
    """
    known = [str(name) for name in checks.unique("resources", list(resources))]
    out = np.full(len(known), checks.number("otherwise", otherwise))
    for name, value in values.items():
        if name not in known:
            raise UnknownNameError(f"resource of {argument}", str(name), known)
        out[known.index(name)] = checks.number(f"{argument} of {name}", value)
    return out


def check(low_QN: FloatArray, high_QN: FloatArray, mask_QN: BoolArray, *, names: Sequence[str] | None = None) -> None:
    """Raise where no shares that sum to 1 lie between the bounds, and name the resources that stand in the way.

    Parameters
    ----------
    low_QN, high_QN : ndarray, shape (Q, N)
        Smallest and largest shares.
    mask_QN : ndarray of bool, shape (Q, N)
        Which resources there are.
    names : sequence of str, optional
        Names of the resources, for the message; by default their positions.

    Raises
    ------
    InputError
        A minimum below 0 or above its cap, minimum shares of more than 1 in all, caps of less than 1; other names than
        resources.

    Examples
    --------
    >>> one = np.ones((1, 2))
    >>> check(np.array([[0.7, 0.4]]), one, one > 0, names=["north", "south"])
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: minimum shares must add up to 1 at most, got 'north 0.7, south 0.4: together 1.1'
    """
    called = list(names) if names is not None else [f"resource {i}" for i in range(low_QN.shape[1])]
    if len(called) != low_QN.shape[1]:
        raise InputError("names", f"name the {low_QN.shape[1]} resources", len(called))
    low_QN, high_QN, mask_QN = np.broadcast_arrays(low_QN, high_QN, mask_QN)
    for rule, bad in (("be 0 or more", low_QN < 0), ("not lie above the caps", low_QN > high_QN)):
        if (bad & mask_QN).any():
            row, i = np.argwhere(bad & mask_QN)[0]
            cap = f" (cap {high_QN[row, i]:g})" if np.isfinite(high_QN[row, i]) else ""
            raise InputError("minimum shares", rule, _told(called, {i: low_QN[row, i]}) + cap + _where(row, bad))
    least = np.where(mask_QN, low_QN, 0.0).sum(axis=1)
    if (least > 1 + ROUNDING).any():
        row = int(np.argmax(least))
        those = {i: low_QN[row, i] for i in np.argsort(-low_QN[row], kind="stable") if mask_QN[row, i]}
        some = {i: v for i, v in those.items() if v > 0}
        told = f"{_told(called, some)}: together {least[row]:.6g}{_where(row, mask_QN)}"
        raise InputError("minimum shares", "add up to 1 at most", told)
    most = np.where(mask_QN, np.minimum(high_QN, 1.0), 0.0).sum(axis=1)
    if (most < 1 - ROUNDING).any():
        row = int(np.argmin(most))
        those = {i: high_QN[row, i] for i in np.flatnonzero(mask_QN[row])}
        told = f"{_told(called, those)}: together {most[row]:.6g}{_where(row, mask_QN)}"
        raise InputError("caps", "add up to 1 at least, as the whole budget is handed out", told)


def _told(called: Sequence[str], those: Mapping[int, float]) -> str:
    shown = [f"{called[i]} {value:.6g}" for i, value in those.items()]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")


def _where(row: int, rows_QN: BoolArray) -> str:
    """Return which instance it is, if there are several."""
    return f" (instance {row})" if len(rows_QN) > 1 else ""
