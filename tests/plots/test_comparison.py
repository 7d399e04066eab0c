"""Figures that hold places against each other: what they say in words, what they leave out, what they refuse."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.plots import comparison, maps

HOURS = pd.DataFrame({"hour": range(24), "flow": np.arange(24.0), "flow_low": -1.0, "flow_high": 25.0, "last": 3.0})


def point(latitude: float, longitude: float) -> pd.DataFrame:
    return pd.DataFrame({"part": [0], "latitude": [latitude], "longitude": [longitude]})


def square(south: float, west: float, side: float = 0.1, part: int = 0) -> pd.DataFrame:
    corners = [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]
    rows = [(part, south + side * a, west + side * b) for a, b in corners]
    return pd.DataFrame(rows, columns=["part", "latitude", "longitude"])


def spec(markup: str) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', markup, re.S)[1])


def test_a_ranking_says_both_ends_and_marks_intervals_and_baselines() -> None:
    own = [[0.5, 1.5], [1.0, 3.0], [np.nan, np.nan]]
    drawn = comparison.ranking(
        "order",
        ["a", "b", "c"],
        [1.0, 2.0, 3.0],
        label="MAE [MW]",
        intervals=own,
        joint=own,
        baselines=[2.0, np.nan, 4.0],
    )
    assert "MAE [MW] of 3 places in order: first a (1), last c (3)." in drawn
    for words in ("95%, one place", "95%, all places at once", "baseline"):
        assert words in drawn
    plain = comparison.ranking("order", ["a"], [1.0], label="MAE [MW]")
    assert "one place" not in plain
    assert "baseline" not in plain
    assert 'class="only-light"' in plain
    assert 'class="only-dark"' in plain


def test_a_long_ranking_leaves_out_its_middle_and_says_so() -> None:
    count = 200
    drawn = comparison.ranking("order", [f"p{k:03d}" for k in range(count)], np.arange(count), label="x")
    assert f"{count - comparison.MOST_ROWS} more" in drawn
    assert ">p000<" in drawn
    assert ">p199<" in drawn
    assert ">p100<" not in drawn


def test_curves_of_places_share_axes_and_columns() -> None:
    tables = {f"p{k}": HOURS.assign(flow=HOURS["flow"] * (k + 1)) for k in range(5)}
    drawn = comparison.curves("small", tables, label="flow [veh/h]", caption="By hour")
    assert "flow [veh/h] by hour, a small figure for each of 5 places on common axes" in drawn
    assert "goes from 11.5 to 57.5" in drawn
    assert all(f">p{k}<" in drawn for k in range(5))
    assert "middle of all places (flow)" in drawn


def test_of_many_places_the_first_are_drawn() -> None:
    tables = {f"p{k:03d}": HOURS.head(3) for k in range(comparison.MOST_CURVES + 5)}
    drawn = comparison.curves("small", tables, label="x")
    assert f">p{comparison.MOST_CURVES - 1:03d}<" in drawn
    assert f">p{comparison.MOST_CURVES:03d}<" not in drawn


def test_points_lie_on_a_map_that_asks_for_nothing() -> None:
    places = {"north": point(-37.80, 145.05), "south": point(-37.85, 145.10), "lost": point(-37.82, 145.0)}
    drawn = maps.map_of_places("map", places, label="mean [veh/h]", values={"north": 3.0, "south": 9.0})
    assert "Map of 3 places coloured by mean [veh/h]: highest in south (9), lowest in north (3)." in drawn
    made = spec(drawn)
    assert {trace["type"] for trace in made["data"]} == {"scatter"}  # no map of the world, no tiles
    assert "geo" not in made["layout"]
    assert "mapbox" not in json.dumps(made)
    coloured = next(t for t in made["data"] if t["marker"].get("showscale"))
    assert coloured["y"] == [-37.80, -37.85]
    assert coloured["marker"]["color"] == [3.0, 9.0]
    assert made["layout"]["yaxis"]["scaleratio"] == pytest.approx(1 / np.cos(np.radians(37.825)), rel=1e-6)


def test_the_bar_is_as_long_as_it_says() -> None:
    made = spec(maps.map_of_places("map", {"a": point(60.0, 10.0), "b": point(60.0, 11.0)}, label=""))
    bar, words = made["layout"]["shapes"][0], made["layout"]["annotations"][0]["text"]
    kilometres = (bar["x1"] - bar["x0"]) * 111.32 * np.cos(np.radians(60))
    assert words == "10 km"
    assert kilometres == pytest.approx(10, rel=1e-3)


def test_outlines_are_filled_named_and_of_several_parts() -> None:
    two = pd.concat([square(45, 7), square(45.2, 7, part=1)], ignore_index=True)
    drawn = maps.map_of_places(
        "map", {"Old Quay": two, "Far": square(45, 8)}, label="x", values={"Old Quay": 1, "Far": 2}
    )
    made = spec(drawn)
    filled = [t for t in made["data"] if t.get("fill") == "toself"]
    assert [t["name"] for t in filled] == ["Old Quay", "Old Quay", "Far"]
    assert filled[0]["fillcolor"] != filled[2]["fillcolor"]
    named = {a["text"]: (a["x"], a["y"]) for a in made["layout"]["annotations"]}
    assert named["Far"] == pytest.approx((8.05, 45.05))
    assert "Old<br>Quay" in named


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: comparison.ranking("r", ["a"], [1.0, 2.0], label="x"), "length"),
        (lambda: comparison.ranking("r", ["a"], [1.0], label="x", joint=[[1.0]]), "have shape"),
        (lambda: comparison.curves("c", {}, label="x"), "at least one place"),
        (lambda: comparison.curves("c", {"a": HOURS[["hour"]]}, label="x"), "1 to 4 columns of numbers"),
        (lambda: comparison.curves("c", {"a": HOURS, "b": HOURS[["hour", "flow"]]}, label="x"), "have the columns"),
        (lambda: maps.map_of_places("m", {}, label="x"), "at least one place"),
        (lambda: maps.map_of_places("m", {"a": point(1, 1).head(0)}, label="x"), "a row for each place"),
    ],
)
def test_refusals(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


def test_a_map_in_a_notebook_is_the_same_map_handed_back() -> None:
    places = {"north": point(60.0, 10.0), "south": point(59.0, 10.0)}
    payload = maps.show_places("map", places, label="mean [veh/h]", values={"north": 3.0, "south": 9.0})
    assert payload["name"] == "map"
    assert "mean [veh/h]" in payload["alt"]
