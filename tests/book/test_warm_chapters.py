"""Every chapter comes out the same, byte for byte, from a forked kernel as from a started one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from citylib.batch import plan, receipt
from citylib.batch.run import run_one
from citylib.batch.warm import Warm

ROOT = Path(__file__).parents[2]
NOT_COMPARED = ("receipt.json", "log.txt")


def _first_runs() -> dict[str, plan.PlannedRun]:
    found: dict[str, plan.PlannedRun] = {}
    for run in plan.load(ROOT / "book" / "plans" / "tiny.toml").runs:
        found.setdefault(run.notebook, run)
    return found


def _made(folder: Path) -> dict[str, bytes]:
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: content for name, content in files.items() if name not in NOT_COMPARED}


QUICK = (
    "survival/02_kaplan_meier",
    "data/02_one_place",
)  # one that draws and tabulates, one that is forked in the book
NAMES = sorted(p.relative_to(ROOT / "notebooks").with_suffix("").as_posix() for p in ROOT.glob("notebooks/*/*.ipynb"))
CHAPTERS = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES]


@pytest.mark.parametrize("notebook", CHAPTERS)
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd: kernels are started, not forked")
def test_a_chapter_comes_out_the_same(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: str
) -> None:
    monkeypatch.delenv("CITYLIB_DATA", raising=False)
    monkeypatch.setenv("CITYLIB_CACHE", os.devnull)
    run = _first_runs()[notebook]
    outcomes = {}
    with Warm([replace(run, id=f"{run.id}-{i}") for i in range(2)]) as parents:
        for one in parents.runs:  # the second has all beforehand that the first imported
            outcomes[one.id] = run_one(one, tmp_path / one.id, warm=parents)
        assert parents.faults == []
    book = tiny / "runs" / "tiny" / run.notebook / run.id
    if receipt.read(book)["kernel"]["forked"]:  # of a notebook that runs several times in the book
        book = run_one(run, tmp_path / "started").folder
    assert not receipt.read(book)["kernel"]["forked"]
    for outcome in outcomes.values():
        assert outcome.ok, outcome.describe()
        assert receipt.read(outcome.folder)["kernel"] == {"forked": True}
        before, now = _made(book), _made(outcome.folder)
        assert {n for n in before.keys() | now.keys() if before.get(n) != now.get(n)} == set()
        read = [[c["path"] for c in receipt.read(folder)["citylib"]] for folder in (book, outcome.folder)]
        assert read[0] == read[1], "the receipts list the same files as read"
