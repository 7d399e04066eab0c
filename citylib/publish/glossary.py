"""The glossary: terms of the book in English and Chinese, from book/glossary.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from citylib.errors import SchemaError
from citylib.publish import markdown

__all__ = ["page", "read"]

_FIELDS = {"term", "chinese", "pinyin", "meaning"}


def read(path: Path) -> dict[str, list[dict[str, str]]]:
    """Read a glossary.

    Parameters
    ----------
    path : pathlib.Path
        TOML: an array of tables a theme, each with ``term``, ``chinese``, ``pinyin`` and ``meaning``.

    Returns
    -------
    dict
        Entries by theme, in the order of the file.

    Raises
    ------
    SchemaError
        Entries with missing or unknown fields, or a term given twice; all together.
    """
    themes: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    faults, seen = [], set()
    for theme, entries in themes.items():
        for i, entry in enumerate(entries, 1):
            where = f"{theme}, entry {i}"
            if set(entry) != _FIELDS:
                faults.append(f"{where} must have {', '.join(sorted(_FIELDS))}, got {', '.join(sorted(entry))}")
                continue
            if entry["term"].lower() in seen:
                faults.append(f"{where}: {entry['term']!r} is given twice")
            seen.add(entry["term"].lower())
    if faults:
        raise SchemaError(path.name, faults)
    return themes


def page(themes: Mapping[str, list[dict[str, str]]]) -> str:
    """Return the body of the glossary page.

    Parameters
    ----------
    themes : mapping
        From `read`.

    Returns
    -------
    str
        MyST: a section and a table a theme.
    """
    sections = []
    for theme, entries in themes.items():
        rows = [
            [f"**{markdown.text(e['term'])}**", f"{e['chinese']} ({e['pinyin']})", e["meaning"]]
            for e in sorted(entries, key=lambda e: e["term"].lower())
        ]
        sections.append(
            f"## {theme}\n\n" + markdown.table(["term", "中文", "meaning"], rows, classes="citylib-glossary")
        )
    return "\n".join(sections)
