"""`citylib book`, from the command line in: runs what must run, refuses a failed run, says where the book is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from citylib.cli import main
from citylib.publish import book as publish
from tests.batch.conftest import write_notebook


def ends(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    write_notebook(tmp_path / "notebooks" / "fam" / "01_first.ipynb", "x = horizon")
    (tmp_path / "book" / "plans").mkdir(parents=True)
    (tmp_path / "book" / "_config.yml").write_text("title: A\n")
    (tmp_path / "book" / "plans" / "all.toml").write_text('[[run]]\nnotebook = "fam/01_first"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the build was asked for; it builds nothing."""
    calls: list[dict[str, Any]] = []

    def build(name: str, planned: Any, runs_dir: Path, book: Path, out: Path, **options: Any) -> publish.Built:
        calls.append(
            {
                "name": name,
                "runs": len(planned),
                "runs_dir": runs_dir,
                "book": book,
                "out": out,
                "force": options["force"],
            }
        )
        return publish.Built(out / "html" / "index.html", 7, fresh=len(calls) == 1)

    monkeypatch.setattr(publish, "build", build)
    return calls


def test_a_plan_is_run_and_its_book_built(project: Path, asked: list[dict[str, Any]], capsys: Any) -> None:
    assert ends("book", "all", "--out", "made") == 0
    shown = capsys.readouterr().out
    assert "all: 1 of 1 notebooks run; book built, 7 pages" in shown
    assert (project / "made" / "html" / "index.html").as_uri() in shown
    assert (project / "made/runs/all/fam/01_first/default/receipt.json").is_file()
    assert asked[0] | {"book": None} == {
        "name": "all",
        "runs": 1,
        "runs_dir": Path("made/runs/all"),
        "book": None,
        "out": Path("made"),
        "force": False,
    }
    assert asked[0]["book"] == project / "book"
    assert ends("book", "book/plans/all.toml", "--out", "made") == 0
    assert "all: 0 of 1 notebooks run; book unchanged" in capsys.readouterr().out
    assert ends("book", "all", "--out", "made", "--force") == 0
    assert "1 of 1 notebooks run" in capsys.readouterr().out
    assert asked[-1]["force"]


def test_a_failed_run_fails_the_build_with_cell_source_and_error(
    project: Path, asked: list[dict[str, Any]], capsys: Any
) -> None:
    write_notebook(project / "notebooks" / "fam" / "01_first.ipynb", "raise ValueError('no water')")
    assert ends("book", "all") == 1
    said = capsys.readouterr().err
    assert "1 of 1 runs failed" in said
    assert "raise ValueError('no water')" in said
    assert "ValueError: no water" in said
    assert not asked


COMPARED = """
[[run]]
notebook = "fam/01_first"
grid = { horizon = [12, 24, 48] }
compare = { by = "horizon", name = "ahead" }
"""


def test_a_failed_run_of_a_comparison_is_told_and_the_book_is_built(
    project: Path, asked: list[dict[str, Any]], capsys: Any
) -> None:
    write_notebook(project / "notebooks" / "fam" / "01_first.ipynb", "assert horizon != 24, 'no water'")
    (project / "book" / "plans" / "all.toml").write_text(COMPARED)
    assert ends("book", "all", "--out", "made") == 1
    shown = capsys.readouterr()
    assert "book built, 7 pages" in shown.out
    assert "1 of 3 runs failed" in shown.err
    assert "AssertionError: no water" in shown.err
    assert "the book tells it" in shown.err
    assert [call["runs"] for call in asked] == [3]
    write_notebook(project / "notebooks" / "fam" / "01_first.ipynb", "x = horizon")
    assert ends("book", "all", "--out", "made") == 0


def test_a_failed_run_of_a_chapter_fails_the_build_whatever_else_failed(
    project: Path, asked: list[dict[str, Any]], capsys: Any
) -> None:
    write_notebook(project / "notebooks" / "fam" / "01_first.ipynb", "assert horizon != 24, 'no water'")
    with_default = COMPARED.replace("24, ", "36, ")
    (project / "book" / "plans" / "all.toml").write_text('[[run]]\nnotebook = "fam/01_first"\n' + with_default)
    assert ends("book", "all") == 1
    assert "1 of 4 runs failed" in capsys.readouterr().err
    assert not asked


def test_an_interrupted_plan_builds_nothing(
    project: Path, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from citylib.batch import run, schedule

    def stopped(plan: Any, out: Path, *_: Any, interrupts: Any, **__: Any) -> list[run.Outcome]:
        interrupts.now()
        return [run.Outcome(one, "stopped", 0.0, out) for one in plan.runs]

    monkeypatch.setattr(schedule, "run_plan", stopped)
    assert ends("book", "all") == 130
    assert not asked


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The comparisons that books were made of; none is rendered."""
    found: list[Any] = []

    def build(name: str, runs: Any, compared: Any, book: Path, out: Path, force: bool) -> publish.Built:
        found.append(compared)
        return publish.Built(out / "html" / "index.html", 7, fresh=True)

    monkeypatch.setattr(publish, "_build", build)
    return found


def test_what_the_runner_could_not_carry_out_is_not_shown_as_it_was_last_night(
    project: Path, gathered: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from citylib.batch import schedule

    (project / "book" / "plans" / "all.toml").write_text(COMPARED)
    assert ends("book", "all", "--out", "made") == 0
    plain = schedule.run_one

    def on_a_full_disk(run: Any, folder: Path, **options: Any) -> Any:
        if run.parameters["horizon"] == 24:
            raise OSError(28, "No space left on device")
        return plain(run, folder, **options)

    monkeypatch.setattr(schedule, "run_one", on_a_full_disk)
    write_notebook(project / "notebooks" / "fam" / "01_first.ipynb", "x = horizon + 1")
    assert ends("book", "all", "--out", "made") == 1
    assert "the book tells it" in capsys.readouterr().err
    (before,), (tonight,) = gathered
    assert before.ran.startswith("all 3 ")
    assert [run.receipt["parameters"]["horizon"] for run in tonight.runs] == [12, 48]
    (bad,) = tonight.failed
    assert (bad.place, bad.outcome, bad.error["name"]) == ("24", "failed", "OSError")
    assert "No space left on device" in bad.error["message"]
    assert (project / "made/runs/all/fam/01_first" / bad.id / "receipt.json").is_file(), "last night's is still there"


def test_no_book_is_built_of_a_plan_that_was_not_run_to_its_end(
    project: Path, gathered: list[Any], capsys: Any
) -> None:
    (project / "book" / "plans" / "all.toml").write_text(COMPARED)
    assert ends("book", "all", "--out", "made") == 0
    write_notebook(project / "notebooks" / "fam" / "01_first.ipynb", "assert horizon != 12, 'no water'")
    assert ends("book", "all", "--out", "made", "--fail-fast", "--workers", "1") == 1
    said = capsys.readouterr().err
    assert "1 of 3 runs failed" in said
    assert "AssertionError: no water" in said
    assert "2 of 3 runs are left: no book is built; the same command goes on from here" in said
    assert len(gathered) == 1
    assert ends("book", "all", "--out", "made") == 1
    assert [len(found.runs) for found in gathered[1]] == [2]


def test_a_project_without_a_book_is_refused(project: Path, capsys: Any) -> None:
    (project / "book" / "_config.yml").unlink()
    assert ends("book", "all") == 2
    assert "current folder must be in a project with book/_config.yml" in capsys.readouterr().err
