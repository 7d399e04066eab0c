"""What a spatial model expects of places whose value is not known, given the values of the others.

With A = I - rho W the model's law of y is normal with mean m (lag: A^-1 X b; error: X b) and precision A'A / s2; so the
hidden places H, given the known T, have mean m_H - Q_HH^-1 Q_HT (y_T - m_T) with Q = A'A. Legend: n places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import splu

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.lag_models import SpatialFit, weights

__all__ = ["given_others"]

FloatArray = npt.NDArray[np.float64]


def given_others(
    fit: SpatialFit,
    x: pd.DataFrame | npt.ArrayLike,
    y: npt.ArrayLike,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    hidden: npt.ArrayLike,
) -> FloatArray:
    """Return the expected values of hidden places, given those of all others.

    Parameters
    ----------
    fit : SpatialFit
        Fitted on the known places, if the answer is to be about unseen ones.
    x : DataFrame or array_like, shape (n, K)
        Design of all places, hidden ones too.
    y : array_like, shape (n,)
        Values; those of hidden places are not looked at and may be NaN.
    w : sparse matrix or array_like, shape (n, n)
        Weights of all places.
    hidden : array_like of bool, shape (n,)
        Which are.

    Returns
    -------
    ndarray, shape (number of hidden places,)

    Raises
    ------
    InputError
        Lengths that differ, missing values among the known, none hidden, none known, another number of columns.

    References
    ----------
    Goldberger, A. S. (1962). Best linear unbiased prediction in the generalized linear regression model. JASA 57,
    369-375.
    """
    design, away = checks.matrix("x", x), checks.binary("hidden", hidden)
    n = checks.same_length(x=design, hidden=away)
    if design.shape[1] != len(fit.names):
        raise InputError("x", f"have the {len(fit.names)} columns of the fit", design.shape[1])
    if away.all() or not away.any():
        raise InputError("hidden", "hide some places and leave some", f"{int(away.sum())} of {n}")
    readings = checks.series("y", y, missing=True)
    checks.same_length(x=design, y=readings)
    known = checks.series("y of the known places", readings[~away])
    matrix = weights("w", w, n)
    factor = sparse.csr_array(sparse.eye_array(n, format="csr") - fit.spatial * matrix)
    mean = design @ fit.coefficients
    if fit.kind == "lag":
        mean = np.asarray(splu(sparse.csc_matrix(factor)).solve(mean))
    left = factor[:, away]
    pull = left.T @ (factor[:, ~away] @ (known - mean[~away]))
    return np.asarray(mean[away] - splu(sparse.csc_matrix(left.T @ left)).solve(pull))
