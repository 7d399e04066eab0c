"""Whether a count regression has an answer at all: separation, where the likelihood climbs for ever.

It does if some direction of the columns is zero on every row with a count and never positive (or never negative)
on the rows without: moving along it makes the zeros ever more certain and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize

from citylib import checks

__all__ = ["separated"]

SMALL = 1e-7


def separated(x_TK: npt.ArrayLike, y: npt.ArrayLike, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns whose coefficients run away, empty where the likelihood has a highest point.

    Parameters
    ----------
    x_TK : array_like, shape (T, K)
        Design of linearly independent columns, none missing.
    y : array_like, shape (T,)
        Counts.
    names : sequence of str, length K
        Of the columns.

    Returns
    -------
    tuple of str
        Columns of the direction found.

    References
    ----------
    Correia, S., Guimaraes, P. and Zylkin, T. (2019). Verifying the existence of maximum likelihood estimates for
    generalized linear models. arXiv 1903.01633.

    Examples
    --------
    On Sundays nobody ever called:

    >>> separated([[1, 0], [1, 0], [1, 1], [1, 1]], [2, 0, 0, 0], ["intercept", "sunday"])
    ('sunday',)
    >>> separated([[1, 0], [1, 0], [1, 1], [1, 1]], [2, 0, 1, 0], ["intercept", "sunday"])
    ()
    """
    x, counts = checks.matrix("x_TK", x_TK), checks.series("y", y)
    checks.same_length(x_TK=x, y=counts)
    size = np.sqrt((x**2).sum(axis=0))
    scaled = x / np.where(size > 0, size, 1.0)
    free = linalg.null_space(scaled[counts > 0], rcond=SMALL) if (counts > 0).any() else np.eye(x.shape[1])
    if not free.shape[1]:
        return ()
    rest = scaled[counts == 0] @ free
    largest = np.abs(rest).max(initial=0.0)
    if largest <= SMALL:
        return ()
    rest = rest / largest
    # Push the zero rows down as far as bounds allow; if none can be pushed, none separates.
    found = optimize.linprog(
        rest.sum(axis=0), A_ub=np.vstack([rest, -rest]), b_ub=np.r_[np.zeros(len(rest)), np.ones(len(rest))],
        bounds=(None, None), method="highs",
    )  # fmt: skip
    if found.x is None or -found.fun <= SMALL:
        return ()
    direction = free @ found.x
    large = np.abs(direction) > 1e-6 * np.abs(direction).max()
    return tuple(name for name, use in zip(names, large, strict=True) if use)
