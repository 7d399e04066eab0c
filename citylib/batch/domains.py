"""The types and domains that a parameter may have, and how a value is held against them.

Types are ``str``, ``int``, ``float``, ``bool``, ``list[...]`` of these, each with
``| None`` where the parameter may be left out. Domains stand in brackets at the
end of the parameter's comment: ``[a..b]``, ``[a..]``, ``[..b]`` (a range),
``[x | y | z]`` (a choice), ``[date]`` (ISO, YYYY-MM-DD). For a list they hold for each element.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from citylib.errors import InputError, UnknownNameError, nearest

__all__ = ["Domain", "Kind", "Scalar", "Value"]

Scalar = str | int | float | bool
Value = Scalar | list[Any] | None
SCALARS = ("str", "int", "float", "bool")
RANGE = re.compile(r"\s*(-?[\d.eE+-]*?)\s*\.\.\s*(-?[\d.eE+-]*?)\s*")
UNREADABLE = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)  # of literals, the last two too nested
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Kind:
    """A parameter's type.

    Parameters
    ----------
    scalar : {"str", "int", "float", "bool"}
        Of the value, or of a list's elements.
    many : bool
        Whether it is a list.
    optional : bool
        Whether None is allowed.
    """

    scalar: str
    many: bool = False
    optional: bool = False

    def __str__(self) -> str:
        inner = f"list[{self.scalar}]" if self.many else self.scalar
        return f"{inner} | None" if self.optional else inner

    @classmethod
    def of(cls, annotation: ast.expr) -> Kind:
        """Return the kind that an annotation stands for.

        Examples
        --------
        >>> Kind.of(ast.parse("list[int] | None", mode="eval").body)
        Kind(scalar='int', many=True, optional=True)

        Raises
        ------
        InputError
            Any other annotation.
        """
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    return cls.of(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    pass
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                inner = cls.of(left)
                if not inner.optional:
                    return cls(inner.scalar, inner.many, True)
            case ast.Subscript(value=ast.Name(id="list"), slice=ast.Name(id=scalar)) if scalar in SCALARS:
                return cls(scalar, many=True)
            case ast.Name(id=scalar) if scalar in SCALARS:
                return cls(scalar)
        known = "str, int, float, bool, list[...] of these, with | None where it may be left out"
        raise InputError("type", f"be one of {known}", ast.unparse(annotation))

    def take(self, value: Any) -> Value:
        """Return `value` as this kind: an int does for a float, nothing else is converted.

        Raises
        ------
        InputError
            A value of another type; the argument is ``value``.
        """
        if value is None and self.optional:
            return None
        if not self.many:
            return self._scalar(value)
        if not isinstance(value, list):
            raise InputError("value", f"be {self}", value)
        return [self._scalar(item) for item in value]

    def _scalar(self, value: Any) -> Scalar:
        exact: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
        if self.scalar == "float" and type(value) is int:
            try:
                value = float(value)
            except OverflowError:
                raise InputError("value", "be finite", value) from None
        if type(value) is not exact[self.scalar]:
            raise InputError("value", f"be {self}", value)
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError("value", "be finite", value)
        assert isinstance(value, (str, int, float, bool))
        return value

    def parse(self, text: str) -> Value:
        """Read `text`, as typed on a command line, as this kind.

        Strings need no quotes, lists are Python or JSON literals, ``none`` stands for None.

        Examples
        --------
        >>> Kind("int", many=True).parse("[2, 1, 2]"), Kind("str", optional=True).parse("none")
        ([2, 1, 2], None)

        Raises
        ------
        InputError
            Text that cannot be read so.
        """
        if self.optional and text.strip().lower() == "none":
            return None
        if self.many:
            return self.take(self._items(text))
        return self._word(text)

    def _items(self, text: str) -> Any:
        if "[" not in text:
            return [self._word(word.strip()) for word in text.split(",")] if text.strip() else []
        reads: tuple[Callable[[str], Any], ...] = (json.loads, ast.literal_eval)
        for read in reads:
            try:
                return read(text)
            except UNREADABLE:
                continue
        raise InputError("value", f"be {self}, written like a Python list", text)

    def _word(self, text: str) -> Scalar:
        if self.scalar == "str":
            return text
        plain = text.strip().lower()
        if self.scalar == "bool" and plain in ("true", "false", "yes", "no"):
            return plain in ("true", "yes")
        try:
            value = ast.literal_eval(text.strip())
        except UNREADABLE:
            raise InputError("value", f"be {self}", text) from None
        return self._scalar(value)


@dataclass(frozen=True)
class Domain:
    """The values that a parameter may have.

    Parameters
    ----------
    text : str
        As declared, without the brackets; empty where every value of the type does.
    low, high : float, optional
        Ends of a range, both inclusive.
    choices : tuple
        The values to choose from.
    date : bool
        Whether it is a calendar date.
    """

    text: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Scalar, ...] = ()
    date: bool = False

    @classmethod
    def of(cls, text: str, kind: Kind) -> Domain:
        """Read a domain as declared, for a parameter of `kind`.

        Examples
        --------
        >>> Domain.of("1..168", Kind("int")).low
        1.0

        Raises
        ------
        InputError
            Not a domain, or one that does not suit the type.
        """
        text = text.strip()
        if text == "date":
            if kind.scalar != "str":
                raise InputError("domain", "be [date] only for str", str(kind))
            return cls(text, date=True)
        if "|" in text:
            words = [word.strip() for word in text.split("|")]
            try:
                found = tuple(kind._word(_unquoted(word) if kind.scalar == "str" else word) for word in words)
            except InputError:
                raise InputError("domain", f"list values of type {kind.scalar}", text) from None
            return cls(text, choices=found)
        span = RANGE.fullmatch(text)
        if span is None:
            rule = "be [a..b], [a..], [..b], [x | y | z] or [date]"
            raise InputError("domain", rule, f"[{text}]", "a unit goes before the brackets, in words")
        if kind.scalar not in ("int", "float"):
            raise InputError("domain", "be a range only for int and float", f"[{text}] for {kind}")
        try:
            low, high = (float(end) if end else None for end in span.groups())
        except ValueError:
            raise InputError("domain", "have numbers as ends", f"[{text}]") from None
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise InputError("domain", "have a low end below its high end", f"[{text}]")
        return cls(text, low=low, high=high)

    def hold(self, value: Value) -> None:
        """Do nothing if `value` lies in the domain.

        Raises
        ------
        InputError
            It does not; the argument is ``value``.
        """
        items = value if isinstance(value, list) else [value]
        for item in items:
            if item is not None:
                self._hold(item)

    def _hold(self, item: Any) -> None:
        if self.choices and item not in self.choices:
            if isinstance(item, str) and nearest(item, [str(choice) for choice in self.choices]):
                raise UnknownNameError("value", item, [str(choice) for choice in self.choices])
            raise InputError("value", f"be one of: {', '.join(map(str, self.choices))}", item)
        if (self.low is not None and item < self.low) or (self.high is not None and item > self.high):
            raise InputError("value", f"lie in [{self.text}]", item)
        if self.date:
            _calendar_date(item)


def _calendar_date(text: str) -> None:
    try:
        good = bool(DATE.fullmatch(text)) and dt.date.fromisoformat(text) is not None
    except ValueError:
        good = False
    if not good:
        raise InputError("value", "be a date like 2016-01-31", text)


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word
