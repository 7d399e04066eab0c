"""The processes that kernels and clients are forked from are killed: runs go on without, and the runner says so."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest

from tests.faults.conftest import wait
from tests.faults.table import fault


def parents(runner: psutil.Process, kind: str) -> list[psutil.Process]:
    """Return the processes right below a runner that others are forked from."""
    return [p for p in runner.children() if any(f'"kind": "{kind}"' in word for word in p.cmdline())]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        pytest.param("kernel", "kernels of fam/01_grid are started, not forked", marks=fault("parent-killed")),
        pytest.param("client", "runs start without a warm client", marks=fault("client-parent-killed")),
    ],
)
def test_a_parent_is_killed_while_runs_are_under_way(grid, kind, says):
    made = grid(4, warm=True)
    with made.start() as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        (parent,) = parents(psutil.Process(runner.pid), kind)
        os.kill(parent.pid, signal.SIGKILL)
        (made.project / "desk" / "go").touch()
        assert runner.wait(90) == 0, made.said()
    made.is_whole()
    assert made.ended() == [1, 2, 3, 4], "those under way finished"
    assert says in made.said()
    forked = {number: content["kernel"]["forked"] for number, content in made.receipts().items()}
    assert forked == {1: True, 2: True, 3: False, 4: False}


@fault("parent-killed")
@pytest.mark.slow
def test_a_parent_is_killed_between_runs(grid):
    made = grid(3, warm=True)
    with made.start("--workers", "1") as runner:
        for number in (1, 2):
            wait(lambda n=number: n in made.began(), f"run {number}")
            if number == 2:  # the parent isn't asked again before run 3
                (parent,) = parents(psutil.Process(runner.pid), "kernel")
                os.kill(parent.pid, signal.SIGKILL)
            (made.project / "desk" / "go").touch()
            wait(lambda n=number: n in made.ended(), f"run {number} to end")
        assert runner.wait(90) == 0, made.said()
    made.is_whole()
    said = made.said()
    assert "started, not forked" in said
    assert json.loads((made.runs / "number-3" / "receipt.json").read_text())["kernel"]["forked"] is False
