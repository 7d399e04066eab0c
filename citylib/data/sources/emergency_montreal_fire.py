"""Building fires of Montreal (emergency-montreal-fire): 26,850 incidents 2005 to 2025, stations, territories, weather.

Traps: dates have no hour and there are no response times; only fire calls are in it; many incidents share their
coordinates with another, so places are approximate; borough names have two spellings and don't match those of the
population table, so use the territories' area or a documented overlay; station_month holds only months with a
fire, and its risks are scores of the repository's authors; the weather is a reanalysis, not a station; incident
numbers start again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from citylib.data.dataset import CITY, Dataset, Fault
from citylib.data.sources import formats, reading
from citylib.panel import Panel

__all__ = ["read"]

ZONE = "America/Toronto"
_INCIDENTS = {
    "incident": "INCIDENT_NBR",
    "kind": "INCIDENT_TYPE_DESC",
    "group": "DESC_GROUP_ENGLISH",
    "station": "CASERNE",
    "city": "NOM_VILLE",
    "district": "NOM_ARROND",
    "division": "DIVISION",
    "latitude": "LATITUDE",
    "longitude": "LONGITUDE",
    "units": "NOMBRE_UNITES",
    "time": "CREATION_DATE",
}
_WEATHER = {
    "temperature": ("temperature_2m_mean (°C)", "°C"),
    "max_temperature": ("temperature_2m_max (°C)", "°C"),
    "min_temperature": ("temperature_2m_min (°C)", "°C"),
    "precipitation": ("precipitation_sum (mm)", "mm"),
    "rain": ("rain_sum (mm)", "mm"),
    "snow": ("snowfall_sum (cm)", "cm"),
    "wind_speed": ("wind_speed_10m_max (km/h)", "km/h"),
    "wind_gusts": ("wind_gusts_10m_max (km/h)", "km/h"),
    "sunshine": ("sunshine_duration (s)", "s"),
    "radiation": ("shortwave_radiation_sum (MJ/m²)", "MJ/m²"),
}
_POPULATION = {
    "population_2016": "2016",
    "population_2021": "2021",
    "households_2016": "Number of households 2016",
    "households_2021": "Number of households 2021",
    "income_2015": "Median after-tax income of households 2015",
    "income_2020": "Median after-tax income of households 2020",
    "latitude": "Latitude",
    "longitude": "Longitude",
}
_MONTHLY = {
    "MEDIAN_NOMBRE_UNITES": "median_units",
    "FIRE_COUNT": "incidents",
    "AREA_SQ_KM": "area_km2",
    "SEVERITY_RISK": "severity_score",
    "FREQUENCY_RISK": "frequency_score",
}
_UNKNOWN = "Indéterminé"
_SUPPRESSED = ("..", "x")  # the census's marks for not available and confidential


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the incidents and all that goes with them.

    Parameters
    ----------
    paths : mapping of str to Path
        ``fire_incidents.csv.gz``, ``fire_stations.csv``, ``station_month_risk.csv.gz``, ``montreal_population.csv``,
        ``montreal_weather_daily.csv.gz``, ``station_territories.geojson.gz``, packed or not.

    Returns
    -------
    Dataset
        Tables ``incidents`` (incident, time [day], kind, group, station, city, district, division, latitude,
        longitude, units), ``stations`` (station, latitude, longitude, city, district, opened, closed), ``areas``
        (territories: area, the station's id, area_km2, geometry), ``population`` (place, type, ...) and
        ``station_month``; daily weather panels of sensor ``"city"``, temperature [°C] first.

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, or an incident names an unknown station.
    """
    path = reading.find(paths, "fire_incidents.csv.gz")
    incidents = _incidents(path)
    stations = _stations(reading.find(paths, "fire_stations.csv"))
    strange = ~incidents["station"].isin(stations["station"])
    if strange.any():
        raise reading.refuse(
            path.name, f"stations must be in fire_stations.csv, {incidents['station'][strange].iloc[0]} is not"
        )
    population, suppressed = _population(reading.find(paths, "montreal_population.csv"))
    areas = _territories(reading.find(paths, "station_territories.geojson.gz"))
    months = _months(reading.find(paths, "station_month_risk.csv.gz"))
    panels = _weather(reading.find(paths, "montreal_weather_daily.csv.gz"))
    faults = (
        *_incident_faults(incidents, population),
        *_other_faults(stations, areas, months, panels, population, suppressed),
    )
    incidents.loc[incidents["district"] == _UNKNOWN, "district"] = None
    return Dataset(
        name="emergency-montreal-fire",
        title="Building fires of Montreal, its stations and their territories",
        kind="events",
        panels=panels,
        tables={
            "incidents": incidents,
            "stations": stations,
            "areas": areas,
            "population": population,
            "station_month": months,
        },
        faults=faults,
    )


def _incidents(path: Path) -> pd.DataFrame:
    numbers = ("latitude", "longitude", "units")
    raw = reading.read_csv(
        path,
        text=[c for k, c in _INCIDENTS.items() if k not in (*numbers, "time")],
        numbers=[_INCIDENTS[k] for k in numbers],
        times={_INCIDENTS["time"]: "%Y-%m-%d"},
    )
    return raw.rename(columns={theirs: ours for ours, theirs in _INCIDENTS.items()})[
        ["incident", "time", *[k for k in _INCIDENTS if k not in ("incident", "time")]]
    ]


def _stations(path: Path) -> pd.DataFrame:
    raw = reading.read_csv(
        path,
        text=("CASERNE", "ARRONDISSEMENT", "VILLE"),
        numbers=("LATITUDE", "LONGITUDE"),
        times={"DATE_DEBUT": "%Y-%m-%dT%H:%M:%S", "DATE_FIN": "%Y-%m-%dT%H:%M:%S"},
        optional=True,
    )
    names = ["station", "district", "city", "latitude", "longitude", "opened", "closed"]
    return raw.set_axis(names, axis=1).assign(
        opened=raw["DATE_DEBUT"].dt.normalize(), closed=raw["DATE_FIN"].dt.normalize()
    )


def _population(path: Path) -> tuple[pd.DataFrame, int]:
    """Return population by place, and how many cells were suppressed."""
    text = reading.read_csv(path, text=("Geography", "Type", *_POPULATION.values()))
    suppressed = int(text[list(_POPULATION.values())].isin(_SUPPRESSED).to_numpy().sum())
    raw = reading.read_csv(
        path, text=("Geography", "Type"), numbers=tuple(_POPULATION.values()), missing=("", *_SUPPRESSED)
    )
    return raw.set_axis(["place", "type", *_POPULATION], axis=1), suppressed


def _territories(path: Path) -> Any:
    areas = formats.features(path, ("station", "area_sq_km"), "EPSG:4326")
    areas["area_km2"] = formats.numeric(path, areas["area_sq_km"], "area_sq_km")
    return areas.assign(area=areas["station"].astype(str))[["area", "area_km2", "geometry"]]


def _months(path: Path) -> pd.DataFrame:
    raw = reading.read_csv(path, text=("CASERNE",), numbers=("YEAR", "MONTH", *_MONTHLY))
    month = reading.clock_times(path, raw[["YEAR", "MONTH"]].rename(columns=str.lower).assign(day=1))
    return pd.DataFrame({"station": raw["CASERNE"], "month": month}).join(raw[list(_MONTHLY)].rename(columns=_MONTHLY))


def _weather(path: Path) -> dict[str, Panel]:
    raw = reading.read_csv(
        path,
        numbers=[column for column, _ in _WEATHER.values()],
        times={"time": "%Y-%m-%d"},
        skiprows=3,
        missing=("", "NaN"),
    ).sort_values("time")
    index = pd.date_range(raw["time"].iloc[0], raw["time"].iloc[-1], freq="D")
    grid = raw.drop_duplicates("time").set_index("time").reindex(index)
    return {
        name: Panel(grid[[column]].to_numpy(), index.to_numpy(), (CITY,), unit, variable=name, zone=ZONE)
        for name, (column, unit) in _WEATHER.items()
    }


def _incident_faults(incidents: pd.DataFrame, population: pd.DataFrame) -> tuple[Fault, ...]:
    rows = len(incidents)
    unknown = (incidents["district"] == _UNKNOWN).sum()
    spellings = set(incidents["district"].dropna()) - {_UNKNOWN}
    unmatched = spellings - set(population["place"])
    return (
        *reading.fault(
            "no-hour", "Dates without an hour, and no response times", rows, rows, "reported", "incidents.time"
        ),
        *reading.fault(
            "shared-place",
            "Incidents at the very place of another: places are approximate",
            incidents.duplicated(["latitude", "longitude"], keep=False).sum(),
            rows,
            "reported",
            "incidents.latitude",
        ),
        *reading.fault(
            "number-repeats",
            "Incident numbers that occurred before",
            incidents["incident"].duplicated().sum(),
            rows,
            "reported",
            "incidents.incident",
        ),
        *reading.fault("district-unknown", f"The borough is {_UNKNOWN}", unknown, rows, "masked", "incidents.district"),
        *reading.fault(
            "spelling",
            "Spellings of boroughs that match no place of the population table (spellings counted)",
            len(unmatched),
            len(spellings),
            "reported",
            "incidents.district",
        ),
    )


def _other_faults(
    stations: pd.DataFrame,
    areas: Any,
    months: pd.DataFrame,
    panels: Mapping[str, Panel],
    population: pd.DataFrame,
    suppressed: int,
) -> tuple[Fault, ...]:
    span = pd.date_range(months["month"].min(), months["month"].max(), freq="MS")
    possible = len(span) * months["station"].nunique()
    cells = sum(panel.mask.size for panel in panels.values())
    lacking = int(np.sum([(~panel.mask).sum() for panel in panels.values()]))
    return (
        *reading.fault(
            "station-closed",
            "Stations that were closed",
            stations["closed"].notna().sum(),
            len(stations),
            "reported",
            "stations",
        ),
        *reading.fault(
            "no-territory",
            "Stations without a territory",
            (~stations["station"].isin(areas["area"])).sum(),
            len(stations),
            "reported",
            "areas",
        ),
        *reading.fault(
            "quiet-month-absent",
            "Months of a station without a fire are not in the table: they are zeros, not missing",
            possible - len(months),
            possible,
            "reported",
            "station_month",
        ),
        *reading.fault(
            "scores",
            "Risks are percentile scores of the authors, not data",
            len(months),
            len(months),
            "reported",
            "station_month",
        ),
        *reading.fault(
            "suppressed",
            'Figures the census withheld (".." and "x")',
            suppressed,
            population.size - 2 * len(population),
            "masked",
            "population",
        ),
        *reading.fault(
            "weather-missing", "Weather not given, at the end of the file", lacking, cells, "reported", "weather"
        ),
        *reading.fault(
            "reanalysis",
            "Weather is modelled for a point, not measured by a station",
            cells,
            cells,
            "reported",
            "weather",
        ),
    )
