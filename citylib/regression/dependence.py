"""Columns that repeat others: which they are, and from which they follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["dependent"]

TOLERANCE = 1e-9  # a column whose new part is smaller than this share of it adds nothing


def dependent(x_TK: npt.ArrayLike, names: Sequence[str]) -> dict[str, str]:
    """Return the columns that are linear combinations of earlier ones, with the combination.

    Parameters
    ----------
    x_TK : array_like, shape (T, K)
        Columns, none missing.
    names : sequence of str, length K
        Their names.

    Returns
    -------
    dict of str to str
        Empty if all are independent.

    Examples
    --------
    >>> dependent([[1, 2, 4], [1, 3, 6], [1, 5, 10]], ["intercept", "a", "b"])
    {'b': '2 a'}
    """
    x = checks.matrix("x", x_TK)
    if x.shape[1] != len(names):
        raise InputError("names", f"be {x.shape[1]}, one a column", len(names))
    size_K = np.abs(x).max(axis=0)  # each column in its own size, whose squares neither overflow nor vanish
    size_K[size_K == 0] = 1.0
    triangle = np.asarray(np.linalg.qr(x / size_K, mode="r"))
    found: dict[str, str] = {}
    kept: list[int] = []
    basis = np.zeros((len(triangle), 0))
    for k, name in enumerate(names):
        column = triangle[:, k]
        size = float(np.linalg.norm(column))
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)  # twice is enough (Giraud and Langou, 2005)
        left = float(np.linalg.norm(rest))
        if left > TOLERANCE * size:
            kept.append(k)
            basis = np.column_stack([basis, rest / left])
        else:
            weights = np.linalg.lstsq(triangle[:, kept], column, rcond=None)[0] * size_K[k] / size_K[kept]
            found[name] = _combination(weights, [names[j] for j in kept])
    return found


def _combination(weights: npt.NDArray[np.float64], names: Sequence[str]) -> str:
    large = np.abs(weights) > 1e-6 * max(np.abs(weights).max(initial=0.0), 1e-300)
    parts = [n if f"{w:.6g}" == "1" else f"{w:.6g} {n}" for w, n, use in zip(weights, names, large, strict=True) if use]
    return (" + ".join(parts[:6]) + (" + ..." if len(parts) > 6 else "")) or "0"
