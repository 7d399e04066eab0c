"""The synthetic city: roads, weather, traffic, air, mains, requests and incidents drawn from known laws."""

from __future__ import annotations

from citylib.data.synthetic.city import SIZES, Size, city
from citylib.data.synthetic.truth import CityTruth

__all__ = ["SIZES", "CityTruth", "Size", "city"]
