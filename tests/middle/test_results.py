"""Results: payloads hold what was handed in, bad ones are refused, and in a kernel each is one display."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from citylib import results
from citylib.errors import InputError

FRAME = pd.DataFrame(
    {
        "n": np.array([1, 2]),
        "x": [1.5, np.nan],
        "s": pd.Series(["a", None], dtype=object),
        "b": [True, False],
        "t": pd.to_datetime(["2026-01-01", None]),
        "c": pd.Categorical(["u", "v"]),
        "p": pd.period_range("2026-01", periods=2, freq="M"),
    }
)

REFUSED = {
    "name": (lambda: results.record("Mean error", 1), "name must be snake_case"),
    "nan": (lambda: results.record("mae", float("nan")), "value must be finite"),
    "none": (lambda: results.record("mae", None), "value must be a number"),
    "interval": (lambda: results.record("mae", 1, interval=(2, 1)), "interval must be (low, high)"),
    "level": (lambda: results.record("mae", 1, interval=(0, 2), level=95), "level must lie between 0 and 1"),
    "one block": (lambda: results.record("mae", 1, interval=(0, 2), blocks=1), "blocks must be at least 2"),
    "blocks of nothing": (lambda: results.record("mae", 1, blocks=4), "blocks must come with the interval"),
    "baseline": (lambda: results.record("mae", 1, baseline=float("inf")), "baseline must be finite"),
    "no frame": (lambda: results.table("t", [1]), "frame must be a pandas DataFrame, got 'list'"),
    "columns": (lambda: results.table("t", pd.DataFrame([[1, 2]], columns=["a", "a"])), "no duplicates, got 'a'"),
    "objects": (lambda: results.table("t", pd.DataFrame({"a": [object()]})), "column 'a' must hold numbers, text"),
    "mixed": (lambda: results.table("t", pd.DataFrame({"a": [1, "x"]})), "column 'a' must hold one kind of value"),
    "infinite": (lambda: results.table("t", pd.DataFrame({"a": [np.inf]})), "column 'a' must be finite"),
    "when": (lambda: results.say("yes", when=1), "when must be True or False"),
    "otherwise": (lambda: results.say("yes", when=False), "otherwise must be given"),
    "alt": (lambda: results.figure("f", "<svg/>", alt="a plot"), "alt must describe the figure"),
    "version": (lambda: results.read([{"data": {results.MIME: {"version": 99}}}]), "result version must be 1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_results_are_refused(what):
    call, words = REFUSED[what]
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value)


def test_record_keeps_every_digit():
    payload = results.record("mae", np.float64(12.345678901), unit="µg/m³", interval=(11, 13), baseline=np.float32(15))
    assert payload["value"] == 12.345678901
    assert payload["interval"] == [11.0, 13.0]
    assert (payload["level"], payload["baseline"], payload["unit"]) == (0.95, 15.0, "µg/m³")
    assert "blocks" not in payload
    assert results.record("mae", 1.0, interval=(0, 2), blocks=np.int64(4))["blocks"] == 4
    assert results.record("n", np.int64(3))["value"] == 3
    assert results.record("best", "lag 24")["value"] == "lag 24"
    assert results.record("better", np.bool_(True))["value"] is True


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.34567, "12.35"),
        (48204, "48,204"),
        (0.000123456, "0.0001235"),
        (3.0, "3"),
        (123456.7, "123,457"),
        (True, "True"),
        (20000.0, "20,000"),
        ("lag", "lag"),
    ],
)
def test_numbers_are_shown_as_people_read_them(value, text):
    assert results._number_text(value, 4) == text


def test_table_keeps_types_and_missing_values():
    payload = results.table("all", FRAME, caption="All kinds")
    kinds = {c["name"]: c["dtype"] for c in payload["columns"]}
    expected = {"n": "int", "x": "float", "s": "str", "b": "bool", "t": "datetime", "c": "str", "p": "str"}
    assert kinds == expected
    assert payload["columns"][1]["values"] == [1.5, None]
    assert payload["columns"][4]["values"] == ["2026-01-01T00:00:00", None]
    json.dumps(payload, allow_nan=False)


def test_a_named_index_becomes_a_column():
    frame = pd.DataFrame({"v": [1.0]}, index=pd.Index(["a"], name="sensor"))
    assert [c["name"] for c in results.table("t", frame)["columns"]] == ["sensor", "v"]


def test_long_tables_are_handed_back_whole_and_shown_in_part():
    frame = pd.DataFrame({"i": range(1000)})
    payload = results.table("long", frame)
    shown = results._table_html(payload, frame, 4)
    assert payload["rows"] == 1000 == len(payload["columns"][0]["values"])
    assert shown.count("<tr>") == results.SHOWN_ROWS + 1
    assert "first 200 of 1,000 rows" in shown


def test_years_have_no_thousands():
    frame = pd.DataFrame({"year": [2016], "test_year": [2017], "mains": [2018]})
    shown = results._table_html(results.table("years", frame), frame, 4)
    assert [word in shown for word in (">2016<", ">2017<", ">2,018<")] == [True] * 3


def test_text_from_data_cannot_break_the_page():
    frame = pd.DataFrame({"<b>": ["<script>alert(1)</script>"]})
    shown = results._table_html(results.table("t", frame), frame, 4)
    assert "<script>" not in shown
    assert "<b>" not in shown


def test_say_takes_the_branch_that_holds():
    assert results.say("better", when=np.bool_(True), otherwise="worse")["text"] == "better"
    assert results.say("better", when=False, otherwise="worse")["text"] == "worse"


def test_in_a_kernel_each_call_is_one_display(monkeypatch):
    shown = []

    class Shell:
        kernel = object()

    import IPython
    import IPython.display

    monkeypatch.setattr(IPython, "get_ipython", lambda: Shell())
    monkeypatch.setattr(IPython.display, "display", lambda data, raw, metadata: shown.append((data, metadata)))
    results.record("mae", 1.5, unit="s", interval=(1, 2), baseline=3)
    results.table("t", FRAME, caption="A <caption>")
    results.say("*yes*")
    results.figure("f", "<figure/>", alt="a line that rises from left to right")
    results.loaded("synthetic", [], "Data: synthetic")
    assert len(shown) == 5
    payloads = results.read([{"data": data} for data, _ in shown])
    assert [p["type"] for p in payloads] == ["record", "table", "say", "figure", "data"]
    assert shown[0][0]["text/plain"] == "mae: 1.5 s (95% interval 1 to 2; baseline 3)"
    assert shown[0][1] == {"scrapbook": {"name": "mae", "mime_prefix": ""}}
    assert shown[2][0]["text/markdown"] == "*yes*"
    assert "A &lt;caption&gt;" in shown[1][0]["text/html"]


def test_in_plain_ipython_nothing_is_shown(monkeypatch, capsys):
    import IPython

    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    results.record("mae", 1.0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        (["2026-01-01", None], "<td>2026-01-01</td>"),
        (["2026-01-01", "2026-01-01 13:30"], "<td>2026-01-01 13:30</td>"),
        (["2026-01-01 13:30:05"], "<td>2026-01-01 13:30:05</td>"),
    ],
)
def test_times_are_shown_as_precisely_as_they_are(times: list[str | None], shown: str) -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(times, format="mixed")})
    assert shown in results._table_html(results.table("t", frame), frame, 4)
