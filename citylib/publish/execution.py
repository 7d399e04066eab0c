"""The execution record: each page's run, with its parameters, data, time, memory and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from citylib.publish import markdown
from citylib.publish.runs import Chapter, FinishedRun

__all__ = ["comparison", "record", "totals"]


def record(chapters: Sequence[Chapter], receipts: Mapping[tuple[str, str], str]) -> str:
    """Return the table of all runs behind the book.

    Parameters
    ----------
    chapters : sequence of Chapter
        Of the book.
    receipts : mapping
        Path in the book of each run's receipt, by notebook and run id.

    Returns
    -------
    str
        MyST.
    """
    head = ["page", "parameters set", "data", "seconds", "peak MB", "started", "versions", "receipt"]
    rows = []
    for chapter in chapters:
        for run in chapter.runs:
            receipt = run.receipt
            given = ", ".join(f"{k} = {v!r}" for k, v in receipt.get("parameters", {}).items())
            versions = ", ".join(f"{k} {v}" for k, v in receipt.get("versions", {}).items())
            rows.append(
                [
                    f"[](/{chapter.document_of(run)}.ipynb)",
                    markdown.text(given),
                    markdown.text(", ".join(run.sources)) or "none",
                    markdown.number(round(float(receipt.get("seconds", 0)), 1)),
                    f"{float(receipt.get('peak_memory_bytes') or 0) / 1e6:,.0f}",
                    markdown.text(str(receipt.get("started", ""))[:16].replace("T", " ")),
                    markdown.text(versions),
                    f"{{download}}`receipt <{receipts[run.notebook, run.id]}>`",
                ]
            )
    return markdown.table(head, rows, classes="sortable citylib-execution")


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


def _column(name: str, unit: str) -> str:
    words = name.replace("_", " ")
    return markdown.text(f"{words} [{unit}]" if unit else words)
