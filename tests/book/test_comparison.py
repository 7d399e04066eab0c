"""The comparison of the tiny city's districts as readers meet it: the table sorts, the map is drawn, all can be had."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.book import look
from tests.book.browser import Console, wait_for
from tests.book.conftest import citylib

INDEX = "compare/districts.html"
DISTRICTS = ["Kiln Yard", "Lantern Hill", "North Harbour", "Orchard Rise"]


def downloads(html: Path, page: str) -> dict[str, Path]:
    """Return what a page offers for download, by name."""
    text = (html / page).read_text(encoding="utf-8")
    return {p.rpartition("/")[2]: html / p for p in re.findall(r'href="(?:\.\./)+(_downloads/[^"]+)"', text)}


def test_every_district_has_a_page_that_leads_back(tiny: Path) -> None:
    html = tiny / "html"
    index = (html / INDEX).read_text(encoding="utf-8")
    assert "all 4 districts ran" in index
    for district in DISTRICTS:
        slug = district.lower().replace(" ", "-")
        assert f'<a href="districts/{slug}.html">{district}</a>' in index
        page = (html / f"compare/districts/{slug}.html").read_text(encoding="utf-8")
        assert f"<h1>Traffic in {district}" in page
        assert 'href="../districts.html"' in page
        assert 'href="../../chapters/data/02_one_place.html"' in page
        assert {"receipt.json", "results.json", "02_one_place.ipynb"} <= set(
            downloads(html, f"compare/districts/{slug}.html")
        )


def test_all_results_can_be_had(tiny: Path) -> None:
    offered = downloads(tiny / "html", INDEX)
    records = pd.read_parquet(offered["districts_records.parquet"])
    assert sorted(set(records["place"])) == DISTRICTS
    pd.testing.assert_frame_equal(pd.read_csv(offered["districts_records.csv"])[["value"]], records[["value"]])
    assert pd.read_csv(offered["districts_runs.csv"])["outcome"].eq("ok").all()
    usual = pd.read_parquet(offered["districts_table_usual.parquet"])
    assert usual.groupby("place").size().to_dict() == dict.fromkeys(DISTRICTS, 24)


@pytest.mark.browser
@pytest.mark.parametrize("heading", ["mean [veh/h]", "missing share [of the steps]", "change [of the mean]"])
def test_the_table_sorts_by_its_numbers(driver: Any, address: str, tiny: Path, heading: str) -> None:
    table = re.search(
        r"<table class=\"sortable citylib-places\">.*?</table>", (tiny / "html" / INDEX).read_text(), re.S
    )
    assert table
    column = re.findall(r'<th scope="col">(.*?)</th>', table[0]).index(heading)
    up, down = look.sort(driver, f"{address}{INDEX}", table="table.citylib-places", column=column)
    rising, falling = ([float(text.split("\n")[0].replace(",", "")) for text in texts] for texts in (up, down))
    assert rising == sorted(rising)
    assert falling == sorted(rising, reverse=True)
    assert len(set(rising)) > 2
    places = "return [...document.querySelectorAll('table.citylib-places tbody th')].map((c) => c.innerText)"
    assert sorted(driver.execute_script(places)) == DISTRICTS


@pytest.mark.browser
def test_the_map_is_drawn_and_asks_for_nothing(driver: Any, address: str) -> None:
    console = Console(driver, address)
    driver.get(address + INDEX)
    fills = "return document.querySelectorAll('#plotly-map .scatterlayer path.js-fill').length"
    wait_for(lambda: driver.execute_script(fills) == len(DISTRICTS), "an area for each district")
    words = "return [...document.querySelectorAll('#plotly-map .annotation-text')].map((a) => a.textContent).join('|')"
    said = driver.execute_script(words)
    assert all(district.replace(" ", "") in said.replace(" ", "") for district in DISTRICTS)
    assert re.search(r"\d+ k?m", said)
    hover = (
        "const box = document.querySelector('#plotly-map .js-plotly-plot, #plotly-map.js-plotly-plot');"
        "const area = box.querySelector('.nsewdrag').getBoundingClientRect();"
        "for (const [dx, dy] of [[0.3, 0.3], [0.35, 0.3]]) box.querySelector('.nsewdrag').dispatchEvent(new MouseEvent("
        "'mousemove', {bubbles: true, clientX: area.x + dx * area.width, clientY: area.y + dy * area.height}));"
    )
    driver.execute_script(
        "document.querySelector('#plotly-map').scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    driver.execute_script(hover)
    label = "const t = document.querySelector('#plotly-map .hoverlayer text'); return t && t.textContent"
    told = wait_for(lambda: driver.execute_script(label), "what the map says of a district")
    assert "veh/h" in told
    assert console.faults() == []


@pytest.mark.slow
def test_a_place_that_fails_is_told_in_a_book_that_is_built(tmp_path: Path) -> None:
    plan = tmp_path / "towns.toml"
    plan.write_text(
        '[[run]]\nnotebook = "data/02_one_place"\nset = { source = "synthetic:tiny", by = "district" }\n'
        'grid = { place = ["Kiln Yard", "Atlantis"] }\n'
        'compare = { by = "place", name = "towns", rank = "mean", curves = "usual" }\n'
    )
    done = citylib("book", str(plan), "--out", str(tmp_path / "out"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 of 2 runs failed" in done.stderr
    html = tmp_path / "out" / "html"
    index = (html / "compare/towns.html").read_text(encoding="utf-8")
    assert "1 of 2 places ran" in index
    assert "Atlantis" in index
    assert "place must be one of: Kiln Yard" in index
    assert "raise InputError" in re.sub(r"<[^>]+>", "", index)
    assert not (html / "compare/towns/atlantis.html").exists()
    assert look.links(html) == []
