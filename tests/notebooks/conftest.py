"""Chapters run at small size: through citylib's runner, by plain papermill, by nbconvert."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from citylib import results
from citylib.batch import plan, run

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
Ran = dict[str, Any]


@pytest.fixture
def run_chapter(tmp_path: Path) -> Callable[..., Ran]:
    """Run ``family/NN_name`` with parameters as `citylib run` does; what it handed back, by type and name."""

    def carry_out(chapter: str, **parameters: Any) -> Ran:
        planned = plan.single(NOTEBOOKS / f"{chapter}.ipynb", parameters).runs[0]
        outcome = run.run_one(planned, tmp_path / "run")
        assert outcome.status == "ok", json.dumps(outcome.error, indent=1)
        found = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))
        receipt = json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
        kept: Ran = {"folder": outcome.folder, "receipt": receipt, "said": [s["text"] for s in found["said"]]}
        kept["records"] = {record["name"]: record for record in found["records"]}
        kept["tables"] = {table["name"]: table for table in found["tables"]}
        kept["figures"] = {figure["name"]: figure for figure in found["figures"]}
        return kept

    return carry_out


@pytest.fixture(params=["papermill", "nbconvert"])
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
