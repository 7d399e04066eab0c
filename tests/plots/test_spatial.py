"""Figures of places: what they say in words, their weight, and what they refuse."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from matplotlib.figure import Figure
from scipy import sparse

from citylib.errors import InputError
from citylib.plots import spatial, style


def board(side: int) -> np.ndarray:
    return np.array([shapely.box(x, y, x + 1, y + 1) for y in range(side) for x in range(side)])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `style.both` makes, kept, as outside a notebook a figure shows nothing."""
    kept: list[str] = []
    made = style.both

    def keep(*given, **named) -> str:
        kept.append(made(*given, **named))
        return kept[-1]

    monkeypatch.setattr(style, "both", keep)
    return kept


def test_words_give_the_ends_and_the_counts() -> None:
    payload = spatial.map_of_values("m", board(5), np.arange(25.0), label="fires per km²", metres=True)
    assert payload["alt"] == "Map of 25 places coloured by fires per km², from 0 to 24."
    classes = ["hot"] * 3 + ["none"] * 22
    payload = spatial.map_of_classes("c", board(5), classes, order=["hot", "cold"], rest="not told", metres=False)
    assert payload["alt"] == "Map of 25 places: 3 hot, 0 cold, 22 not told."
    payload = spatial.shuffled("s", np.linspace(-0.1, 0.1, 201), 0.5)
    assert payload["alt"].endswith("95 % between -0.095 and 0.095; on the real map 0.5.")
    payload = spatial.moran_scatter("x", [1.0, -1.0], [0.5, -0.5], slope=0.5, marked=[True, False], label="rate")
    assert "slope 0.5" in payload["alt"]


@pytest.mark.parametrize("kind", ["polygons", "lines", "points"])
def test_thousands_of_places_are_a_light_page(kind: str, drawn: list[str]) -> None:
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 30_000, (3400, 2))
    shapes = {
        "points": shapely.points(at),
        "lines": shapely.linestrings(np.stack([at, at + rng.uniform(-160, 160, at.shape)], axis=1)),
        "polygons": shapely.box(at[:, 0], at[:, 1], at[:, 0] + 200, at[:, 1] + 200),
    }[kind]
    spatial.map_of_values("m", shapes, rng.random(3400), label="x", metres=True)
    assert len(drawn[0]) < 500_000
    assert re.search(r"\b(5|10) km", drawn[0])


def test_ties_leave_fewer_colours_but_every_place_has_one(drawn: list[str]) -> None:
    values = np.r_[np.zeros(20), 1, 2, 3, 4, 5]
    spatial.map_of_values("m", board(5), values, label="x", metres=False)
    legend = re.findall(r">([\d.]+(?: to [\d.]+)?)</text>", drawn[0].split('class="only-dark"')[0])
    assert legend == ["0", "1 to 5"]
    spatial.map_of_values("same", board(5), np.ones(25), label="x", metres=False)


def test_a_ring_has_its_hole() -> None:
    ring = shapely.Point(0, 0).buffer(2).difference(shapely.Point(0, 0).buffer(1))
    figure = Figure()
    axes = figure.subplots()
    axes.set(xlim=(-3, 3), ylim=(-3, 3))
    spatial._paint(axes, np.array([ring]), "#000000", "#000000")
    path = axes.patches[0].get_path()
    assert path.contains_point((1.5, 0.0))
    turns = [shapely.LinearRing(part).is_ccw for part in path.to_polygons()]
    assert sorted(turns) == [False, True]  # the hole runs the other way, so that it is left empty


def test_links_are_thinned_and_counted() -> None:
    w = sparse.csr_array(np.ones((100, 100)) - np.eye(100))
    payload = spatial.links("l", board(10), w, metres=False, what="all")
    assert "4,950 pairs" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="same length"):
        spatial.map_of_values("m", board(2), [1.0], label="x", metres=False)
    with pytest.raises(InputError, match="values must have no missing"):
        spatial.map_of_values("m", board(2), [1.0, np.nan, 1.0, 1.0], label="x", metres=False)
    with pytest.raises(InputError, match="shapes must hold at least one place"):
        spatial.map_of_values("m", [], [], label="x", metres=False)
    with pytest.raises(InputError, match="number of classes must be at most 6"):
        spatial.map_of_classes("c", board(2), ["a"] * 4, order=list("abcdefg"), rest="r", metres=False)
    with pytest.raises(InputError, match="w must be of order 4"):
        spatial.links("l", board(2), sparse.eye_array(3), metres=False)
    with pytest.raises(InputError, match="draws must have at least"):
        spatial.shuffled("s", [1.0], 0.0)
