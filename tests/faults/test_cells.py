"""What is left of runs whose cells do the worst, and of the runs beside them."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from citylib.batch import receipt
from citylib.batch.run import FAILED
from tests.faults.cells import GOOD, Came, Seen, bring_about
from tests.faults.conftest import MODES
from tests.faults.table import CELLS, fault

ALL = [pytest.param(name, marks=fault(name)) for name in CELLS]
LARGE = [name for name, row in CELLS.items() if row.sizes[1]]
MOST = 2 * 10**6  # bytes of the folder of a failed run: log, notebook and receipt are bounded, whatever came

Brought = Callable[[bool, bool], Seen]


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Brought:
    """Return a function that brings all faults of cells about, once for the whole test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def bring(warm: bool, full: bool) -> Seen:
        folder = shared / f"cells-{'forked' if warm else 'ordinary'}{'-full' if full else ''}"
        folder.mkdir(exist_ok=True)
        with (folder.with_suffix(".lock")).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = folder.with_suffix(".json")
            if not kept.exists():
                bring_about(folder, LARGE if full else list(CELLS), warm=warm, full=full).keep(kept)
        return Seen.kept(kept)

    return bring


@MODES
@pytest.mark.parametrize("name", ALL)
def test_a_run_ends_as_the_table_says(brought, name, warm):
    ends_as_the_table_says(name, brought(warm, False).runs[name])


@pytest.mark.slow
@MODES
@pytest.mark.parametrize("name", [pytest.param(name, marks=fault(name)) for name in LARGE])
def test_a_run_of_full_size_ends_as_the_table_says(brought, name, warm):
    ends_as_the_table_says(name, brought(warm, True).runs[name])


def ends_as_the_table_says(name: str, came: Came) -> None:
    row, folder = CELLS[name], Path(came.folder)
    assert came.status in row.ends, came.text
    good = came.status == "ok"
    content = receipt.read(folder)
    assert (content["outcome"], content["error"]) == (came.status, came.error)
    assert receipt.changes(content, folder, root=folder.parents[4], base=folder.parents[4]) == []
    assert folder.name == name + ("" if good else FAILED)
    assert (folder / "results.json").exists() is good
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < MOST
    if (folder / "notebook.ipynb").exists():
        json.loads((folder / "notebook.ipynb").read_text(encoding="utf-8"))
    assert (folder / "log.txt").read_text(encoding="utf-8") is not None
    if not good:
        assert not folder.with_name(name).exists()
        assert re.search(row.says, f"{came.error['name']}: {came.error['message']}")
        assert came.error["cell"] == (name if row.within else came.error["cell"])


@MODES
def test_the_runs_beside_them_are_good(brought, warm):
    seen = brought(warm, False)
    for name in GOOD:
        came = seen.runs[name]
        assert came.status == "ok", came.text
        content = receipt.read(Path(came.folder))
        assert content["kernel"] == {"forked": warm}
        assert f"nothing was done to {name}" in (Path(came.folder) / "log.txt").read_text()
    first, last = (json.loads((Path(seen.runs[name].folder) / "notebook.ipynb").read_text()) for name in GOOD)
    assert len(first["cells"]) == len(last["cells"])


@MODES
def test_nothing_is_left_of_them(brought, warm):
    seen = brought(warm, False)
    assert seen.left == [], "processes"
    assert seen.half == [], "half written or held folders"
    assert seen.temporary == [], "temporary files"
    assert seen.notes == [], "a parent that still forks is nothing to tell of"
