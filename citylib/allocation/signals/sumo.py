"""SUMO in process: the same grid with every vehicle in it, one run a process.

SUMO is an extra: ``pip install 'citylib[sumo]'``. Legend: J = 16 junctions, X axes, S sides, P phases.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import subprocess
from pathlib import Path
from typing import Any

import torch

from citylib import checks
from citylib.allocation.signals import demand as demands
from citylib.allocation.signals import grid
from citylib.allocation.signals.state import GridState, Lights
from citylib.errors import InputError

__all__ = ["SumoSignals", "available", "network", "route_lines", "signal_words", "versions"]

FAR = ".240.00"  # netgenerate's name for the last 60 m of a block, where the left-turn lane is
VEHICLE = '<vType id="car" sigma="0.5" tau="1.2" speedFactor="normc(1,0.1,0.7,1.3)"/>'
TELEPORT = 600
_ENDS = ("top", "right", "bottom", "left")  # as netgenerate calls the streets' ends


def available() -> bool:
    """Return whether SUMO is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("libsumo", "sumo"))


def versions() -> dict[str, str]:
    """Return the versions of what simulates; empty where it isn't installed."""
    return {name: importlib.metadata.version(name) for name in ("eclipse-sumo", "libsumo")} if available() else {}


def network(folder: Path) -> Path:
    """Make the street network with netgenerate.

    Parameters
    ----------
    folder : Path
        Where it goes; what is there already is used.

    Returns
    -------
    Path
        The network's file.

    Raises
    ------
    InputError
        SUMO is missing, or netgenerate failed.
    """
    path = folder / "grid4.net.xml"
    if path.is_file():
        return path
    home = Path(_module("sumo").__file__).parent
    half = path.with_suffix(".part")
    command = [
        str(home / "bin" / "netgenerate"), "--grid", "--grid.number", str(grid.SIZE),
        "--grid.length", str(grid.BLOCK), "--grid.attach-length", str(grid.BLOCK), "--default.lanenumber", "2",
        "--turn-lanes", "1", "--turn-lanes.length", str(grid.BAY), "--no-turnarounds", "true",
        "--default-junction-type", "traffic_light", "--tls.layout", "opposites", "--output-file", str(half),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not half.is_file():
        raise InputError("network", "be made by netgenerate", done.stderr[-300:])
    half.rename(path)
    return path


def signal_words() -> tuple[list[str], list[str]]:
    """Return how SUMO writes each phase, in green and in yellow.

    Links go round from the north; each side has right, through, through, left.

    Returns
    -------
    tuple of list of str
        Four of each.

    Examples
    --------
    >>> signal_words()[0][1]
    'rrrGrrrrrrrGrrrr'
    """
    through, left, none = "GGGr", "rrrG", "rrrr"
    green = [(own + none) * 2 if axis == 0 else (none + own) * 2 for axis in (0, 1) for own in (through, left)]
    return green, [word.replace("G", "y") for word in green]


def route_lines(trips: demands.Trips) -> list[str]:
    """Return the vehicles as lines of SUMO's route file, in the order of departure.

    Parameters
    ----------
    trips : Trips
        Whoever wants to drive.

    Returns
    -------
    list of str
    """
    lines = [VEHICLE]
    for k, (when, way, leaves) in enumerate(zip(trips.departs_V, trips.ways, trips.leaves_V, strict=True)):
        edges = [edge for junction, side in way for edge in _edges(junction, side)]
        edges.append(grid.name(way[-1][0]) + _end(way[-1][0], int(leaves)))
        lines.append(
            f'<vehicle id="{k}" type="car" depart="{when:.2f}" departLane="best" departSpeed="max">'
            f'<route edges="{" ".join(edges)}"/></vehicle>'
        )
    return lines


class SumoSignals:
    """A run of SUMO in this process.

    A process holds one simulation, and a second start would end the first without a word, so it is refused:
    `citylib.allocation.signals.worker.simulate` gives each run a process of its own.

    Parameters
    ----------
    folder : Path
        An empty folder for the run's files; the network may stand in it or in `network_file`.
    seed : int
        Of the demand, and of SUMO.
    demand : Demand, optional
        By default that of `grid4-v1`.
    network_file : Path, optional
        Made by `network`.
    limit : int, default 5400
        Seconds until the run is ended.

    Raises
    ------
    InputError
        SUMO is missing; a simulation runs in this process already.
    """

    step = 1

    def __init__(
        self,
        folder: Path,
        seed: int,
        demand: demands.Demand = demands.DEMANDS["grid4-v1"],
        *,
        network_file: Path | None = None,
        limit: int = demands.LIMIT,
    ) -> None:
        self.sumo = _module("libsumo")
        if self.sumo.simulation.isLoaded():
            raise InputError(
                "SUMO", "be started once in a process", "a second start", "run each simulation by worker.simulate"
            )
        self.folder, self.limit = folder, checks.integer("limit", limit, minimum=1)
        trips = demands.trips(seed, demand).until(limit - 1)
        routes = folder / "trips.rou.xml"
        routes.write_text("<routes>\n" + "\n".join(route_lines(trips)) + "\n</routes>\n", encoding="utf-8")
        streets = network_file if network_file is not None else network(folder)
        self.lights, self.seconds, self.teleports, self.count = Lights(1), 0, 0, len(trips.departs_V)
        self.sumo.start([
            "sumo", "--net-file", str(streets), "--route-files", str(routes), "--seed", str(seed),
            "--time-to-teleport", str(TELEPORT), "--no-step-log", "true", "--no-warnings", "true",
            "--tripinfo-output", str(folder / "trips.xml"), "--tripinfo-output.write-unfinished", "true",
            "--tripinfo-output.write-undeparted", "true", "--xml-validation", "never",
            "--duration-log.disable", "true",
        ])  # fmt: skip
        self.words = signal_words()
        self.far_edges = [_edges(*place)[0] for place in _places()]
        ends = [_edges(*place)[1] for place in _places()]  # three lanes at the line: through and right, through, left
        self.groups = [lanes for end in ends for lanes in ((f"{end}_0", f"{end}_1"), (f"{end}_2",))]
        self.shown = [""] * grid.JUNCTIONS
        self.stop_JPS: torch.Tensor = torch.zeros(grid.JUNCTIONS, grid.PHASES, grid.SIDES)
        self.looked = 0
        self._show()

    def state(self) -> GridState:
        """Return the grid as it is; it is looked at when asked for."""
        self._look()
        lanes, lights = self.sumo.edge, self.lights
        far, halted = [], []
        for edge in self.far_edges:
            far.append(lanes.getLastStepVehicleNumber(edge))
            halted.append(lanes.getLastStepHaltingNumber(edge))
        shape = (1, grid.JUNCTIONS, grid.AXES, grid.SIDES)
        return GridState(
            self.seconds, lights.phase_BJ, lights.left_BJ > 0, lights.green_BJ, lights.waited_BJP, lights.empty_BJP,
            self.stop_JPS[None], torch.tensor(far, dtype=torch.float32).reshape(shape),
            torch.tensor(halted, dtype=torch.float32).reshape(shape),
        )  # fmt: skip

    def advance(self, phase_BJ: torch.Tensor, seconds: int) -> None:
        """Want these phases for that many seconds."""
        self.lights.want(phase_BJ)
        for _ in range(seconds):
            self._show()
            self.sumo.simulationStep()
            self.teleports += self.sumo.simulation.getStartingTeleportNumber()
            self.seconds += 1
            self.lights.tick(1)

    def done(self) -> bool:
        """Return whether everybody has arrived, or the time is over."""
        return self.seconds >= self.limit or self.sumo.simulation.getMinExpectedNumber() == 0

    def close(self) -> None:
        """End the simulation, which writes what became of every vehicle."""
        self.sumo.close()

    def _look(self) -> None:
        """Count who stands at the lines, if time has passed since the last time."""
        if self.seconds == self.looked and self.seconds:
            return
        count = self.sumo.lane.getLastStepVehicleNumber
        found = [sum(count(lane) for lane in group) for group in self.groups]
        shape = (grid.JUNCTIONS, grid.AXES, grid.SIDES, 2)
        self.stop_JPS = torch.tensor(found, dtype=torch.float32).reshape(shape).permute(0, 1, 3, 2).flatten(1, 2)
        self.lights.seen(self.stop_JPS[None], self.seconds - self.looked)
        self.looked = self.seconds

    def _show(self) -> None:
        """Show green, yellow or red, where it is no longer what it was."""
        now, before, left = (
            values[0].tolist() for values in (self.lights.phase_BJ, self.lights.before_BJ, self.lights.left_BJ)
        )
        for j in range(grid.JUNCTIONS):
            if left[j] > grid.ALL_RED:
                word = self.words[1][before[j]]
            else:
                word = "r" * 16 if left[j] > 0 else self.words[0][now[j]]
            if word != self.shown[j]:
                self.sumo.trafficlight.setRedYellowGreenState(grid.name(j), word)
                self.shown[j] = word


def _places() -> list[tuple[int, int]]:
    """Return (junction, side) of all approaches in the order of an array of shape (J, X, S)."""
    everything = [(junction, side) for junction in range(grid.JUNCTIONS) for side in range(4)]
    return sorted(everything, key=lambda place: grid.approach(*place))


def _end(junction: int, side: int) -> str:
    """Return the name of what lies on a side: a junction, or a street's end."""
    other = grid.neighbour(junction, side)
    if other is not None:
        return grid.name(other)
    return _ENDS[side] + str(junction % grid.SIZE if side in (0, 2) else junction // grid.SIZE)


def _edges(junction: int, side: int) -> tuple[str, str]:
    """Return the two pieces of an approach: up to the left-turn lane, and along it."""
    block = _end(junction, side) + grid.name(junction)
    return block, block + FAR


def _module(name: str) -> Any:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints that it was built for another pyarrow; none is used
            return importlib.import_module(name)
    except ImportError:
        raise InputError("SUMO", "be installed", "no module " + name, "pip install 'citylib[sumo]'") from None
