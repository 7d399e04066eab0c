"""The source tree of one book: written pages, executed notebooks, generated pages, table of contents.

A written page of ``book/`` may hold a comment ``<!-- citylib: NAME ARGUMENTS -->`` on a line of its own; it is
replaced by what the runs say: ``cards``, ``comparisons``, ``totals``, ``figure NOTEBOOK [NAME]``,
``record NOTEBOOK NAME``, ``execution``, ``datasets``, ``glossary``, ``schemas``.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml

from citylib.batch import parameters
from citylib.data import registry, schema
from citylib.errors import BuildError, UnknownNameError
from citylib.publish import chapter as chapter_page
from citylib.publish import compare_files, compare_page, contents, datasets, execution, glossary, landing, markdown
from citylib.publish import measured as kept_of_sets
from citylib.publish.compare import Compared
from citylib.publish.runs import Chapter, FinishedRun

__all__ = ["Staged", "stage"]

_PLACEHOLDER = re.compile(r"^<!-- citylib: (.+?) -->$", re.M)
_LEFT_OUT = {"plans", "_toc.yml", "glossary.toml"}


@dataclass
class Staged:
    """A source tree being written.

    Attributes
    ----------
    book : pathlib.Path
        The folder of written pages.
    into : pathlib.Path
        The source tree.
    plan : str
        Name of the plan.
    chapters : sequence of Chapter
        What was run, in the order of the table of contents.
    notebooks : dict
        The executed notebook of each chapter's first run.
    defaults : dict
        What each chapter's parameters are when nothing is set.
    receipts : dict
        Path in the book of each run's receipt, by notebook and run id.
    compared : sequence of Compared
        The comparisons, in the order of the plan.
    """

    book: Path
    into: Path
    plan: str
    chapters: Sequence[Chapter]
    notebooks: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[tuple[str, str], str] = field(default_factory=dict)
    compared: Sequence[Compared] = ()


def stage(
    book: Path, chapters: Sequence[Chapter], plan: str, into: Path, kept: Path, compared: Sequence[Compared] = ()
) -> Staged:
    """Write the source tree of a book.

    Parameters
    ----------
    book : pathlib.Path
        The folder of written pages, with ``_config.yml``, ``_toc.yml`` and ``glossary.toml``.
    chapters : sequence of Chapter
        What was run.
    plan : str
        Name of the plan.
    into : pathlib.Path
        Where; it is emptied first.
    kept : pathlib.Path
        Where what was measured of the data sets is kept from build to build.
    compared : sequence of Compared, optional
        The comparisons.

    Returns
    -------
    Staged
        What was written.

    Raises
    ------
    BuildError
        A page asks for something that is not known, a notebook holds an error, a data page is missing.
    """
    if into.exists():
        shutil.rmtree(into)
    shutil.copytree(book, into, ignore=lambda _, names: [n for n in names if n in _LEFT_OUT or n.startswith(".")])
    staged = Staged(book, into, plan, sorted(chapters, key=lambda c: c.notebook), compared=compared)
    documents = _write_chapters(staged) | _write_comparisons(staged) | _write_datasets(staged, kept)
    toc = contents.expand(yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8")), documents)
    (into / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False, allow_unicode=True), encoding="utf-8")
    order = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    staged.chapters = sorted(staged.chapters, key=lambda c: order.index(c.document))
    for path in sorted(into.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        filled = _PLACEHOLDER.sub(lambda found, page=path: _fill(staged, page, found[1]), text)  # type: ignore[misc]
        if filled != text:
            path.write_text(filled, encoding="utf-8")
    return staged


def _write_chapters(staged: Staged) -> dict[str, list[str]]:
    documents: dict[str, list[str]] = {}
    for chapter in staged.chapters:
        under = []
        for run in chapter.runs:
            notebook = _write_run(staged, chapter.document_of(run), run, chapter)
            staged.notebooks.setdefault(chapter.notebook, notebook)
            under.append(chapter.document_of(run))
        if len(chapter.runs) > 1:
            _write(staged.into / f"{chapter.comparison}.md", execution.comparison(chapter))
            under.append(chapter.comparison)
        documents[chapter.document] = under[1:]
    return documents


def _write_run(staged: Staged, document: str, run: FinishedRun, chapter: Chapter | None, back: str = "") -> Any:
    """Write the page of a run and what it offers for download; return the executed notebook."""
    notebook = nbformat.read(run.executed, as_version=4)  # type: ignore[no-untyped-call]
    files = _write_files(staged, document, run, notebook)
    declared = parameters.declared(run.executed)
    page = chapter_page.page(notebook, chapter, run, declared, files, back=back)
    _write(staged.into / f"{document}.ipynb", nbformat.writes(page) + "\n")  # type: ignore[no-untyped-call]
    staged.defaults.setdefault(run.notebook, {p.name: p.default for p in declared})
    return notebook


def _write_comparisons(staged: Staged) -> dict[str, list[str]]:
    documents: dict[str, list[str]] = {}
    pages = {chapter.notebook: f"[](/{chapter.document}.ipynb)" for chapter in staged.chapters}
    for found in staged.compared:
        link = pages.get(found.notebook, f"the notebook {markdown.code(found.notebook)}")
        for run in found.runs:
            _write_run(staged, found.document_of(run), run, None, compare_page.back(found, run, link))
        offered = compare_files.files(found)
        for file in offered:
            for form, content in file.content.items():
                path = staged.into / found.files / f"{file.name}.{form}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        _write(staged.into / f"{found.document}.md", compare_page.page(found, offered, link))
        documents[found.document] = [found.document_of(run) for run in found.runs]
    return documents


def _write_files(staged: Staged, document: str, run: FinishedRun, notebook: Any) -> dict[str, str]:
    """Write what a page offers for download; return where, absolute in the book."""
    name = run.notebook.rpartition("/")[2]
    folder = f"/files/{document.removeprefix('chapters/')}"
    files = {
        "notebook": (f"{folder}/{name}.ipynb", chapter_page.source_form(notebook)),
        "receipt": (f"{folder}/receipt.json", _json(run.receipt)),
        "results": (f"{folder}/results.json", _json(run.results)),
    }
    for path, text in files.values():
        _write(staged.into / path.lstrip("/"), text)
    staged.receipts[run.notebook, run.id] = files["receipt"][0]
    return {key: path for key, (path, _) in files.items()}


def _write_datasets(staged: Staged, kept: Path) -> dict[str, list[str]]:
    documents: dict[str, list[str]] = {}
    for source in registry.sources():
        documents[f"data/{source.name}"] = []
        page = datasets.page(source, staged.chapters, kept_of_sets.measured(source, kept), staged.compared)
        _write(staged.into / "data" / f"{source.name}.md", page)
    return documents


def _fill(staged: Staged, page: Path, request: str) -> str:
    name, *arguments = request.split()
    known: Mapping[str, Callable[..., str]] = {
        "cards": lambda: landing.cards(staged.chapters, staged.notebooks),
        "comparisons": lambda: landing.comparisons(staged.compared),
        "totals": lambda: execution.totals(staged.chapters, staged.compared),
        "figure": lambda notebook, which=None: landing.figure(staged.notebooks.get(notebook), which),
        "record": lambda notebook, which: _record(staged, notebook, which),
        "execution": lambda: execution.record([*staged.chapters, *staged.compared], staged.receipts, staged.defaults),
        "datasets": lambda: datasets.overview(registry.sources(), staged.chapters),
        "glossary": lambda: glossary.page(glossary.read(staged.book / "glossary.toml")),
        "schemas": schema.describe,
    }
    if name not in known:
        raise UnknownNameError(f"placeholder of {page.name}", name, known)
    try:
        return known[name](*arguments)
    except TypeError as error:
        raise BuildError(f"{page.name}: '<!-- citylib: {request} -->' has the wrong arguments: {error}") from error


def _record(staged: Staged, notebook: str, name: str) -> str:
    for chapter in staged.chapters:
        if chapter.notebook == notebook:
            for record in chapter.runs[0].records:
                if record["name"] == name:
                    return markdown.text(markdown.record_text(record))
            raise BuildError(f"{notebook} recorded no {name!r}")
    return ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
