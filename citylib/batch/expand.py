"""Every sensor of a source, every value of a column: what ``each`` in a plan stands for."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from citylib.batch.parameters import Parameter
from citylib.errors import CitylibError, InputError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from citylib.data.dataset import Dataset

__all__ = ["Places"]

WISH = ("column", "where", "table")
# All that a filter may hold: comparisons of columns with literals, joined by and, or, not.
ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Eq, ast.NotEq, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip


@dataclass
class Places:
    """The sources that a plan asks about, each loaded once, or found once not to load."""

    loaded: dict[tuple[str, int], Dataset | CitylibError] = field(default_factory=dict)

    def values(
        self, parameter: Parameter | None, wish: Any, known: Mapping[str, Parameter], given: Mapping[str, Any]
    ) -> list[Any]:
        """Return the values that a parameter takes, in order.

        Parameters
        ----------
        parameter : Parameter or None
            The one to vary; None is left for the check of parameters to refuse.
        wish : str or dict
            ``"sensors"``, or ``{column, where, table}``.
        known : mapping
            The notebook's parameters; ``source`` and ``seed`` say which data.
        given : mapping
            What the plan sets.

        Returns
        -------
        list

        Raises
        ------
        InputError, DataError
            A source that cannot be loaded, no such column, a filter that says more than comparisons or compares what
            cannot be compared, no values.
        """
        if parameter is None:
            return [""]
        if "source" not in known:
            raise InputError("each", "be used with a notebook that has a parameter `source`", parameter.name)
        source = given.get("source", known["source"].default)
        seed = given.get("seed", known["seed"].default if "seed" in known else 0)
        each = f"each.{parameter.name}"
        if wish == "sensors":
            return list(self._dataset(source, seed).panel().sensors)
        if not isinstance(wish, dict) or not isinstance(wish.get("column"), str) or set(wish) - set(WISH):
            raise InputError(each, 'be "sensors" or { column, where, table }', wish)
        found = _column(self._dataset(source, seed), wish, each)
        if parameter.kind.scalar == "str":
            found = [str(value) for value in found]
        if not found:
            raise InputError(each, f"have at least one value in {source}", wish)
        return found

    def _dataset(self, source: Any, seed: Any) -> Dataset:
        from citylib import data

        for name, value, kind in (("source", source, str), ("seed", seed, int)):
            if not isinstance(value, kind):
                raise InputError(name, f"be {kind.__name__}", value)
        if (source, seed) not in self.loaded:
            try:
                self.loaded[source, seed] = data.load(source, seed=seed)
            except CitylibError as fault:  # kept: a download that doesn't come is not waited for again
                self.loaded[source, seed] = fault
        found = self.loaded[source, seed]
        if isinstance(found, CitylibError):
            raise found
        return found


def _column(dataset: Dataset, wish: Mapping[str, Any], each: str) -> list[Any]:
    """Return the values of the column that a wish names, each once, sorted; times in ISO 8601."""
    column, where = wish["column"], wish.get("where")
    if "table" in wish:
        if not isinstance(wish["table"], str):
            raise InputError(f"{each}.table", "be the name of a table", wish["table"])
        table = dataset.table(wish["table"])
    else:
        holding = [name for name, frame in dataset.tables.items() if column in frame.columns]
        if not holding:
            every = sorted({str(c) for frame in dataset.tables.values() for c in frame.columns})
            raise UnknownNameError(f"{each}.column", column, every)
        table = dataset.table(holding[0])
    if column not in table.columns:
        raise UnknownNameError(f"{each}.column", column, map(str, table.columns))
    kept = _filtered(table, where, f"{each}.where") if where is not None else table
    values = {_plain(value) for value in kept[column].dropna()}
    return sorted(values, key=lambda value: (str(type(value)), value))


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat().removesuffix("T00:00:00")
    return value.item() if hasattr(value, "item") else value if isinstance(value, str | int | float) else str(value)


def _filtered(table: pd.DataFrame, where: Any, argument: str) -> pd.DataFrame:
    import pandas as pd

    try:
        tree = ast.parse(where, mode="eval") if isinstance(where, str) else None
    except (SyntaxError, ValueError, RecursionError):
        tree = None
    if tree is None or not all(isinstance(node, ALLOWED) for node in ast.walk(tree)):
        raise InputError(argument, "compare columns with values, joined by and, or, not", where)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in table.columns:
            raise UnknownNameError(f"column in {argument}", node.id, map(str, table.columns))
    kept, hint = None, ""
    try:
        kept = table.eval(where, engine="python")
    except (TypeError, ValueError, KeyError, AttributeError, NotImplementedError, RecursionError) as fault:
        hint = next(iter(str(fault).splitlines()), "")
    if not isinstance(kept, pd.Series) or kept.dtype.kind != "b":
        raise InputError(argument, "compare columns with values of their own kind", where, hint)
    return table[kept.fillna(False).astype(bool)]
