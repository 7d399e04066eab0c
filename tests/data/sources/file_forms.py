"""The forms that public files come in, written from a few rows: text, CSV, GeoJSON, npz."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def text(*lines: str, end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


def csv(columns: Sequence[str], *rows: Mapping[str, Any]) -> bytes:
    return pd.DataFrame(list(rows), columns=list(columns)).fillna("").to_csv(index=False).encode()


def geojson(*rows: Mapping[str, Any], kind: str = "Point") -> bytes:
    def shape(k: int) -> list[Any]:
        square = [[k, 0], [k + 1, 0], [k + 1, 1], [k, 1], [k, 0]]
        return {"Point": [k, 0], "LineString": square[:2], "Polygon": [square]}[kind]

    features = [
        {"type": "Feature", "properties": dict(row), "geometry": {"type": kind, "coordinates": shape(k)}}
        for k, row in enumerate(rows)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()
