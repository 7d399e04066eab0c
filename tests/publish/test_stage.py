"""The source tree of a book: pages, downloads, generated parts, contents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml

from citylib.data import registry
from citylib.errors import BuildError, UnknownNameError
from citylib.publish import runs
from citylib.publish.stage import stage

BOOK = Path(__file__).parents[2] / "book"
Make = Callable[..., runs.FinishedRun]


def chapters(make_run: Make) -> list[runs.Chapter]:
    """Two chapters, one of two runs."""
    two = [make_run("timeseries/02_arima", "beijing"), make_run("timeseries/02_arima", "melbourne")]
    return list(runs.chapters([*two, make_run("regression/01_linear_regression", "default")]))


def test_the_tree_of_the_real_pages(make_run: Make, tmp_path: Path) -> None:
    staged = stage(BOOK, chapters(make_run), "tiny", tmp_path / "src", tmp_path / "kept")
    src = staged.into
    assert not any("<!-- citylib:" in p.read_text(encoding="utf-8") for p in src.rglob("*.md"))
    assert not (src / "plans").exists()
    toc = yaml.safe_load((src / "_toc.yml").read_text(encoding="utf-8"))
    assert [p["caption"] for p in toc["parts"]][:2] == ["Regression", "Time series"]
    arima = toc["parts"][1]["chapters"][0]
    assert [s["file"].rpartition("/")[2] for s in arima["sections"]] == ["melbourne", "compare"]
    for source in registry.sources():
        assert (src / "data" / f"{source.name}.md").is_file()
    receipt = json.loads((src / "files/timeseries/02_arima/melbourne/receipt.json").read_text(encoding="utf-8"))
    assert receipt["outcome"] == "ok"
    plain = nbformat.read(src / "files/timeseries/02_arima/02_arima.ipynb", as_version=4)
    assert [c.id for c in plain.cells] == ["title", "parameters", "method", "result"]
    landing = (src / "index.md").read_text(encoding="utf-8")
    assert "This edition: 2 chapters in 3 runs" in landing


def test_the_same_runs_give_the_same_bytes(make_run: Make, tmp_path: Path) -> None:
    made = chapters(make_run)
    one, two = (stage(BOOK, made, "tiny", tmp_path / name, tmp_path / "kept").into for name in ("one", "two"))
    files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(two) for p in two.rglob("*") if p.is_file())
    assert all((one / f).read_bytes() == (two / f).read_bytes() for f in files)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ("cardz", UnknownNameError, "did you mean 'cards'"),
        ("record timeseries/02_arima", BuildError, "has the wrong arguments"),
        ("record timeseries/02_arima rmse", BuildError, "recorded no 'rmse'"),
    ],
)
def test_a_page_that_asks_for_nothing_known_is_refused(
    make_run: Make, tmp_path: Path, asked: str, error: type[Exception], said: str
) -> None:
    book = tmp_path / "book"
    shutil.copytree(BOOK, book)
    (book / "index.md").write_text(f"# A\n\n<!-- citylib: {asked} -->\n", encoding="utf-8")
    with pytest.raises(error, match=said):
        stage(book, chapters(make_run), "tiny", tmp_path / "src", tmp_path / "kept")


def test_a_page_may_quote_a_record_and_a_figure(make_run: Make, tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(BOOK, book)
    asked = ["record timeseries/02_arima mae", "record no/01_chapter mae", "figure timeseries/02_arima forecast"]
    (book / "index.md").write_text("".join(f"<!-- citylib: {a} -->\n" for a in asked), encoding="utf-8")
    text = (stage(book, chapters(make_run), "tiny", tmp_path / "src", tmp_path / "kept").into / "index.md").read_text(
        encoding="utf-8"
    )
    assert text.startswith("12.3 µg/m³ (95% interval 11.5 to 13), against 15.1 for the baseline\n\n```{raw} html")
