"""The first page's moving parts: a card for each chapter, with what its run found, and one for each comparison."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from citylib.publish import chapter as chapter_page
from citylib.publish import markdown
from citylib.publish.compare import Compared
from citylib.publish.runs import Chapter

__all__ = ["cards", "comparisons", "figure"]

_WORDS = {"timeseries": "time series"}


def cards(chapters: Sequence[Chapter], notebooks: Mapping[str, Any]) -> str:
    """Return the grid of chapters.

    Parameters
    ----------
    chapters : sequence of Chapter
        Of the book, in reading order.
    notebooks : mapping
        The executed notebook of each chapter's first run, by name.

    Returns
    -------
    str
        MyST: a grid of cards, each with title, question and the first result with baseline and interval. Empty
        where the book has no chapters.
    """
    if not chapters:
        return ""
    lines = ["::::::{grid} 1 1 2 2", ":gutter: 3", ":class-container: citylib-cards", ""]
    for chapter in chapters:
        notebook = notebooks[chapter.notebook]
        lines += [
            f":::::{{grid-item-card}} {chapter_page.title_of(notebook)}",
            f":link: /{chapter.document}",
            ":link-type: doc",
            "",
            f"{{bdg-primary-line}}`{_WORDS.get(chapter.family, chapter.family)}`",
            "",
            _unlinked(chapter_page.opening(notebook)),
        ]
        found = _headline(chapter)
        if found:
            lines += ["", "::::{card-footer}", found, "::::"]
        lines += [":::::", ""]
    return "\n".join([*lines, "::::::", ""])


def comparisons(compared: Sequence[Compared]) -> str:
    """Return the grid of comparisons, under a heading of its own.

    Parameters
    ----------
    compared : sequence of Compared
        Of the book.

    Returns
    -------
    str
        MyST; empty where the book compares nothing.
    """
    if not compared:
        return ""
    lines = ["## Places compared", "", "::::::{grid} 1 1 2 2", ":gutter: 3", ":class-container: citylib-cards", ""]
    for found in compared:
        title = markdown.text(found.comparison.title)
        lines += [f":::::{{grid-item-card}} {title}", f":link: /{found.document}", ":link-type: doc", ""]
        lines += [_unlinked(found.comparison.about) or f"One notebook, run for {found.ran}."]
        lines += ["", "::::{card-footer}", f"{found.ran} ran", "::::", ":::::", ""]
    return "\n".join([*lines, "::::::", ""])


def figure(notebook: Any, name: str | None) -> str:
    """Return a figure of a chapter, to be shown on another page.

    Parameters
    ----------
    notebook : NotebookNode or None
        Executed; None where the book has no such chapter.
    name : str or None
        Which; none: the first.

    Returns
    -------
    str
        MyST; empty where there is no such chapter or figure.
    """
    markup = None if notebook is None else chapter_page.figure_markup(notebook, name)
    return f"```{{raw}} html\n{markup}\n```\n" if markup else ""


def _headline(chapter: Chapter) -> str:
    records = chapter.runs[0].records
    if not records:
        return ""
    best = max(records, key=lambda r: (r.get("baseline") is not None) + (r.get("interval") is not None))
    return f"**{markdown.text(markdown.name(best['name']))}** {markdown.text(markdown.record_text(best))}"


def _unlinked(paragraph: str) -> str:
    """A card is one link, so links and citations inside it are shown as plain words."""
    plain = re.sub(r"\{cite[^}]*\}`[^`]*`", "", paragraph)
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", plain)
