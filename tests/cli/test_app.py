"""The command as a whole: quick help, clean messages, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from citylib import __version__
from citylib.cli import main

PROGRAM = [sys.executable, "-c", "from citylib.cli import main; main()"]
HEAVY = ("pandas", "papermill", "nbformat", "matplotlib", "torch", "pyarrow", "jupyter_client")


def ends(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_help_names_the_commands_and_is_quick():
    best = float("inf")
    for _ in range(3):
        before = os.times()
        asked = subprocess.run([*PROGRAM, "--help"], capture_output=True, text=True, check=True)
        after = os.times()
        best = min(best, after.children_user + after.children_system - before.children_user - before.children_system)
    for command in ("run", "runs", "data", "book", "doctor"):
        assert f"  {command} " in asked.stdout
    assert best < 0.5


def test_nothing_heavy_is_imported_before_a_command_needs_it():
    source = f"import sys, citylib.cli.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"


def test_version(capsys):
    assert ends("--version") == 0
    assert capsys.readouterr().out == f"citylib {__version__}\n"


@pytest.mark.parametrize("words", ["walk", "run", "run --workers 0 x", "runs lst", "run x --ot y"])
def test_usage_errors_end_with_2(words, capsys):
    assert ends(*words.split()) == 2
    assert "Usage:" in capsys.readouterr().err


def test_an_error_is_a_message_without_a_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert ends("run", "nowhere") == 1
    assert capsys.readouterr().err == "citylib: nowhere: no such notebook\n"
    assert ends("run", "nowhere.toml") == 2
    assert capsys.readouterr().err.startswith("citylib: nowhere.toml: 1 fault\n  - cannot be read")


def test_debug_shows_where_it_arose(tmp_path, monkeypatch):
    from citylib.errors import NotebookError

    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotebookError):
        main(["run", "nowhere", "--debug"])


def test_without_arguments_help_is_shown(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["citylib"])
    with pytest.raises(SystemExit):
        main()
    captured = capsys.readouterr()
    assert "Usage: citylib" in captured.out + captured.err


def test_the_command_is_declared():
    declared = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'citylib = "citylib.cli:main"' in declared
