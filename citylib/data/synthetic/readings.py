"""What the city's instruments hand in: traffic, weather and air as panels, with the faults that were planted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data.dataset import CITY, Fault
from citylib.data.synthetic.air import inversion, place_stations, pm25
from citylib.data.synthetic.days import ZONE, Clock
from citylib.data.synthetic.districts import Ground
from citylib.data.synthetic.roads import Roads, adjacency, distances, place_sensors
from citylib.data.synthetic.sensor_faults import CODES, Planted, plant
from citylib.data.synthetic.traffic import traffic
from citylib.data.synthetic.truth import CityTruth
from citylib.data.synthetic.weather import Weather
from citylib.panel import Panel

__all__ = ["Readings", "categories", "nearest_sensor", "readings"]

FloatArray = npt.NDArray[np.float64]

SAID = {
    "missing": "Single readings that were lost",
    "dropout": "Readings lost while a sensor was down",
    "stuck-run": "Readings that repeat the one before the sensor stuck",
    "straight-run": "Gaps that were filled by a straight line between the readings at their ends",
    "spike": "Readings several times too high",
}


@dataclass(frozen=True, eq=False)
class Readings:
    """Panels of all instruments and what belongs to them.

    Parameters
    ----------
    panels : dict of str to Panel
        By variable, flow first.
    tables : dict of str to pandas.DataFrame
        sensors, stations, adjacency, distances, planted_faults.
    faults : list of Fault
        What was planted and masked.
    drawn : dict
        What each sensor and station drew, as the truth mapping holds it.
    """

    panels: dict[str, Panel]
    tables: dict[str, pd.DataFrame]
    faults: list[Fault]
    drawn: dict[str, Any]


def readings(
    seed: int,
    clock: Clock,
    sky: Weather,
    place: Ground,
    network: Roads,
    events: pd.DataFrame,
    sizes: tuple[int, int],
    law: CityTruth,
) -> Readings:
    """Return the readings of `sizes` = (traffic sensors, air stations).

    Parameters
    ----------
    seed : int
        The city's seed.
    clock, sky, place, network : Clock, Weather, Ground, Roads
        The city so far.
    events : pandas.DataFrame
        Its incidents; crashes block the nearest sensor's road.
    sizes : (int, int)
        How many sensors and stations.
    law : CityTruth
        What everything is drawn with.
    """
    sensors = place_sensors(seed, sizes[0], network, law.roads)
    metres = distances(network, sensors)
    near = adjacency(metres, law.roads.neighbours)
    arterial = (sensors["road_class"] == "arterial").to_numpy()
    free_speed = sensors["speed_limit_kmh"].to_numpy()
    blocked = _blocked(clock, events, sensors)
    true = traffic(seed, clock, sky, arterial, free_speed, near.to_numpy(), blocked, law.traffic)
    stations = place_stations(seed, sizes[1], place)
    clean_air, offset = pm25(seed, clock, sky, true.index, sizes[1], law.air)

    flow = plant(seed, "traffic", true.flow, law.faults)
    smog = plant(seed, "air", clean_air, law.air_faults)
    silent = np.isnan(flow.recorded)
    mute = replace(flow, kind=np.where(silent, flow.kind, 0).astype(np.int8))
    planted = pd.concat([_planted("flow", flow, clock, sensors), _planted("PM2.5", smog, clock, stations)])
    tables = {"sensors": sensors, "stations": stations, "adjacency": near, "distances": metres}
    tables["planted_faults"] = planted.reset_index(drop=True)
    drawn = {
        "traffic.sensor_scale": _by_id(sensors, true.scale),
        "traffic.sensor_morning_share": _by_id(sensors, true.morning_share),
        "air.station_offset": _by_id(stations, offset),
    }
    panels = _panels(clock, sky, sensors, stations, flow, np.where(silent, np.nan, true.speed), smog)
    return Readings(panels, tables, _faults("flow", flow) + _faults("speed", mute) + _faults("PM2.5", smog), drawn)


def _panels(
    clock: Clock,
    sky: Weather,
    sensors: pd.DataFrame,
    stations: pd.DataFrame,
    flow: Planted,
    speed: FloatArray,
    smog: Planted,
) -> dict[str, Panel]:
    street, roof = _Instruments(clock, sensors), _Instruments(clock, stations)
    return {
        "flow": street.panel("flow", "veh/h", np.where(flow.kind > 0, np.nan, flow.recorded)),
        "speed": street.panel("speed", "km/h", speed),
        "temperature": _city_wide(clock, "temperature", "°C", sky.temperature),
        "rain": _city_wide(clock, "rain", "mm/h", sky.rain),
        "wind_speed": _city_wide(clock, "wind_speed", "m/s", sky.wind_speed),
        "PM2.5": roof.panel("PM2.5", "µg/m³", np.where(smog.kind > 0, np.nan, smog.recorded)),
        "flow_as_recorded": street.panel("flow_as_recorded", "veh/h", flow.recorded),
    }


def categories(clock: Clock, sky: Weather) -> dict[str, pd.DataFrame]:
    """Return the city-wide words: weather, wind_direction, inversion, holiday."""
    words = {
        "weather": sky.word,
        "wind_direction": sky.wind_direction,
        "inversion": np.where(inversion(clock, sky), "yes", "no").astype(object),
        "holiday": clock.holiday,
    }
    index = pd.DatetimeIndex(clock.times, name="time")
    return {name: pd.DataFrame({CITY: word}, index=index) for name, word in words.items()}


def nearest_sensor(places: pd.DataFrame, sensors: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return for each place the row of the sensor nearest to it, as the crow flies."""
    north = places["latitude"].to_numpy()[:, None] - sensors["latitude"].to_numpy()
    east = (places["longitude"].to_numpy()[:, None] - sensors["longitude"].to_numpy()) * 0.7071067811865476
    return np.asarray(np.argmin(north * north + east * east, axis=1))


def _blocked(clock: Clock, events: pd.DataFrame, sensors: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which sensors' roads a crash blocks: the nearest one's, from its hour on for its whole hours."""
    crash = events[events["kind"] == "crash"]
    out = np.zeros((len(clock), len(sensors)), dtype=bool)
    first = ((crash["time"].to_numpy() - clock.times[0]) // np.timedelta64(1, "h")).astype(np.int64)
    rows = zip(first.tolist(), crash["hours"].tolist(), nearest_sensor(crash, sensors).tolist(), strict=True)
    for hour, hours, sensor in rows:
        out[hour : hour + hours, sensor] = True
    return out


@dataclass(frozen=True, eq=False)
class _Instruments:
    """Where a kind of instrument stands."""

    clock: Clock
    table: pd.DataFrame

    def panel(self, variable: str, unit: str, values: FloatArray) -> Panel:
        where = self.table[["latitude", "longitude"]].to_numpy()
        ids = tuple(self.table["sensor"])
        return Panel(values, self.clock.times, ids, unit, variable=variable, zone=ZONE, coordinates=where)


def _city_wide(clock: Clock, variable: str, unit: str, values: FloatArray) -> Panel:
    return Panel(values[:, None], clock.times, (CITY,), unit, variable=variable, zone=ZONE)


def _by_id(table: pd.DataFrame, values: FloatArray) -> dict[str, float]:
    return dict(zip(table["sensor"].tolist(), values.tolist(), strict=True))


def _planted(variable: str, planted: Planted, clock: Clock, table: pd.DataFrame) -> pd.DataFrame:
    runs = planted.runs
    return pd.DataFrame(
        {
            "variable": variable,
            "sensor": table["sensor"].to_numpy()[runs["sensor"].to_numpy(dtype=np.int64)],
            "code": runs["code"].to_numpy(),
            "start": clock.times[runs["row"].to_numpy(dtype=np.int64)],
            "hours": runs["hours"].to_numpy(dtype=np.int64),
        }
    )


def _faults(variable: str, planted: Planted) -> list[Fault]:
    faults = []
    for k, code in enumerate(CODES, start=1):
        count = int((planted.kind == k).sum())
        if count:
            action: Any = "reported" if code in ("missing", "dropout") else "masked"
            faults.append(Fault(code, SAID[code], count, planted.kind.size, action, variable))
    return faults
