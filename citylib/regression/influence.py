"""Which days a fit hangs on: what leaving out a whole group of rows would change.

Statsmodels has the influence of single rows. The rows of a day err together, so that a day pulls
more than each of its hours does. Groups of one row give its answers. Legend: T rows, K columns, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg

from citylib import checks
from citylib.errors import InputError
from citylib.regression.dependence import dependent

__all__ = ["GroupInfluence", "by_group"]

FloatArray = npt.NDArray[np.float64]
CLOSE = 1e-9  # a column's new part, as a share of the largest, under which columns are looked at for dependence
ALONE = 1e-9  # of a direction of the design, the share outside a group under which the group has it alone


@dataclass(frozen=True, eq=False)
class GroupInfluence:
    """What leaving out each group would change.

    Parameters
    ----------
    names : tuple of str
        Of the K columns.
    groups : tuple of str
        Labels, in the order of their first rows.
    rows : ndarray of int, shape (G,)
        Rows of each.
    residual : ndarray, shape (G,)
        Mean residual of the group in the fit of all rows.
    change : ndarray, shape (G, K)
        Coefficients of the fit of all rows minus those of the fit without the group; NaN across where a column
        is filled by the group alone.
    distance : ndarray, shape (G,)
        Cook's distance of the group, change' X'X change / (K sigma^2); NaN as `change`.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    residual: FloatArray
    change: FloatArray
    distance: FloatArray


def by_group(
    x: pd.DataFrame | npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike, *, names: Sequence[str] | None = None
) -> GroupInfluence:
    """Return what leaving out each group of rows would change in a least squares fit, without fitting again.

    With e the residuals, X = QR and Q_g the rows of group g, the coefficients move by
    R^-1 Q_g' (I - Q_g Q_g')^-1 e_g.

    Parameters
    ----------
    x : DataFrame or array_like, shape (T, K)
        Design matrix with its intercept, none missing.
    y : array_like, shape (T,)
        Readings, none missing.
    groups : array_like, shape (T,)
        Label of each row's group, such as its day; at least two groups.
    names : sequence of str, optional
        Of the columns, if `x` is no frame.

    Returns
    -------
    GroupInfluence

    Raises
    ------
    InputError
        Missing values, lengths that differ, no more rows than columns, dependent columns (named), a single group.

    References
    ----------
    Cook, R. D. (1977). Detection of influential observation in linear regression. Technometrics 19(1), 15-18.
    Belsley, D. A., Kuh, E. and Welsch, R. E. (1980). Regression Diagnostics. Wiley.

    Examples
    --------
    >>> found = by_group([[1, 0], [1, 1], [1, 2], [1, 9]], [0.0, 1, 2, 3], ["a", "b", "c", "d"])
    >>> found.groups[int(found.distance.argmax())], found.change[3].round(2).tolist()
    ('d', [0.66, -0.72])
    """
    design, readings = checks.matrix("x", x), checks.series("y", y)
    labels = np.asarray(groups).astype(str)
    rows = checks.same_length(x=design, y=readings, groups=labels)
    columns = design.shape[1]
    if rows <= columns:
        raise InputError("x", f"have more rows than its {columns} columns", rows)
    if names is None:
        names = [str(c) for c in x.columns] if isinstance(x, pd.DataFrame) else [f"x{k}" for k in range(columns)]
    q, triangle = np.linalg.qr(design)
    if np.abs(np.diag(triangle)).min() <= CLOSE * np.linalg.norm(design, axis=0).max():
        repeats = dependent(design, list(names))
        if repeats:
            told = "; ".join(f"{a} = {b}" for a, b in repeats.items())
            raise InputError("x", "have linearly independent columns", told)
    residuals = readings - q @ (q.T @ readings)
    variance = float(residuals @ residuals) / (rows - columns)
    code, order = pd.factorize(labels)
    if len(order) < 2:
        raise InputError("groups", "be at least two", list(order))
    moved = np.full((len(order), columns), np.nan)
    for g, members in enumerate(np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])):
        left, size, right = np.linalg.svd(q[members], full_matrices=False)
        if 1 - size[0] ** 2 > ALONE:
            moved[g] = ((left.T @ residuals[members]) * size / (1 - size**2)) @ right
    change = linalg.solve_triangular(triangle, moved.T, check_finite=False).T
    count = np.bincount(code)
    distance = (moved**2).sum(axis=1) / (columns * (variance or 1.0))
    mean = np.bincount(code, weights=residuals) / count
    return GroupInfluence(tuple(names), tuple(map(str, order)), count, mean, change, distance)
