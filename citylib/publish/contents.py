"""The table of contents: book/_toc.yml, with its globs made into what this book holds.

In the parts of ``_toc.yml``, ``- glob: chapters/timeseries/*`` stands for the chapters of that family that the
plan ran, in the order of their numbers, each with its other runs under it; ``- glob: data/*`` for the generated
pages of the data sets; ``- glob: compare/*`` for the comparisons, each with the pages of its places under it. A part
that ends up empty is left out; chapters and comparisons that no glob names come in parts of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from citylib.errors import BuildError

__all__ = ["expand"]

Entry = dict[str, Any]


def expand(toc: Mapping[str, Any], documents: Mapping[str, Sequence[str]]) -> Entry:
    """Return the table of contents of one book.

    Parameters
    ----------
    toc : mapping
        ``_toc.yml``, parsed.
    documents : mapping
        Generated documents in order, each with the documents under it.

    Returns
    -------
    dict
        For sphinx-external-toc.

    Raises
    ------
    BuildError
        An entry is neither a file nor a glob.

    Examples
    --------
    >>> toc = {"format": "jb-book", "root": "index", "parts": [{"caption": "A", "chapters": [{"glob": "a/*"}]}]}
    >>> expand(toc, {"a/1": ["a/1/more"]})["parts"]
    [{'caption': 'A', 'chapters': [{'file': 'a/1', 'sections': [{'file': 'a/1/more'}]}]}]
    """
    left = dict(documents)
    parts = []
    for part in toc["parts"]:
        entries = [made for entry in part["chapters"] for made in _made(entry, left)]
        if entries:
            parts.append({**part, "chapters": entries})
    comparisons = [made for name in list(left) if name.startswith("compare/") for made in _made({"glob": name}, left)]
    if comparisons:
        parts.append({"caption": "Places compared", "chapters": comparisons})
    families = list(dict.fromkeys(name.split("/")[1] for name in left if name.startswith("chapters/")))
    for i, family in enumerate(families):
        entries = _made({"glob": f"chapters/{family}/*"}, left)
        parts.insert(min(1 + i, len(parts)), {"caption": family.capitalize(), "chapters": entries})
    return {**toc, "parts": parts}


def _made(entry: Mapping[str, Any], left: dict[str, Sequence[str]]) -> list[Entry]:
    if "glob" in entry:
        names = [name for name in left if fnmatch(name, entry["glob"])]
        if str(entry["glob"]).startswith("chapters/"):
            names.sort()
        return [_entry(name, left.pop(name)) for name in names]
    if "file" in entry:
        sections = [made for inner in entry.get("sections", ()) for made in _made(inner, left)]
        plain = {key: value for key, value in entry.items() if key != "sections"}
        return [{**plain, "sections": sections} if sections else plain]
    raise BuildError(f"_toc.yml: an entry names a file or a glob, got {dict(entry)!r}")


def _entry(name: str, under: Sequence[str]) -> Entry:
    return {"file": name, "sections": [{"file": inner} for inner in under]} if under else {"file": name}
