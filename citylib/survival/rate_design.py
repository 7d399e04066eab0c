"""Columns of a regression of yearly failures: measures, kinds, the decade of laying, and age as a smooth curve.

What is put together because it failed too seldom is decided by the failures given, so by the past alone; and columns
written down after the failures they are to explain are refused.
Legend: N assets, K columns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError, UnknownNameError
from citylib.survival.splines import restricted_cubic

__all__ = ["AGES", "DECADE", "RateDesign", "learn"]

FloatArray = npt.NDArray[np.float64]
AGES = (5.0, 20.0, 35.0, 50.0, 70.0)  # where the curve over age may bend [years]
DECADE = "decade laid"
FREE = 2  # columns, the constant and the first measure, that a ridge leaves alone


@dataclass(frozen=True)
class RateDesign:
    """What was learned of the columns.

    Parameters
    ----------
    measures : dict of str to float
        Columns that enter by their logarithm, and the logarithm that counts as 0.
    levels : dict of str to tuple of str
        Kinds with columns of their own, by the name of their column in the inventory.
    ages : tuple of float
        Knots of the curve over age [years].
    names : tuple of str, length K
        Of the columns.
    """

    measures: dict[str, float]
    levels: dict[str, tuple[str, ...]]
    ages: tuple[float, ...]
    names: tuple[str, ...]

    def columns(self, assets: pd.DataFrame, year: float) -> FloatArray:
        """Return the columns of every asset in the middle of a calendar year, shape (N, K).

        Parameters
        ----------
        assets : DataFrame, N rows
            The inventory, with the columns named and ``installed``.
        year : float
            Calendar year.

        Returns
        -------
        ndarray
            The age of an asset not laid by then counts as 0.
        """
        return np.column_stack([self.fixed(assets), *_over_age(assets, year, self.ages)])

    def fixed(self, assets: pd.DataFrame) -> FloatArray:
        """Return the columns that do not change with the year, shape (N, K less those of age)."""
        columns = [np.ones(len(assets))]
        columns += [np.log(assets[name].to_numpy(np.float64)) - zero for name, zero in self.measures.items()]
        for name, levels in self.levels.items():
            label = _labels(assets, name)
            columns += [(label == level).astype(np.float64) for level in levels]
        return np.column_stack(columns)


def learn(
    assets: pd.DataFrame,
    failures: npt.ArrayLike,
    *,
    measures: Sequence[str] = (),
    kinds: Sequence[str] = (),
    least: int = 10,
    ages: Sequence[float] = AGES,
    barred: Collection[str] | None = None,
) -> RateDesign:
    """Learn which columns a regression of yearly failures has.

    Parameters
    ----------
    assets : DataFrame, N rows
        The inventory: ``installed`` (dates), measures above 0, kinds.
    failures : array_like of int, shape (N,)
        Failures of each asset in the past that is learned from.
    measures : sequence of str
        Columns that enter by their logarithm.
    kinds : sequence of str
        Columns of kinds. The decade of laying is added to them.
    least : int, default 10
        Kinds with fewer failures get no column of their own.
    ages : sequence of float
        Knots of a restricted cubic spline over age [years], at least 3.
    barred : collection of str, optional
        Columns as of a later day, which are refused; by default those that ``assets.attrs["snapshot"]`` names.

    Returns
    -------
    RateDesign

    Raises
    ------
    InputError
        A barred column, a measure not above 0, a day of laying that is missing or no date, failures below 0, fewer than
        three knots.
    UnknownNameError
        A column that is not there.

    Examples
    --------
    >>> mains = pd.DataFrame({"installed": pd.to_datetime(["1950-01-01", "1990-01-01"]), "length_m": [50.0, 200.0],
    ...                       "material": ["iron", "plastic"]})
    >>> found = learn(mains, [12, 1], measures=["length_m"], kinds=["material"])
    >>> found.names[:4]
    ('constant', 'log length_m', 'material iron', 'decade laid 1950')
    >>> mains.attrs["snapshot"] = ["condition"]
    >>> learn(mains.assign(condition=1.0), [12, 1], measures=["condition"])
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: measures, kinds must leave out what was written down after the failures, got 'condition'
    """
    late = set(assets.attrs.get("snapshot", ()) if barred is None else barred) & {*measures, *kinds}
    if late:
        raise InputError("measures, kinds", "leave out what was written down after the failures", ", ".join(late))
    for name in ("installed", *measures, *kinds):
        if name not in assets:
            raise UnknownNameError("measures, kinds", name, [str(column) for column in assets])
    if not pd.api.types.is_datetime64_any_dtype(assets["installed"]):
        raise InputError("installed", "be dates", str(assets["installed"].dtype))
    if assets["installed"].isna().any():
        raise InputError("assets", "know when each was laid", f"{int(assets['installed'].isna().sum())} that do not")
    count = checks.array("failures", failures, ndim=1, minimum=0)
    checks.same_length(assets=assets["installed"].to_numpy(), failures=count)
    knots = tuple(float(age) for age in checks.increasing("ages", list(ages)))
    centres = {}
    for name in measures:
        value = checks.series(name, assets[name])
        if (value <= 0).any():
            raise InputError(name, "be above 0", f"{int((value <= 0).sum())} that are not")
        centres[name] = float(np.log(np.median(value)))
    fewest = checks.integer("least", least, minimum=1)
    levels = {}
    for name in (*kinds, DECADE):
        total = pd.Series(count).groupby(_labels(assets, name)).sum()
        levels[name] = tuple(str(level) for level in total.index[total >= fewest])
    names = ["constant", *(f"log {name}" for name in centres)]
    names += [f"{name} {level}" for name, own in levels.items() for level in own]
    names += ["age / 10 years", *(f"age, bend {k + 1}" for k in range(len(knots) - 2))]
    _over_age(assets.iloc[:1], 2000.0, knots)  # refuses knots that make no curve
    return RateDesign(centres, levels, knots, tuple(names))


def _over_age(assets: pd.DataFrame, year: float, knots: tuple[float, ...]) -> list[FloatArray]:
    laid = assets["installed"].dt
    since = year + 0.5 - (laid.year + (laid.dayofyear - 1) / 366).to_numpy(np.float64)
    age = np.maximum(since, 0.0) / 10
    return [age, *restricted_cubic(age, np.asarray(knots) / 10).T]


def _labels(assets: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    if name == DECADE:
        return np.asarray((assets["installed"].dt.year // 10 * 10).astype(str), dtype=object)
    return np.asarray(assets[name].astype(str).where(assets[name].notna(), "not known"), dtype=object)
