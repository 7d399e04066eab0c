"""The smallest notebook that hands something back, for measuring what surrounds a notebook."""

from __future__ import annotations

import json
from pathlib import Path


def write_tiny(path: Path) -> None:
    """Write a notebook that records one number."""
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Tiny"},
        _cell("parameters", "seed: int = 0  # random seed [0..]", tags=["parameters"]),
        _cell("answer", "from citylib import results\n_ = results.record('answer', seed + 0.5)"),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8"
    )


def _cell(name: str, source: str, **metadata: object) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }
