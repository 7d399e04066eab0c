"""The runner itself is killed, interrupted, doubled or no longer read: what is left, and how it goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from tests.faults.conftest import CITYLIB, FORKED, MODES, PATIENCE, half_files, interrupt, left_over, wait
from tests.faults.table import fault

FULL = pytest.mark.slow


@fault("runner-killed")
@MODES
@pytest.mark.parametrize(("size", "kills", "seed"), [(8, 3, 1), pytest.param(40, 10, 2, marks=FULL)])
def test_a_killed_runner_goes_on_where_it_was(grid, token, warm, size, kills, seed):
    made, draw = grid(size, warm=warm), random.Random(seed)
    (made.project / "desk" / "go").touch()
    # Each kill has its place: after so many good runs, and a moment that falls anywhere within a run.
    points = sorted(draw.sample(range(size - 2), kills))
    before: dict[int, str] = {}
    for point in points:
        with made.start() as runner:
            wait(lambda p=point, r=runner: len(made.receipts()) >= p or r.poll() is not None, f"{point} good runs")
            time.sleep(draw.uniform(0, 1.5 if not warm else 0.3))
            assert runner.poll() is None, made.said()
            os.kill(runner.pid, signal.SIGKILL)
        assert left_over(token) == [], "what a killed runner had started"
        now = {number: content["started"] + content["key"] for number, content in made.receipts().items()}
        assert before.items() <= now.items(), "what was good is not made again"
        assert len(now) >= point
        before = now
    assert made.run() == 0, made.said()
    assert before.items() <= {n: content["started"] + content["key"] for n, content in made.receipts().items()}.items()
    made.is_whole()
    assert set(made.ended()) == set(range(1, size + 1))
    assert made.start("--dry-run").wait(PATIENCE) == 0
    assert made.said().count("\tskip\tunchanged") == size
    with subprocess.Popen([*CITYLIB, "runs", "verify", "out"], stdout=subprocess.PIPE, text=True) as verify:
        assert verify.communicate(timeout=PATIENCE)[0] == f"{size} runs, {size} as their receipts say, 0 not\n"


@fault("interrupted-once")
@FORKED
def test_ctrl_c_lets_those_under_way_finish(grid, warm):
    made = grid(3, warm=warm)
    with made.start() as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        interrupt(runner)
        wait(lambda: "no more runs are started; 2 under way finish" in made.said(), "word of it")
        (made.project / "desk" / "go").touch()
        assert runner.wait(PATIENCE) == 130
    assert (made.began(), made.ended(), sorted(made.receipts())) == ([1, 2], [1, 2], [1, 2])
    assert half_files(made.project / "out") == []
    assert "1 of 3 runs are left" in made.said()
    assert made.run() == 0
    made.is_whole()
    assert made.ended() == [1, 2, 3], "what was finished is not made again"


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGINT, signal.SIGINT], marks=fault("interrupted-twice"), id="ctrl-c-twice"),
        pytest.param([signal.SIGHUP], marks=[fault("terminated"), FULL], id="sighup"),
    ],
)
@MODES
def test_asked_to_stop_now_it_does_and_leaves_nothing(grid, token, warm, signals):
    stops_now(grid(3, warm=warm), token, signals)


@fault("terminated")
@FORKED
def test_terminated_it_does_the_same(grid, token, warm):
    stops_now(grid(3, warm=warm), token, [signal.SIGTERM])


def stops_now(made, token, signals):
    with made.start() as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        for number in signals[:-1]:
            interrupt(runner, number)
            wait(lambda: "no more runs are started" in made.said(), "word of it")
        interrupt(runner, signals[-1])
        assert runner.wait(PATIENCE) == 130
    assert left_over(token) == []
    assert "stopping now: 2 under way are ended" in made.said()
    assert (made.ended(), made.receipts(), half_files(made.project / "out")) == ([], {}, [])
    assert list((made.project / "tmp").iterdir()) == []
    assert made.run() == 0
    made.is_whole()


@fault("two-runners")
@FORKED
def test_two_runners_on_one_folder_take_turns(grid, warm):
    made = grid(2, warm=warm)
    with made.start() as first:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        with made.start() as second:
            named = f"which process {first.pid} on "
            wait(lambda: made.said().count(named) == 2, "the second runner to name the first")
            assert second.poll() is None
            (made.project / "desk" / "go").touch()
            assert (first.wait(PATIENCE), second.wait(PATIENCE)) == (0, 0)
    assert made.began() == made.ended() == [1, 2]
    made.is_whole()


@fault("unread")
@FORKED
def test_a_reader_that_goes_away_costs_no_run(grid, token, warm):
    made = grid(3, warm=warm)
    (made.project / "desk" / "go").touch()
    command = [*CITYLIB, "run", "grid.toml", "--out", "out", "--workers", "1", *([] if warm else ["--cold"])]
    with (made.project / "errors.txt").open("w") as errors:
        runner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        runner.stdout.readline()
        runner.stdout.close()  # as `| head -1` does
        runner.wait(PATIENCE)
    assert left_over(token) == []
    assert half_files(made.project / "out") == []
    assert sorted(made.receipts()) == sorted(set(made.ended())), "a run that came to its end has its receipt"
    assert made.run() == 0, made.said()
    made.is_whole()
    assert made.ended() == [1, 2, 3], "and none is made twice"
