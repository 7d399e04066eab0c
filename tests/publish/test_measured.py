"""What loading a set found: measured where its files are at hand, kept until data or loaders change."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from citylib import data
from citylib.data import fetch, registry
from citylib.errors import ChecksumError
from citylib.publish import datasets, measured

SOURCE = registry.source("weather-cities")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All files are at hand; every load gives the tiny synthetic city and is remembered."""
    names: list[str] = []
    city = data.load("synthetic:tiny")

    def load(name: str) -> Any:
        names.append(name)
        return city

    monkeypatch.setattr(measured.data, "load", load)
    monkeypatch.setattr(fetch, "locate", lambda file: SimpleNamespace(sha256=file.sha256_stored))
    return names


def test_a_set_that_is_not_at_hand_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured.measured(SOURCE, tmp_path) is None

    def damaged(file: registry.SourceFile) -> None:
        raise ChecksumError(file.name)

    monkeypatch.setattr(fetch, "locate", damaged)
    assert measured.measured(SOURCE, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_set_is_loaded_once_until_data_or_loaders_change(
    tmp_path: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measured.measured(SOURCE, tmp_path)
    assert measured.measured(SOURCE, tmp_path) == first
    assert loads == ["weather-cities"]
    monkeypatch.setattr(measured, "_loaders", lambda: "other code")
    measured.measured(SOURCE, tmp_path)
    monkeypatch.setattr(fetch, "locate", lambda file: SimpleNamespace(sha256="other bytes"))
    measured.measured(SOURCE, tmp_path)
    assert len(loads) == 3
    (tmp_path / "weather-cities.json").write_text("[]")
    measured.measured(SOURCE, tmp_path)
    assert len(loads) == 4


def test_the_page_says_what_was_found(tmp_path: Path, loads: list[str]) -> None:
    found = measured.measured(SOURCE, tmp_path)
    assert found is not None
    page = datasets.page(SOURCE, [], found)
    flow = next(p for p in found.panels if p["variable"] == "flow")
    assert f"| `flow` | veh/h | {flow['sensors']} | {flow['steps']:,} | 2023-01-01\u00a000:00 |" in page
    assert "| `assets` | 500 |" in page
    fault = found.faults[0]
    assert f"| {fault['count']:,} |" in page
    assert "## What loading it finds" in page
    assert page.index("What to look out for") < page.index("What it holds") < page.index("Where it is read")


def test_a_set_of_tables_has_no_table_of_readings() -> None:
    shown = measured.sections(measured.Measured([], [{"name": "areas", "rows": 49, "columns": 13}], []))
    assert "| `areas` | 49 | 13 |" in shown
    assert "missing" not in shown
    assert "finds" not in shown


@pytest.mark.real
def test_every_real_set_is_measured(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYLIB_DATA", str(real_data))
    for source in registry.sources():
        found = measured.measured(source, tmp_path)
        assert found is not None, source.name
        assert found.panels or found.tables
        assert found.faults, source.name
