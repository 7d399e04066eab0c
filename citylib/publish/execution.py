"""The execution record: each page's run, with its parameters, data, time, memory and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from citylib.publish import markdown
from citylib.publish.compare import Compared
from citylib.publish.runs import Chapter, FinishedRun, Pages

__all__ = ["comparison", "record", "totals"]

FEW = 4  # runs that are compared in a column each


def record(
    chapters: Sequence[Pages],
    receipts: Mapping[tuple[str, str], str],
    defaults: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the table of all runs behind the book.

    Parameters
    ----------
    chapters : sequence of Pages
        The chapters of the book, and its comparisons.
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
    used = {name: {run.receipt.get("versions", {}).get(name) for _, run in runs} - {None} for name in _names(runs)}
    shared = all(len(versions) == 1 for versions in used.values())
    head = ["page", "receipt", "set", "data", "seconds", "peak MB", "started (UTC)"]
    rows = []
    for chapter, run in runs:
        receipt = run.receipt
        row = [
            f"[](/{chapter.document_of(run)}.ipynb)",
            f"{{download}}`json <{receipts[run.notebook, run.id]}>`",
            _set(receipt.get("parameters", {}), defaults.get(run.notebook, {})),
            markdown.text(", ".join(run.sources)) or "none",
            f"{float(receipt.get('seconds', 0)):.1f}",
            f"{float(receipt.get('peak_memory_bytes') or 0) / 1e6:.0f}",
            markdown.text(str(receipt.get("started", ""))[:16].replace("T", " ")),
        ]
        own = ", ".join(f"{name} {version}" for name, version in receipt.get("versions", {}).items())
        rows.append(row if shared else [*row, markdown.text(own)])
    words = ", ".join(f"{name} {version}" for name, versions in used.items() for version in versions)
    said = f"Versions, the same in all runs: {markdown.text(words)}.\n\n" if shared else ""
    return said + markdown.table(head if shared else [*head, "versions"], rows, classes="sortable citylib-execution")


def totals(chapters: Sequence[Chapter], compared: Sequence[Compared] = ()) -> str:
    """Return one sentence on all runs together.

    Parameters
    ----------
    chapters : sequence of Chapter
        Of the book.
    compared : sequence of Compared, optional
        Its comparisons; places that failed are told.

    Returns
    -------
    str
        MyST.
    """
    of_chapters = [run for chapter in chapters for run in chapter.runs]
    runs = of_chapters + [run for found in compared for run in found.runs]
    spent = sum(float(run.receipt.get("seconds", 0)) for run in runs)
    files = {(f["file"], f["sha256"]): f["bytes"] for run in runs for f in run.receipt.get("data", ())}
    read = (
        f", which read {_count(len(files), 'data file')} ({markdown.megabytes(sum(files.values()))})" if files else ""
    )
    parts = [f"{_count(len(chapters), 'chapter')} in {_count(len(of_chapters), 'run')}"] if chapters else []
    parts += [f"[{markdown.text(found.comparison.title)}](/{found.document}.md) ({found.ran})" for found in compared]
    return f"This edition: {', '.join(parts)}{read} and took {markdown.seconds(spent)} of computing."


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
    few = len(chapter.runs) <= FEW
    return "\n".join(
        [
            "# The runs compared",
            "",
            f"Every run of [](/{chapter.document}.ipynb) in this book: what was set differently, and what came out.",
            "",
            _a_column_each(chapter) if few else _a_row_each(chapter),
        ]
    )


def _a_column_each(chapter: Chapter) -> str:
    rows = [
        [
            markdown.code(name),
            *(markdown.code(repr(run.receipt.get("parameters", {}).get(name))) for run in chapter.runs),
        ]
        for name in _changed(chapter.runs)
    ]
    for name in _recorded(chapter):
        row = [markdown.text(markdown.name(name))]
        for run in chapter.runs:
            found = next((r for r in run.records if r["name"] == name), None)
            row.append(markdown.text(markdown.record_text(found)) if found else "")
        rows.append(row)
    return markdown.table(["", *(_linked(chapter, run) for run in chapter.runs)], rows, classes="citylib-comparison")


def _a_row_each(chapter: Chapter) -> str:
    changed, names = _changed(chapter.runs), _recorded(chapter)
    units = {
        name: {r.get("unit", "") for run in chapter.runs for r in run.records if r["name"] == name} for name in names
    }
    shared = {name: next(iter(found)) if len(found) == 1 else "" for name, found in units.items()}
    head = ["run", *(markdown.code(n) for n in changed), *(_column(n, shared[n]) for n in names)]
    rows = []
    for run in chapter.runs:
        by_name = {str(r["name"]): r for r in run.records}
        row = [_linked(chapter, run)]
        row += [markdown.code(repr(run.receipt.get("parameters", {}).get(n))) for n in changed]
        for name in names:
            found = by_name.get(name)
            own = found["unit"] if found and found.get("unit") and not shared[name] else ""
            row.append(markdown.text(f"{markdown.number(found['value'], 3)} {own}") if found else "")
        rows.append(row)
    return markdown.table(head, rows)


def _recorded(chapter: Chapter) -> list[str]:
    return list(dict.fromkeys(str(r["name"]) for run in chapter.runs for r in run.records))


def _linked(chapter: Chapter, run: FinishedRun) -> str:
    return f"[{markdown.text(run.title)}](/{chapter.document_of(run)}.ipynb)"


def _changed(runs: Sequence[FinishedRun]) -> list[str]:
    names = list(dict.fromkeys(name for run in runs for name in run.receipt.get("parameters", {})))
    return [n for n in names if len({repr(run.receipt.get("parameters", {}).get(n)) for run in runs}) > 1]


def _names(runs: Sequence[tuple[Pages, FinishedRun]]) -> list[str]:
    return list(dict.fromkeys(name for _, run in runs for name in run.receipt.get("versions", {})))


def _set(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    changed = [markdown.code(f"{k} = {v!r}") for k, v in given.items() if k not in defaults or v != defaults[k]]
    return ", ".join(changed) or "the defaults"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _column(name: str, unit: str) -> str:
    words = markdown.name(name)
    return markdown.text(f"{words} [{unit}]" if unit else words)
