"""Recorded results: read whole, listed in the receipt, followed when they change."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from citylib import data
from citylib.data.recorded import KEPT
from citylib.errors import InputError, UnknownNameError


def test_each_says_how_it_was_made() -> None:
    kept = sorted(KEPT.glob("*.json"))
    assert kept
    for path in kept:
        found = data.recorded(path.stem)
        assert {"command", "versions", "machine", "runs"} <= set(found)
        assert "files" in found or all("files" in one for one in found["runs"])  # of all, or of each part
        assert path.stat().st_size < 2_000_000


def test_what_is_not_there_or_not_whole_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="survival_forest"):
        data.recorded("survival_forests")
    monkeypatch.setattr(sys.modules["citylib.data.recorded"], "KEPT", tmp_path)
    for content in ("{", "[]", json.dumps({"command": "x"})):
        (tmp_path / "a.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match="whole"):
            data.recorded("a")
