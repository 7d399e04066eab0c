"""Every sensor of a source, every value of a column: what ``each`` in a plan stands for."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from citylib.batch.parameters import Parameter
from citylib.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from citylib.data.dataset import Dataset

__all__ = ["Places"]

# All that a filter may hold: comparisons of columns with literals, joined by and, or, not.
ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Eq, ast.NotEq, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip


@dataclass
class Places:
    """The sources that a plan asks about, each loaded once."""

    loaded: dict[tuple[str, int], Dataset] = field(default_factory=dict)

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
            A source that cannot be loaded, no such column, a filter that says more than comparisons, no values.
        """
        if parameter is None:
            return [""]
        if "source" not in known:
            raise InputError("each", "be used with a notebook that has a parameter `source`", parameter.name)
        source = given.get("source", known["source"].default)
        seed = given.get("seed", known["seed"].default if "seed" in known else 0)
        if wish == "sensors":
            return list(self._dataset(source, seed).panel().sensors)
        if not isinstance(wish, dict) or "column" not in wish or set(wish) - {"column", "where", "table"}:
            raise InputError(f"each.{parameter.name}", 'be "sensors" or { column, where, table }', wish)
        found = self._column(self._dataset(source, seed), wish)
        if parameter.kind.scalar == "str":
            found = [str(value) for value in found]
        if not found:
            raise InputError(f"each.{parameter.name}", f"have at least one value in {source}", wish)
        return found

    def _dataset(self, source: Any, seed: Any) -> Dataset:
        from citylib import data

        if (source, seed) not in self.loaded:
            self.loaded[source, seed] = data.load(source, seed=seed)
        return self.loaded[source, seed]

    def _column(self, dataset: Dataset, wish: Mapping[str, Any]) -> list[Any]:
        column, where = wish["column"], wish.get("where")
        if "table" in wish:
            table = dataset.table(wish["table"])
        else:
            holding = [name for name, frame in dataset.tables.items() if column in frame.columns]
            if not holding:
                every = sorted({str(c) for frame in dataset.tables.values() for c in frame.columns})
                raise UnknownNameError("column", str(column), every)
            table = dataset.table(holding[0])
        if column not in table.columns:
            raise UnknownNameError("column", str(column), map(str, table.columns))
        kept = _filtered(table, where) if where is not None else table
        values = kept[column].dropna().unique().tolist()
        return sorted(values, key=lambda value: (str(type(value)), value))


def _filtered(table: pd.DataFrame, where: Any) -> pd.DataFrame:
    try:
        tree = ast.parse(where, mode="eval") if isinstance(where, str) else None
    except SyntaxError:
        tree = None
    if tree is None or not all(isinstance(node, ALLOWED) for node in ast.walk(tree)):
        raise InputError("where", "compare columns with values, joined by and, or, not", where)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in table.columns:
            raise UnknownNameError("column in where", node.id, map(str, table.columns))
    return table.query(where, engine="python")
