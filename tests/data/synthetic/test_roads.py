"""The road graph can be driven, and distances on it are distances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from citylib.data.synthetic.districts import LAYOUTS, ground
from citylib.data.synthetic.roads import Roads, RoadsTruth, adjacency, distances, place_sensors, roads
from citylib.errors import InputError


def graph(network: Roads) -> coo_array:
    """The directed graph: a two-way street is stored once."""
    number = pd.Series(range(len(network.nodes)), index=network.nodes["node"])
    e = network.edges
    back = e[~e["one_way"]]
    start = number[[*e["start"], *back["end"]]].to_numpy()
    end = number[[*e["end"], *back["start"]]].to_numpy()
    return coo_array((np.ones(len(start)), (start, end)), shape=(len(number), len(number)))


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(LAYOUTS)), st.floats(0, 1))
def test_every_crossing_reaches_every_other(seed, districts, closed):
    network = roads(seed, ground(seed, districts), RoadsTruth(closed_share=closed))
    parts, _ = connected_components(graph(network), directed=True, connection="strong")
    assert parts == 1


def test_classes_limits_and_names():
    network = roads(0, ground(0, 12))
    e = network.edges
    assert e["edge"].is_unique
    assert e.groupby("road_class")["speed_limit_kmh"].unique().map(list).to_dict() == {
        "arterial": [60.0],
        "collector": [50.0],
        "residential": [30.0],
    }
    assert e["one_way"].any()
    assert (e.loc[e["one_way"], "road_class"] == "collector").all()
    north = network.nodes.set_index("node")["latitude"]
    uphill = (north[e["end"]].to_numpy() > north[e["start"]].to_numpy())[e["one_way"]]
    assert 0.2 < uphill.mean() < 0.8  # some lead north, some south
    assert e["length_m"].between(200, 800).all()
    assert (e.groupby("road")["road_class"].nunique() == 1).all()


def test_distances_are_a_metric_no_shorter_than_the_crow_flies():
    network = roads(2, ground(2, 9))
    sensors = place_sensors(2, 30, network)
    metres = distances(network, sensors).to_numpy()
    np.testing.assert_array_equal(metres, metres.T)
    assert (np.diag(metres) == 0).all()
    assert (metres[~np.eye(30, dtype=bool)] > 0).all()
    through = (metres[:, :, None] + metres[None, :, :]).min(axis=1)
    assert (metres <= through + 0.3).all()  # to 0.1 m each
    where = sensors[["latitude", "longitude"]].to_numpy() * [111_320, 111_320 * np.sqrt(0.5)]
    crow = np.sqrt(((where[:, None] - where[None, :]) ** 2).sum(axis=-1))
    assert (metres >= crow - 1.0).all()  # coordinates are to 1e-6 degrees, 0.1 m


def test_neighbours_are_mutual_and_nobody_is_alone():
    network = roads(1, ground(1, 4))
    metres = distances(network, place_sensors(1, 12, network))
    near = adjacency(metres, 3)
    assert (near.to_numpy() == near.to_numpy().T).all()
    assert (near.sum(axis=1) >= 3).all()
    assert (np.diag(near) == 0).all()
    assert list(near.index) == list(near.columns) == list(metres.index)
    pair = adjacency(metres.iloc[:2, :2], 3)
    assert pair.to_numpy().tolist() == [[0, 1], [1, 0]]


def test_sensors_stand_on_main_streets_arterials_first():
    network = roads(0, ground(0, 12))
    counts = [place_sensors(seed, 30, network)["road_class"].value_counts() for seed in range(30)]
    arterial = sum(c["arterial"] for c in counts) / sum(c.sum() for c in counts)
    assert 0.65 < arterial < 0.85  # 3 to 1 for the first drawn, less as the arterials are used up
    few = place_sensors(0, 30, network)
    assert not (few["road_class"] == "residential").any()
    assert few["edge"].is_unique
    assert few["sensor"].is_unique


def test_more_sensors_than_segments_are_refused():
    network = roads(0, ground(0, 4))
    with pytest.raises(InputError, match="sensors must be at most"):
        place_sensors(0, 1000, network)
    with pytest.raises(InputError, match="sensors must be at least 2"):
        place_sensors(0, 1, network)


@pytest.mark.parametrize("wrong", [{"closed_share": 1.5}, {"neighbours": 0}, {"shift": 0.2}, {"speed_arterial": 0.0}])
def test_laws_without_roads_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        RoadsTruth(**wrong)
