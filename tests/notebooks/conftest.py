"""Chapters run at small size: through citylib's runner, by plain papermill, by nbconvert."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from citylib import results
from citylib.batch import plan, run
from citylib.batch.warm import Warm

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
Ran = dict[str, Any]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    """What the runs of one test file are forked from: importing is most of what a small run takes."""
    each = [plan.single(path, {}).runs[0] for path in sorted(NOTEBOOKS.glob("*/*.ipynb"))]
    with Warm(each * 2) as parents:  # of each there may be several
        yield parents


@pytest.fixture
def end_of(tmp_path: Path, warm: Warm) -> Callable[..., run.Outcome]:
    """Run ``family/NN_name`` with parameters as `citylib run` does, whichever way it ends."""

    def carry_out(chapter: str, **parameters: Any) -> run.Outcome:
        planned = plan.single(NOTEBOOKS / f"{chapter}.ipynb", parameters).runs[0]
        return run.run_one(planned, tmp_path / "run", warm=warm)

    return carry_out


@pytest.fixture
def run_chapter(end_of: Callable[..., run.Outcome]) -> Callable[..., Ran]:
    """Run ``family/NN_name`` with parameters; what it handed back, by type and name."""

    def carry_out(chapter: str, **parameters: Any) -> Ran:
        outcome = end_of(chapter, **parameters)
        assert outcome.status == "ok", json.dumps(outcome.error, indent=1)
        found = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))
        receipt = json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
        kept: Ran = {"folder": outcome.folder, "receipt": receipt, "said": [s["text"] for s in found["said"]]}
        kept["records"] = {record["name"]: record for record in found["records"]}
        kept["tables"] = {table["name"]: table for table in found["tables"]}
        kept["figures"] = {figure["name"]: figure for figure in found["figures"]}
        return kept

    return carry_out


@pytest.fixture
def refused(end_of: Callable[..., run.Outcome]) -> Callable[..., str]:
    """Run ``family/NN_name`` with parameters that a cell must refuse; what it said."""

    def carry_out(chapter: str, **parameters: Any) -> str:
        outcome = end_of(chapter, **parameters)
        assert outcome.status == "failed"
        assert outcome.error is not None
        return str(outcome.error["message"])  # not its source, in which almost any word may stand

    return carry_out


@pytest.fixture(params=["papermill", pytest.param("nbconvert", marks=pytest.mark.slow)])
def run_plainly(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., list[results.Payload]]:
    """Run a chapter by each of the ordinary tools, without citylib's runner; the payloads it emitted."""

    def carry_out(chapter: str, **parameters: Any) -> list[results.Payload]:
        notebook, out = NOTEBOOKS / f"{chapter}.ipynb", tmp_path / "out.ipynb"
        given = [part for name, value in parameters.items() for part in ("-y", json.dumps({name: value}))]
        command = ["papermill", str(notebook), str(out), *given, "--no-progress-bar"]
        if request.param == "nbconvert":
            _call([*command, "--prepare-only"], tmp_path)
            command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(out)]
        _call(command, tmp_path)
        cells = nbformat.read(out, as_version=4).cells
        return [payload for cell in cells for payload in results.read(cell.get("outputs", []))]

    return carry_out


def _call(command: list[str], cwd: Path) -> None:
    tool = Path(sys.executable).parent / command[0]
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    done = subprocess.run([tool, *command[1:]], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
