"""An autoregression whose coefficients differ by the hour of the day, gaps left out; forecasts, and what errors become.

What a load does next depends on the hour: at six it is about to climb, at noon it is not.
Legend: T time steps, S slots (hours of the day; one for an ordinary autoregression), L lags, H steps ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["PeriodicAutoregression", "fit"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PeriodicAutoregression:
    """Coefficients by slot.

    Parameters
    ----------
    coefficients_SL : ndarray, shape (S, L)
        Of the readings `lags` steps before, for a reading in slot s.
    lags : tuple of int
        In steps, increasing.
    rows_S : ndarray of int, shape (S,)
        Readings that each slot's coefficients rest on.

    References
    ----------
    Pagano, M. (1978). On periodic and multiple autoregressions. Annals of Statistics 6(6), 1310-1317.
    """

    coefficients_SL: FloatArray
    lags: tuple[int, ...]
    rows_S: IntArray

    def forecast(self, x: npt.ArrayLike, slots: npt.ArrayLike, *, steps: int = 1) -> FloatArray:
        """Return forecasts from every origin, shape (T, H): row t is made of what was read before step t.

        Parameters
        ----------
        x : array_like, shape (T,)
            Series of mean zero; NaN where a reading is missing.
        slots : array_like of int, shape (T,)
            Slot of each step.
        steps : int, default 1
            How many steps ahead, H: column h is the forecast of step t + h.

        Returns
        -------
        ndarray
            NaN where a reading that a forecast needs is missing, or the step lies beyond the series.
        """
        x_T = checks.series("x", x, missing=True)
        slot_T = _slots(slots, len(self.coefficients_SL))
        total = checks.same_length(x=x_T, slots=slot_T)
        most = checks.integer("steps", steps, minimum=1)
        out = np.full((total, most), np.nan)
        for h in range(most):
            at = np.arange(total - h)  # origins, the step forecast being at + h
            sums = np.zeros(total - h)
            for i, lag in enumerate(self.lags):
                back = h - lag  # from the origin
                known = out[at, back] if back >= 0 else _shifted(x_T, -back)[: total - h]
                sums += self.coefficients_SL[slot_T[at + h], i] * known
            out[at, h] = sums
        return out

    def weights(self, slot: int, *, steps: int) -> FloatArray:
        """Return what a shock at each step adds to the error of each later one, shape (H, H), the first step in `slot`.

        The error of forecast h is the sum over j of weights[h, j] times the shock of step j: with one slot these are
        the coefficients of the moving average of infinite order.

        Parameters
        ----------
        slot : int
            Slot of the first step forecast.
        steps : int
            H. Slots follow each other in order, round and round.
        """
        count = len(self.coefficients_SL)
        first = checks.integer("slot", slot, minimum=0, maximum=count - 1)
        most = checks.integer("steps", steps, minimum=1)
        out = np.eye(most)
        for h in range(1, most):
            for i, lag in enumerate(self.lags):
                if lag <= h:
                    out[h, :h] += self.coefficients_SL[(first + h) % count, i] * out[h - lag, :h]
        return out


def fit(
    x: npt.ArrayLike, slots: npt.ArrayLike, *, lags: npt.ArrayLike, known: npt.ArrayLike | None = None
) -> PeriodicAutoregression:
    """Fit by least squares, slot by slot, over the steps at which the reading and all its lags were read.

    Parameters
    ----------
    x : array_like, shape (T,)
        Series of mean zero; NaN where a reading is missing.
    slots : array_like of int, shape (T,)
        Slot of each step, from 0; all 0 for an ordinary autoregression.
    lags : array_like of int, shape (L,)
        Steps back, increasing from 1 or more.
    known : array_like of bool, shape (T,), optional
        Steps that may be used: those before the cut.

    Returns
    -------
    PeriodicAutoregression

    Raises
    ------
    InputError
        A slot with fewer rows than twice the lags, or lags that are one another's sums.

    Examples
    --------
    >>> rng, x = np.random.default_rng(0), np.zeros(4000)
    >>> for t in range(1, 4000):
    ...     x[t] = (0.9, 0.2)[t % 2] * x[t - 1] + rng.standard_normal()
    >>> fit(x, np.arange(4000) % 2, lags=[1]).coefficients_SL.round(1).tolist()
    [[0.9], [0.2]]
    """
    x_T = checks.series("x", x, missing=True, at_least=3)
    back = [checks.integer("lags", lag.item(), minimum=1) for lag in checks.increasing("lags", lags)]
    slot_T = _slots(slots)
    checks.same_length(x=x_T, slots=slot_T)
    used = np.ones(len(x_T), dtype=bool) if known is None else checks.binary("known", known)
    checks.same_length(x=x_T, known=used)
    if not back or back[-1] >= len(x_T):
        raise InputError("lags", f"be one or more, below {len(x_T)}", back)
    past_TL = np.column_stack([_shifted(x_T, lag) for lag in back])
    used = used & ~np.isnan(past_TL).any(axis=1) & ~np.isnan(x_T)
    count = int(slot_T.max()) + 1
    out, rows = np.empty((count, len(back))), np.zeros(count, dtype=np.int64)
    for s in range(count):
        mine = used & (slot_T == s)
        rows[s] = mine.sum()
        if rows[s] < 2 * len(back):
            raise InputError(
                "x", f"hold {2 * len(back)} readings with all their lags in each slot", f"{rows[s]} in {s}"
            )
        out[s], _, rank, _ = np.linalg.lstsq(past_TL[mine], x_T[mine], rcond=None)
        if rank < len(back):
            raise InputError("x", "vary enough to tell its lags apart", f"rank {rank} of {len(back)} in slot {s}")
    return PeriodicAutoregression(out, tuple(back), rows)


def _shifted(x_T: FloatArray, lag: int) -> FloatArray:
    return np.concatenate([np.full(min(lag, len(x_T)), np.nan), x_T[: max(0, len(x_T) - lag)]])


def _slots(slots: npt.ArrayLike, count: int | None = None) -> IntArray:
    found = np.asarray(slots)
    if found.ndim != 1 or found.dtype.kind not in "iu" or (len(found) and found.min() < 0):
        raise InputError("slots", "be whole numbers from 0, one a step", found.dtype)
    if count is not None and len(found) and found.max() >= count:
        raise InputError("slots", f"lie below {count}, as in the fit", int(found.max()))
    return found.astype(np.int64)
