"""What a synthetic city's bytes come to: a sha256 of each panel, category, table and of the truth.

Makes digests.json, which the tests hold the city to:

    .venv/bin/python tests/data/synthetic/digests.py > tests/data/synthetic/digests.json

With a size as argument it prints that city's digests alone.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset
from citylib.data.synthetic import city

COMMAND = ".venv/bin/python tests/data/synthetic/digests.py > tests/data/synthetic/digests.json"


def of(dataset: Dataset) -> dict[str, str]:
    """Return the sha256 of the canonical bytes of everything in a dataset."""
    out = {}
    for name, panel in dataset.panels.items():
        values = np.where(np.isnan(panel.values), np.nan, panel.values).astype("<f8")  # one kind of NaN
        head = [name, panel.unit, panel.variable, panel.zone, *panel.sensors]
        places = b"" if panel.coordinates is None else panel.coordinates.astype("<f8").tobytes()
        out[f"panel {name}"] = _sha(_text(head), panel.times.astype("<i8").tobytes(), values.tobytes(), places)
    for name, words in dataset.categories.items():
        out[f"category {name}"] = _sha(_frame(words))
    for name, frame in dataset.tables.items():
        out[f"table {name}"] = _sha(_frame(frame), _text(sorted(frame.attrs.items())))
    out["truth"] = _sha(_text([(key, dataset.truth[key]) for key in sorted(dataset.truth)]))
    out["faults"] = _sha(_text(dataset.faults))
    return out


def _frame(frame: pd.DataFrame) -> bytes:
    flat = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    text = flat.to_csv(lineterminator="\n")  # floats as the shortest text that reads back the same
    if "geometry" in frame:
        text += repr(frame["geometry"].get_coordinates().to_numpy().tolist())
    return text.encode()


def _text(value: object) -> bytes:
    return repr(value).encode()


def _sha(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(of(city(0, sys.argv[1])), indent=1))
    else:
        versions = {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__}
        made = {"command": COMMAND, "versions": versions}
        print(json.dumps(made | {size: of(city(0, size)) for size in ("standard", "tiny")}, indent=1))
