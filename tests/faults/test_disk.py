"""Disks that are full, read-only or emptied, and files where folders should be."""

from __future__ import annotations

import shutil
import subprocess

from tests.faults.conftest import FORKED, HAND_BACK, NOTE, WAIT, half_files, wait
from tests.faults.table import fault

# Run 1 has more to keep than there is room for; it is within its limits all the same.
LARGE = """import base64, random
from IPython.display import display
if number == 1:
    noise = base64.b64encode(random.Random(0).randbytes(1_200_000)).decode()
    display({"image/png": noise}, raw=True)"""
# Run 1 needs more room for temporary files than there is.
TEMPORARY = """import tempfile
if number == 1 and not pathlib.Path(desk, "room").exists():
    with tempfile.TemporaryFile() as file:
        file.write(bytes(40_000_000))"""


@fault("disk-full")
@FORKED
def test_what_has_no_room_fails_and_goes_on_when_there_is_some(grid, disk, warm):
    made = grid(3, NOTE, LARGE, HAND_BACK, warm=warm)
    out = disk(1_000_000)
    assert made.run("--workers", "1") == 1, made.said()  # two at a time would fight for the room there is
    assert "No space left on device" in made.said()
    assert made.squares() == {2: [4], 3: [9]}, "the others had room"
    assert half_files(out) == []
    subprocess.run(["mount", "-o", "remount,size=50000000", out], check=True)
    assert made.run() == 0, made.said()
    made.is_whole()
    assert (made.ended().count(2), made.ended().count(3)) == (1, 1)


@fault("temporary-full")
@FORKED
def test_with_no_room_for_temporary_files_it_is_the_same(grid, disk, warm):
    made = grid(3, NOTE, TEMPORARY, HAND_BACK, warm=warm)
    folder = disk(20_000_000, at="tmp")
    assert made.run("--workers", "1") == 1, made.said()
    assert "No space left on device" in made.said()
    assert made.squares() == {2: [4], 3: [9]}
    assert (half_files(made.project / "out"), list(folder.iterdir())) == ([], [])
    (made.project / "desk" / "room").touch()
    assert made.run() == 0, made.said()
    made.is_whole()


@fault("read-only")
def test_read_only_each_run_fails_and_what_was_good_is_skipped(grid, disk):
    made = grid(2, warm=True)
    out = disk(10_000_000)
    assert made.run("--only", "number-1") == 0, made.said()
    before = made.receipts()
    subprocess.run(["mount", "-o", "remount,ro", out], check=True)
    assert made.run() == 1, made.said()
    assert "Read-only file system" in made.said()
    assert "Traceback" not in made.said()
    assert made.receipts() == before
    assert made.run("--only", "number-1") == 0, "what is to be skipped needs no writing"
    subprocess.run(["mount", "-o", "remount,rw", out], check=True)
    assert made.run() == 0, made.said()
    made.is_whole()
    assert made.ended() == [1, 2]


def gone(folder):
    """Remove a folder into which others write, as one would who calls ``rm -r`` until it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@fault("folder-removed")
@FORKED
def test_the_folder_of_all_runs_is_removed_while_they_run(grid, token, warm):
    made = grid(3, NOTE, WAIT, HAND_BACK, warm=warm)
    with made.start() as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        wait(lambda: len(list(made.project.glob("out/grid/fam/01_grid/.*.part-*/log.txt"))) == 2, "their logs")
        wait(lambda: gone(made.project / "out"), "the folder of all runs gone")
        (made.project / "desk" / "go").touch()
        assert runner.wait(90) == 1, made.said()
    assert "Traceback" not in made.said()
    assert made.said().count("No such file or directory") >= 2, "those under way say what is missing"
    assert made.squares() == {3: [9]}, "a later one finds its place again"
    assert half_files(made.project / "out") == []
    assert made.run() == 0, made.said()
    made.is_whole()


@fault("folder-is-a-file")
def test_a_file_in_the_place_of_a_run_gives_way(grid):
    made = grid(2, warm=True)
    made.runs.mkdir(parents=True)
    (made.runs / "number-1").write_text("put here by mistake")
    (made.runs / "number-2.failed").write_text("and here")
    assert made.run() == 0, made.said()
    made.is_whole()


@fault("parent-is-a-file")
def test_a_file_in_the_place_of_the_folder_of_runs_fails_them(grid):
    made = grid(2, warm=True)
    made.runs.parent.mkdir(parents=True)
    made.runs.write_text("put here by mistake")
    assert made.run() == 1
    assert "Traceback" not in made.said()
    assert made.said().count("failed") >= 2
    assert made.runs.read_text() == "put here by mistake", "what isn't the runner's is left alone"
    made.runs.unlink()
    assert made.run() == 0, made.said()
    made.is_whole()
