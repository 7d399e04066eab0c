"""Small builders of MyST text: escaped words, tables, numbers as a reader wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from citylib.errors import InputError

__all__ = [
    "anchor",
    "code",
    "megabytes",
    "name",
    "number",
    "plural",
    "prose",
    "record_text",
    "seconds",
    "table",
    "text",
]

_SHORT = {w: w.upper() for w in ("aic", "bic", "crps", "mae", "mape", "mase", "rmse")} | {
    "aicc": "AICc",
    "brier": "Brier",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>$|#~])")


def text(value: object) -> str:
    """Return plain words that MyST shows as they are, on one line.

    Parameters
    ----------
    value : object
        What to show.

    Returns
    -------
    str
        With every character that has a meaning in MyST escaped.

    Examples
    --------
    >>> text("a_b | c")
    'a\\\\_b \\\\| c'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def prose(value: object) -> str:
    """Return words that MyST shows as they are, but for code between backticks, which stays code.

    Parameters
    ----------
    value : object
        What to show.

    Returns
    -------
    str
        On one line.

    Examples
    --------
    >>> prose("see `citylib data list`, or a_b")
    'see `citylib data list`, or a\\\\_b'
    """
    parts = " ".join(str(value).split()).split("`")
    if len(parts) % 2 == 0:
        return text(value)
    return "".join(code(part) if i % 2 else _SPECIAL.sub(r"\\\1", part) for i, part in enumerate(parts))


def code(value: object) -> str:
    """Return `value` as inline code that may stand in a table.

    Parameters
    ----------
    value : object
        What to show.

    Returns
    -------
    str
        Fenced by as many backticks as it needs; pipes escaped.

    Examples
    --------
    >>> code("none | daily")
    '`none \\\\| daily`'
    """
    plain = " ".join(str(value).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {plain} {fence}" if longest else f"{fence}{plain or ' '}{fence}"


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", name: str = "", classes: str = "sortable"
) -> str:
    """Return a table directive; cells are MyST already.

    Parameters
    ----------
    head : sequence of str
        Column heads.
    rows : iterable of sequences of str
        One a row, each as long as `head`.
    caption : str, optional
        One sentence above it.
    name : str, optional
        Label other pages may refer to.
    classes : str, default "sortable"
        CSS classes.

    Returns
    -------
    str
        The directive, with a blank line after it.

    Raises
    ------
    InputError
        A row is not as long as the head.
    """
    lines = [f"::::{{table}} {caption}".rstrip(), f":class: {classes}"]
    if name:
        lines.append(f":name: {name}")
    lines += ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        if len(row) != len(head):
            raise InputError("row", f"have {len(head)} cells", row)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "::::", ""]) + "\n"


def name(recorded: str) -> str:
    """Return the name of a record as a reader wants it.

    Parameters
    ----------
    recorded : str
        Snake-case name.

    Returns
    -------
    str
        In words, with what statisticians abbreviate spelled as they do.

    Examples
    --------
    >>> name("mae_minus_baseline"), name("r_squared_alone")
    ('MAE minus baseline', 'R² alone')
    """
    words = recorded.replace("r_squared", "R²").replace("p_value", "p-value").split("_")
    return " ".join(_SHORT.get(word, word) for word in words)


def number(value: float | int | str | bool, digits: int = 4) -> str:
    """Return a recorded value with `digits` significant digits and thin thousands.

    Parameters
    ----------
    value : float, int, str or bool
        A number, or a word that is passed through.
    digits : int, default 4
        Significant digits.

    Returns
    -------
    str
        Such as ``"12,345"`` or ``"0.1235"``.

    Examples
    --------
    >>> number(12345.678), number(0.123456), number("none")
    ('12,346', '0.1235', 'none')
    """
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, int) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def record_text(record: Mapping[str, Any], digits: int = 3) -> str:
    """Return a record in one phrase: value, unit, interval, baseline.

    Parameters
    ----------
    record : mapping
        Payload of `citylib.results.record`.
    digits : int, default 3
        Significant digits.

    Returns
    -------
    str
        Plain words.

    Examples
    --------
    >>> record_text({"name": "mae", "value": 12.34, "unit": "µg/m³", "baseline": 15.1})
    '12.3 µg/m³, against 15.1 for the baseline'
    """
    unit = f" {record['unit']}" if record.get("unit") else ""
    phrase = number(record["value"], digits) + unit
    if record.get("interval"):
        low, high = (number(end, digits) for end in record["interval"])
        phrase += f" ({record.get('level', 0.95):.0%} interval {low} to {high})"
    if record.get("baseline") is not None:
        phrase += f", against {number(record['baseline'], digits)} for the baseline"
    return phrase


def plural(noun: str) -> str:
    """Return the plural of an English noun.

    Examples
    --------
    >>> plural("district"), plural("city"), plural("crossing of two roads")
    ('districts', 'cities', 'crossings of two roads')
    """
    first, space, rest = noun.partition(" of ")
    if re.search(r"[^aeiou]y$", first):
        many = f"{first[:-1]}ies"
    else:
        many = f"{first}es" if re.search(r"(s|x|z|ch|sh)$", first) else f"{first}s"
    return many + space + rest


def seconds(value: float) -> str:
    """Return a duration as a reader wants it.

    Examples
    --------
    >>> seconds(0.26), seconds(12.3), seconds(75)
    ('0.3 s', '12 s', '1 min 15 s')
    """
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def megabytes(value: float) -> str:
    """Return a number of bytes as a reader wants it.

    Examples
    --------
    >>> megabytes(2_345), megabytes(3_456_789), megabytes(412_345_678)
    ('2.3 kB', '3.5 MB', '412 MB')
    """
    if value < 1e6:
        return f"{value / 1e3:.1f} kB"
    return f"{value / 1e6:.1f} MB" if value < 1e8 else f"{value / 1e6:,.0f} MB"


def anchor(title: str) -> str:
    """Return the anchor that MyST gives a heading.

    Examples
    --------
    >>> anchor("Your own city, by file")
    'your-own-city-by-file'
    """
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip())
