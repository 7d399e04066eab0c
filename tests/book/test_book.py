"""The rendered book as readers meet it: every page in a real browser, in both modes; search, tables, downloads."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from citylib.publish import sizes
from tests.book import look
from tests.book.browser import wait_for
from tests.book.conftest import ROOT, citylib


def test_every_link_and_download_leads_somewhere(tiny: Path) -> None:
    assert look.links(tiny / "html") == []


@pytest.mark.browser
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "all"])
@pytest.mark.parametrize("mode", look.MODES, ids=lambda m: m.name)
def test_every_page_is_right(tiny: Path, chromium_there: None, mode: look.Mode, every: bool) -> None:
    pages = look.html_pages(tiny / "html")
    ones = list({page.rpartition("/")[0]: page for page in reversed(pages)}.values())  # of each folder the first
    assert len(ones) > len(FAMILIES)
    findings = look.crawl(tiny / "html", pages=pages if every else ones, modes=[mode])  # CI crawls all of its own book
    assert not findings, "\n".join(map(str, findings))


@pytest.mark.browser
@pytest.mark.parametrize("word", ["regression", "censored", "particulate"])
def test_search_finds_a_word(driver: Any, address: str, word: str) -> None:
    found = look.search(driver, address, word)
    assert found
    assert any(word in urlopen(address + page).read().decode().lower() for page in found)
    assert look.search(driver, address, "zzyzxq") == []


@pytest.mark.browser
def test_tables_sort_by_number(driver: Any, address: str) -> None:
    up, down = look.sort(driver, f"{address}data/index.html", column=3)
    assert [float(v) for v in up] == sorted(float(v) for v in up)
    assert [float(v) for v in down] == sorted((float(v) for v in down), reverse=True)
    assert len(up) > 5


@pytest.mark.browser
def test_interactive_figures_follow_the_mode(driver: Any, tiny: Path, address: str) -> None:
    pages = [p for p in look.html_pages(tiny / "html") if 'class="citylib-plotly"' in (tiny / "html" / p).read_text()]
    assert pages, "no chapter has an interactive figure"
    driver.get(address + pages[0])
    ink = (
        "const t = document.querySelector('.citylib-plotly .xtick text'); return t && getComputedStyle(t).fill + '|' "
        "+ getComputedStyle(document.querySelector('.citylib-still')).display"
    )
    seen = []
    for theme in ("light", "dark"):
        driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        seen.append(wait_for(lambda: (s := driver.execute_script(ink)) and s not in seen and s, f"{theme} ink"))
    assert all(s.endswith("|none") for s in seen), "the still drawing is shown beside the live one"


@pytest.mark.browser
def test_the_book_works_from_disk(driver: Any, tiny: Path) -> None:
    chapter = next(p for p in look.html_pages(tiny / "html") if p.startswith("chapters/"))
    driver.get((tiny / "html" / chapter).as_uri())
    wait_for(lambda: driver.execute_script("return !!document.querySelector('table.dataTable')"), "a sortable table")
    severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


def test_each_chapter_offers_notebook_receipt_and_results(tiny: Path) -> None:
    html = tiny / "html"
    chapters = [p for p in look.html_pages(html) if re.fullmatch(r"chapters/\w+/\w+\.html", p)]
    assert chapters
    for page in chapters:
        text = (html / page).read_text(encoding="utf-8")
        links = {path.rpartition("/")[2]: path for path in re.findall(r'href="(?:\.\./)+(_downloads/[^"]+)"', text)}
        assert json.loads((html / links["receipt.json"]).read_text())["outcome"] == "ok"
        assert "records" in json.loads((html / links["results.json"]).read_text())
        name = f"{Path(page).stem}.ipynb"
        source = ROOT / "notebooks" / Path(page).relative_to("chapters").with_suffix(".ipynb")
        assert (html / links[name]).read_bytes() == source.read_bytes()


def test_an_unchanged_book_runs_nothing_and_is_quick(tiny: Path) -> None:
    start = time.monotonic()
    done = citylib("book", "tiny", "--out", str(tiny))
    took = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert re.search(r"tiny: 0 of \d+ notebooks run; book unchanged", done.stdout), done.stdout
    assert took < 15


def test_the_book_is_within_its_limits(tiny: Path) -> None:
    pages = sizes.check_html(tiny / "html")
    assert len(pages) > 20
    sizes.check_notebooks((tiny / "runs").rglob("notebook.ipynb"))


FAMILIES = sorted(p.name for p in (ROOT / "notebooks").iterdir() if p.is_dir())
SAMPLE = ("*/01_*", "survival/02*", "allocation/08*")  # of each family one; event times; optimisation


@pytest.mark.parametrize("chosen", [SAMPLE, pytest.param(("*",), marks=pytest.mark.slow)], ids=["some", "all"])
def test_two_runs_of_the_same_inputs_give_the_same_bytes(tiny: Path, tmp_path: Path, chosen: tuple[str, ...]) -> None:
    only = [part for name in chosen for part in ("--only", name)]
    done = citylib("run", "tiny", "--out", str(tmp_path / "runs"), *only)
    assert done.returncode == 0, done.stdout + done.stderr
    ones = sorted(p.relative_to(tmp_path / "runs") for p in (tmp_path / "runs").rglob("notebook.ipynb"))
    assert {one.parts[1] for one in ones} == set(FAMILIES)
    for one in ones:
        assert (tiny / "runs" / one).read_bytes() == (tmp_path / "runs" / one).read_bytes(), one


def test_a_canary_that_must_fail_fails_the_build(tmp_path: Path) -> None:
    plan = tmp_path / "canary.toml"
    plan.write_text(f'[[run]]\nnotebook = "{Path(__file__).with_name("canary.ipynb")}"\n')
    done = citylib("book", str(plan), "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "in cell 'sings':" in done.stderr
    assert "AssertionError: the canary sings no more" in done.stderr
    assert not (tmp_path / "out" / "html").exists()


def test_notebooks_are_kept_without_outputs() -> None:
    notebooks = sorted((ROOT / "notebooks").rglob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
        assert not any(c["outputs"] or c["execution_count"] for c in cells), path
