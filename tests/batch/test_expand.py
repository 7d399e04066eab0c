"""Every sensor, every value of a column: on a made-up data set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib import data
from citylib.batch.domains import Kind
from citylib.batch.expand import Places
from citylib.batch.parameters import Parameter
from citylib.data.dataset import Dataset
from citylib.errors import DownloadError, InputError, UnknownNameError
from citylib.panel import Panel

KNOWN = {
    "source": Parameter("source", "str", "made"),
    "seed": Parameter("seed", "int", 3),
    "sensor": Parameter("sensor", "str", ""),
    "year": Parameter("year", "int", 0, kind=Kind("int")),
}


@pytest.fixture
def asked(monkeypatch):
    """Replace data.load by a made-up set; return what it was asked for."""
    times = np.datetime64("2020-01-01", "h") + np.arange(3)
    panel = Panel(values=np.ones((3, 2)), times=times, sensors=("B", "A"), variable="flow", unit="veh/h")
    assets = pd.DataFrame(
        {
            "district": ["S", "N", "N", None], "year": [2001, 2015, 2016, 2017], "odd name": [1, 2, 3, 4],
            "built": pd.to_datetime(["2001-02-03", "2001-02-03", None, "2015-01-01 06:00"], format="ISO8601"),
            "lead": pd.array([True, False, None, True], dtype="boolean"), "shape": [[1], [1], [2], None],
        }
    )  # fmt: skip
    calls = []

    def load(source, *, seed=0):
        calls.append((source, seed))
        return Dataset(source, "Made", "panel", panels={"flow": panel}, tables={"assets": assets})

    monkeypatch.setattr(data, "load", load)
    return calls


def values(name, wish, given=None):
    return Places().values(KNOWN.get(name), wish, KNOWN, given or {})


def test_every_sensor_in_the_order_of_the_source(asked):
    assert values("sensor", "sensors", {"source": "else", "seed": 5}) == ["B", "A"]
    assert asked == [("else", 5)]


def test_a_source_is_loaded_once(asked):
    places = Places()
    for _ in range(2):
        places.values(KNOWN["sensor"], "sensors", KNOWN, {})
    assert asked == [("made", 3)]


@pytest.mark.parametrize(
    ("name", "wish", "found"),
    [
        ("sensor", {"column": "district"}, ["N", "S"]),
        ("sensor", {"column": "district", "where": "year >= 2015"}, ["N"]),
        ("sensor", {"column": "district", "table": "assets", "where": "not (district in ['N'])"}, ["S"]),
        ("sensor", {"column": "year"}, ["2001", "2015", "2016", "2017"]),
        ("year", {"column": "year", "where": "district == 'N' and year != -1"}, [2015, 2016]),
        ("sensor", {"column": "built"}, ["2001-02-03", "2015-01-01T06:00:00"]),
        ("sensor", {"column": "district", "where": "lead"}, ["S"]),
        ("sensor", {"column": "district", "where": "lead == True and year < 2010"}, ["S"]),
        ("sensor", {"column": "shape"}, ["[1]", "[2]"]),
    ],
)
@pytest.mark.usefixtures("asked")
def test_every_value_of_a_column(name, wish, found):
    assert values(name, wish) == found


@pytest.mark.parametrize(
    ("wish", "error", "rule"),
    [
        ("sensor", InputError, 'be "sensors" or'),
        ({"colum": "district"}, InputError, 'be "sensors" or'),
        ({"column": "district", "when": ""}, InputError, 'be "sensors" or'),
        ({"column": "distrct"}, UnknownNameError, "did you mean 'district'"),
        ({"column": "distrct", "table": "assets"}, UnknownNameError, "did you mean 'district'"),
        ({"column": "district", "table": "asset"}, UnknownNameError, "did you mean 'assets'"),
        ({"column": "district", "where": "yaer > 3"}, UnknownNameError, "did you mean 'year'"),
        ({"column": "district", "where": "__import__('os')"}, InputError, "where must compare"),
        ({"column": "district", "where": "year.max() > 3"}, InputError, "where must compare"),
        ({"column": "district", "where": "@x > 3"}, InputError, "where must compare"),
        ({"column": "district", "where": 3}, InputError, "where must compare"),
        ({"column": "district", "where": "year > 3000"}, InputError, "at least one value"),
        ({"column": "district", "where": "year >"}, InputError, "where must compare"),
        ({"column": "district", "where": ""}, InputError, "where must compare"),
        ({"column": "district", "where": "3"}, InputError, "of their own kind"),
        ({"column": "district", "where": "1 < 2"}, InputError, "of their own kind"),
        ({"column": "district", "where": "district"}, InputError, "of their own kind"),
        ({"column": "district", "where": "district > 3"}, InputError, "of their own kind, got 'district > 3'; '>' not"),
        ({"column": "district", "where": "district in 3"}, InputError, "of their own kind"),
        ({"column": "district", "where": "not district"}, InputError, "of their own kind"),
        ({"column": 3}, InputError, 'be "sensors" or'),
        ({"column": ["district"]}, InputError, 'be "sensors" or'),
        ({"column": "district", "table": ["assets"]}, InputError, "each.sensor.table must be the name of a table"),
    ],
)
@pytest.mark.usefixtures("asked")
def test_a_wish_out_of_form_is_refused(wish, error, rule):
    with pytest.raises(error, match=rule):
        values("sensor", wish)


@pytest.mark.parametrize(
    ("given", "rule"), [({"source": ["a"]}, "source must be str"), ({"seed": "x"}, "seed must be")]
)
@pytest.mark.usefixtures("asked")
def test_a_source_of_another_type_is_refused(given, rule):
    with pytest.raises(InputError, match=rule):
        values("sensor", "sensors", given)


def test_a_source_that_cannot_be_had_is_asked_for_once(monkeypatch):
    asked = []

    def load(source, *, seed=0):
        asked.append(source)
        raise DownloadError("no network")

    monkeypatch.setattr(data, "load", load)
    places = Places()
    for _ in range(3):
        with pytest.raises(DownloadError, match="no network"):
            places.values(KNOWN["sensor"], "sensors", KNOWN, {})
    assert asked == ["made"]


def test_a_notebook_without_a_source_cannot_be_expanded():
    with pytest.raises(InputError, match="has a parameter `source`"):
        Places().values(KNOWN["sensor"], "sensors", {}, {})


def test_an_unknown_parameter_is_left_for_the_check_to_refuse():
    assert values("sensr", "sensors") == [""]
