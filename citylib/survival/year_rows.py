"""Failures and time under watch of every asset in every calendar year: the rows from which next year is foreseen.

Legend: N assets, Y calendar years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib.errors import InputError
from citylib.survival.recurrent import Histories

__all__ = ["YearRows", "by_year"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class YearRows:
    """What each asset did in each calendar year.

    Parameters
    ----------
    years : ndarray of int, shape (Y,)
        Whole calendar years of the window.
    failures : ndarray of int, shape (N, Y)
        How often each failed.
    watched : ndarray, shape (N, Y)
        For how many years each was under watch: 1, or less where it was laid or left within the year.
    """

    years: IntArray
    failures: IntArray
    watched: FloatArray

    def __len__(self) -> int:
        return len(self.years)

    def of(self, years: npt.ArrayLike) -> IntArray:
        """Return failures of each asset in all of `years` together, shape (N,)."""
        return np.asarray(self.failures[:, np.isin(self.years, years)].sum(axis=1), dtype=np.int64)


def by_year(known: Histories) -> YearRows:
    """Return failures and years under watch of every asset in every whole calendar year of the window.

    Parameters
    ----------
    known : Histories
        From `citylib.survival.histories.histories`, or what of it was known on a day.

    Returns
    -------
    YearRows

    Raises
    ------
    InputError
        The window holds no whole calendar year.

    Examples
    --------
    >>> from citylib.survival.histories import histories
    >>> known = histories(["a"], ["1990-01-01"], ["a"], ["2001-05-01"], start="2000-01-01", end="2002-07-01")
    >>> rows = by_year(known)
    >>> rows.years.tolist(), rows.failures.tolist(), rows.watched.round(2).tolist()
    ([2000, 2001], [[0, 1]], [[1.0, 1.0]])
    """
    first = int(np.ceil(_year(known.start)))
    last = int(np.floor(_year(known.end)))
    if last <= first:
        raise InputError("known", "be watched for a whole calendar year", f"{known.start} to {known.end}")
    years = np.arange(first, last)
    counted = [known.count(f"{year}-01-01", f"{year + 1}-01-01") for year in years]
    watched = np.column_stack([each[1] for each in counted])
    return YearRows(years, np.column_stack([each[0] for each in counted]), np.minimum(watched, 1.0))


def _year(day: np.datetime64) -> float:
    """Return a day as a year with decimals; 1 January is a whole number."""
    year = day.astype("datetime64[Y]")
    return float(year.astype(np.int64) + 1970 + (day - year.astype("datetime64[D]")).astype(np.int64) / 366)
