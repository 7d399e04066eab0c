"""The execution record: each page's run, with its parameters, data, time, memory and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from citylib.publish import markdown
from citylib.publish.runs import Chapter, FinishedRun

__all__ = ["comparison", "record", "totals"]


def record(
    chapters: Sequence[Chapter],
    receipts: Mapping[tuple[str, str], str],
    defaults: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the table of all runs behind the book.

    Parameters
    ----------
    chapters : sequence of Chapter
        Of the book.
    receipts : mapping
        Path in the book of each run's receipt, by notebook and run id.
    defaults : mapping
        Declared defaults of each notebook's parameters.

    Returns
    -------
    str
        MyST: a row a run; versions once, above it, where all runs share them.
    """
    runs = [(chapter, run) for chapter in chapters for run in chapter.runs]
    versions = [", ".join(f"{k} {v}" for k, v in run.receipt.get("versions", {}).items()) for _, run in runs]
    shared = len(set(versions)) == 1
    head = ["page", "set", "data", "seconds", "peak MB", "started (UTC)", "receipt"]
    rows = []
    for (chapter, run), used in zip(runs, versions, strict=True):
        receipt = run.receipt
        row = [
            f"[](/{chapter.document_of(run)}.ipynb)",
            _set(receipt.get("parameters", {}), defaults.get(run.notebook, {})),
            markdown.text(", ".join(run.sources)) or "none",
            f"{float(receipt.get('seconds', 0)):.1f}",
            f"{float(receipt.get('peak_memory_bytes') or 0) / 1e6:.0f}",
            markdown.text(str(receipt.get("started", ""))[:16].replace("T", " ")),
            f"{{download}}`receipt <{receipts[run.notebook, run.id]}>`",
        ]
        rows.append(row if shared else [*row, markdown.text(used)])
    said = f"All runs used {markdown.text(versions[0])}.\n\n" if shared else ""
    return said + markdown.table(head if shared else [*head, "versions"], rows, classes="sortable citylib-execution")


def totals(chapters: Sequence[Chapter]) -> str:
    """Return one sentence on all runs together.

    Parameters
    ----------
    chapters : sequence of Chapter
        Of the book.

    Returns
    -------
    str
        MyST.
    """
    runs = [run for chapter in chapters for run in chapter.runs]
    spent = sum(float(run.receipt.get("seconds", 0)) for run in runs)
    files = {(f["file"], f["sha256"]): f["bytes"] for run in runs for f in run.receipt.get("data", ())}
    read = f"read {len(files)} data files of {markdown.megabytes(sum(files.values()))} in all, and " if files else ""
    noun = "notebook was" if len(chapters) == 1 else "notebooks were"
    times = "once" if len(runs) == 1 else f"{len(runs)} times"
    took = markdown.seconds(spent)
    return f"{len(chapters)} {noun} run {times} in all; the runs {read}took {took} together."


def comparison(chapter: Chapter) -> str:
    """Return the page that shows all runs of one notebook side by side.

    Parameters
    ----------
    chapter : Chapter
        With two runs or more.

    Returns
    -------
    str
        MyST: what differs in the parameters, and every record of every run.
    """
    changed = _changed(chapter.runs)
    names = list(dict.fromkeys(str(r["name"]) for run in chapter.runs for r in run.records))
    units = {str(r["name"]): str(r.get("unit", "")) for run in chapter.runs for r in run.records}
    head = ["run", *(markdown.code(n) for n in changed), *(_column(n, units[n]) for n in names)]
    rows = []
    for run in chapter.runs:
        by_name = {str(r["name"]): r for r in run.records}
        given = run.receipt.get("parameters", {})
        row = [f"[{markdown.text(run.title)}](/{chapter.document_of(run)}.ipynb)"]
        row += [markdown.code(repr(given.get(n))) for n in changed]
        row += [markdown.text(markdown.number(by_name[n]["value"], 3)) if n in by_name else "" for n in names]
        rows.append(row)
    return "\n".join(
        [
            "# All runs side by side",
            "",
            f"Every run of [](/{chapter.document}.ipynb) in this book: what was set differently, and what came out.",
            "",
            markdown.table(head, rows),
        ]
    )


def _changed(runs: Sequence[FinishedRun]) -> list[str]:
    names = list(dict.fromkeys(name for run in runs for name in run.receipt.get("parameters", {})))
    return [n for n in names if len({repr(run.receipt.get("parameters", {}).get(n)) for run in runs}) > 1]


def _set(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    changed = [markdown.code(f"{k} = {v!r}") for k, v in given.items() if k not in defaults or v != defaults[k]]
    return ", ".join(changed) or "the defaults"


def _column(name: str, unit: str) -> str:
    words = name.replace("_", " ")
    return markdown.text(f"{words} [{unit}]" if unit else words)
