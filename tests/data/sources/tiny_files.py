"""Hand-made files in the form of every public data set, a few rows each, with the faults the real ones have."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tests.data.sources.file_forms import csv, geojson, npz, text

__all__ = ["FILES"]

Files = Mapping[str, bytes]


def traffic_i94() -> Files:
    """Two days of December: an hour twice, 0 K, a flood, an absent hour, a holiday without its first hour."""
    head = "holiday,temp,rain_1h,snow_1h,clouds_all,weather_main,weather_description,date_time,traffic_volume"
    rows = []
    for hour in pd.date_range("2013-12-24", "2013-12-25 23:00", freq="h"):
        if str(hour) in ("2013-12-25 00:00:00", "2013-12-24 05:00:00"):
            continue
        kelvin = 0.0 if hour.hour == 3 and hour.day == 24 else 273.15
        rain = 9831.3 if hour.hour == 4 and hour.day == 24 else 0.5
        rows.append(f"None,{kelvin},{rain},0,40,Rain,light rain,{hour},{100 + hour.hour if hour.hour != 2 else 7}")
        if hour.hour == 7 and hour.day == 24:
            rows.append(f"None,{kelvin},{rain},0,90,Mist,mist,{hour},{100 + hour.hour}")
    rows.append("None,270.0,0,0,40,Snow,snow,2014-01-01 01:00:00,300")
    rows.append("New Years Day,270.0,0,0,40,Snow,snow,2014-01-01 00:00:00,300")
    return {"metro_interstate_traffic_volume.csv.gz": text(head, *rows)}


def air_beijing_multisite() -> Files:
    """Two stations for 120 hours: a filled gap, a stuck sensor, a missing direction, a gap filled on whole numbers."""
    columns = ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM"]
    out = {}
    for station, seed in (("Aotizhongxin", 1), ("Wanliu", 2)):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({c: rng.integers(10, 200, 120).astype(float) for c in columns})
        frame["CO"] *= 100
        frame.insert(0, "hour", np.arange(120) % 24)
        frame.insert(0, "day", 1 + np.arange(120) // 24)
        frame.insert(0, "month", 3)
        frame.insert(0, "year", 2013)
        frame.insert(0, "No", np.arange(120) + 1)
        frame["wd"], frame["station"] = "NNW", station
        if seed == 1:
            frame.loc[9:14, "PM2.5"] = [
                90.0,
                40.0,
                41.5,
                43.0,
                44.5,
                46.0,
            ]  # a gap of three hours, filled from 40 to 46
            frame.loc[15, "PM2.5"] = 90.0
            frame.loc[20:29, "PM10"] = np.arange(10.0) * 3 + 20  # ten whole numbers in a row, eight of them inner
            frame.loc[5:54, "CO"] = 20_000.0  # fifty equal ones, above the median
            frame.loc[3, "wd"] = np.nan
            frame.loc[0, "NO2"] = np.nan
        out[f"prsa_{station.lower()}_2013_2017.csv.gz"] = frame.to_csv(index=False).encode()
    return out


def weather_cities() -> Files:
    """Two days with a leap year's last day absent; two months in Fahrenheit."""
    days = ("1984-12-29", "1984-12-30", "1985-01-01")
    return {
        "melbourne_daily_max_temp.csv.gz": text(
            '"Date","Temperature"', *(f'"{d}",3{k}.5' for k, d in enumerate(days)), end="\r\n"
        ),
        "melbourne_daily_min_temp.csv.gz": text('"Date","Temp"', *(f'"{d}",1{k}.5' for k, d in enumerate(days))),
        "nottingham_monthly_mean_temp.csv": text('"Month","Temperature"', '"1920-01",50.0', '"1920-02",32.0'),
    }


def infra_water_mains_kitchener() -> Files:
    """Four mains and eight breaks, one of each fault."""
    main = {
        "STATUS": "ACTIVE", "PRESSURE_ZONE": "KIT 4", "CATEGORY": "TREATED", "OWNERSHIP": "KITCHENER",
        "ACQUISITION": "DONATED", "ROADSEGMENTID": 7, "LINED": "NO", "LINED_MATERIAL": "NONE", "UNDERSIZED": "N",
        "OVERSIZED": "N", "SHALLOW_MAIN": "N", "BRIDGE_MAIN": "N", "CLEANED": "Y", "PIPE_SIZE": 150,
        "Shape__Length": 40.5, "CRITICALITY": 6, "CONDITION_SCORE": 8.5, "MATERIAL": "CI",
        "INSTALLATION_DATE": "1958-01-01", "LINED_DATE": "",
    }  # fmt: skip
    stamp = " 00:00:00+00"

    def laid(number: int, day: str, **more: Any) -> dict[str, Any]:
        when = day.replace("-", "/") + stamp if day else ""
        return {**main, "WATMAINID": number, "INSTALLATION_DATE": when, **more}

    mains = [
        laid(1, "1958-01-01", LINED="YES", LINED_DATE="1970/01/02 05:00:00+00"),
        laid(2, "2016-06-01", MATERIAL="PVC", CONDITION_SCORE=-1, CRITICALITY=-1, PIPE_SIZE=0),
        laid(3, "2005-10-01", MATERIAL="PVC", STATUS="COMPLETE"),
        laid(4, "", MATERIAL="DI"),
    ]
    event = {
        "X": -80.5, "Y": 43.4, "BREAK_TYPE": "MAIN", "STATUS": "REPAIR COMPLETED", "BREAK_NATURE": "UNKNOWN",
        "BREAK_APPARENT_CAUSE": "AGE", "REPAIR_TYPE": "", "ASSET_MATERIAL": "CI", "ASSET_EXISTS": "Y",
        "ASSET_SIZE": 150, "ASSET_YEAR_INSTALLED": 1958,
    }  # fmt: skip

    def broke(number: int, asset: int, day: str, **more: Any) -> dict[str, Any]:
        when = day.replace("-", "/") + stamp
        return {**event, "WATBREAKINCIDENTID": number, "ASSETID": asset, "INCIDENT_DATE": when, **more}

    breaks = [
        broke(8, 1, "2001-02-03"),
        broke(1, 1, "1985-01-01", ASSET_YEAR_INSTALLED=""),
        broke(2, 2, "2014-05-05", ASSET_EXISTS="N"),
        broke(3, 3, "2005-01-29", ASSET_EXISTS="N"),
        broke(4, 99, "1999-04-04", BREAK_TYPE="SERVICE", ASSET_MATERIAL="XXX"),
        broke(5, 4, "2011-12-15", STATUS="CANCELLED"),
        broke(6, 1, "2001-02-03"),
        broke(7, 3, "2005-03-01"),
    ]
    return {
        "water_mains.csv.gz": csv(list(mains[0]), *mains),
        "water_main_breaks.csv.gz": csv(list(breaks[0]), *breaks),
    }


def traffic_metr_la() -> Files:
    """Ten steps at two detectors, five of them on a line."""
    return {
        "los_speed.csv.gz": text(
            "11,12",
            *(f"{a},{b}" for a, b in zip((60, 61, 62, 63, 64, 50, 66, 51, 67, 40), range(10, 110, 10), strict=True)),
        ),
        "los_adj.csv.gz": text("1.0,0.5", "0.5,1.0"),
        "metr_la_sensor_locations.csv": text(
            "index,sensor_id,latitude,longitude", "0,11,34.1,-118.3", "1,12,34.2,-118.2"
        ),
        "metr_la_adj_mx.csv.gz": text("sensor_id,11,12", "11,1,0.2", "12,0,1"),
        "metr_la_week_average.npz": npz(week_average=np.full((2, 10), 55, dtype=np.float32)),
    }


def traffic_scats_boroondara() -> Files:
    """Three approaches, one of them two detectors, one without a place and with a day less."""
    slots = [f"{m // 60}:{m % 60:02d}" for m in range(0, 1440, 15)]
    columns = ["SCATS Number", "Location", "NB_LATITUDE", "NB_LONGITUDE", "HF VicRoads Internal", "Start Time", *slots]

    def row(scats: str, place: str, detector: int, day: int, latitude: float = -37.8) -> dict[str, Any]:
        counts = {s: (k % 5) + day for k, s in enumerate(slots)} | {"0:00": 0, "12:00": 0}
        at = {"NB_LATITUDE": latitude, "NB_LONGITUDE": 145.0 if latitude else 0}
        what = {"SCATS Number": scats, "Location": place, "HF VicRoads Internal": detector}
        return {**what, **at, "Start Time": f"{day}/10/2006", **counts}

    rows = [
        row("0970", "A_RD N of B_RD", 1, 1), row("0970", "A_RD N of B_RD", 1, 2),
        row("4335", "C_ST E of D_ST", 2, 1), row("4335", "C_ST E of D_ST", 3, 1),
        row("4335", "C_ST E of D_ST", 2, 2), row("4335", "C_ST E of D_ST", 3, 2),
        row("2000", "E_RD S of F_RD", 4, 2, 0.0),
    ]  # fmt: skip
    return {"scats_october_2006.csv.gz": csv(columns, *rows)}


def traffic_pems_station() -> Files:
    """Friday and Monday for training, a Wednesday for testing, a row not observed and one in part."""
    head = "\ufeff5 Minutes,Lane 1 Flow (Veh/5 Minutes),# Lane Points,% Observed"

    def day(date: str, odd: Mapping[int, int]) -> list[str]:
        minutes = range(0, 1440, 5)
        return [f"{date} {m // 60}:{m % 60:02d},{m % 97},1,{odd.get(m, 100)}" for m in minutes]

    return {
        "pems_flow_2016_train.csv.gz": text(head, *day("08/01/2016", {60: 0, 65: 50}), *day("11/01/2016", {})[:-1]),
        "pems_flow_2016_test.csv.gz": text(head, *day("13/01/2016", {})),
    }


def traffic_sensor_graphs() -> Files:
    """Two stations of each graph."""
    return {
        "pems_bay_sensor_locations.csv": text("1,37.3,-121.9", "2,37.4,-121.8"),
        "pems_bay_distances_2017.csv.gz": text("1,1,0.0", "1,2,900.5"),
        "pemsd7_station_info.csv": text(
            ",ID,Fwy,Dir,District,Latitude,Longitude", "0,7,5,S,7,34.0,-118.2", "1,8,5,N,7,34.1,-118.1"
        ),
        "pemsd7_w_228.csv.gz": text("0.0,0.0", "0.0,0.0"),
    }


def air_beijing_pm25() -> Files:
    """Four hours, the first missing, one zero."""
    head = "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir"
    rows = [f"{h + 1},2010,1,1,{h},{v},-21,-11.0,1021.0,NW,{1.79 + h},0,{h}" for h, v in enumerate(("NA", 0, 129, 140))]
    return {"pm25_beijing_2010_2014.csv.gz": text(head, *rows)}


def mobility_bike_sharing() -> Files:
    """Five hours: one put in, one absent, one of no humidity."""
    head = (
        '"","X","instant","dteday","season","yr","mnth","hr","holiday","weekday","workingday","weathersit","temp",'
        '"atemp","hum","windspeed","casual","registered","cnt"'
    )
    rows = [
        '"1",1,1,"1/1/11",1,0,1,0,0,6,0,1,0.5,0.5,0.8,0.1,3,13,16',
        '"3",3,3,"1/1/11",1,0,1,2,0,6,0,NA,NA,NA,NA,NA,0,0,0',
        '"2",2,2,"1/1/11",1,0,1,1,0,6,0,4,0.5,0.5,0,0.1,2,5,7',
        '"4",4,4,"1/1/11",1,0,1,4,1,6,1,2,0.5,0.5,0.8,0.1,2,6,8',
    ]
    day = "dteday,season,holiday,workingday,weathersit,temp,hum,windspeed,casual,registered,cnt"
    return {
        "hour_regularised.csv.gz": text(head, *rows),
        "day.csv.gz": text(day, "2011-01-01,1,0,0,2,0.5,0.8,0.16,331,654,985"),
    }


def mobility_nyc_bike_grid() -> Files:
    """Three hours; one cell with bikes."""
    flow = np.zeros((3, 128, 2), dtype=np.uint16)
    flow[:, 9] = [[3, 4], [5, 6], [7, 8]]
    times = np.array(["2014-09-30T21:00", "2014-09-30T22:00", "2014-09-30T23:00"])
    return {"nyc_bike_grid_2014.npz": npz(flow=flow, time=times, adj=np.eye(128, dtype=np.uint8))}


def infra_elevators_nyc() -> Files:
    """Five devices: no date, no date that is one, no place, a place elsewhere."""
    return {
        "elevators.csv.gz": text(
            "status,type,approved,lat,lng",
            "ACTIVE,Passenger,19960524,40.7,-74.0",
            "WK IN PROG,Freight,,40.7,-74.0",
            "DISMANTLED,Passenger,19991231,0,0",
            "DISMANTLED,Passenger,********,40.7,-74.0",
            "ACTIVE,Escalator,20151016,40.7,-77.5",
        )
    }


def infra_pavement_palm_beach() -> Files:
    """Three segments: one rated worse than its roughness, one with a geometry ten times too long."""
    row = {"OBJECTID": 1, "RoadwayID__": 93, "pm_pavement": "Good", "START_Length___mi_": 0.1}
    row |= {"START_IRI_Avg___in_mi_": 60, "Shape_Length": 160.9}
    return {
        "pavement_iri.geojson.gz": geojson(
            row,
            {**row, "OBJECTID": 2, "pm_pavement": "Fair"},
            {**row, "OBJECTID": 3, "START_IRI_Avg___in_mi_": 200, "pm_pavement": "Poor", "Shape_Length": 1609},
            kind="LineString",
        )
    }


def electricity_pjm() -> Files:
    """A day and a half of autumn 2014, unsorted, an hour twice, one absent, a zone that ends, a load of nothing."""
    stamps = [
        t for t in pd.date_range("2014-11-02 01:00", periods=36, freq="h") if t != pd.Timestamp("2014-11-02 09:00")
    ]
    stamps = [*stamps[20:], *stamps[:20], pd.Timestamp("2014-11-02 02:00")]
    zones = ("AEP", "COMED", "DAYTON", "DEOK", "DOM", "DUQ", "EKPC", "FE", "NI", "PJME", "PJMW", "PJM_Load")
    index = pd.DatetimeIndex(stamps, name="Datetime").tz_localize("UTC")
    frame = pd.DataFrame({z: np.arange(len(index)) + 1000.0 for z in zones}, index=index)
    frame.loc[frame.index >= "2014-11-03", "NI"] = np.nan
    frame.loc["2014-11-02 05:00", "FE"] = 0.0
    frame["PJM_Load"] = np.nan
    out = io.BytesIO()
    frame.to_parquet(out)
    return {"pjm_est_hourly.parquet": out.getvalue()}


def requests_boston_311() -> Files:
    """Five cases: closed a minute before it opens, a day before, open, at the default place, wards in two ways."""
    case = {
        "OPEN_DT": "2015-01-02T00:20:09", "TARGET_DT": "2015-01-16T08:30:00", "CLOSED_DT": "2015-01-02T09:08:42",
        "OnTime_Status": "ONTIME", "CASE_STATUS": "Closed", "CASE_TITLE": "Other", "CLOSURE_REASON": "Case Noted",
        "SUBJECT": "Public Works", "REASON": "Street Lights", "TYPE": "Street Light Outages", "QUEUE": "PWDx_Street",
        "Department": "PWDx", "neighborhood": "Roxbury", "ward": "Ward 3", "LOCATION_ZIPCODE": "2108.0",
        "Property_Type": "Address", "LATITUDE": 42.36, "LONGITUDE": -71.06, "Source": "Self Service",
    }  # fmt: skip
    columns = ["CASE_ENQUIRY_ID", *case]
    open_case = {"CLOSED_DT": "", "CASE_STATUS": "Open", "CLOSURE_REASON": "", "TARGET_DT": "", "neighborhood": ""}
    rows = [
        {**case, "CASE_ENQUIRY_ID": 5, "OPEN_DT": "2015-03-01T10:00:00", "CLOSED_DT": "2015-03-01T09:59:42"},
        {**case, "CASE_ENQUIRY_ID": 1, "CLOSURE_REASON": "call [phone]", "ward": "03"},
        {**case, "CASE_ENQUIRY_ID": 2, "OPEN_DT": "2015-01-03T00:00:00", "CLOSED_DT": "2015-01-02T00:00:00"},
        {**case, "CASE_ENQUIRY_ID": 3, "OPEN_DT": "2015-01-04T00:00:00", **open_case},
        {**case, "CASE_ENQUIRY_ID": 4, "OPEN_DT": "2015-02-04T00:00:00", "LATITUDE": 42.3594, "LONGITUDE": -71.0587}
        | {"ward": "", "LOCATION_ZIPCODE": "", "TYPE": "Parking Enforcement", "CLOSED_DT": "2015-02-05T00:00:00"},
    ]
    return {
        "boston_311_2015.csv.gz": csv(columns, *rows),
        "boston_311_2015_sources.csv.gz": text("path,bytes,sha256,rows,type", "a.csv,10,00,4,Street Light Outages"),
    }


def emergency_montreal_fire() -> Files:
    """Three incidents of two stations, one closed, one without a territory; a census with marks; days of weather."""
    from citylib.data.sources.emergency_montreal_fire import _WEATHER

    incident = {
        "INCIDENT_NBR": 1, "CREATION_DATE": "2005-01-01", "INCIDENT_TYPE_DESC": "10-22 avec feu", "CASERNE": 15,
        "NOM_VILLE": "Montréal", "NOM_ARROND": "Lasalle", "DIVISION": 15, "LATITUDE": 45.47, "LONGITUDE": -73.56,
        "NOMBRE_UNITES": 7.0, "DESC_GROUP_ENGLISH": "Building fire",
    }  # fmt: skip
    incidents = [
        incident,
        {**incident, "CREATION_DATE": "2006-01-05", "NOM_ARROND": "Indéterminé"},
        {**incident, "INCIDENT_NBR": 9, "CASERNE": 79, "LATITUDE": 45.5, "NOM_ARROND": "Dorval"},
    ]
    places = [
        {"Geography": "Dorval", "Type": "V", "2021": 19302, "2016": 18980, "income": "65500"},
        {"Geography": "Kanesatake", "Type": "S-É", "2021": "..", "2016": "..", "income": "x"},
    ]
    names = {"2021": "2021", "2016": "2016"}
    rows = [
        {
            "Geography": p["Geography"], "Type": p["Type"], **{k: p[k] for k in names},
            "Number of households 2016": 10, "Number of households 2021": 11, "Latitude": 45.4, "Longitude": -73.7,
            "Median after-tax income of households 2015": p["income"], "Median after-tax income of households 2020": 1,
        }
        for p in places
    ]  # fmt: skip
    columns = ["time", *(column for column, _ in _WEATHER.values())]
    days = [[f"2005-01-0{k}", *("NaN" if k == 3 else str(k + j) for j in range(len(columns) - 1))] for k in (1, 2, 3)]
    return {
        "fire_incidents.csv.gz": csv(list(incident), *incidents),
        "fire_stations.csv": text(
            "CASERNE,NO_CIVIQUE,RUE,LATITUDE,LONGITUDE,ARRONDISSEMENT,VILLE,DATE_DEBUT,DATE_FIN,MTM8_X,MTM8_Y",
            "15,1255,rue A,45.48,-73.56,LE SUD-OUEST,,2015-01-01T07:00:00,,300038.0,5038279.0",
            "79,5520,rue B,45.48,-73.63,,HAMPSTEAD,1900-01-01T07:00:00,2009-11-05T06:59:59,293908.0,5038183.0",
        ),
        "station_month_risk.csv.gz": text(
            "YEAR,MONTH,CASERNE,MEDIAN_NOMBRE_UNITES,FIRE_COUNT,AREA_SQ_KM,SEVERITY_RISK,FREQUENCY_RISK",
            "2005,1,15,7,2,5.47,47,10",
            "2005,3,15,7,1,5.47,47,10",
        ),
        "montreal_population.csv": csv(list(rows[0]), *rows),
        "montreal_weather_daily.csv.gz": text(
            "latitude,longitude,elevation", "45.5,-73.7,226.0", "", ",".join(columns), *(",".join(d) for d in days)
        ),
        "station_territories.geojson.gz": geojson({"station": 15, "area_sq_km": 5.11}, kind="Polygon"),
    }


def network_pittsburgh() -> Files:
    """Four nodes in two components, three streets: one way, two-way with lists as text, a loop."""
    head = "FID,bridge,from_,highway,lanes,length,maxspeed,name,oneway,osmid,to,tunnel,out_pgh"
    two = """1, ,12,"['residential', 'service']","['3', '2']",50.0,"['35 mph', '25 mph']",B Street,False,78,11,yes,0"""
    return {
        "pittsburgh_nodes.csv.gz": text(
            "FID,highway,lat,lon,osmid,ref,out_pgh,river_bge,ngh_name",
            "0,traffic_signals,40.44,-80.03,10, ,0,0,Elliott",
            "1, ,40.45,-80.03,11, ,0,0,Elliott",
            "2, ,40.46,-80.03,12, ,1,0,",
            "3, ,40.47,-80.03,13, ,1,0,",
        ),
        "pittsburgh_edges.csv.gz": text(
            head,
            "0,yes,10,residential,2,38.7,25 mph,A Street,True,77,11, ,0",
            two,
            "2, ,13,service, ,20.0, , ,False,79,13, ,1",
        ),
        "pittsburgh_neighborhoods.geojson.gz": geojson(
            {"hood": "Elliott", "hood_no": 1, "acres": 640.0, "sqmiles": 1.0}, kind="Polygon"
        ),
    }


def spatial_examples() -> Files:
    """Two neighbourhoods and a house."""
    from citylib.data.sources.spatial_examples import _BALTIMORE, _COLUMBUS

    area, house = dict.fromkeys(_COLUMBUS, 1.0), dict.fromkeys(_BALTIMORE, 2.0)
    return {
        "columbus_crime.geojson.gz": geojson(area, {**area, "POLYID": 2.0, "CRIME": 30.5}, kind="Polygon"),
        "baltimore_houses.geojson.gz": geojson(house),
    }


FILES: Mapping[str, Callable[[], Files]] = {
    make.__name__.replace("_", "-"): make
    for make in (
        traffic_i94,
        air_beijing_multisite,
        weather_cities,
        infra_water_mains_kitchener,
        traffic_metr_la,
        traffic_scats_boroondara,
        traffic_pems_station,
        traffic_sensor_graphs,
        air_beijing_pm25,
        mobility_bike_sharing,
        mobility_nyc_bike_grid,
        infra_elevators_nyc,
        infra_pavement_palm_beach,
        electricity_pjm,
        requests_boston_311,
        emergency_montreal_fire,
        network_pittsburgh,
        spatial_examples,
    )
}
