"""What a notebook hands back: record, table, say, figure.

Each shows something to the reader and emits one display that carries, under the
type ``application/vnd.citylib.result+json``, what was said. It works the same in
JupyterLab, papermill and nbconvert; the runner reads the payloads from the
executed notebook. Nothing is kept in between: no state, no file, no environment.
Outside a notebook (plain Python, tests) the calls return the payload and show nothing.
"""

from __future__ import annotations

import html
import json
import math
import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from citylib import checks
from citylib.errors import InputError

__all__ = ["MIME", "Payload", "figure", "loaded", "read", "record", "say", "table"]

MIME = "application/vnd.citylib.result+json"
VERSION = 1
SHOWN_ROWS = 200


class Payload(dict[str, Any]):
    """What a call handed back; it shows nothing of its own at the end of a cell, as the call has shown it already."""

    def _ipython_display_(self) -> None:
        """Show nothing."""


def record(
    name: str,
    value: float | int | str | bool,
    *,
    unit: str = "",
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
    baseline: float | None = None,
    blocks: int | None = None,
    digits: int = 4,
) -> Payload:
    """Hand back one number (or word), and show it.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    value : float, int, str or bool
        The result; NaN and infinities are refused.
    unit : str, optional
        Its unit, such as ``"µg/m³"``; empty for a pure number.
    interval : (low, high), optional
        Uncertainty, at `level`.
    level : float, default 0.95
        Coverage that the interval claims.
    baseline : float, optional
        The same figure for the named baseline.
    blocks : int, optional
        Blocks of neighbouring steps that the interval rests on (`citylib.evaluate.compare.Interval.blocks`), so that
        whoever widens it knows how well its width is known.
    digits : int, default 4
        Significant digits shown; the payload keeps all.

    Returns
    -------
    dict
        The payload.

    Raises
    ------
    InputError
        A name that is no identifier, a value that is not finite, an interval the wrong way round, blocks without one.

    Examples
    --------
    >>> record("mae", 12.3, unit="µg/m³", interval=(11.8, 12.9), baseline=15.1)["interval"]
    [11.8, 12.9]
    """
    payload = Payload({"version": VERSION, "type": "record", "name": _name(name), "value": _scalar("value", value)})
    payload["unit"] = unit
    if interval is not None:
        low, high = (checks.number("interval", float(end)) for end in interval)
        if low > high:
            raise InputError("interval", "be (low, high)", interval)
        payload |= {"interval": [low, high], "level": checks.fraction("level", level)}
    if blocks is not None:
        if interval is None:
            raise InputError("blocks", "come with the interval that rests on them", blocks)
        payload["blocks"] = checks.integer("blocks", blocks, minimum=2)
    if baseline is not None:
        payload["baseline"] = checks.number("baseline", float(baseline))
    text = _record_text(payload, digits)
    label = html.escape(name.replace("_", " "))
    shown = f'<p class="citylib-record"><span class="name">{label}</span> {html.escape(text)}</p>'
    _emit(payload, f"{name}: {text}", shown, glue=name)
    return payload


def table(name: str, frame: pd.DataFrame, *, caption: str = "", digits: int = 4) -> Payload:
    """Hand back a table, and show its first rows.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    frame : pandas.DataFrame
        Named columns of numbers, text, booleans, dates or categories; a named index is kept as column.
    caption : str, optional
        One sentence above the table; units belong in the column names.
    digits : int, default 4
        Significant digits shown; the payload keeps all.

    Returns
    -------
    dict
        The payload: columns with name, dtype and values (missing as None).

    Raises
    ------
    InputError
        Not a data frame, repeated column names, a column of objects that JSON cannot hold.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError("frame", "be a pandas DataFrame", type(frame).__name__)
    flat = frame.reset_index() if any(n is not None for n in frame.index.names) else frame
    names = checks.unique("columns of frame", [str(c) for c in flat.columns])
    columns = [_column(n, flat.iloc[:, i]) for i, n in enumerate(names)]
    payload = Payload({"version": VERSION, "type": "table", "name": _name(name), "rows": len(flat)})
    payload |= {"caption": caption, "columns": columns}
    _emit(payload, flat.head(SHOWN_ROWS).to_string(index=False), _table_html(payload, flat, digits))
    return payload


def say(text: str, *, when: bool = True, otherwise: str | None = None) -> Payload:
    """Say a sentence that depends on a result: `text` if `when` holds, else `otherwise`.

    Parameters
    ----------
    text : str
        Markdown, said when the condition holds.
    when : bool, default True
        The condition, computed from results.
    otherwise : str, optional
        Markdown, said when it does not; required where `when` can be False.

    Returns
    -------
    dict
        The payload.

    Raises
    ------
    InputError
        `when` is not a bool, or is False with nothing to say otherwise.
    """
    if not isinstance(when, (bool, np.bool_)):
        raise InputError("when", "be True or False", when)
    if not when and otherwise is None:
        raise InputError("otherwise", "be given where `when` can be False", otherwise)
    said = text if when else otherwise
    assert said is not None
    payload = Payload({"version": VERSION, "type": "say", "text": said, "when": bool(when)})
    _emit(payload, said, None, markdown=said)
    return payload


def figure(name: str, markup: str, *, alt: str, caption: str = "", also: Mapping[str, Any] | None = None) -> Payload:
    """Hand back a figure already drawn as HTML (`citylib.plots` calls this).

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    markup : str
        HTML that shows it.
    alt : str
        What a reader who cannot see it should know; at least ten characters.
    caption : str, optional
        One sentence under it.
    also : mapping, optional
        The same figure in other MIME types, such as Plotly's for JupyterLab.

    Returns
    -------
    dict
        The payload, without the markup.

    Raises
    ------
    InputError
        Alternative text missing or too short.
    """
    if len(alt.strip()) < 10:
        raise InputError("alt", "describe the figure in ten characters or more", alt)
    payload = Payload({"version": VERSION, "type": "figure", "name": _name(name), "alt": alt, "caption": caption})
    _emit(payload, f"[figure: {alt}]", markup, also=also)
    return payload


def loaded(source: str, files: list[dict[str, Any]], summary: str) -> Payload:
    """Hand back which data were read (`citylib.data` calls this); the receipt lists them.

    Parameters
    ----------
    source : str
        Name of the source, or ``file:PATH``.
    files : list of dict
        One a file: ``file`` (name in the registry, or path as given), ``sha256``, ``bytes``, ``origin``.
    summary : str
        One line for the reader.

    Returns
    -------
    dict
        The payload.
    """
    payload = Payload({"version": VERSION, "type": "data", "source": source, "files": files})
    _emit(payload, summary, f'<p class="citylib-data">{html.escape(summary)}</p>')
    return payload


def read(outputs: list[dict[str, Any]]) -> list[Payload]:
    """Return the payloads among a code cell's outputs (nbformat), in order.

    Raises
    ------
    InputError
        A payload of a version this citylib does not know.
    """
    found = [out["data"][MIME] for out in outputs if MIME in out.get("data", {})]
    for payload in found:
        if payload.get("version") != VERSION:
            raise InputError("result version", f"be {VERSION}", payload.get("version"))
    return found


def _emit(
    payload: Payload,
    plain: str,
    shown: str | None,
    *,
    markdown: str | None = None,
    glue: str = "",
    also: Mapping[str, Any] | None = None,
) -> None:
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    bundle: dict[str, Any] = {**(also or {}), MIME: payload, "text/plain": plain}
    if shown is not None:
        bundle["text/html"] = shown
    if markdown is not None:
        bundle["text/markdown"] = markdown
    metadata = {"scrapbook": {"name": glue, "mime_prefix": ""}} if glue else {}
    display(bundle, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", name):
        raise InputError("name", "be snake_case: a letter, then letters, digits, underscores", name)
    return name


def _scalar(argument: str, value: Any) -> float | int | str | bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, str):
        return value
    return checks.number(argument, value)


def _number_text(value: Any, digits: int) -> str:
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, int) or (math.isfinite(value) and value == round(value) and abs(value) < 1e15):
        return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 10**digits else f"{value:g}"
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def _record_text(payload: Payload, digits: int) -> str:
    unit = f" {payload['unit']}" if payload["unit"] else ""
    text = _number_text(payload["value"], digits) + unit
    extra = []
    if "interval" in payload:
        low, high = (_number_text(end, digits) for end in payload["interval"])
        extra.append(f"{payload['level']:.0%} interval {low} to {high}")
    if "baseline" in payload:
        extra.append(f"baseline {_number_text(payload['baseline'], digits)}")
    return text + (f" ({'; '.join(extra)})" if extra else "")


def _column(name: str, column: pd.Series[Any]) -> dict[str, Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        values = [None if pd.isna(v) else v.isoformat() for v in column]
        return {"name": name, "dtype": "datetime", "values": values}
    plain = [_cell(name, v) for v in column]
    kinds = {type(v).__name__ for v in plain if v is not None}
    dtype = {frozenset({"int"}): "int", frozenset({"bool"}): "bool", frozenset({"str"}): "str"}.get(
        frozenset(kinds), "float" if kinds <= {"int", "float"} else "mixed"
    )
    if dtype == "mixed":
        raise InputError(f"column {name!r}", "hold one kind of value", ", ".join(sorted(kinds)))
    return {"name": name, "dtype": dtype, "values": plain}


def _cell(name: str, value: Any) -> Any:
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
        return _cell(name, value)
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise InputError(f"column {name!r}", "be finite", value)
        return value
    if isinstance(value, (pd.Timestamp, pd.Period, pd.Interval)):
        return str(value)
    raise InputError(f"column {name!r}", "hold numbers, text, booleans or dates", type(value).__name__)


def _moments(values: list[str | None]) -> list[str | None]:
    """Return ISO times as a reader wants them: days where all are midnights, no seconds where none has any."""
    given = [v for v in values if v is not None]
    kept = 10 if all(v[10:] == "T00:00:00" for v in given) else 16 if all(v[16:] == ":00" for v in given) else None
    return [None if v is None else v[:kept].replace("T", " ") for v in values]


def _table_html(payload: Payload, frame: pd.DataFrame, digits: int) -> str:
    shown = min(len(frame), SHOWN_ROWS)
    head = "".join(f'<th scope="col">{html.escape(c["name"])}</th>' for c in payload["columns"])
    columns = [{**c, "values": _moments(c["values"])} if c["dtype"] == "datetime" else c for c in payload["columns"]]
    rows = []
    for i in range(shown):
        cells = []
        for column in columns:
            value = column["values"][i]
            number = column["dtype"] in ("int", "float")
            year = column["dtype"] == "int" and column["name"].lower().endswith("year")  # 2016 is no 2,016
            text = "" if value is None else str(value) if year else _number_text(value, digits)
            order = f' class="number" data-order="{json.dumps(value)}"' if number and value is not None else ""
            cells.append(f"<td{order}>{html.escape(text)}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{html.escape(payload['caption'])}</caption>" if payload["caption"] else ""
    more = f"<p>The first {shown} of {len(frame):,} rows.</p>" if len(frame) > shown else ""
    return (
        f'<div class="citylib-table"><table class="sortable" data-name="{payload["name"]}">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}</div>"
    )
