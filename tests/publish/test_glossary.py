"""The glossary: every entry whole, every term once, Chinese in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from citylib.errors import SchemaError
from citylib.publish import glossary

BOOK = Path(__file__).parents[2] / "book"


def test_the_books_glossary_has_sixty_terms_or_more_in_both_languages() -> None:
    themes = glossary.read(BOOK / "glossary.toml")
    entries = [entry for of_theme in themes.values() for entry in of_theme]
    assert len(entries) >= 60
    for entry in entries:
        assert re.search(r"[\u4e00-\u9fff]", entry["chinese"]), entry
        assert not re.search(r"[\u4e00-\u9fff]", entry["pinyin"]), entry
        assert entry["meaning"].endswith("."), entry
    page = glossary.page(themes)
    assert page.count("## ") == len(themes)
    assert page.index("**autocorrelation**") < page.index("**white noise**")


def test_entries_that_are_not_whole_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "glossary.toml"
    entry = 'term = "{}"\nchinese = "x"\npinyin = "x"\nmeaning = "x"\n'
    path.write_text("[[A]]\n" + entry.format("a") + "[[A]]\n" + entry.format("A") + '[[B]]\nterm = "b"\n')
    with pytest.raises(SchemaError) as caught:
        glossary.read(path)
    assert len(caught.value.faults) == 2
    assert "A, entry 2: 'A' is given twice" in str(caught.value)
    assert "B, entry 1 must have chinese, meaning, pinyin, term" in str(caught.value)
