"""A new request tells its title, channel, place and time, and nothing that is known later."""

from __future__ import annotations

import inspect

import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.neural import routing

GIVEN = {"channel": ["App", None], "place": ["South Boston / Waterfront", " "], "opened": ["2015-03-02 10:30"] * 2}


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Street Light Outages", "street light outages"),
        ("Street Light Outages///Printed ep", "street light outages"),
        ("Street Light Outages/LAMP #N016 27 Elm St/sent", "street light outages"),
        ("PRINTED ~ Clear conduit", ""),
        ("printed SENT", ""),
        ("sent to contractor", ""),
        ("Graffiti: Ward 10 1003", "graffiti: ward [number] [number]"),
        ("Issued Permit question", "issued permit question"),
        ("Re: printed sign missing", "re: printed sign missing"),
        ("Sidewalk - broken", "sidewalk - broken"),
        ("Heat - Excessive Insufficient", "heat - excessive insufficient"),
        ("tree/stump sent me flying", "tree/stump sent me flying"),
        ("Street Light Outages - Printed", "street light outages"),
        ("Street Light Outages SENT TO MAVERICK LP# N011840", "street light outages"),
        ("News Boxes - Reinspect Sun Aug 9", "news boxes"),
        ("acorns out / RE-SENT TO MAVERICK", "acorns out"),
        ("PRINTED STRAY VOLTAGE", ""),
        ("Call 617-635-4500", "call [phone]"),
        (None, ""),
        ("", ""),
    ],
)
def test_titles(raw: str | None, clean: str) -> None:
    assert routing.titles([raw]) == [clean]


def test_one_token_a_column() -> None:
    found = routing.requests_as_text(["lamp out", "tree"], **GIVEN)
    assert found[0] == "lamp out [channel app] [place south boston   waterfront] [hour 9] [day 0]"
    assert found[1].startswith("tree [channel unknown] [place unknown]")


def test_a_time_that_is_missing_changes_no_other_row() -> None:
    opened = pd.Series([pd.Timestamp("2015-03-02 10:30"), pd.NaT])
    found = routing.requests_as_text(["lamp out", "tree"], **(GIVEN | {"opened": opened}))
    assert found[0].endswith("[hour 9] [day 0]")
    assert found[1].endswith("[hour unknown] [day unknown]")


def test_nothing_else_can_go_in() -> None:
    assert set(inspect.signature(routing.requests_as_text).parameters) == {"titles", "channel", "place", "opened"}
    frame = pd.DataFrame({"title": ["lamp out", "tree"], **GIVEN, "category": ["a", "b"], "queue": ["c", "d"]})
    columns = {"channel": frame["channel"], "place": frame["place"], "opened": frame["opened"]}
    before = routing.requests_as_text(frame["title"], **columns)
    frame[["category", "queue"]] = frame[["category", "queue"]].to_numpy()[::-1]
    assert routing.requests_as_text(frame["title"], **columns) == before


def test_refusals() -> None:
    with pytest.raises(InputError, match="length"):
        routing.requests_as_text(["lamp out"], **GIVEN)
