"""citylib: the tested library behind an executable book of smart-city analytics.

Importing the package loads nothing heavy: import the family you need,
``from citylib import data``, ``from citylib.timeseries import arima``.
"""

from __future__ import annotations

__version__ = "0.1.0"

FAMILIES = (
    "regression",
    "timeseries",
    "spatial",
    "survival",
    "neural",
    "allocation",
    "evaluate",
)

__all__ = ["FAMILIES", "__version__"]
