"""What became of every vehicle of a run: delay, stops, who arrived; of all of them, also those that never entered."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from citylib.errors import InputError

__all__ = ["Score", "of_trips"]


@dataclass(frozen=True)
class Score:
    """Figures of one run.

    Parameters
    ----------
    vehicles, unfinished, undeparted, teleports : int
        How many there were; still driving at the end; never let in; moved by SUMO because stuck.
    mean, p95 : float
        Of time loss and insertion delay over all vehicles [s].
    stops : float
        A vehicle.
    ended : int
        Second at which the last vehicle had arrived, or the time was over.
    in_time : int
        Vehicles that had arrived when demand ended.
    longest_red : float
        Seconds that somebody stood at a line without green.
    """

    vehicles: int
    unfinished: int
    undeparted: int
    teleports: int
    mean: float
    p95: float
    stops: float
    ended: int
    in_time: int
    longest_red: float


def of_trips(path: Path, *, count: int, ended: int, teleports: int, longest_red: float, demand_ends: int) -> Score:
    """Read SUMO's record of trips.

    Parameters
    ----------
    path : Path
        Its file.
    count : int
        Vehicles that wanted to drive; all must be in the file.
    ended, teleports, longest_red
        As in `Score`.
    demand_ends : int
        Second at which no more vehicles come.

    Returns
    -------
    Score

    Raises
    ------
    InputError
        Vehicles are missing from the file, so that a mean would flatter.
    """
    delay, stops, arrived, entered = [], [], [], []
    for _, trip in ElementTree.iterparse(path):
        if trip.tag == "tripinfo":
            delay.append(float(trip.get("timeLoss", 0)) + max(0.0, float(trip.get("departDelay", 0))))
            stops.append(int(trip.get("waitingCount", 0)))
            arrived.append(float(trip.get("arrival", -1)))
            entered.append(float(trip.get("depart", -1)))
            trip.clear()
    if len(delay) != count:
        raise InputError("path", f"hold all {count} vehicles", len(delay))
    there, inside = np.array(arrived), np.array(entered)
    undeparted = int((inside < 0).sum())
    return Score(
        vehicles=count, unfinished=int((there < 0).sum()) - undeparted, undeparted=undeparted, teleports=teleports,
        mean=float(np.mean(delay)), p95=float(np.quantile(delay, 0.95)), stops=float(np.mean(stops)), ended=ended,
        in_time=int(((there >= 0) & (there <= demand_ends)).sum()), longest_red=longest_red,
    )  # fmt: skip
