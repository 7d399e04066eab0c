"""How hard to hold Cox's coefficients: the ridge chosen by cross-validated partial likelihood.

Legend: n rows, p covariates, P penalties, F folds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import cox
from citylib.survival.cox_residuals import likelihood_of

__all__ = ["Ridge", "choose"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ridge:
    """Penalties and what they came to.

    Parameters
    ----------
    penalty : ndarray, shape (P,)
        As tried.
    likelihood : ndarray, shape (P,)
        Cross-validated log partial likelihood of each.
    best : float
        The penalty with the highest.
    """

    penalty: FloatArray
    likelihood: FloatArray
    best: float


def choose(
    stop: npt.ArrayLike,
    event: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    fold: npt.ArrayLike,
    penalties: npt.ArrayLike,
    entry: npt.ArrayLike | None = None,
) -> Ridge:
    """Choose the ridge of a Cox regression by what each fold adds to the log partial likelihood unseen.

    A fold adds the likelihood of all rows less that of the rows without the fold, both at the coefficients fitted
    without it. A fold's own likelihood would not do: it compares the fold's rows with each other only.

    Parameters
    ----------
    stop : array_like, shape (n,)
        As in `citylib.survival.cox.fit`.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.cox.fit`.
    x : array_like, shape (n, p)
        Covariates, brought to one scale: the penalty is on their coefficients as they stand.
    fold : array_like of int or str, shape (n,)
        Labels of at least two folds; rows that depend on each other belong in one.
    penalties : array_like, shape (P,)
        Penalties to try, above 0.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.cox.fit`.

    Returns
    -------
    Ridge

    Raises
    ------
    InputError
        One fold only, or what `citylib.survival.cox.fit` refuses.

    References
    ----------
    Verweij, P. J. M. and van Houwelingen, H. C. (1993). Cross-validation in survival analysis. Statistics in Medicine
    12(24), 2305-2314.

    Examples
    --------
    >>> t, x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [[0.0], [1.0], [0.2], [0.9], [0.1], [0.8]]
    >>> choose(t, [1, 1, 1, 1, 1, 1], x, fold=[0, 1, 0, 1, 0, 1], penalties=[0.1, 100.0]).best
    100.0
    """
    part = np.asarray(fold)
    t, d, x_np = np.asarray(stop), np.asarray(event), np.asarray(x, dtype=np.float64)
    checks.same_length(stop=t, fold=part)
    labels = np.unique(part)
    if len(labels) < 2:
        raise InputError("fold", "name at least 2 folds", len(labels))
    tried = checks.array("penalties", penalties, ndim=1, at_least=1)
    if (tried <= 0).any():
        raise InputError("penalties", "be above 0", float(tried.min()))
    came = None if entry is None else np.asarray(entry)
    total = np.zeros(len(tried))
    for k, penalty in enumerate(tried):
        whole = likelihood_of(cox.fit(t, d, x_np, entry=came, ridge=float(penalty)))
        for label in labels:
            keep = part != label
            late = None if came is None else came[keep]
            less = cox.fit(t[keep], d[keep], x_np[keep], entry=late, ridge=float(penalty))
            rest = likelihood_of(less)
            total[k] += whole.height(less.reached / whole.scale) - rest.height(less.reached / rest.scale)
    return Ridge(tried, total, float(tried[total.argmax()]))
