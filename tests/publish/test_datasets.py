"""Pages of data sets: everything the registry knows of a set, and who reads it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from citylib.data import registry
from citylib.publish import datasets, markdown, runs

Make = Callable[..., runs.FinishedRun]


@pytest.mark.parametrize("source", registry.sources(), ids=lambda s: s.name)
def test_a_page_tells_all_the_registry_knows(source: registry.Source) -> None:
    page = datasets.page(source, [])
    assert page.startswith(f"# {markdown.text(source.title)}\n")
    for fact in (source.description, source.period, source.licence_stated, *source.traps):
        assert markdown.text(fact) in page
    for file in source.files:
        assert markdown.code(file.name) in page
        assert (file.sha256_original or file.sha256_stored) in page
        assert file.url is None or file.url in page
    assert f"data.load({source.name!r})" in page
    assert "No chapter of this book reads it" in page


def test_who_reads_a_set_is_linked_run_by_run(make_run: Make) -> None:
    chapter = runs.Chapter("timeseries/02_arima", (make_run("timeseries/02_arima", "default"),))
    other = runs.Chapter("survival/02_km", (make_run("survival/02_km", "x", parameters={"source": "synthetic:tiny"}),))
    assert datasets.readers("traffic-i94", [chapter, other]) == [chapter]
    assert datasets.readers("synthetic", [chapter, other]) == [other]
    page = datasets.page(registry.source("traffic-i94"), [chapter, other])
    assert "- [](/chapters/timeseries/02_arima.ipynb)" in page


def test_the_overview_has_a_row_a_set(make_run: Make) -> None:
    chapter = runs.Chapter("timeseries/02_arima", (make_run("timeseries/02_arima", "default"),))
    sets = registry.sources()
    shown = datasets.overview(sets, [chapter])
    assert all(f"(/data/{s.name}.md)" in shown for s in sets)
    assert next(line for line in shown.splitlines() if "traffic-i94.md" in line).endswith("| 1 |")
