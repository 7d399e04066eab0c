"""A log that is followed, while a stand-in for a runner writes, renames, fails, retries or is killed."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from citylib.batch import follow
from citylib.batch.follow import Piece
from citylib.errors import ReceiptError

ERROR = {"cell": "c", "source": "x / 0", "name": "ZeroDivisionError", "message": "division by zero"}


class Runner:
    """Writes what a runner writes, where it writes it."""

    def __init__(self, folder: Path, pid: int | None = None, host: str | None = None) -> None:
        self.folder, self.pid, self.count = folder, pid or os.getpid(), 0
        self.lock = folder.parent / f".{folder.name}.lock"
        self.host = host or platform.node()

    def hold(self) -> None:
        self.lock.write_text(f"process {self.pid} on {self.host}")

    def let_go(self) -> None:
        self.lock.unlink()

    def begin(self) -> None:
        self.count += 1
        self.staging = self.folder.parent / f".{self.folder.name}.part-{self.pid}-{self.count}"
        self.staging.mkdir()

    def say(self, text: str | bytes) -> None:
        with (self.staging / "log.txt").open("ab") as log:
            log.write(text.encode() if isinstance(text, str) else text)

    def end(self, outcome: str = "ok", tries: int = 1) -> None:
        content = {"schema": 1, "outcome": outcome, "seconds": 2.0, "error": None if outcome == "ok" else ERROR}
        content |= {"attempt": self.count, "tries": tries}
        (self.staging / "receipt.json").write_text(json.dumps(content))
        place = self.folder if outcome == "ok" else self.folder.with_name(f"{self.folder.name}.failed")
        if place.exists():
            place.rename(old := place.with_name(f".{place.name}.old-{self.count}"))
            self.staging.rename(place)
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        else:
            self.staging.rename(place)


@pytest.fixture
def runner(tmp_path) -> Runner:
    return Runner(tmp_path / "default")


def steps(*does: Callable[[], object], limit: int = 200) -> Callable[[float], None]:
    """Return a sleep during which one thing after the other happens: what a follower sees, look for look."""
    left = list(does)

    def sleep(_: float) -> None:
        nonlocal limit
        limit -= 1
        assert limit, "the follower never came to an end"
        if left:
            left.pop(0)()

    return sleep


def log_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind == "log")


def notes_of(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces if piece.kind == "note"]


def test_a_run_is_followed_through_its_rename(runner):
    runner.hold()
    runner.begin()
    runner.say("one\n")

    def finish():
        runner.say("three\n")
        runner.end()

    pieces = list(follow.follow(runner.folder, sleep=steps(lambda: runner.say("two\n"), finish, runner.let_go)))
    assert [piece.text for piece in pieces if piece.kind == "log"] == ["one\n", "two\n", "three\n"]
    assert pieces[-1] == Piece("end", f"ok after 2.0 s; see {runner.folder}", ok=True)


def test_a_run_that_has_not_begun_is_waited_for(runner):
    pieces = list(
        follow.follow(
            runner.folder,
            sleep=steps(runner.hold, runner.begin, lambda: runner.say("here\n"), runner.end, runner.let_go),
        )
    )
    assert pieces[0] == Piece("note", f"waiting for {runner.folder} to begin")
    assert (log_of(pieces), pieces[-1].ok) == ("here\n", True)


def test_a_run_that_begins_and_ends_between_two_looks_is_told_whole(runner):
    def all_of_it():
        runner.begin()
        runner.say("quick\n")
        runner.end("failed")

    pieces = list(follow.follow(runner.folder, sleep=steps(all_of_it)))
    assert log_of(pieces) == "quick\n"
    assert pieces[-1].text.startswith("failed after 2.0 s: ZeroDivisionError in cell c: division by zero; see ")
    assert pieces[-1].ok is False


def test_a_log_that_is_renamed_before_it_could_be_opened_is_read_where_it_lies(runner):
    runner.hold()
    runner.begin()

    def all_of_it():
        runner.say("quick\n")
        runner.end()
        runner.let_go()

    assert log_of(list(follow.follow(runner.folder, sleep=steps(all_of_it)))) == "quick\n"


@pytest.mark.parametrize("last", ["ok", "failed"])
def test_retries_are_followed_until_the_runner_lets_go(runner, last):
    runner.hold()
    runner.begin()
    runner.say("first\n")

    def again():
        runner.begin()
        runner.say("next\n")

    pieces = list(
        follow.follow(
            runner.folder,
            sleep=steps(
                lambda: runner.end("died"), lambda: None, again, lambda: runner.end("failed"), again,
                lambda: runner.say("last\n"), lambda: runner.end(last), lambda: None, runner.let_go,
            ),
        )
    )  # fmt: skip
    assert log_of(pieces) == "first\nnext\nnext\nlast\n"
    assert [note.split(" ")[0] for note in notes_of(pieces)] == ["died", "failed"]
    assert [note.rpartition("; ")[2] for note in notes_of(pieces)] == ["attempt 2", "attempt 3"]
    assert (pieces[-1].ok, pieces[-1].text.split(" ")[0]) == (last == "ok", last)


def test_a_retry_that_waits_for_its_turn_is_waited_for_as_long_as_the_runner_lives(runner, gone):
    runner.begin()
    runner.say("first\n")

    def fail(tries: int = 2) -> None:
        runner.end("failed", tries)

    pieces = list(
        follow.follow(
            runner.folder,
            sleep=steps(fail, *[lambda: None] * 20, runner.begin, lambda: runner.say("second\n"), fail),
        )
    )
    assert log_of(pieces) == "first\nsecond\n"
    assert pieces[-1].text.startswith("failed after")
    runner.pid, runner.count = gone, 0
    runner.hold()
    runner.begin()
    runner.host = platform.node()
    alive = Runner(runner.folder, host="another-machine")  # believed to be there, until its lock is gone
    alive.hold()

    def fail_and_die() -> None:
        fail(tries=3)
        alive.let_go()

    assert list(follow.follow(runner.folder, sleep=steps(fail_and_die)))[-1].ok is False


def test_attempts_that_are_over_between_two_looks_are_not_lost(runner):
    runner.hold()
    runner.begin()
    runner.say("first\n")

    def twice():
        runner.end("died")
        runner.begin()
        runner.say("second\n")
        runner.end()
        runner.let_go()

    pieces = list(follow.follow(runner.folder, sleep=steps(twice)))
    assert log_of(pieces) == "first\nsecond\n"
    assert pieces[-1].ok


def test_what_lies_there_from_before_is_not_taken_for_the_end_of_this_run(runner):
    for outcome in ("ok", "failed"):
        runner.begin()
        runner.say("old\n")
        runner.end(outcome)
    runner.hold()
    runner.begin()
    runner.say("new\n")

    def stopped():
        (runner.staging / "log.txt").unlink()
        runner.staging.rmdir()

    pieces = list(follow.follow(runner.folder, sleep=steps(stopped, runner.let_go)))
    assert log_of(pieces) == "new\n"
    assert pieces[-1] == Piece("end", "ended and left nothing: it was stopped, or its runner was", ok=False)


def test_a_run_made_again_is_told_by_its_new_log(runner):
    runner.begin()
    runner.say("old\n")
    runner.end()
    runner.hold()
    runner.begin()
    pieces = list(follow.follow(runner.folder, sleep=steps(lambda: runner.say("new\n"), runner.end, runner.let_go)))
    assert (log_of(pieces), pieces[-1].ok) == ("new\n", True)


@pytest.fixture(scope="module")
def gone() -> int:
    """Return the number of a process that has ended."""
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout)


def test_when_the_runner_was_killed_the_follower_ends(tmp_path, gone):
    alive = Runner(tmp_path / "default")
    alive.begin()
    alive.say("half")
    killed = alive.staging.with_name(f".default.part-{gone}-1")
    pieces = []
    for piece in follow.follow(tmp_path / "default", sleep=steps(lambda: alive.staging.rename(killed))):
        pieces.append(piece)
    assert log_of(pieces) == "half"
    assert pieces[-1].text.startswith("ended and left nothing")


def test_what_a_killed_runner_left_is_no_run_under_way(tmp_path, gone):
    left = Runner(tmp_path / "default", gone)
    left.hold()
    left.begin()
    assert follow.latest(left.folder) is None
    assert follow.latest(Runner(tmp_path / "default").folder) is None
    elsewhere = Runner(tmp_path / "default", gone, "another-machine")
    elsewhere.hold()
    assert follow.latest(elsewhere.folder) == left.staging


def test_a_run_that_has_ended_is_told_as_a_whole_the_last_of_good_and_failed(runner):
    runner.begin()
    runner.say("good\n")
    runner.end()
    assert follow.latest(runner.folder) == runner.folder
    os.utime(runner.folder / "receipt.json", ns=(1, 1))
    runner.begin()
    runner.say("bad\n")
    runner.end("failed")
    failed = runner.folder.with_name("default.failed")
    assert follow.latest(runner.folder) == failed
    pieces = list(follow.follow(runner.folder))
    assert (log_of(pieces), pieces[-1].ok) == ("bad\n", False)
    assert list(follow.follow(failed)) == pieces
    assert follow.latest(failed) == failed
    assert "".join(follow.text_of(runner.folder)) == "good\n"


def test_half_a_character_is_waited_for(runner):
    runner.hold()
    runner.begin()
    runner.say("µ".encode()[:1])
    pieces = list(
        follow.follow(
            runner.folder,
            sleep=steps(lambda: runner.say("µ".encode()[1:] + b"g \xff"), runner.end, runner.let_go),
        )
    )
    assert log_of(pieces) == "µg \N{REPLACEMENT CHARACTER}"


def test_where_no_run_can_begin_it_is_said(tmp_path):
    with pytest.raises(ReceiptError, match="no such run, and no folder"):
        next(follow.follow(tmp_path / "nowhere" / "default"))
    (tmp_path / "plan" / "fam").mkdir(parents=True)
    with pytest.raises(ReceiptError, match="is not the folder of a run"):
        next(follow.follow(tmp_path / "plan"))


def test_a_broken_receipt_is_told(runner):
    runner.begin()
    runner.end()
    (runner.folder / "receipt.json").write_text("{")
    (end,) = follow.follow(runner.folder)
    assert end.text.startswith("ended, but its receipt cannot be read")
    assert end.ok is False


def test_the_last_lines(tmp_path):
    assert follow.tail(tmp_path) == []
    (tmp_path / "log.txt").write_text("".join(f"line {i}\n" for i in range(500)))
    assert follow.tail(tmp_path, 2) == ["line 498", "line 499"]


def test_nothing_is_lost_of_what_another_thread_writes(runner):
    """With real time: a thread writes, fails, writes again; every line arrives, in order, once."""

    def run() -> None:
        runner.hold()
        for outcome in ("failed", "ok"):
            runner.begin()
            for number in range(200):
                runner.say(f"{outcome} {number}\n")
                if number % 50 == 0:
                    time.sleep(0.01)
            runner.end(outcome)
        runner.let_go()

    thread = threading.Thread(target=run)
    following = follow.follow(runner.folder, sleep=lambda _: time.sleep(0.002))
    first = next(following)
    thread.start()
    pieces = [first, *following]
    thread.join()
    every = [f"{outcome} {number}" for outcome in ("failed", "ok") for number in range(200)]
    assert log_of(pieces).splitlines() == every
    assert pieces[-1].ok
