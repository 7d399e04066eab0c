"""The notebook lint holds for every chapter, and is known to catch each breach."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tests.architecture import notebooks

CHAPTERS = sorted((notebooks.ROOT / "notebooks").rglob("*.ipynb"))
GOOD = {
    "cells": [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# Title\n", "\n", "In 2015 about 24 h."]},
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "parameters",
            "metadata": {"tags": ["parameters"]},
            "outputs": [],
            "source": ["seed: int = 0  # random seed [0..]"],
        },
        {"cell_type": "markdown", "id": "model", "metadata": {}, "source": ["With $\\phi = 0.93$ and `0.5`, 95 %."]},
    ],
    "metadata": notebooks.METADATA,
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_chapter_has_no_breach(path):
    assert notebooks.lint(path) == []


def write(folder: Path, notebook) -> Path:
    path = folder / "n.ipynb"
    path.write_text(notebooks.canonical(notebook), encoding="utf-8")
    return path


def test_a_good_notebook_passes(tmp_path):
    assert notebooks.lint(write(tmp_path, copy.deepcopy(GOOD))) == []


def code(source, **more):
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "new",
        "metadata": {},
        "outputs": [],
        "source": [source],
    } | more


def text(source):
    return {"cell_type": "markdown", "id": "new", "metadata": {}, "source": [source]}


BAD_CELLS = {
    "function": (code("def f():\n    return 1"), "defines f"),
    "class": (code("class A:\n    pass"), "defines A"),
    "long": (code("x = 1\n" * 16), "16 lines"),
    "output": (code("1", outputs=[{"output_type": "stream", "name": "stdout", "text": "1"}]), "outputs"),
    "count": (code("1", execution_count=3), "outputs"),
    "read_csv": (code("pd.read_csv('x.csv')"), "pd.read_csv"),
    "open": (code("open('x')"), "calls open"),
    "pyplot": (code("import matplotlib.pyplot as plt"), "pyplot"),
    "magic": (code("%matplotlib inline"), "magics"),
    "syntax": (code("x ="), "not Python"),
    "machine id": (code("1", id="0a1b2c3d4e"), "id is a word"),
    "same id": (code("1", id="title"), "not unique"),
    "image": (text("![](a.png)"), "alternative text"),
    "decimal": (text("The error is 12.3 vehicles."), "12.3"),
    "percent": (text("It gains 37 % over the baseline."), "37"),
    "thousands": (text("There are 48,204 rows."), "48,204"),
    "second title": (text("# Another"), "first level"),
    "second parameters": (code("a: int = 1", metadata={"tags": ["parameters"]}), "tagged parameters"),
}


@pytest.mark.parametrize("what", BAD_CELLS)
def test_a_bad_cell_is_caught(tmp_path, what):
    cell, words = BAD_CELLS[what]
    notebook = copy.deepcopy(GOOD)
    notebook["cells"].append(cell)
    assert any(words in breach for breach in notebooks.lint(write(tmp_path, notebook)))


def test_numbers_a_run_cannot_change_may_be_typed_with_a_reason(tmp_path):
    notebook = copy.deepcopy(GOOD)
    cell = text("The published figure is 5.126.") | {"metadata": {"citylib": {"why_numbers_are_fixed": "quoted"}}}
    notebook["cells"].append(cell)
    assert notebooks.lint(write(tmp_path, notebook)) == []


def test_json_that_is_broken_or_not_canonical_is_caught(tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text("{", encoding="utf-8")
    assert "not valid JSON" in notebooks.lint(path)[0]
    path.write_text(notebooks.canonical(copy.deepcopy(GOOD)).rstrip(), encoding="utf-8")
    assert "canonical" in notebooks.lint(path)[0]
