"""The book build: rendered when something changed, swapped in whole, refused when a run or a page is not right."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from citylib.batch.comparison import Comparison
from citylib.errors import BuildError
from citylib.publish import book, runs, sizes
from tests.publish.made_up import Asked

BOOK = Path(__file__).parents[2] / "book"
Make = Callable[..., runs.FinishedRun]
PLAN = [Asked("default", "timeseries/02_arima")]


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands in for Jupyter Book: one small page; the list grows by one a call."""
    calls: list[Path] = []

    def render(source: Path, beside: Path) -> None:
        calls.append(source)
        html = beside / "_build" / "html"
        html.mkdir(parents=True)
        (html / "index.html").write_text(f"build {len(calls)}")

    monkeypatch.setattr(book, "_render", render)
    return calls


def build(tmp_path: Path, **options: bool) -> book.Built:
    """Build the book of the one run."""
    return book.build("tiny", PLAN, tmp_path / "runs", BOOK, tmp_path / "out", **options)


def test_an_unchanged_book_is_not_rendered_again(make_run: Make, tmp_path: Path, rendered: list[Path]) -> None:
    run = make_run("timeseries/02_arima", "default")
    first, second = build(tmp_path), build(tmp_path)
    assert (first.fresh, second.fresh, len(rendered)) == (True, False, 1)
    assert first.index == tmp_path / "out" / "html" / "index.html"
    assert (first.pages, second.pages) == (1, 1)
    assert build(tmp_path, force=True).fresh
    receipt = run.folder / "receipt.json"
    receipt.write_text(receipt.read_text().replace("12.34", "13.5"))
    assert build(tmp_path).fresh
    assert first.index.read_text() == "build 3"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["book-src", "html"]


def test_where_nothing_changed_not_even_a_source_tree_is_written(
    make_run: Make, tmp_path: Path, rendered: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Comparison("towns", "The towns", "place")
    run = make_run("data/02_one_place", "towns_a", parameters={"place": "a"})
    plan = [Asked(i, "data/02_one_place", None, {"place": i[-1]}, wanted) for i in ("towns_a", "towns_b")]
    staged: list[str] = []
    plain = book.stage
    monkeypatch.setattr(book, "stage", lambda *given: (staged.append(given[2]), plain(*given))[1])

    def again() -> tuple[bool, int]:
        return book.build("tiny", plan, tmp_path / "runs", BOOK, tmp_path / "out").fresh, len(staged)

    assert again() == (True, 1)
    assert again() == (False, 1)
    failed = run.folder.with_name("towns_b.failed")
    failed.mkdir()
    (failed / "receipt.json").write_text('{"outcome": "time", "error": null, "seconds": 9}')
    assert again() == (True, 2)
    (run.folder / "log.txt").write_text("said nothing that a page shows")
    assert again() == (False, 3)
    assert again() == (False, 3)


def test_two_builders_of_one_folder_take_turns(
    make_run: Make, tmp_path: Path, rendered: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("timeseries/02_arima", "default")
    inside, go_on, waited, plain = threading.Event(), threading.Event(), threading.Event(), book._render

    def slowly(source: Path, beside: Path) -> None:
        inside.set()
        assert go_on.wait(30)
        plain(source, beside)

    monkeypatch.setattr(book, "_render", slowly)
    made: list[book.Built] = []
    arguments = ("tiny", PLAN, tmp_path / "runs", BOOK, tmp_path / "out")
    first = threading.Thread(target=lambda: made.append(book.build(*arguments)))
    second = threading.Thread(target=lambda: made.append(book.build(*arguments, waiting=lambda _: waited.set())))
    first.start()
    assert inside.wait(30)
    second.start()
    assert waited.wait(30)
    go_on.set()
    first.join(30)
    second.join(30)
    assert [b.fresh for b in made] == [True, False]
    assert len(rendered) == 1


def test_a_stamp_that_cannot_be_read_means_a_new_build(make_run: Make, tmp_path: Path, rendered: list[Path]) -> None:
    make_run("timeseries/02_arima", "default")
    build(tmp_path)
    (tmp_path / "out" / "html" / ".citylib-book.json").write_text("{")
    assert build(tmp_path).fresh


def test_what_a_killed_build_left_is_swept_away(make_run: Make, tmp_path: Path, rendered: list[Path]) -> None:
    make_run("timeseries/02_arima", "default")
    build(tmp_path)
    for left in ("book-new/tiny/_build", "html-old"):
        (tmp_path / "out" / left).mkdir(parents=True)
    assert build(tmp_path, force=True).fresh
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["book-src", "html"]


def test_a_book_that_is_too_large_leaves_the_one_before(
    make_run: Make, tmp_path: Path, rendered: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("timeseries/02_arima", "default")
    index = build(tmp_path).index
    monkeypatch.setattr(sizes.check_html, "__defaults__", (sizes.Limits(page_most=3),))
    with pytest.raises(BuildError, match=r"page index\.html has"):
        build(tmp_path, force=True)
    assert index.read_text() == "build 1"


def test_a_notebook_that_is_too_large_is_refused_before_anything_is_rendered(
    make_run: Make, tmp_path: Path, rendered: list[Path]
) -> None:
    run = make_run("timeseries/02_arima", "default")
    with run.executed.open("a") as stream:
        stream.write(" " * 2_000_000)
    with pytest.raises(BuildError, match="executed notebook timeseries/02_arima/default has"):
        build(tmp_path)
    assert not rendered


def test_a_plan_without_runs_has_no_book(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="plan 'tiny' has no runs"):
        book.build("tiny", [], tmp_path / "runs", BOOK, tmp_path / "out")


def test_a_warning_of_jupyter_book_fails_the_build(make_run: Make, tmp_path: Path) -> None:
    make_run("timeseries/02_arima", "default")
    pages = tmp_path / "book"
    shutil.copytree(BOOK, pages)
    with (pages / "index.md").open("a", encoding="utf-8") as stream:
        stream.write("\nSee [what is not there](no/such/page.md).\n")
    with pytest.raises(BuildError) as caught:
        book.build("tiny", PLAN, tmp_path / "runs", pages, tmp_path / "out")
    assert "jupyter-book ended with 1" in str(caught.value)
    assert re.search(
        r"index\.md:\d+: WARNING: 'myst' cross-reference target not found: 'no/such/page\.md'", str(caught.value)
    )
    assert not (tmp_path / "out" / "html").exists()


def test_complaints_are_the_lines_that_matter() -> None:
    output = (
        "reading\n\x1b[91mindex.md:3: WARNING: no such document\x1b[39m\nindex.md:3: WARNING: no such document\nwriting"
    )
    assert book._complaints(output) == "index.md:3: WARNING: no such document"
    assert book._complaints("killed") == "killed"
