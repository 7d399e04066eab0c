"""What is left of runs whose cells do the worst, and of the runs beside them."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from citylib.batch import receipt
from citylib.batch.run import FAILED
from tests.faults.cells import GOOD, Came, Seen, bring_about
from tests.faults.conftest import MODES
from tests.faults.table import CELLS, fault

QUICK = {False: [name for name, row in CELLS.items() if row.kernel], True: list(CELLS)}  # by whether kernels are forked
REST = [name for name in CELLS if name not in QUICK[False]]
LARGE = [name for name, row in CELLS.items() if row.sizes[1]]
MOST = 2 * 10**6  # bytes of the folder of a failed run: log, notebook and receipt are bounded, whatever came

Brought = Callable[[bool, str], Seen]


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Brought:
    """Return a function that brings all faults of cells about, once for the whole test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def bring(warm: bool, form: str) -> Seen:
        folder = shared / f"cells-{'forked' if warm else 'ordinary'}-{form}"
        folder.mkdir(exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = folder.with_suffix(".json")
            if not kept.exists():
                names = {"quick": QUICK[warm], "rest": REST, "full": LARGE}[form]
                bring_about(folder, names, warm=warm, full=form == "full").keep(kept)
        return Seen.kept(kept)

    return bring


def each(names: list[str], warm: bool) -> list[Any]:
    mode = "forked" if warm else "ordinary"
    return [pytest.param(name, warm, marks=fault(name), id=f"{name}-{mode}") for name in names]


@pytest.mark.parametrize(("name", "warm"), each(QUICK[False], False) + each(QUICK[True], True))
def test_a_run_ends_as_the_table_says(brought, name, warm):
    ends_as_the_table_says(name, brought(warm, "quick").runs[name])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "warm"), each(REST, False))
def test_a_run_by_an_ordinary_kernel_ends_in_the_same_way(brought, name, warm):
    ends_as_the_table_says(name, brought(warm, "rest").runs[name])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "warm"), each(LARGE, False) + each(LARGE, True))
def test_a_run_of_full_size_ends_as_the_table_says(brought, name, warm):
    ends_as_the_table_says(name, brought(warm, "full").runs[name])


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
    seen = brought(warm, "quick")
    for name in GOOD:
        came = seen.runs[name]
        assert came.status == "ok", came.text
        content = receipt.read(Path(came.folder))
        assert content["kernel"] == {"forked": warm}
        assert f"nothing was done to {name}" in (Path(came.folder) / "log.txt").read_text()
    first, last = (json.loads((Path(seen.runs[name].folder) / "notebook.ipynb").read_text()) for name in GOOD)
    assert len(first["cells"]) == len(last["cells"])


FORMS = [pytest.param("quick"), *(pytest.param(form, marks=pytest.mark.slow) for form in ("rest", "full"))]


@MODES
@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_left_of_them(brought, warm, form):
    if (form, warm) == ("rest", True):
        form = "quick"
    seen = brought(warm, form)
    assert seen.left == [], "processes"
    assert seen.half == [], "half written or held folders"
    assert seen.temporary == [], "temporary files"
    assert seen.notes == [], "a parent that still forks is nothing to tell of"
