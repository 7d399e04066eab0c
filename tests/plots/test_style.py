"""Every figure comes in two modes, same bytes for the same input, with its text for those who cannot see it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from citylib import results
from citylib.errors import InputError
from citylib.plots import interactive, style


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What figures handed over for showing: markup and other forms."""
    seen: list[dict[str, Any]] = []

    def keep(payload: results.Payload, plain: str, markup: str | None, **more: Any) -> None:
        seen.append({"payload": payload, "plain": plain, "markup": markup, **more})

    monkeypatch.setattr(results, "_emit", keep)
    return seen


def line(figure: Figure, mode: dict[str, Any]) -> None:
    figure.add_subplot().plot([0, 1], [1, 0])


def test_two_modes_and_the_same_bytes(shown: list[dict[str, Any]]) -> None:
    for _ in range(2):
        payload = style.show("a_line", line, alt="A line that falls <slowly>", caption="From 1 to 0 & no further.")
    assert payload["type"] == "figure"
    assert shown[0]["markup"] == shown[1]["markup"]
    markup = shown[0]["markup"]
    assert markup.count("<svg role=") == 2
    assert 'aria-label="A line that falls &lt;slowly&gt;"' in markup
    assert "1 to 0 &amp; no further" in markup
    assert style.LIGHT["colours"][0].lower() in markup.lower()
    assert style.DARK["colours"][0].lower() in markup.lower()
    for part in ('only-light">', 'only-dark">'):
        svg = markup.split(part)[1].split("</div>")[0]
        ElementTree.fromstring(svg)


def full(figure: Figure, mode: dict[str, Any]) -> None:
    """Draw in each way that SVG has a colour for: lines, marks, areas, hatches, text, grid."""
    axes = figure.add_subplot()
    axes.plot([0, 1, 2], [1, 0, 2], marker="o", label="line")
    axes.fill_between([0, 1, 2], [0, 0, 0], [1, 2, 1], color=mode["colours"][1], alpha=0.3, hatch="//")
    axes.scatter([0, 1, 2], [2, 1, 0], color=[mode["colours"][k] for k in (2, 3, 4)], edgecolor=mode["ink"])
    axes.text(1, 1, "here", color=mode["colours"][5])
    axes.legend()


def test_the_dark_drawing_is_the_light_one_in_other_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    derived = style.both("full", full, alt="All that is drawn")
    monkeypatch.setattr(style, "_is_of_palette", lambda svg: False)
    drawn = style.both("full", full, alt="All that is drawn")
    light, dark = derived.split('<div class="only-dark">')
    assert light == drawn.split('<div class="only-dark">')[0]
    assert _without_names(derived) == _without_names(drawn)
    assert not set(style.PART.findall(light)) & set(style.PART.findall(dark))  # nothing refers into the other drawing
    assert set(re.findall(r'(?:href="|url\()#(\w+)', dark)) <= set(re.findall(r'id="(\w+)"', dark))


def _without_names(markup: str) -> str:
    names: dict[str, str] = {}
    made_up = re.compile(r'(\bid="|"#|\(#)(\w*[0-9a-f]{10}d?)(?=["\)])')
    return made_up.sub(lambda m: m[1] + names.setdefault(m[2], str(len(names))), markup)


@pytest.mark.parametrize("how", ["a colour of its own", "a picture"])
def test_what_cannot_be_recoloured_is_drawn_twice(how: str) -> None:
    asked: list[dict[str, Any]] = []

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        asked.append(mode)
        axes = figure.add_subplot()
        if how == "a picture":
            axes.imshow([[0.0, 1.0]])
        else:
            axes.plot([0, 1], [1, 0], color="#7d8590")

    style.both("x", draw, alt="Something in colours of its own")
    assert asked == [style.LIGHT, style.DARK]
    asked.clear()
    style.both("x", lambda figure, mode: (asked.append(mode), line(figure, mode))[1], alt="Of the palette alone")
    assert asked == [style.LIGHT]


def test_a_figure_without_words_is_refused() -> None:
    with pytest.raises(InputError, match="alt"):
        style.show("a_line", line, alt="line")


def test_interactive_lines(shown: list[dict[str, Any]]) -> None:
    days = np.arange("2026-01-01", "2026-01-05", dtype="datetime64[D]")
    series = {"read": [1.0, np.nan, 3.123456789, 4.0], "</script>": [0.0, 1.0, 2.0, 3.0]}
    interactive.lines("flow", days, series, x_label="day", y_label="flow [veh/h]", alt="Flow on four days of January")
    spec = shown[0]["also"][interactive.PLOTLY_MIME]
    assert spec["data"][0]["y"] == [1.0, None, 3.1235, 4.0]
    assert spec["data"][0]["x"][1] == "2026-01-02 00:00"
    assert spec["layout"]["yaxis"]["title"]["text"] == "flow [veh/h]"
    markup = shown[0]["markup"]
    assert 'id="plotly-flow"' in markup
    assert markup.count("</script>") == 1  # the name of a line closes nothing
    assert markup.count("<svg role=") == 2  # the still drawing
    assert json.loads(markup.split('"application/json">')[1].split("</script>")[0].replace("<\\/", "</")) == spec
    interactive.lines(
        "flow", [1, 2, 3, 4], {"read": [1.0, 2, 3, 4]}, x_label="hour", y_label="flow", alt="Four hours of flow"
    )
    assert shown[1]["also"][interactive.PLOTLY_MIME]["layout"]["showlegend"] is False


def test_interactive_takes_arrays(shown: list[dict[str, Any]]) -> None:
    trace = {"type": "heatmap", "z": np.array([[1.0, np.nan]]), "zmin": np.float64(0)}
    interactive.show("map", [trace], {"xaxis": {"range": (0, 1)}}, line, alt="A map of two cells, one of them empty")
    spec = shown[0]["also"][interactive.PLOTLY_MIME]
    assert spec["data"] == [{"type": "heatmap", "z": [[1.0, None]], "zmin": 0.0}]
    assert spec["layout"]["xaxis"] == {"range": [0, 1]}


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "1 to 12 lines"),
        ({"a": [1.0]}, "same length"),
        ({str(k): np.random.default_rng(k).normal(size=3000) for k in range(12)}, "same length|at most 200 kB"),
    ],
)
def test_interactive_refusals(series: dict[str, Any], message: str) -> None:
    size = len(next(iter(series.values()), [])) if len(series) == 12 else 2
    with pytest.raises(InputError, match=message):
        interactive.lines("x", np.arange(size), series, x_label="x", y_label="y", alt="Nothing that can be drawn")
