"""Design matrix: from readings, categories and the calendar to named columns of numbers.

All that is learned (means, scales, levels) is learned from the training rows
alone. Missing inputs stay missing: a row with one is NaN across, to be masked.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import DataQualityWarning, InputError, UnknownNameError
from citylib.regression.dependence import dependent

__all__ = ["CALENDAR", "INTERCEPT", "OTHER", "Design", "calendar", "inputs"]

INTERCEPT = "intercept"
OTHER = "(other)"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CALENDAR = ("hour", "weekday", "weekend", "hour_of_week", "month")


def calendar(times: npt.ArrayLike, *, free: npt.ArrayLike | None = None) -> pd.DataFrame:
    """Return what the calendar says of each time, as ordered categories.

    Parameters
    ----------
    times : array_like of datetime64, shape (T,)
        Local times: people live by them.
    free : array_like of bool, shape (T,), optional
        True on holidays, which then count as Sundays: a holiday on a Tuesday is no quiet Tuesday.

    Returns
    -------
    pandas.DataFrame
        Index the times; columns ``hour`` ("00" to "23"), ``weekday``, ``weekend`` ("no", "yes"),
        ``hour_of_week`` ("Mon 00" to "Sun 23") and ``month``.

    Examples
    --------
    >>> calendar(["2026-11-21T08"]).iloc[0].tolist()
    ['08', 'Sat', 'yes', 'Sat 08', 'Nov']
    """
    index = pd.DatetimeIndex(np.asarray(times), name="time")
    if index.isna().any():
        raise InputError("times", "have no missing values", f"NaT at row {int(np.argmax(index.isna()))}")
    sundays = np.zeros(len(index), dtype=bool) if free is None else checks.binary("free", free)
    checks.same_length(times=index.to_numpy(), free=sundays)
    hours = [f"{h:02d}" for h in range(24)]
    weekly = [f"{day} {hour}" for day in DAYS for hour in hours]
    hour, day, month = (np.asarray(part, dtype=np.intp) for part in (index.hour, index.weekday, index.month))
    day = np.where(sundays, 6, day)
    codes = {
        "hour": (hour, hours),
        "weekday": (day, list(DAYS)),
        "weekend": ((day >= 5).astype(np.intp), ["no", "yes"]),
        "hour_of_week": (day * 24 + hour, weekly),
        "month": (month - 1, list(MONTHS)),
    }
    columns = {
        name: pd.Categorical.from_codes(code.tolist(), dtype=pd.CategoricalDtype(levels, ordered=True))
        for name, (code, levels) in codes.items()
    }
    return pd.DataFrame(columns, index=index)


def inputs(
    frame: pd.DataFrame,
    *,
    target: str,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    holiday: str | None = None,
) -> pd.DataFrame:
    """Return the target, the inputs named, and the calendar of the rows, checked.

    Parameters
    ----------
    frame : pandas.DataFrame
        Readings with times as index.
    target : str
        What is to be explained.
    numeric : sequence of str
        Measured inputs, at least one.
    categorical : sequence of str
        Named inputs: columns of `frame`, or of the calendar (`CALENDAR`).
    holiday : str, optional
        Column of `frame` that names the holiday of each row, ``"none"`` otherwise; its days count as Sundays.

    Returns
    -------
    pandas.DataFrame
        Columns `target`, `numeric`, the calendar's, then those of `categorical` that are not the calendar's.

    Raises
    ------
    UnknownNameError
        A name that is no column; the nearest is offered.
    InputError
        No numeric input, an input named twice, or the target among the inputs: it would explain itself.
    """
    named = checks.unique("numeric, categorical", [*numeric, *categorical])
    if not numeric:
        raise InputError("numeric", "name at least one measured input", list(numeric))
    if target in named:
        raise InputError("numeric, categorical", "leave out the target, which would explain itself", target)
    known = [str(column) for column in frame.columns]
    for argument, names in (("target", [target]), ("numeric", numeric), ("categorical", categorical)):
        for name in names:
            checks.one_of(argument, name, [*known, *CALENDAR] if argument == "categorical" else known)
    own = [target, *numeric, *(name for name in categorical if name not in CALENDAR)]
    for name in (target, *numeric):
        checks.series(name, frame[name].to_numpy(), missing=True, at_least=2)
    free = None
    if holiday is not None:
        checks.one_of("holiday", holiday, known)
        free = (frame[holiday].notna() & frame[holiday].astype(str).ne("none")).to_numpy()
    when = calendar(frame.index.to_numpy(), free=free).set_axis(frame.index)
    return frame[own].drop(columns=[c for c in own if c in CALENDAR]).join(when)


class Design:
    """A recipe for a design matrix: which inputs, coded how.

    Parameters
    ----------
    numeric : sequence of str
        Columns used as numbers.
    categorical : sequence of str
        Columns coded as one 0/1 column a level, but for the reference level.
    interactions : sequence of (str, str)
        Pairs of inputs (numeric or categorical, each also named above) whose products enter.
    reference : mapping of str to str, optional
        Level that others are compared with; by default the first of an ordered category, else the most
        frequent in training.
    scale : {"standard", "centre", "none"}
        What is done to numbers: training mean taken off and divided by the training standard
        deviation; mean taken off (coefficients stay per unit); nothing.
    rare : int or mapping of str to int, default 1
        Levels with fewer training rows are pooled into ``"(other)"``; one number for all categories, or one for
        each named (1 for the others).
    modifiers : sequence of str
        Categories that are there for the interactions, such as busy hours beside hours of the week: those of their own
        columns that follow from the others are left out.
    rare_products : int, optional
        Products that are not zero on fewer training rows, or that follow from the other columns, are left out: there
        the two effects add up. By default none is, and products that follow from others are refused.

    Attributes
    ----------
    centre_, scale_ : dict of str to float
        What is subtracted from, and what divides, each number.
    levels_ : dict of str to tuple of str
        Levels of each category, the reference first.
    pooled_ : dict of str to tuple of str
        Rare training levels that went into ``"(other)"``.
    columns_ : tuple of str
        Names of the columns, ``"intercept"`` first; ``"weather=Rain"`` for a level.
    terms_ : dict of str to tuple of str
        Columns of each input or ``"a:b"``.
    left_out_ : dict of str to str
        Columns of modifiers and products that were left out, and why.

    Examples
    --------
    >>> days = pd.DataFrame({"rain": [0.0, 2.0, 1.0, 5.0], "sky": ["clear", "clear", "fog", "clear"]})
    >>> recipe = Design(numeric=["rain"], categorical=["sky"], scale="none").fit(days)
    >>> recipe.transform(days).to_dict("list")
    {'intercept': [1.0, 1.0, 1.0, 1.0], 'rain': [0.0, 2.0, 1.0, 5.0], 'sky=fog': [0.0, 0.0, 1.0, 0.0]}
    """

    def __init__(
        self,
        *,
        numeric: Sequence[str] = (),
        categorical: Sequence[str] = (),
        interactions: Sequence[tuple[str, str]] = (),
        reference: Mapping[str, str] | None = None,
        scale: str = "standard",
        rare: int | Mapping[str, int] = 1,
        modifiers: Sequence[str] = (),
        rare_products: int | None = None,
    ) -> None:
        self.numeric = tuple(numeric)
        self.categorical = tuple(categorical)
        self.modifiers = tuple(modifiers)
        self.interactions = tuple((a, b) for a, b in interactions)
        self.reference = dict(reference or {})
        self.scale = checks.one_of("scale", scale, ("standard", "centre", "none"))
        least = rare if isinstance(rare, Mapping) else dict.fromkeys(self.categorical, rare)
        self.rare = {name: checks.integer("rare", count, minimum=1) for name, count in least.items()}
        self.rare_products = (
            None if rare_products is None else checks.integer("rare_products", rare_products, minimum=1)
        )
        inputs = checks.unique("numeric, categorical, modifiers", [*self.numeric, *self.categorical, *self.modifiers])
        for name in [n for pair in self.interactions for n in pair]:
            checks.one_of("interactions", name, inputs)
        for argument, names in (("reference", self.reference), ("rare", self.rare)):
            for name in names:
                checks.one_of(argument, name, self.categorical)

    def fit(self, frame: pd.DataFrame) -> Design:
        """Learn centres, scales and levels from training rows, and that the columns are independent.

        Parameters
        ----------
        frame : pandas.DataFrame
            Training rows; rows with a missing input are passed over.

        Returns
        -------
        Design
            Itself.

        Raises
        ------
        UnknownNameError
            An input that is no column, a reference that is no level.
        InputError
            No complete row, a column that is not numeric, columns that repeat others (named).
        """
        known = self._inputs(frame)
        known = known[known.notna().all(axis=1)]
        if known.empty:
            raise InputError("frame", "have a row without missing inputs", f"{len(frame)} rows")
        numbers = known[list(self.numeric)].astype(float)
        still = self.scale == "none"
        self.centre_ = {n: 0.0 if still else float(numbers[n].mean()) for n in self.numeric}
        spread = {n: float(numbers[n].std(ddof=0)) for n in self.numeric}
        self.scale_ = {n: spread[n] if self.scale == "standard" and spread[n] > 0 else 1.0 for n in self.numeric}
        self.pooled_: dict[str, tuple[str, ...]] = {}
        self.levels_ = {n: self._levels(n, known[n]) for n in (*self.categorical, *self.modifiers)}
        blocks = self._blocks(known)
        self.left_out_ = self._spared(blocks)
        kept = {n: tuple(c for c in block if c not in self.left_out_) for n, block in blocks.items()}
        self.terms_: dict[str, tuple[str, ...]] = {
            n: block for n, block in kept.items() if block or n in self.categorical
        }
        self.columns_ = (INTERCEPT, *(c for block in self.terms_.values() for c in block))
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the design matrix of any rows, coded as learned.

        A level that training did not know goes to ``"(other)"`` if rare levels were pooled, else
        counts as the reference; either way a `DataQualityWarning` says which and how often.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows with the inputs; the index is kept.

        Returns
        -------
        pandas.DataFrame
            Shape (T, K) of float64, columns `columns_`; NaN across where an input is missing.

        Raises
        ------
        InputError
            Not fitted, an input missing as a column, infinite numbers.
        """
        if not hasattr(self, "columns_"):
            raise InputError("design", "be fitted before it transforms", "no fit yet")
        known = self._inputs(frame)
        self._tell_new(known)
        columns = {name: column for block in self._blocks(known).values() for name, column in block.items()}
        out = np.empty((len(known), len(self.columns_)))
        out[:, 0] = 1.0
        for k, name in enumerate(self.columns_[1:], start=1):
            out[:, k] = columns[name]
        out[known.isna().any(axis=1).to_numpy()] = np.nan
        return pd.DataFrame(out, index=frame.index, columns=list(self.columns_))

    def _inputs(self, frame: pd.DataFrame) -> pd.DataFrame:
        named = [*self.numeric, *self.categorical, *self.modifiers]
        for name in named:
            checks.one_of("column of frame", name, [str(c) for c in frame.columns])
        for name in self.numeric:
            checks.series(name, frame[name].to_numpy(), missing=True, at_least=0)
        return frame[named]

    def _blocks(self, known: pd.DataFrame) -> dict[str, dict[str, npt.NDArray[np.float64]]]:
        blocks = {str(n): self._coded(str(n), known[n]) for n in known}
        for a, b in self.interactions:
            products = [(x, y) for x in blocks[a] for y in blocks[b]]
            blocks[f"{a}:{b}"] = {f"{x}:{y}": blocks[a][x] * blocks[b][y] for x, y in products}
        return blocks

    def _spared(self, blocks: dict[str, dict[str, npt.NDArray[np.float64]]]) -> dict[str, str]:
        """Return what is left out of modifiers and products, and why; anything else that repeats is refused."""
        columns = {name: column for block in blocks.values() for name, column in block.items()}
        products = {c for a, b in self.interactions for c in blocks[f"{a}:{b}"]} if self.rare_products else set()
        rows = {name: int(np.count_nonzero(columns[name])) for name in products}
        out = {name: f"{n} rows" for name, n in rows.items() if n < (self.rare_products or 0)}
        rest = [name for name in columns if name not in out]
        numbers = [columns[name] for name in rest]
        repeats = dependent(np.column_stack([np.ones(len(numbers[0])), *numbers]), [INTERCEPT, *rest]) if rest else {}
        may_go = products | {c for n in self.modifiers for c in blocks[n]}
        refused = [f"{name} = {told}" for name, told in repeats.items() if name not in may_go]
        if refused:
            more = f" and {len(refused) - 8} more" if len(refused) > 8 else ""
            hint = "leave out the input, or pool rare levels"
            told = "; ".join(refused[:8]) + more
            raise InputError("design", "have linearly independent columns in training", told, hint)
        return {name: out.get(name) or f"= {repeats[name]}" for name in columns if name in out or name in repeats}

    def _levels(self, name: str, column: pd.Series[Any]) -> tuple[str, ...]:
        counts = column.astype(str).value_counts()
        ordered = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else sorted(counts.index)
        present = [str(level) for level in ordered if counts.get(str(level), 0)]
        least = self.rare.get(name, 1)
        levels = [level for level in present if counts[level] >= least]
        self.pooled_[name] = tuple(level for level in present if counts[level] < least)
        if self.pooled_[name]:
            levels.append(OTHER)
        first = levels[0] if getattr(column.dtype, "ordered", False) else max(levels, key=lambda v: counts.get(v, 0))
        reference = self.reference.get(name, first)
        if reference not in levels:
            raise UnknownNameError(f"reference of {name!r}", reference, levels)
        return (reference, *(level for level in levels if level != reference))

    def _coded(self, name: str, column: pd.Series[Any]) -> dict[str, npt.NDArray[np.float64]]:
        if name in self.centre_:
            return {name: (column.to_numpy(dtype=float) - self.centre_[name]) / self.scale_[name]}
        levels = self.levels_[name]
        text = column.astype(str).where(column.notna(), levels[0])
        text = text.where(text.isin(levels), OTHER if OTHER in levels else levels[0])
        code = pd.Categorical(text, categories=list(levels)).codes
        return {f"{name}={level}": (code == k).astype(float) for k, level in enumerate(levels) if k}

    def _tell_new(self, known: pd.DataFrame) -> None:
        for name in (*self.categorical, *self.modifiers):
            counts = known[name].dropna().astype(str).value_counts()
            new = counts[~counts.index.isin([*self.levels_[name], *self.pooled_[name]])]
            if len(new):
                pooled = OTHER in self.levels_[name]
                where = f"pooled into {OTHER!r}" if pooled else f"treated as {self.levels_[name][0]!r}"
                listed = ", ".join(f"{level!r} ({count})" for level, count in new.items())
                text = f"{name}: levels unknown in training, {where}: {listed}"
                warnings.warn(text, DataQualityWarning, stacklevel=3)
