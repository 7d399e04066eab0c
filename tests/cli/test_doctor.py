"""What the doctor finds, and when it is not content."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess

import pytest

from citylib.cli import doctor, main


def found() -> dict[str, list[tuple[bool | None, str]]]:
    out: dict[str, list[tuple[bool | None, str]]] = {}
    for good, what, text in doctor.findings():
        out.setdefault(what, []).append((good, text))
    return out


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("CITYLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CITYLIB_DATA", raising=False)
    (tmp_path / "data" / "traffic-i94").mkdir(parents=True)
    return tmp_path


def test_what_this_machine_has(folders, monkeypatch):
    monkeypatch.setenv("CITYLIB_DATA", str(folders / "data"))
    told = found()
    assert told["numpy"][0][0] is True
    assert "cores" in told["machine"][0][1]
    assert told["CITYLIB_DATA"][0][1].startswith(f"{folders / 'data'}: 1 of ")
    assert told["cache"][0][0] is None


def test_a_data_folder_that_is_not_there_is_a_fault(folders, monkeypatch, capsys):
    monkeypatch.setenv("CITYLIB_DATA", str(folders / "nowhere"))
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code == 1
    assert "!!  CITYLIB_DATA" in capsys.readouterr().out


def test_what_may_be_missing_is_said_how_to_get(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    told = found()
    assert (told["browser"][0][0], told["graphics card"][0][0]) == (None, None)
    assert "apt-get install chromium" in told["browser"][0][1]
    assert told["CITYLIB_DATA"][0][0] is None


@pytest.mark.parametrize(("printed", "good"), [("Some Card, 100 MiB\n", True), ("", None)])
def test_a_graphics_card_is_named(monkeypatch, printed, good):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, printed, ""))
    assert found()["graphics card"][0][0] is good


def test_a_package_that_is_missing_is_a_fault(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert found()["torch"][0] == (False, "not installed: run `make setup`")


def test_a_driver_that_hangs_is_no_reason_to_fall(monkeypatch):
    def run(command, **_):
        raise subprocess.TimeoutExpired(command, 20)

    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(subprocess, "run", run)
    assert doctor._graphics() == (None, "graphics card", "nvidia-smi does not answer (TimeoutExpired)")
