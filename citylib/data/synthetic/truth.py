"""All parameters of a synthetic city in one place, and as one flat mapping."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from citylib.data.synthetic.air import AirTruth
from citylib.data.synthetic.assets import MainsTruth
from citylib.data.synthetic.closure_notes import NotesTruth
from citylib.data.synthetic.districts import DistrictsTruth
from citylib.data.synthetic.incidents import IncidentsTruth
from citylib.data.synthetic.requests import RequestsTruth
from citylib.data.synthetic.roads import RoadsTruth
from citylib.data.synthetic.sensor_faults import FaultsTruth
from citylib.data.synthetic.traffic import TrafficTruth
from citylib.data.synthetic.weather import WeatherTruth

__all__ = ["CityTruth"]


@dataclass(frozen=True)
class CityTruth:
    """What a city is drawn with; each part documents its own parameters.

    Parameters
    ----------
    districts : DistrictsTruth
        Where people live.
    roads : RoadsTruth
        How streets are laid.
    weather : WeatherTruth
        The sky over the whole city.
    traffic : TrafficTruth
        Flow, speed and what moves them.
    faults : FaultsTruth
        Of the traffic sensors.
    air_faults : FaultsTruth
        Of the air stations, which only lose readings.
    air : AirTruth
        PM2.5 and what drives it.
    mains : MainsTruth
        How water mains break and are removed.
    incidents : IncidentsTruth
        Calls by hour and district.
    requests : RequestsTruth
        What people ask of the city and how long it takes.
    notes : NotesTruth
        What staff write when they close it, and whom they name.

    Examples
    --------
    A city whose traffic doesn't mind the rain:

    >>> truth = CityTruth(traffic=TrafficTruth(wet=0.0, rain_per_mm=0.0))
    >>> truth.flat()["traffic.wet"]
    0.0
    """

    districts: DistrictsTruth = field(default_factory=DistrictsTruth)
    roads: RoadsTruth = field(default_factory=RoadsTruth)
    weather: WeatherTruth = field(default_factory=WeatherTruth)
    traffic: TrafficTruth = field(default_factory=TrafficTruth)
    faults: FaultsTruth = field(default_factory=FaultsTruth)
    air_faults: FaultsTruth = field(
        default_factory=lambda: FaultsTruth(dropouts=1.0, stuck_runs=0.0, straight_runs=0.0, spikes=0.0)
    )
    air: AirTruth = field(default_factory=AirTruth)
    mains: MainsTruth = field(default_factory=MainsTruth)
    incidents: IncidentsTruth = field(default_factory=IncidentsTruth)
    requests: RequestsTruth = field(default_factory=RequestsTruth)
    notes: NotesTruth = field(default_factory=NotesTruth)

    def flat(self) -> dict[str, Any]:
        """Return every parameter under ``"part.name"``."""
        out: dict[str, Any] = {}
        for part in fields(self):
            law = getattr(self, part.name)
            out |= {f"{part.name}.{f.name}": getattr(law, f.name) for f in fields(law)}
        return out
