"""City data: registered public sets, the synthetic city, own files; all through one door, `load`."""

from __future__ import annotations

from citylib.data.load import load
from citylib.data.recorded import recorded
from citylib.data.registry import Source, SourceFile

__all__ = ["Source", "SourceFile", "load", "recorded"]
