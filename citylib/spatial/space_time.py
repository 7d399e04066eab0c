"""Space-time autoregression: every sensor's next readings on its own last ones and on its neighbours', all at once.

With z the readings of N sensors in standard units, A_c the orders (`citylib.spatial.orders`: the sensor itself, the
mean of its ring of neighbours, or one neighbour) and x what is known of the step to come,

    z_(i,t+h-1) = a_hi + sum_c sum_l b_hicl (A_c z_(t-l))_i + g_hi' x_ti + e,    l = 1 .. lags of order c,

one regression a step ahead (direct forecasts), by ridge. With rings as orders it is STAR; with one order a neighbour
it is a vector autoregression that knows the graph. Pooled, all sensors share b and g. Step 0 is now: a sensor's
reading from the others' of the same moment, for the day when it fails. With an offset, a forecast of another model,
the left side is what that forecast leaves: z less it. So models of two families are added up.
Legend: T time steps, N sensors, O origins, H steps ahead, C orders, E known columns, K columns of the regression.
An origin o has the readings before it: 0 .. o-1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import linalg

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.space_time_design import Design, FloatArray, IntArray, Moments, readings

__all__ = ["SpaceTime", "fit", "modulus", "solve"]

COLLINEAR = 1e-12  # share of the largest eigenvalue under which a direction is left out where there is no penalty


@dataclass(frozen=True, eq=False)
class SpaceTime:
    """A fitted space-time autoregression.

    Parameters
    ----------
    design : Design
        Orders, lags, steps and the standard units.
    coefficients : ndarray, shape (N, H, K)
        In standard units; order by order, lag by lag, then the known columns. NaN for a sensor that was not fitted.
    intercept : ndarray, shape (N, H)
        In standard units.
    residual : ndarray, shape (N, H)
        Root mean squared residual, in the unit of the readings.
    rows : ndarray of int, shape (N,)
        Origins that each sensor was fitted on.
    status : ndarray of str, shape (N,)
        "fitted", "all missing", "constant" or "too few rows".
    pooled : bool
        Whether all sensors share their coefficients.
    mends : bool
        Whether it was fitted to what another forecast leaves.
    """

    design: Design
    coefficients: FloatArray
    intercept: FloatArray
    residual: FloatArray
    rows: IntArray
    status: npt.NDArray[np.str_]
    pooled: bool
    mends: bool = False

    def forecast(
        self,
        values: npt.ArrayLike,
        /,
        *,
        origins: npt.ArrayLike,
        known: npt.ArrayLike | None = None,
        stand_in: npt.ArrayLike | None = None,
        offset: npt.ArrayLike | None = None,
    ) -> FloatArray:
        """Return forecasts from each origin, made of the readings before it.

        Parameters
        ----------
        values : array_like, shape (T, N)
            Readings; NaN where one is missing.
        origins : array_like of int, shape (O,)
            Steps known at each; at least the most lags, at most T.
        known, stand_in, offset : array_like, optional
            As in `fit`. With `known` or `offset`, the last origin is T - 1, for it has no row T.

        Returns
        -------
        ndarray, shape (O, H, N)
            In the unit of the readings, the offset in it; NaN for sensors that were not fitted, and where the offset
            is NaN.

        Raises
        ------
        InputError
            Another number of sensors or known columns than fitted, origins out of range, an offset too many or none.
        """
        if (offset is not None) != self.mends:
            raise InputError("offset", f"be given {'as in the fit' if self.mends else 'to the fit as well'}", offset)
        read = self.design.read(values, known=known, stand_in=stand_in, offset=offset)
        at = self.design.origins(origins, read)
        out = np.empty((len(at), len(self.design.steps), len(self.status)))
        for i in range(len(self.status)):
            seen = self.design.columns(read, at, i)
            out[:, :, i] = seen @ self.coefficients[i].T + self.intercept[i]
        if read.offset is not None:
            out += np.moveaxis(read.offset[at], 1, 2)
        return np.asarray(out * self.design.scale + self.design.mean)

    def table(self) -> pd.DataFrame:
        """Return the coefficients of each order and lag: mean over the sensors, their quartiles, a row a step."""
        fitted = self.coefficients[self.status == "fitted"]
        rows = []
        for h, step in enumerate(self.design.steps):
            for k, (order, lag) in enumerate(self.design.labels()):
                each = fitted[:, h, k]
                low, high = np.quantile(each, [0.25, 0.75])
                rows.append({"step": step, "order": order, "lag": lag, "mean": each.mean()})
                rows[-1] |= {"low_quartile": low, "high_quartile": high}
        return pd.DataFrame(rows)


def fit(
    values: npt.ArrayLike,
    orders: Sequence[sparse.sparray],
    /,
    *,
    lags: int | Sequence[int],
    steps: Sequence[int] = (1,),
    penalty: float | Sequence[float] = 0.0,
    pooled: bool = False,
    known: npt.ArrayLike | None = None,
    stand_in: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
    until: int | None = None,
) -> SpaceTime:
    """Fit the regressions of all sensors and steps ahead.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings on an even grid of times; NaN where one is missing. A row counts where all its steps ahead were read.
    orders : sequence of sparse matrices, shape (N, N)
        What a sensor sees; `citylib.spatial.orders` makes them.
    lags : int or sequence of int, length C
        Readings back, of every order or of each; 0 leaves an order out.
    steps : sequence of int, default (1,)
        Steps ahead; 1 is the first unknown one. 0, the last known one, is refused where a sensor sees itself.
    penalty : float or sequence of float, length C or C + 1
        Ridge: the mean squared error plus `penalty` times the sum of squared coefficients is minimised, both in
        standard units. One for all, or one an order (and one for the known columns). 0: least squares, by the
        shortest coefficients where columns are collinear. Intercepts are free.
    pooled : bool, default False
        Whether all sensors share their coefficients; each keeps its own intercept.
    known : array_like, shape (T, N, E), optional
        Row o: what is known at origin o of the steps to come (the usual day there, the clock).
    stand_in : array_like, shape (T, N), optional
        What stands for a missing reading among the inputs; without it the last one there was.
    offset : array_like, shape (T, N, H), optional
        Row o: forecasts of another model from origin o, in the unit of the readings, with coefficient 1; what they
        leave is fitted. NaN where there is none: such a row does not count. Forecasts of rows that the other model
        was itself fitted on leave too little.
    until : int, optional
        Steps that may be learned from, the first ones; by default all.

    Returns
    -------
    SpaceTime
        A sensor that cannot be fitted gets a status and NaN; to the others it shows its mean.

    Raises
    ------
    InputError
        Shapes that disagree, no lags at all, lags and steps that reach over more than there is to learn from, steps
        that are not increasing, a negative penalty, known columns or stand-ins with missing values, readings beyond
        1e300, no sensor that can be fitted.

    References
    ----------
    Pfeifer, P. E. and Deutsch, S. J. (1980). A three-stage iterative procedure for space-time modeling. Technometrics
    22(1), 35-47.

    Hoerl, A. E. and Kennard, R. W. (1970). Ridge regression. Technometrics 12(1), 55-67.

    Examples
    --------
    >>> from citylib import seeds
    >>> from citylib.spatial import orders
    >>> ring = orders.rings(np.eye(4, k=1) + np.eye(4, k=-1), most=1)
    >>> y, draw = np.zeros((4000, 4)), seeds.generator(0)
    >>> for t in range(1, len(y)):
    ...     y[t] = 0.5 * y[t - 1] + 0.3 * (ring[0] @ y[t - 1]) + draw.standard_normal(4)
    >>> found = fit(y, [orders.themselves(4), *ring], lags=1, pooled=True)
    >>> [f"{v:.1f}" for v in found.table()["mean"]]
    ['0.5', '0.3']
    """
    matrix = readings(values)
    end = len(matrix) if until is None else checks.integer("until", until, minimum=2, maximum=len(matrix))
    design = Design.learn(matrix, orders, lags=lags, steps=steps, known=known, end=end)
    cost = design.costs(penalty)
    read = design.read(matrix, known=known, stand_in=stand_in, offset=offset)
    moments = design.moments(read, range(design.first, end + 1 - max(*design.steps, 1)))
    fitted = moments.status == "fitted"
    if not fitted.any():
        raise InputError("values", "let at least one sensor be fitted", ", ".join(np.unique(moments.status)))
    b = solve(moments, cost, pooled=pooled)
    missed = moments.errors(b)
    b[~fitted] = np.nan
    intercept = moments.target - np.einsum("nhk,nk->nh", b, moments.middle)
    residual = np.sqrt(np.maximum(missed, 0.0)) * design.scale[:, None]
    residual[~fitted] = np.nan
    return SpaceTime(design, b, intercept, residual, moments.rows, moments.status, pooled, offset is not None)


def solve(moments: Moments, cost: FloatArray, /, *, pooled: bool) -> FloatArray:
    """Return ridge coefficients of all sensors from their second moments, shape (N, H, K).

    Parameters
    ----------
    moments : Moments
        Means of squares and products.
    cost : ndarray, shape (K,)
        Penalty of each column.
    pooled : bool
        Whether the moments of all fitted sensors are put together first.
    """
    gram, cross = moments.gram, moments.cross
    if pooled:
        share = moments.rows * (moments.status == "fitted")
        share = share / share.sum()
        gram = np.einsum("n,nkj->kj", share, gram)[None]
        cross = np.einsum("n,nkh->kh", share, cross)[None]
    sides = gram + np.diag(cost)
    if (cost > 0).all():
        b = np.linalg.solve(sides, cross)
    else:
        b = np.linalg.pinv(sides, rcond=COLLINEAR, hermitian=True) @ cross
    b = np.swapaxes(b, 1, 2)
    return np.asarray(np.repeat(b, len(moments.rows), axis=0) if pooled else b)


def modulus(model: SpaceTime, /) -> float:
    """Return the largest modulus of the eigenvalues of one step ahead: under 1, a shock dies out.

    The next readings of all sensors are a linear function of the last ones, of all sensors and lags; this is the
    growth of the direction that lasts longest. A direct regression of two steps ahead is not asked: it is no step of
    anything. What is known of the step to come moves the level, not this.

    Parameters
    ----------
    model : SpaceTime
        Fitted with 1 among its steps.

    Returns
    -------
    float
        At 1 or more the model is not stationary: iterated, it would run away.

    Raises
    ------
    InputError
        No step 1, or a model that mends another's forecasts: what becomes of those it does not know.

    Examples
    --------
    >>> from citylib.spatial import orders
    >>> y = 0.5 ** np.arange(20.0)[:, None] * [1.0, 3.0]
    >>> round(modulus(fit(y, [orders.themselves(2)], lags=1)), 6)
    0.5
    """
    if 1 not in model.design.steps:
        raise InputError("model", "have 1 among its steps", model.design.steps)
    if model.mends:
        raise InputError("model", "be fitted without an offset", "one that mends another's forecasts")
    b = np.nan_to_num(model.coefficients[:, model.design.steps.index(1)])
    sensors, most = len(b), max(model.design.lags)
    blocks = [sparse.csr_array((sensors, sensors)) for _ in range(most)]
    for k, (order, lag) in enumerate(model.design.labels()):
        if isinstance(order, int):
            blocks[lag - 1] = blocks[lag - 1] + sparse.diags_array(b[:, k]) @ model.design.orders[order]
    companion = sparse.vstack(
        [sparse.hstack(blocks), sparse.hstack([sparse.eye_array(sensors * (most - 1)),
         sparse.csr_array((sensors * (most - 1), sensors))])] if most > 1 else blocks
    ).tocsr()  # fmt: skip
    if companion.shape[0] <= 400:
        return float(np.abs(np.linalg.eigvals(companion.toarray())).max())
    start = np.ones(companion.shape[0])  # always the same: no chance in a result
    largest = linalg.eigs(companion, k=1, which="LM", v0=start, return_eigenvectors=False, maxiter=20_000, tol=1e-8)
    return float(np.abs(largest).max())
