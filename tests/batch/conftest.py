"""Tiny notebooks and projects, written where a test wants them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from citylib.batch import plan

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
PARAMETERS = 'horizon: int = 24  # steps ahead [1..168]\nsource: str = "synthetic"  # data source\n'

Write = Callable[..., Path]


def code(identity: str, source: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identity,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def write_notebook(path: Path, *sources: str, parameters: str | None = PARAMETERS, **metadata: Any) -> Path:
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Title"}]
    if parameters is not None:
        cells.append(code("parameters", parameters, tags=["parameters"]))
    cells += [code(f"cell-{i}", source) for i, source in enumerate(sources)]
    content = {"cells": cells, "metadata": METADATA | metadata, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def alive(pid: int) -> bool:
    """Whether a process still does anything; one that nobody has taken leave of is dead."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project folder with a lock and one notebook, made the current folder."""
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    write_notebook(tmp_path / "notebooks" / "fam" / "01_first.ipynb", "x = horizon")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def planned(project) -> Callable[..., plan.PlannedRun]:
    """Return a function that writes a notebook and plans one run of it."""

    def make(*sources: str, given: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **more: Any):
        path = write_notebook(project / "notebooks" / "fam" / f"{more.pop('name', '02_made')}.ipynb", *sources, **more)
        return plan.single(path, given or {}, limits=limits).runs[0]

    return make
