"""A page per data set: what it is, where it comes from, what is wrong with it, which chapters read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from citylib.publish import markdown, measured
from citylib.publish.compare import Compared
from citylib.publish.measured import Measured
from citylib.publish.runs import Chapter, Pages

if TYPE_CHECKING:
    from citylib.data.registry import Source, SourceFile

__all__ = ["overview", "page", "readers"]

P = TypeVar("P", bound=Pages)
_FORMS = {
    "unchanged": "as published",
    "gzip": "the published bytes, gzipped",
}


def page(
    source: Source, chapters: Sequence[Chapter], found: Measured | None = None, compared: Sequence[Compared] = ()
) -> str:
    """Return the page of one registered set.

    Parameters
    ----------
    source : Source
        From the registry.
    chapters : sequence of Chapter
        Of the book, to say which read it.
    found : Measured, optional
        What loading it found; None where its files were not at hand.
    compared : sequence of Compared, optional
        The comparisons of the book, to say which read it.

    Returns
    -------
    str
        MyST.
    """
    traps = "\n".join(f"- {markdown.text(trap)}" for trap in source.traps) or "None known."
    facts = [
        ("name", markdown.code(source.name)),
        ("kind", markdown.text(source.kind)),
        ("period", markdown.text(source.period)),
        ("serves", markdown.text(source.meant_for)),
        ("had from", _origin(source)),
        ("licence, as the repository states it", markdown.text(source.licence_stated)),
        ("licence, as the publisher is said to state it", markdown.text(source.licence_publisher)),
        ("size", f"{markdown.megabytes(source.bytes_stored)} in {_files(len(source.files))}"),
    ]
    return "\n".join(
        [
            f"# {markdown.text(source.title)}",
            "",
            markdown.text(source.description),
            "",
            markdown.table(["fact", "value"], facts, classes="citylib-facts"),
            f"```python\nfrom citylib import data\n\ndata.load({source.name!r})\n```",
            "",
            "## What to look out for",
            "",
            traps,
            "",
            measured.sections(found) if found else "",
            "",
            "## Where it is read",
            "",
            _used(source.name, chapters, compared),
            "",
            "## Files",
            "",
            _file_table(source.files),
            "",
            *_published(source),
        ]
    )


def overview(sources: Sequence[Source], chapters: Sequence[Chapter]) -> str:
    """Return the table of all registered sets.

    Parameters
    ----------
    sources : sequence of Source
        The registry.
    chapters : sequence of Chapter
        Of the book.

    Returns
    -------
    str
        MyST.
    """
    rows = []
    for source in sources:
        rows.append(
            [
                f"[{markdown.text(source.title)}](/data/{source.name}.md)",
                markdown.text(source.kind),
                markdown.text(source.period),
                markdown.number(round(source.bytes_stored / 1e6, 2), 3),
                str(len(readers(source.name, chapters))),
            ]
        )
    return markdown.table(["data set", "kind", "period", "MB", "chapters"], rows)


def readers(name: str, chapters: Sequence[P]) -> list[P]:
    """Return the chapters, or the comparisons, of which a run reads the source `name`.

    Parameters
    ----------
    name : str
        A registry name, or ``"synthetic"`` for any form of the synthetic city.
    chapters : sequence of Pages
        Of the book.

    Returns
    -------
    list of Pages
        In the order given.
    """
    return [c for c in chapters if any(s.partition(":")[0] == name for run in c.runs for s in run.sources)]


def _used(name: str, chapters: Sequence[Chapter], compared: Sequence[Compared]) -> str:
    using = readers(name, chapters)
    together = readers(name, compared)
    if not using and not together:
        return "No chapter of this book reads it; every notebook takes it by name."
    links = []
    for chapter in using:
        runs = [run for run in chapter.runs if any(s.partition(":")[0] == name for s in run.sources)]
        links += [f"- [](/{chapter.document_of(run)}.ipynb)" for run in runs]
    links += [f"- [](/{found.document}.md), {found.ran}" for found in together]
    return "\n".join(links)


def _origin(source: Source) -> str:
    if source.downloadable:
        return "a data folder, the cache, or a download of the pinned file with its checksum"
    if any(file.url for file in source.files):
        return "a data folder; some of its files by download too"
    return "a data folder only: the stored form differs from the published one"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _file_table(files: Sequence[SourceFile]) -> str:
    rows = [
        [
            markdown.code(file.name),
            f"{file.rows:,}",
            markdown.number(round(file.bytes_stored / 1e6, 3), 3),
            markdown.text(_FORMS.get(file.stored_form, file.stored_form)),
            markdown.text(file.notes),
        ]
        for file in files
    ]
    return markdown.table(["file", "rows", "MB", "form", "notes"], rows)


def _published(source: Source) -> list[str]:
    rows = []
    for file in source.files:
        where = f"[{markdown.text(file.repo)}]({file.url})" if file.url else markdown.text(file.repo)
        published = markdown.code(file.sha256_original) if file.sha256_original else "joined from several files"
        stored = "the same" if file.sha256_stored == file.sha256_original else markdown.code(file.sha256_stored)
        rows.append([markdown.code(file.name), where, markdown.code(file.commit[:12]), published, stored])
    head = ["file", "repository", "commit", "sha256 as published", "sha256 as stored"]
    body = markdown.table(head, rows, classes="citylib-checksums")
    return [f":::::{{dropdown}} Addresses and checksums\n\n{body}:::::", ""]
