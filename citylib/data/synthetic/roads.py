"""The road graph: crossings, street segments, and the traffic sensors on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds
from citylib.data.synthetic.arithmetic import rounded
from citylib.data.synthetic.districts import Ground, degrees
from citylib.errors import InputError

__all__ = ["Roads", "RoadsTruth", "adjacency", "distances", "place_sensors", "roads"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PER_SIDE = 4  # crossings along each side of a district


@dataclass(frozen=True)
class RoadsTruth:
    """What the road graph is drawn with.

    Every fourth street is an arterial, every street halfway between a collector, the others
    are residential; each second north-south collector is one-way.

    Parameters
    ----------
    shift : float
        Largest shift of a crossing from the regular grid, as a share of a district's side.
    closed_share : float
        Share of the residential segments that may be missing which are missing.
    speed_arterial, speed_collector, speed_residential : float
        Speed limits [km/h].
    arterial_weight : float
        How much likelier a sensor stands on an arterial than on a collector segment.
    neighbours : int
        Each sensor's nearest sensors by road distance that count as its neighbours; made symmetric.
    """

    shift: float = 0.04
    closed_share: float = 0.25
    speed_arterial: float = 60.0
    speed_collector: float = 50.0
    speed_residential: float = 30.0
    arterial_weight: float = 3.0
    neighbours: int = 3

    def __post_init__(self) -> None:
        checks.number("shift", self.shift, minimum=0.0, maximum=0.1)
        checks.fraction("closed_share", self.closed_share, closed=True)
        for name in ("speed_arterial", "speed_collector", "speed_residential", "arterial_weight"):
            checks.number(name, getattr(self, name), above=0.0)
        checks.integer("neighbours", self.neighbours, minimum=1)


@dataclass(frozen=True, eq=False)
class Roads:
    """The road graph.

    Parameters
    ----------
    nodes : pandas.DataFrame
        node, latitude, longitude, district.
    edges : pandas.DataFrame
        edge, start, end, length_m, road, road_class, speed_limit_kmh, lanes, one_way. A two-way
        street is stored once: add the reverse. A one-way street leads from start to end.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame


def roads(seed: int, place: Ground, truth: RoadsTruth | None = None) -> Roads:
    """Return the road graph of a city; strongly connected.

    Parameters
    ----------
    seed : int
        The city's seed.
    place : Ground
        Its districts.
    truth : RoadsTruth, optional
        What the graph is drawn with.
    """
    truth = truth or RoadsTruth()
    rng = seeds.generator(seed, "synthetic", "roads")
    rows, columns = place.rows * PER_SIDE, place.columns * PER_SIDE
    row, column = np.divmod(np.arange(rows * columns), columns)
    district = (row // PER_SIDE) * place.columns + column // PER_SIDE
    jitter = rng.uniform(-truth.shift, truth.shift, (2, rows * columns))
    u = (column % PER_SIDE + 0.5) / PER_SIDE + jitter[0]
    v = (row % PER_SIDE + 0.5) / PER_SIDE + jitter[1]
    xy = place.metres(district, u, v)
    where = degrees(xy)
    nodes = pd.DataFrame(
        {
            "node": [f"N{n:03d}" for n in range(rows * columns)],
            "latitude": where[:, 0],
            "longitude": where[:, 1],
            "district": np.array(place.names, dtype=object)[district],
        }
    )
    return Roads(nodes, _edges(rng, rows, columns, xy, truth))


def _edges(rng: np.random.Generator, rows: int, columns: int, xy: FloatArray, truth: RoadsTruth) -> pd.DataFrame:
    grid = np.arange(rows * columns).reshape(rows, columns)
    line_across = np.repeat(np.arange(rows), columns - 1)
    line_up = np.tile(np.arange(columns), rows - 1)
    start = np.concatenate([grid[:, :-1].ravel(), grid[:-1].ravel()])
    end = np.concatenate([grid[:, 1:].ravel(), grid[1:].ravel()])
    line = np.concatenate([line_across, line_up])
    across = np.arange(len(start)) < len(line_across)
    # 0, 4, 8, ... arterials; 2, 6, 10, ... collectors; odd: residential
    rank = np.where(line % 4 == 0, 0, np.where(line % 4 == 2, 1, 2))
    one_way = ~across & (line % 8 == 2)
    # Only a residential segment across, inside the city, every fourth of its street may be missing: every
    # north-south street stays whole and both border streets two-way, so the graph stays strongly connected.
    step = np.tile(np.arange(columns - 1), rows)
    may_close = np.zeros(len(start), dtype=bool)
    may_close[: len(line_across)] = (line_across % 2 == 1) & (line_across < rows - 1) & (step % 4 == 1)
    keep = ~(may_close & (rng.random(len(start)) < truth.closed_share))
    back = one_way & (line % 16 == 10)  # one-way streets alternate in direction
    start, end = np.where(back, end, start), np.where(back, start, end)
    leg = xy[start] - xy[end]
    winding = rng.uniform(1.0, 1.06, len(start))
    length = rounded(np.sqrt(leg[:, 0] * leg[:, 0] + leg[:, 1] * leg[:, 1]) * winding, 1)
    names = np.array([f"Street {k + 1}" if a else f"Avenue {k + 1}" for k, a in zip(line, across, strict=True)])
    speed = np.array([truth.speed_arterial, truth.speed_collector, truth.speed_residential])
    frame = pd.DataFrame(
        {
            "start": [f"N{n:03d}" for n in start],
            "end": [f"N{n:03d}" for n in end],
            "length_m": length,
            "road": names.astype(object),
            "road_class": np.array(["arterial", "collector", "residential"], dtype=object)[rank],
            "speed_limit_kmh": speed[rank],
            "lanes": np.array([2, 1, 1])[rank],
            "one_way": one_way,
        }
    )[keep].reset_index(drop=True)
    frame.insert(0, "edge", [f"E{k:03d}" for k in range(len(frame))])
    return frame


def place_sensors(seed: int, sensors: int, network: Roads, truth: RoadsTruth | None = None) -> pd.DataFrame:
    """Return traffic sensors halfway along arterial and collector segments.

    Parameters
    ----------
    seed : int
        The city's seed.
    sensors : int
        Their number, 2 or more.
    network : Roads
        The road graph.
    truth : RoadsTruth, optional
        Holds the weight of arterials.

    Returns
    -------
    pandas.DataFrame
        sensor, latitude, longitude, road, road_class, district, edge, speed_limit_kmh, lanes.

    Raises
    ------
    InputError
        More sensors than there are segments for them.
    """
    truth = truth or RoadsTruth()
    checks.integer("sensors", sensors, minimum=2)
    eligible = network.edges[network.edges["road_class"] != "residential"]
    if sensors > len(eligible):
        raise InputError("sensors", f"be at most {len(eligible)}, one a main street segment", sensors)
    weight = np.where(eligible["road_class"] == "arterial", truth.arterial_weight, 1.0)
    rng = seeds.generator(seed, "synthetic", "sensors")
    # Exponential races: the first to ring are a weighted sample without replacement.
    rings = rng.standard_exponential(len(eligible)) / weight
    chosen = eligible.iloc[np.sort(np.argsort(rings, kind="stable")[:sensors])]
    nodes = network.nodes.set_index("node")
    ends = [nodes.loc[chosen[end], ["latitude", "longitude"]].to_numpy() for end in ("start", "end")]
    middle = rounded((ends[0] + ends[1]) / 2, 6)
    return pd.DataFrame(
        {
            "sensor": [f"S{k + 1:02d}" for k in range(sensors)],
            "latitude": middle[:, 0],
            "longitude": middle[:, 1],
            "road": chosen["road"].to_numpy(),
            "road_class": chosen["road_class"].to_numpy(),
            "district": nodes.loc[chosen["start"], "district"].to_numpy(),
            "edge": chosen["edge"].to_numpy(),
            "speed_limit_kmh": chosen["speed_limit_kmh"].to_numpy(),
            "lanes": chosen["lanes"].to_numpy(),
        }
    )


def distances(network: Roads, sensors: pd.DataFrame) -> pd.DataFrame:
    """Return road distances between sensors [m], to 0.1 m, a row and a column each; directions ignored."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    number = pd.Series(np.arange(len(network.nodes)), index=network.nodes["node"])
    start, end = (number[network.edges[k]].to_numpy() for k in ("start", "end"))
    length = network.edges["length_m"].to_numpy()
    n = len(number)
    graph = coo_array((length, (start, end)), shape=(n, n)).tocsr()
    at = network.edges.set_index("edge").loc[sensors["edge"]]
    a, b = number[at["start"]].to_numpy(), number[at["end"]].to_numpy()
    half = at["length_m"].to_numpy() / 2
    between = dijkstra(graph, directed=False, indices=np.concatenate([a, b]))
    from_a, from_b = between[: len(a)], between[len(a) :]
    nearest = np.minimum.reduce([from_a[:, a], from_a[:, b], from_b[:, a], from_b[:, b]])
    metres = rounded(nearest + half[:, None] + half[None, :], 1)
    metres = np.minimum(metres, metres.T)  # the same path summed from either end may differ in the last bit
    np.fill_diagonal(metres, 0.0)
    ids = pd.Index(sensors["sensor"], name="sensor")
    return pd.DataFrame(metres, index=ids, columns=list(ids))


def adjacency(metres: pd.DataFrame, neighbours: int) -> pd.DataFrame:
    """Return which sensors are neighbours: 1 where one is among the other's nearest, else 0; symmetric."""
    n = len(metres)
    distance = metres.to_numpy().copy()
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, : min(neighbours, n - 1)]
    near = np.zeros((n, n), dtype=np.int64)
    np.put_along_axis(near, order, 1, axis=1)
    return pd.DataFrame(np.maximum(near, near.T), index=metres.index, columns=metres.columns)
