"""The table of contents: what a plan ran, in its parts; nothing empty, nothing lost."""

from __future__ import annotations

import pytest

from citylib.errors import BuildError
from citylib.publish import contents

TOC = {
    "format": "jb-book",
    "root": "index",
    "parts": [
        {"caption": "Regression", "chapters": [{"glob": "chapters/regression/*"}]},
        {"caption": "Survival", "chapters": [{"glob": "chapters/survival/*"}]},
        {"caption": "Use", "chapters": [{"file": "data/index", "sections": [{"glob": "data/*"}]}]},
    ],
}


def test_globs_become_what_was_run() -> None:
    documents = {
        "chapters/regression/02_b": [],
        "chapters/regression/01_a": ["chapters/regression/01_a/x"],
        "data/i94": [],
    }
    parts = contents.expand(TOC, documents)["parts"]
    assert [p["caption"] for p in parts] == ["Regression", "Use"]
    assert parts[0]["chapters"] == [
        {"file": "chapters/regression/01_a", "sections": [{"file": "chapters/regression/01_a/x"}]},
        {"file": "chapters/regression/02_b"},
    ]
    assert parts[1]["chapters"] == [{"file": "data/index", "sections": [{"file": "data/i94"}]}]


def test_chapters_that_no_glob_names_have_a_part_of_their_own() -> None:
    parts = contents.expand(TOC, {"chapters/parking/01_c": [], "chapters/survival/01_d": []})["parts"]
    assert [p["caption"] for p in parts] == ["Survival", "Parking", "Use"]


def test_an_entry_of_another_kind_is_refused() -> None:
    with pytest.raises(BuildError, match="names a file or a glob"):
        contents.expand({"parts": [{"caption": "A", "chapters": [{"url": "x"}]}]}, {})
