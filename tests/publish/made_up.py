"""An executed notebook and a planned run made by hand, without a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from citylib import results
from citylib.batch.comparison import Comparison

PARAMETERS = (
    'source: str = "synthetic"  # data source, see `citylib data list`\n'
    "horizon: int = 24  # steps ahead [1..168]\n"
    'season: str = "daily"  # season to remove [none | daily | weekly]'
)
SVG = '<svg role="img" aria-label="A line that rises and falls" viewBox="0 0 9 9"><path d="M0 9L9 0"/></svg>'


@dataclass(frozen=True)
class Asked:
    """A run as a plan has it."""

    id: str
    notebook: str
    title: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None


def notebook(title: str = "How bad will tomorrow be?", **given: Any) -> Any:
    """An executed notebook with a record, a table, a figure and injected parameters."""
    record = results.record("mae", 12.34, unit="µg/m³", interval=(11.5, 13.0), baseline=15.1)
    figure = results.figure("forecast", SVG, alt="A line that rises and falls")
    markup = f'<figure class="citylib-figure" data-name="forecast"><div class="only-light">{SVG}</div></figure>'
    outputs = [
        new_output("display_data", {results.MIME: record, "text/html": '<p class="citylib-record">12.34</p>'}),
        new_output("display_data", {results.MIME: figure, "text/html": markup}),
    ]
    question = "How far may one trust *tomorrow's* air, see [the data](/data/index.md)?"
    text = f"# {title}\n\n{question}\n\nYou will be able to:\n\n- try."
    cells = [
        new_markdown_cell(text, id="title"),
        new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}, execution_count=1),
        new_markdown_cell("## Method\n\n$$y = x$$ (eq-line)\n\nBy {eq}`eq-line` it is.", id="method"),
        new_code_cell("results.record(...)", id="result", outputs=outputs, execution_count=3),
    ]
    if given:
        source = "\n".join(f"{name} = {value!r}" for name, value in given.items())
        injected = new_code_cell(source, id="injected", metadata={"tags": ["injected-parameters"]})
        cells.insert(2, injected)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "papermill": {"x": 1},
    }
    return new_notebook(cells=cells, metadata=metadata)
