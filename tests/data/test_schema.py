"""The forms of own files: their description is complete, and their own examples pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from citylib.data import own_files, schema
from citylib.errors import InputError, UnknownNameError


@pytest.mark.parametrize("form", schema.FORMS, ids=lambda f: f.name)
def test_the_example_of_a_form_passes_its_own_check(form: schema.Form, tmp_path: Path) -> None:
    (tmp_path / "example.csv").write_text(form.example)
    dataset = own_files.read(str(tmp_path / "example.csv"))
    assert dataset.kind == form.kind
    assert form.kind == "panel" or dataset.tables


@pytest.mark.parametrize("form", schema.FORMS, ids=lambda f: f.name)
def test_every_column_and_rule_is_described(form: schema.Form) -> None:
    text = schema.describe(form.kind)
    assert form.title in text
    assert form.example in text
    for column in form.columns:
        assert f"| `{column.name}` | {'yes' if column.required else 'no'} | {column.what} |" in text
    for rule in form.rules:
        assert rule in text


def test_describe_everything_or_one_kind() -> None:
    whole = schema.describe()
    for form in schema.FORMS:
        assert f"### {form.title}" in whole
    assert "### Sensor readings as arrays" in whole
    assert "arrays" not in schema.describe("events")
    with pytest.raises(InputError, match="kind must be one of: panel, assets, events, areas, got 'graph'"):
        schema.describe("graph")


def test_form_by_name() -> None:
    assert schema.form("wide").kind == "panel"
    with pytest.raises(UnknownNameError, match="did you mean 'events'"):
        schema.form("event")


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (["time", "a"], "panel"),
        (["Time", "sensor", "value"], "panel"),
        (["asset"], "assets"),
        (["installed"], "assets"),
        (["opened"], "events"),
        (["AREA", "population"], "areas"),
        (["geometry"], "areas"),
        (["x"], "panel"),
    ],
)
def test_the_kind_is_told_from_the_columns(columns: list[str], kind: str) -> None:
    assert schema.recognise(columns) == kind


@pytest.mark.parametrize(
    ("variable", "unit", "counts"),
    [
        ("volume", "", True),
        ("hourly count", "", True),
        ("x", "veh/h", True),
        ("x", "Vehicles", True),
        ("PM2.5", "µg/m³", False),
    ],
)
def test_what_counts(variable: str, unit: str, counts: bool) -> None:
    assert schema.is_count(variable, unit) is counts
