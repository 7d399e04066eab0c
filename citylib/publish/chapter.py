"""A notebook as a page: what a reader of the executed notebook should see, and where it came from.

The page is the executed notebook with three changes: a line under the title that
says which run made it, one table in place of the parameters cell and what was
injected under it, and the typed results taken out of the outputs (the page shows
them; the run keeps them).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from citylib import results
from citylib.errors import BuildError
from citylib.publish import markdown
from citylib.publish.runs import Chapter, FinishedRun

if TYPE_CHECKING:
    from citylib.batch.parameters import Parameter

__all__ = ["figure_markup", "opening", "page", "relabel", "source_form", "source_link", "title_of"]

Notebook = Any  # nbformat has no types
_MARKDOWN = {"cell_type": "markdown", "metadata": {}}
_NAMED = {"citylib": "citylib", "python": "Python"}  # versions a page names at its head
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def page(
    notebook: Notebook,
    chapter: Chapter | None,
    run: FinishedRun,
    declared: Sequence[Parameter],
    files: Mapping[str, str],
    *,
    back: str = "",
) -> Notebook:
    """Return the page of one run.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook; it is not changed.
    chapter : Chapter or None
        All runs of it; None where the run is the page of no chapter.
    run : FinishedRun
        The run that `notebook` is.
    declared : sequence of Parameter
        What the parameters cell declares.
    files : mapping
        ``receipt`` and ``notebook``: paths, absolute in the book, of what the page offers for download.
    back : str, optional
        MyST: where a page of no chapter belongs.

    Returns
    -------
    NotebookNode
        Ready to be rendered.

    Raises
    ------
    BuildError
        A cell holds an error, or the first cell has no title.
    """
    shown = copy.deepcopy(notebook)
    _refuse_errors(shown, run)
    shown.cells = [cell for cell in shown.cells if "injected-parameters" not in _tags(cell)]
    first = chapter is not None and run.id == chapter.runs[0].id
    title, rest = _split_title(shown.cells[0].source, run)
    head = title if first else f"# {markdown.text(run.title)}"
    parts = [head, _receipt_line(run, files)]
    if back:
        parts.append(back)
    if chapter is not None and not first:
        parts.append(f"The notebook of [](/{chapter.document}.ipynb), run with other parameters.")
    elif chapter is not None and len(chapter.runs) > 1:
        parts.append(_siblings(chapter))
    shown.cells[0].source = "\n\n".join([*parts, rest])
    shown.cells.append(nbformat.from_dict({**_MARKDOWN, "id": "how-this-page-was-made", "source": _details(run)}))  # type: ignore[no-untyped-call]
    for i, cell in enumerate(shown.cells):
        if "parameters" in _tags(cell):
            shown.cells[i] = _parameters_cell(cell, declared, run)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(results.MIME, None)
    if not first:
        texts = relabel([c.source if c.cell_type == "markdown" else "" for c in shown.cells], run.id)
        for cell, source in zip(shown.cells, texts, strict=True):
            if cell.cell_type == "markdown":
                cell.source = source
    return shown


def source_form(notebook: Notebook) -> str:
    """Return the notebook as it is kept in git: no outputs, no counts, nothing injected.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook; it is not changed.

    Returns
    -------
    str
        Canonical JSON, with a newline at the end.
    """
    plain = copy.deepcopy(notebook)
    plain.cells = [cell for cell in plain.cells if "injected-parameters" not in _tags(cell)]
    plain.metadata = nbformat.from_dict(_KERNEL)  # type: ignore[no-untyped-call]
    for cell in plain.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return str(nbformat.writes(plain, indent=1, sort_keys=True, ensure_ascii=False)).rstrip("\n") + "\n"  # type: ignore[no-untyped-call]


def title_of(notebook: Notebook) -> str:
    """Return the title of a notebook: the first heading of its first cell.

    Parameters
    ----------
    notebook : NotebookNode
        With a title cell.

    Returns
    -------
    str
        Without the ``#``.

    Raises
    ------
    BuildError
        The first cell doesn't begin with one.
    """
    cell = notebook.cells[0] if notebook.cells else None
    found = re.match(r"#\s+(.+)", cell.source.strip()) if cell is not None and cell.cell_type == "markdown" else None
    if not found:
        raise BuildError("a notebook of the book begins with a Markdown cell whose first line is '# Title'")
    return found[1].strip()


def opening(notebook: Notebook) -> str:
    """Return the first paragraph under the title: the question a city asks.

    Parameters
    ----------
    notebook : NotebookNode
        With a title cell.

    Returns
    -------
    str
        MyST, possibly empty.
    """
    blocks = re.split(r"\n\s*\n", notebook.cells[0].source.strip())
    prose = [b.strip() for b in blocks if not re.match(r"\s*([#:`|>-]|\()", b)]
    return " ".join(prose[0].split()) if prose else ""


def figure_markup(notebook: Notebook, name: str | None = None) -> str | None:
    """Return the HTML of a figure that an executed notebook shows.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    name : str, optional
        Which; none: the first.

    Returns
    -------
    str or None
        None where there is no such figure.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            payload = output.get("data", {}).get(results.MIME)
            if payload and payload["type"] == "figure" and name in (None, payload["name"]):
                return str(output["data"]["text/html"])
    return None


def relabel(texts: Sequence[str], suffix: str) -> list[str]:
    """Return Markdown texts of one page with their own labels made unique by a suffix.

    Several runs of a notebook are several pages, and a label may be given once in a book.

    Parameters
    ----------
    texts : sequence of str
        The Markdown cells of the page.
    suffix : str
        What makes them unique.

    Returns
    -------
    list of str
        The same texts; labels of other pages are left alone.

    Examples
    --------
    >>> relabel(["$$x = 1$$ (eq-x)", "see {eq}`eq-x` and {cite}`eq-x-2020`"], "b")
    ['$$x = 1$$ (eq-x-b)', 'see {eq}`eq-x-b` and {cite}`eq-x-2020`']
    """
    defined = re.compile(r"^\(([\w:.-]+)\)=\s*$|\$\$\s*\(([\w:.-]+)\)|^\s*:(?:label|name):\s*(\S+)", re.M)
    labels = {label for t in texts for found in defined.finditer(t) for label in found.groups() if label}
    if not labels:
        return list(texts)
    one = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    uses = re.compile(
        rf"(^\(|\$\$\s*\(|^\s*:(?:label|name):\s*|\{{(?:eq|ref|numref)\}}`(?:[^`<]*<)?|\]\(#?)({one})(?=[)`>\s]|$)",
        re.M,
    )
    return [uses.sub(rf"\g<1>\g<2>-{suffix}", t) for t in texts]


def _tags(cell: Any) -> Sequence[str]:
    tags: Sequence[str] = cell.metadata.get("tags", ())
    return tags


def _refuse_errors(notebook: Notebook, run: FinishedRun) -> None:
    for i, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                where = f"{run.notebook} [{run.id}], cell {cell.get('id', i)}"
                raise BuildError(f"{where}:\n{cell.source}\n{output.ename}: {output.evalue}")


def _split_title(source: str, run: FinishedRun) -> tuple[str, str]:
    title, _, rest = source.strip().partition("\n")
    if not title.startswith("# "):
        raise BuildError(f"{run.notebook} must begin with a Markdown cell whose first line is '# Title', got {title!r}")
    return title, rest.strip()


def _receipt_line(run: FinishedRun, files: Mapping[str, str]) -> str:
    receipt = run.receipt
    versions = receipt.get("versions", {})
    facts = [
        ", ".join(source_link(name) for name in run.sources),
        markdown.seconds(float(receipt.get("seconds", 0))),
        ", ".join(f"{label} {markdown.text(versions[name])}" for name, label in _NAMED.items() if name in versions),
        *(f"{{download}}`{name} <{files[name]}>`" for name in ("notebook", "receipt", "results")),
    ]
    return f":::{{container}} citylib-receipt\n{' · '.join(fact for fact in facts if fact)}\n:::"


def source_link(name: str) -> str:
    """Return a data source as a reader may follow it: the page of a registered set, or plain words.

    Parameters
    ----------
    name : str
        As the run named it.

    Returns
    -------
    str
        MyST.
    """
    if name.startswith("file:"):
        return f"the file {markdown.code(Path(name[5:]).name)}"
    if name.startswith("synthetic"):
        return "[the synthetic city](/data/synthetic.md)"
    if name.startswith("recorded:"):
        return f"the recorded result {markdown.code(name.removeprefix('recorded:'))}"
    return f"[{markdown.text(name)}](/data/{name}.md)"


def _siblings(chapter: Chapter) -> str:
    links = [f"[](/{chapter.document_of(run)}.ipynb)" for run in chapter.runs[1:]]
    return (
        f":::{{container}} citylib-siblings\nAlso run with other parameters: {', '.join(links)}. "
        f"[Compare the runs](/{chapter.comparison}.md).\n:::"
    )


def _details(run: FinishedRun) -> str:
    receipt = run.receipt
    rows = [("run", markdown.code(run.id)), ("started", markdown.text(receipt.get("started", "")))]
    rows.append(("seconds", markdown.number(float(receipt.get("seconds", 0)), 3)))
    if receipt.get("peak_memory_bytes"):
        rows.append(("peak memory", markdown.megabytes(float(receipt["peak_memory_bytes"]))))
    for item in receipt.get("data", ()):
        size, digest = markdown.megabytes(float(item["bytes"])), str(item["sha256"])[:12]
        rows.append(("data file", f"{markdown.code(item['file'])} {size}, sha256 {markdown.code(digest + '…')}"))
    versions = receipt.get("versions", {})
    rows.append(("versions", ", ".join(f"{markdown.text(k)} {markdown.text(v)}" for k, v in versions.items())))
    body = markdown.table(["fact", "value"], rows, classes="citylib-facts")
    return f":::::{{dropdown}} How this page was made\n:class-container: citylib-made\n\n{body}:::::"


def _parameters_cell(cell: Any, declared: Sequence[Parameter], run: FinishedRun) -> Any:
    given = run.receipt.get("parameters", {})
    rows = []
    for parameter in declared:
        value = given.get(parameter.name, parameter.default)
        shown = markdown.code(repr(value))
        if value != parameter.default:
            shown = f"**{shown}** (default {markdown.code(repr(parameter.default))})"
        allowed = ", ".join(markdown.code(word) for word in (parameter.type, parameter.domain) if word)
        rows.append([markdown.code(parameter.name), shown, markdown.prose(parameter.help), allowed])
    head = ["parameter", "value in this run", "meaning", "type, allowed"]
    body = markdown.table(head, rows, classes="citylib-parameters")
    return nbformat.from_dict({**_MARKDOWN, "id": cell.get("id", "parameters"), "source": body})  # type: ignore[no-untyped-call]
