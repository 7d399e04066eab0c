"""When two values of two runs count as equal, and the line that is said of them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from citylib.errors import InputError

__all__ = ["Line", "Tolerance"]

# Parts of a comparison that are results, and those that differ between any two runs.
RESULTS = ("outcome", "error", "result", "table", "said", "figure")
COSTS = ("cost",)


@dataclass(frozen=True)
class Line:
    """One thing of two runs, side by side.

    Parameters
    ----------
    part : str
        What kind: outcome, error, parameter, result, table, said, figure, notebook, lock, limit, data, version,
        citylib, cost.
    name : str
        Which of them.
    a, b : object
        What it is in each, in types of JSON; None where it is not.
    equal : bool
        Whether they count as equal.
    note : str, optional
        How far they are apart, or who has it.
    """

    part: str
    name: str
    a: Any
    b: Any
    equal: bool
    note: str = ""

    @property
    def is_result(self) -> bool:
        """Whether it is part of what the runs came to."""
        return self.part in RESULTS

    @property
    def is_cost(self) -> bool:
        """Whether it differs between any two runs, such as seconds."""
        return self.part in COSTS


@dataclass(frozen=True)
class Tolerance:
    """How far two numbers may be apart and count as equal.

    Parameters
    ----------
    relative : float, default 1e-9
        As a share of the larger of the two.
    absolute : float, default 0
        In the number's own unit; either suffices.

    Examples
    --------
    >>> Tolerance(0.01).line("result", "mae", 99.5, 100.0)
    Line(part='result', name='mae', a=99.5, b=100.0, equal=True, note='0.5 apart (0.5 %)')
    >>> Tolerance().line("result", "mae", 1, True).note
    'int against bool'
    """

    relative: float = 1e-9
    absolute: float = 0.0

    def __post_init__(self) -> None:
        for name in ("relative", "absolute"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise InputError(f"{name} tolerance", "be 0 or more", value)

    def close(self, a: float, b: float) -> bool:
        """Whether two numbers count as equal; NaN and an infinity equal only themselves."""
        both_nan = math.isnan(a) and math.isnan(b)
        return both_nan or math.isclose(a, b, rel_tol=min(self.relative, 1.0), abs_tol=self.absolute)

    def line(self, part: str, name: str, a: Any, b: Any) -> Line:
        """Return the line of two values: numbers within tolerance, all others exactly, a type always."""
        if a is None or b is None:
            return Line(
                part, name, _json(a), _json(b), a is b, "" if a is b else f"only in {'A' if b is None else 'B'}"
            )
        if type(a) is not type(b):
            return Line(part, name, _json(a), _json(b), False, f"{type(a).__name__} against {type(b).__name__}")
        if isinstance(a, (int, float)) and not isinstance(a, bool):
            return Line(part, name, _json(a), _json(b), self.close(a, b), _apart(a, b))
        same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)  # 1 and 1.0 in a list are not the same
        return Line(part, name, a, b, same)


def _apart(a: float, b: float) -> str:
    if a == b or math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return ""
    gap = abs(a - b)
    return f"{gap:.3g} apart ({100 * gap / max(abs(a), abs(b)):.3g} %)"


def _json(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN and infinities as words."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
