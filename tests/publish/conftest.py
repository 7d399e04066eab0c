"""Finished runs made by hand, without a kernel: what the pages are made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from citylib import results
from citylib.publish import runs
from tests.publish.made_up import Asked, notebook


@pytest.fixture(autouse=True)
def no_data_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pages come out the same on every machine: no data folder, an empty cache."""
    monkeypatch.delenv("CITYLIB_DATA", raising=False)
    monkeypatch.setenv("CITYLIB_CACHE", str(tmp_path / "no-cache"))


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., runs.FinishedRun]:
    """A function that writes a run's folder and reads it back."""

    def make(name: str, run_id: str, *, made: Any = None, title: str | None = None, **changes: Any) -> runs.FinishedRun:
        given = {"source": "traffic-i94", "horizon": 24, "season": "daily"} | changes.pop("parameters", {})
        records, tables = changes.pop("records", None), changes.pop("tables", {})
        folder = tmp_path / "runs" / name / run_id
        (folder / "tables").mkdir(parents=True)
        nbformat.write(made or notebook(**given), folder / "notebook.ipynb")
        receipt = {
            "outcome": "ok",
            "parameters": given,
            "seconds": 12.34,
            "started": "2026-11-21T08:30:00+00:00",
            "peak_memory_bytes": 312_000_000,
            "versions": {"python": "3.11.7", "citylib": "0.1.0"},
            "data": [{"file": "traffic-i94/a.csv.gz", "sha256": "ab" * 32, "bytes": 403_151}],
            "error": None,
        }
        record = results.record("mae", 12.34, unit="µg/m³", interval=(11.5, 13.0), baseline=15.1)
        found = {"records": [record] if records is None else records, "data": [{"source": given["source"]}]}
        found |= {"tables": [], "figures": [], "said": []}
        for key, (frame, caption) in tables.items():
            frame.to_parquet(folder / "tables" / f"{key}.parquet")
            found["tables"].append({"name": key, "file": f"tables/{key}.parquet", "caption": caption})
        (folder / "receipt.json").write_text(json.dumps(receipt | changes), encoding="utf-8")
        (folder / "results.json").write_text(json.dumps(found), encoding="utf-8")
        return runs.finished(Asked(run_id, name, title), tmp_path / "runs")

    return make
