"""What the instruments hand in agrees with itself: masks, faults, places, words."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.data.synthetic.days import clock
from citylib.data.synthetic.readings import nearest_sensor


def test_masks_agree_with_what_was_planted(standard):
    flow, raw, speed = (standard.panel(name) for name in ("flow", "flow_as_recorded", "speed"))
    counts = {(f.where, f.code): f.count for f in standard.faults}
    silent = counts["flow", "missing"] + counts["flow", "dropout"]
    made_up = sum(counts["flow", code] for code in ("stuck-run", "straight-run", "spike"))
    assert (~raw.mask).sum() == (~speed.mask).sum() == silent
    assert (~flow.mask).sum() == silent + made_up
    np.testing.assert_array_equal(speed.mask, raw.mask)
    np.testing.assert_array_equal(flow.values[flow.mask], raw.values[flow.mask])
    assert counts["speed", "dropout"] == counts["flow", "dropout"]
    air = standard.panel("PM2.5")
    assert (~air.mask).sum() == counts["PM2.5", "missing"] + counts["PM2.5", "dropout"]
    for name in ("temperature", "rain", "wind_speed"):
        assert standard.panel(name).missing_share == 0


def test_planted_faults_are_where_the_table_says(standard):
    raw, flow = standard.panel("flow_as_recorded"), standard.panel("flow")
    rows = standard.table("planted_faults")
    rows = rows[rows["variable"] == "flow"]
    for run in rows.itertuples():
        start = int(np.searchsorted(flow.times, np.datetime64(run.start)))
        cells = slice(start, start + run.hours)
        assert np.isnan(flow.series(run.sensor)[cells]).all()
        assert np.isnan(raw.series(run.sensor)[cells]).all() == (run.code == "dropout")
    total = rows.groupby("code")["hours"].sum()
    for fault in standard.faults:
        if fault.where == "flow" and fault.code != "missing":
            assert total[fault.code] == fault.count


def test_resolution_is_an_instruments(standard):
    for name, digits in [("flow", 0), ("speed", 1), ("temperature", 1), ("rain", 1), ("wind_speed", 1), ("PM2.5", 1)]:
        values = standard.panel(name).values
        values = values[~np.isnan(values)]
        np.testing.assert_array_equal(values, np.round(values, digits))
        assert name == "temperature" or values.min() >= 0


def test_rain_is_wet_words_are_wet(standard):
    rain, word = standard.panel("rain").series("city"), standard.categories["weather"]["city"].to_numpy()
    assert ((rain > 0) == np.isin(word, ("Drizzle", "Rain"))).all()


def test_a_crash_slows_the_nearest_sensor(standard):
    events = standard.table("incidents")
    crashes = events[(events["kind"] == "crash") & events["time"].dt.hour.between(8, 18)]
    sensors, speed = standard.table("sensors"), standard.panel("speed")
    limit = sensors["speed_limit_kmh"].to_numpy()
    row = ((crashes["time"].to_numpy() - speed.times[0]) // np.timedelta64(1, "h")).astype(int)
    column = nearest_sensor(crashes, sensors)
    jam = np.nanmean(speed.values[row, column] / limit[column])
    usual = np.nanmean(speed.values[np.isin(np.arange(len(speed.times)) % 24, range(8, 19))] / limit)
    assert jam < usual - 0.03


def test_places_are_in_the_city(standard):
    areas = standard.table("areas")
    west, south, east, north = areas.total_bounds
    for name in ("sensors", "stations", "nodes", "assets", "requests", "incidents"):
        frame = standard.table(name)
        assert frame["latitude"].between(south - 1e-6, north + 1e-6).all()
        assert frame["longitude"].between(west - 1e-6, east + 1e-6).all()
        assert set(frame["district"]) <= set(areas["area"])
    assert standard.panel("flow").coordinates is not None


def test_a_sensors_frame_has_the_city_beside_it(tiny):
    frame = tiny.frame()
    columns = ["flow", "speed", "temperature", "rain", "wind_speed", "flow_as_recorded"]
    assert list(frame) == [*columns, "weather", "wind_direction", "inversion", "holiday"]
    assert len(frame) == len(clock(42))
    assert frame.drop(columns=["flow", "speed", "flow_as_recorded"]).notna().all().all()


def test_truth_names_every_sensor_and_station(tiny):
    assert tuple(tiny.truth["traffic.sensor_scale"]) == tiny.panel().sensors
    assert tuple(tiny.truth["traffic.sensor_morning_share"]) == tiny.panel().sensors
    assert tuple(tiny.truth["air.station_offset"]) == tiny.panel("PM2.5").sensors
    busiest = np.nanpercentile(tiny.panel().values, 99, axis=0)
    scale = np.array(list(tiny.truth["traffic.sensor_scale"].values()))
    assert busiest / scale == pytest.approx(np.ones(8), rel=0.3)
