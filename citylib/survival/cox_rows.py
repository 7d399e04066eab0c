"""Rows of a Cox regression, checked: what cannot be, or says nothing, is refused before anything is fitted.

Legend: n rows, p columns, G strata, C clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.survival import life_table
from citylib.survival.risk_sets import RiskSets, risk_sets

__all__ = ["Rows", "checked"]

FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that a Cox regression can be fitted to.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Covariates.
    stop : ndarray, shape (n,)
        When watching a row ended.
    event : ndarray of bool, shape (n,)
        Whether it ended in an event.
    entry : ndarray, shape (n,), or None
        When watching it began; None: it was at risk from ever.
    weight : ndarray, shape (n,), or None
        How much it counts; None: 1.
    cluster : ndarray of int, shape (n,), or None
        Number of the cluster it belongs to.
    names : tuple of str
        Names of the covariates.
    strata : tuple of str
        Names of the strata.
    sets : RiskSets
        Who is at risk when.
    """

    x: FloatArray
    stop: FloatArray
    event: npt.NDArray[np.bool_]
    entry: FloatArray | None
    weight: FloatArray | None
    cluster: Codes | None
    names: tuple[str, ...]
    strata: tuple[str, ...]
    sets: RiskSets

    def __len__(self) -> int:
        return len(self.stop)


def checked(
    stop: npt.ArrayLike,
    event: npt.ArrayLike,
    x: npt.ArrayLike | pd.DataFrame,
    *,
    entry: npt.ArrayLike | None,
    stratum: npt.ArrayLike | None,
    weight: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
    subject: npt.ArrayLike | None,
    names: Sequence[str] | None,
) -> Rows:
    """Check the arguments of `citylib.survival.cox.fit`, where they are described.

    Parameters
    ----------
    stop, event, x : array_like
        As there.
    entry, stratum, weight, cluster, subject : array_like, optional
        As there.
    names : sequence of str, optional
        As there.

    Returns
    -------
    Rows

    Raises
    ------
    InputError
        Whatever is wrong with them, except what only the fit can tell.
    """
    given = x.columns if isinstance(x, pd.DataFrame) and names is None else names
    x_np = np.ascontiguousarray(checks.matrix("x", x))
    if not x_np.shape[1]:
        raise InputError("x", "have at least one column", x_np.shape)
    labels = [f"x{j}" for j in range(x_np.shape[1])] if given is None else [str(name) for name in given]
    if len(labels) != x_np.shape[1]:
        raise InputError("names", f"name the {x_np.shape[1]} columns of x", labels)
    labels = list(checks.unique("names", labels))
    stop_n = np.ascontiguousarray(checks.array("stop", stop, ndim=1, at_least=1, minimum=0 if entry is None else None))
    event_n = np.ascontiguousarray(checks.binary("event", event))
    lengths: dict[str, npt.NDArray[np.generic]] = {"stop": stop_n, "event": event_n, "x": x_np}
    entry_n = None if entry is None else np.ascontiguousarray(checks.series("entry", entry))
    weight_n = None if weight is None else np.ascontiguousarray(checks.series("weight", weight))
    codes = {"stratum": _codes("stratum", stratum), "cluster": _codes("cluster", cluster)}
    codes["subject"] = _codes("subject", subject)
    lengths |= {name: found[0] for name, found in codes.items() if found is not None}
    lengths |= {name: a for name, a in (("entry", entry_n), ("weight", weight_n)) if a is not None}
    checks.same_length(**lengths)
    if not event_n.any():
        raise InputError("event", "hold at least one event", f"none in {len(event_n)} rows")
    if weight_n is not None and (weight_n <= 0).any():
        _refuse("weight", "be above 0", weight_n <= 0, weight_n, "leave out rows that do not count")
    if weight_n is not None:
        life_table.moderate("weight", weight_n)
    if entry_n is not None and (entry_n >= stop_n).any():
        bad = entry_n >= stop_n
        at = int(np.argmax(bad))
        told = f"{int(bad.sum())} row(s) of no or negative length, first row {at}: {entry_n[at]:g} to {stop_n[at]:g}"
        raise InputError("entry", "be before stop", told)
    if codes["subject"] is not None:
        _apart(*codes["subject"], entry_n, stop_n)
    of_stratum, clusters = codes["stratum"], codes["cluster"]
    if clusters is not None and len(clusters[1]) < 2:
        raise InputError("cluster", "hold at least two clusters", len(clusters[1]))
    sets = risk_sets(stop_n, event_n, entry=entry_n, stratum=None if of_stratum is None else of_stratum[0])
    return Rows(
        x_np, stop_n, event_n, entry_n, weight_n,
        None if clusters is None else clusters[0],
        tuple(labels),
        ("all",) if of_stratum is None else tuple(map(str, of_stratum[1])),
        sets,
    )  # fmt: skip


def _codes(argument: str, value: npt.ArrayLike | None) -> tuple[Codes, npt.NDArray[np.generic]] | None:
    """Return the number of each row's label, and the labels in sorted order."""
    if value is None:
        return None
    labels = np.asarray(value)
    if labels.ndim != 1:
        raise InputError(argument, "have 1 dimension(s)", labels.shape)
    if pd.isna(labels).any():
        bad = pd.isna(labels)
        raise InputError(argument, "have no missing values", f"{int(bad.sum())}, first at row {int(np.argmax(bad))}")
    code, names = pd.factorize(labels, sort=True)
    return code.astype(np.int64), np.asarray(names)


def _apart(code: Codes, names: npt.NDArray[np.generic], entry: FloatArray | None, stop: FloatArray) -> None:
    """Refuse rows of one subject that go back in time or overlap."""
    row = np.argsort(code, kind="stable")
    same = code[row][1:] == code[row][:-1]
    if entry is None:
        if same.any():
            at = int(np.argmax(same))
            told = f"{names[code[row[at]]]} in rows {row[at]} and {row[at + 1]}"
            hint = "give entry; for several durations of one thing give cluster instead"
            raise InputError("subject", "have one row each where no entry is given", told, hint)
        return
    first, second = row[:-1], row[1:]
    for rule, bad in (
        ("have its rows in order of time", same & (stop[second] < stop[first])),
        ("have rows that do not overlap", same & (entry[second] < stop[first])),
    ):
        if bad.any():
            at = int(np.argmax(bad))
            one, two = first[at], second[at]
            told = f"{int(bad.sum())} row(s), first {names[code[one]]}: row {one} is ({entry[one]:g}, {stop[one]:g}], "
            raise InputError("subject", rule, told + f"row {two} is ({entry[two]:g}, {stop[two]:g}]")


def _refuse(argument: str, rule: str, bad: npt.NDArray[np.bool_], values: FloatArray, hint: str) -> None:
    at = int(np.argmax(bad))
    raise InputError(argument, rule, f"{int(bad.sum())} row(s), first {values[at]:g} at row {at}", hint)
