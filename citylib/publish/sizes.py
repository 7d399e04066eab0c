"""Size limits of a book: pages a phone can load, notebooks a desk can open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from citylib.errors import BuildError
from citylib.publish import markdown

__all__ = ["LIMITS", "Limits", "check_html", "check_notebooks"]


@dataclass(frozen=True)
class Limits:
    """Bytes a book may have.

    Attributes
    ----------
    page_mean, page_most : int
        Of the HTML pages, without ``_static``.
    notebook_most : int
        Of an executed notebook.
    """

    page_mean: int = 1_000_000
    page_most: int = 3_000_000
    notebook_most: int = 2_000_000


LIMITS = Limits()


def check_html(html: Path, limits: Limits = LIMITS) -> dict[str, int]:
    """Refuse a built book whose pages are too large.

    Parameters
    ----------
    html : pathlib.Path
        Folder of the built book.
    limits : Limits, optional
        What is allowed.

    Returns
    -------
    dict
        Bytes by page.

    Raises
    ------
    BuildError
        A page, or the average page, is over its limit; all such pages together.
    """
    pages = {p.relative_to(html).as_posix(): p.stat().st_size for p in sorted(html.rglob("*.html"))}
    sizes = {name: size for name, size in pages.items() if not name.startswith("_static/")}
    faults = _over(sizes.items(), limits.page_most, "page")
    mean = sum(sizes.values()) / max(1, len(sizes))
    if mean > limits.page_mean:
        faults.append(
            f"the average page has {markdown.megabytes(mean)}, allowed are {markdown.megabytes(limits.page_mean)}"
        )
    if faults:
        raise BuildError("the book is too large:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return sizes


def check_notebooks(notebooks: Iterable[Path], limits: Limits = LIMITS) -> None:
    """Refuse executed notebooks that are too large.

    Parameters
    ----------
    notebooks : iterable of pathlib.Path
        Executed notebooks.
    limits : Limits, optional
        What is allowed.

    Raises
    ------
    BuildError
        One or more are over the limit; all together.
    """
    sizes = [("/".join(p.parts[-4:-1]), p.stat().st_size) for p in notebooks]
    faults = _over(sizes, limits.notebook_most, "executed notebook")
    if faults:
        hint = "draw fewer points, show fewer rows"
        raise BuildError("the book is too large:\n" + "\n".join(f"  - {fault}; {hint}" for fault in faults))


def _over(sizes: Iterable[tuple[str, int]], most: int, noun: str) -> list[str]:
    return [
        f"{noun} {name} has {markdown.megabytes(size)}, allowed are {markdown.megabytes(most)}"
        for name, size in sizes
        if size > most
    ]
