"""From an executed notebook to what is kept: notebook, results, tables and figures, the same bytes for the same run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from citylib import results
from citylib.errors import InputError, LimitError, NotebookError

__all__ = ["arrow_table", "canonical", "lay_out", "settled"]

# What differs between two equal runs and means nothing: the number of a process, an address in memory.
KERNEL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
SVG = re.compile(r'<div class="only-(light|dark)">\s*(<svg.*?</svg>)\s*</div>', re.DOTALL)
MARKER = "papermill-error-cell-tag"  # on the cells that papermill adds around one that failed
VOLATILE = ("papermill", "execution", "widgets")
TEXTS = ("text/plain", "text/html", "text/markdown")


def lay_out(notebook: Any, staging: Path, job: Mapping[str, Any], *, complete: bool) -> None:
    """Write the notebook into `staging` and, if it ran to its end, results, tables and figures.

    Parameters
    ----------
    notebook : NotebookNode
        As executed.
    staging : Path
        The folder that will become the run's.
    job : mapping
        ``output_bytes``, ``replace``; see `citylib.batch.child.execute`.
    complete : bool
        Whether all cells ran.

    Raises
    ------
    InputError
        A name handed back twice, or a table that cannot be written.
    LimitError
        The notebook has more bytes than it may.
    NotebookError
        A cell has shown something that the notebook format has no place for.
    """
    _settle(notebook, job["replace"])
    fault = _fault_of(notebook)
    found = list(_payloads(notebook))
    complete = complete and not fault
    if complete:
        _unique_names(found)
        (staging / "results.json").write_text(_json(_results(found, staging)), encoding="utf-8")
    for _, payload, _ in found:
        if payload["type"] == "table":
            payload["columns"] = [{"name": c["name"], "dtype": c["dtype"]} for c in payload["columns"]]
            payload["file"] = f"tables/{payload['name']}.parquet"
    text = canonical(notebook)
    size = len(text.encode("utf-8"))
    (staging / "notebook.ipynb").write_text(text, encoding="utf-8")
    if complete and size > job["output_bytes"]:
        (staging / "results.json").unlink()
        rule = f"at most {job['output_bytes']:,} bytes are allowed; show less, or hand large tables to table()"
        raise LimitError(f"the executed notebook has {size:,} bytes, {rule}")
    if fault:
        raise NotebookError(f"a cell shows what is not in the notebook format: {fault}")


def _fault_of(notebook: Any) -> str:
    """Return what keeps a notebook from being one, or an empty text."""
    import nbformat

    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as fault:
        return str(fault).splitlines()[0]
    return ""


def canonical(notebook: Any) -> str:
    """Return the one text of a notebook: sorted keys, indent 1, characters as they are, a newline at the end."""
    import nbformat

    text: str = nbformat.v4.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def settled(text: str, replace: Mapping[str, str]) -> str:
    """Return a text without what belongs to this machine or this process only.

    Parameters
    ----------
    text : str
        Anything a notebook shows.
    replace : mapping
        Paths of this machine, and what stands for each; the longest that fits is taken.

    Examples
    --------
    >>> settled("/srv/city/a.csv, /srv/city2 <A at 0x7f10aa22>", {"/srv/city": "<data>"})
    '<data>/a.csv, /srv/city2 <A at 0x0>'
    """
    if replace:
        paths = sorted(replace, key=len, reverse=True)
        whole = "|".join(re.escape(path) + ("" if path.endswith(("/", "\\")) else r"(?![\w-])") for path in paths)
        text = re.sub(whole, lambda found: replace[found[0]], text)
    return ADDRESS.sub("0x0", KERNEL_FILE.sub("<cell>", text))


def _settle(notebook: Any, replace: Mapping[str, str]) -> None:
    for key in VOLATILE:
        notebook.metadata.pop(key, None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.cells = [cell for cell in notebook.cells if MARKER not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", True):
            cell.metadata.pop("tags")  # papermill gives every cell an empty list
        for output in cell.get("outputs", []):
            _settle_output(output, replace)


def _settle_output(output: Any, replace: Mapping[str, str]) -> None:
    if output["output_type"] == "stream":
        output["text"] = settled(output["text"], replace)
    elif output["output_type"] == "error":
        output["evalue"] = settled(output["evalue"], replace)
        output["traceback"] = [settled(line, replace) for line in output["traceback"]]
    else:
        output["data"].pop("application/vnd.jupyter.widget-view+json", None)
        if results.MIME not in output["data"]:
            for mime in TEXTS:
                if isinstance(output["data"].get(mime), str):
                    output["data"][mime] = settled(output["data"][mime], replace)


def _payloads(notebook: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for payload in results.read([output]):
                yield cell["id"], payload, output["data"].get("text/html", "")


def _unique_names(found: list[tuple[str, dict[str, Any], str]]) -> None:
    first: dict[tuple[str, str], str] = {}
    for cell, payload, _ in found:
        name = (payload["type"], payload.get("name", ""))
        if name[1] and name in first:
            rule = f"be handed back once in a notebook (first in cell {first[name]!r})"
            raise InputError(f"{name[0]} {name[1]!r}", rule, f"another in cell {cell!r}")
        first[name] = cell


def _results(found: list[tuple[str, dict[str, Any], str]], staging: Path) -> dict[str, Any]:
    out: dict[str, Any] = {"version": results.VERSION}
    out |= {key: [] for key in ("records", "tables", "said", "figures", "data")}
    for _, payload, markup in found:
        rest = {key: value for key, value in payload.items() if key not in ("version", "type")}
        match payload["type"]:
            case "record":
                out["records"].append(rest)
            case "table":
                file = f"tables/{rest['name']}.parquet"
                _write_table(rest, staging / file)
                columns = [{"name": c["name"], "dtype": c["dtype"]} for c in rest["columns"]]
                out["tables"].append(rest | {"columns": columns, "file": file})
            case "say":
                out["said"].append(rest)
            case "figure":
                out["figures"].append(rest | _write_figure(rest["name"], markup, staging))
            case "data":
                out["data"].append(rest)
    return out


def arrow_table(payload: Mapping[str, Any]) -> Any:
    """Return what was handed to `citylib.results.table` as a ``pyarrow.Table``.

    Parameters
    ----------
    payload : mapping
        ``name`` and ``columns``, each with name, dtype and values.

    Raises
    ------
    InputError
        Values that are not of their dtype.
    """
    import pandas as pd
    import pyarrow as pa

    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "str": pa.string()}
    arrays = {}
    for column in payload["columns"]:
        values = column["values"]
        try:
            if column["dtype"] == "datetime":
                zoned = any(v is not None and re.search(r"(Z|[+-]\d\d:\d\d)$", v) for v in values)
                times = pd.to_datetime(pd.Series(values, dtype=object), utc=zoned, format="ISO8601")
                arrays[column["name"]] = pa.array(times, type=pa.timestamp("us", tz="UTC" if zoned else None))
            else:
                arrays[column["name"]] = pa.array(values, type=types[column["dtype"]])
        except (pa.ArrowException, OverflowError, ValueError, TypeError) as fault:
            where = f"column {column['name']!r} of table {payload['name']!r}"
            raise InputError(where, f"be writable as {column['dtype']}", str(fault)) from None
    return pa.table(arrays)


def _write_table(payload: Mapping[str, Any], path: Path) -> None:
    import pyarrow.parquet as pq

    table = arrow_table(payload)
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def _write_figure(name: str, markup: str, staging: Path) -> dict[str, str]:
    folder = staging / "figures"
    folder.mkdir(exist_ok=True)
    drawn = dict(SVG.findall(markup))
    if not drawn:
        (folder / f"{name}.html").write_text(markup, encoding="utf-8")
        return {"file": f"figures/{name}.html"}
    for mode, svg in drawn.items():
        stem = name if mode == "light" else f"{name}-dark"
        (folder / f"{stem}.svg").write_text(svg + "\n", encoding="utf-8")
    return {"file": f"figures/{name}.svg"} | ({"dark": f"figures/{name}-dark.svg"} if "dark" in drawn else {})


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
