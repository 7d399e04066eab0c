"""SUMO behind the same interface: files it is given, its score, one start a process; most needs the extra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from citylib.allocation.signals import demand, score, sumo, worker
from citylib.errors import InputError, UnknownNameError

needs_sumo = pytest.mark.skipif(not sumo.available(), reason="needs SUMO: pip install 'citylib[sumo]'")
MAX_PRESSURE = {"interval": 5, "least": 5, "red_most": 120}
TRIPS = """<tripinfos>
<tripinfo id="0" depart="5.00" departDelay="1.00" arrival="90.00" timeLoss="10.00" waitingCount="1"/>
<tripinfo id="1" depart="8.00" departDelay="0.00" arrival="-1.00" timeLoss="50.00" waitingCount="3"/>
<tripinfo id="2" depart="-1" departDelay="200.00" arrival="-1" timeLoss="0.00" waitingCount="0"/>
</tripinfos>
"""


def test_everybody_counts(tmp_path: Path) -> None:
    path = tmp_path / "trips.xml"
    path.write_text(TRIPS, encoding="utf-8")
    found = score.of_trips(path, count=3, ended=300, teleports=0, longest_red=60, demand_ends=100)
    assert found.mean == pytest.approx((11 + 50 + 200) / 3)
    assert (found.unfinished, found.undeparted, found.in_time) == (1, 1, 1)
    assert found.stops == pytest.approx(4 / 3)
    with pytest.raises(InputError, match="path must hold all 4 vehicles, got 3"):
        score.of_trips(path, count=4, ended=300, teleports=0, longest_red=60, demand_ends=100)


def test_routes_name_both_pieces_of_a_block() -> None:
    first = demand.trips(1)
    trips = demand.Trips(first.departs_V[:1], first.entry_V[:1], (((0, 3), (1, 3)),), np.array([2]))
    assert 'edges="left0A0 left0A0.240.00 A0B0 A0B0.240.00 B0bottom1"' in sumo.route_lines(trips)[1]


def test_no_two_green_movements_cross() -> None:
    """Only the phase's own lane groups have green; yellow is where green was."""
    green, yellow = sumo.signal_words()
    assert green == ["GGGrrrrrGGGrrrrr", "rrrGrrrrrrrGrrrr", "rrrrGGGrrrrrGGGr", "rrrrrrrGrrrrrrrG"]
    assert [word.replace("y", "G") for word in yellow] == green


def test_missing_sumo_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "libsumo", None)
    with pytest.raises(InputError, match=r"SUMO must be installed.*pip install 'citylib\[sumo\]'"):
        sumo.SumoSignals(tmp_path, 1)
    monkeypatch.setattr(sumo, "available", lambda: False)
    with pytest.raises(InputError, match=r"SUMO must be installed.*pip install 'citylib\[sumo\]'"):
        worker.simulate("equal", {}, 1)


def test_refused_before_a_process_starts() -> None:
    with pytest.raises(UnknownNameError, match="name must be one of"):
        worker.simulate("wbster", {}, 1)
    with pytest.raises(UnknownNameError, match="demand must be one of"):
        worker.simulate("equal", {}, 1, "grid4")
    with pytest.raises(InputError, match="seed must be at least 0"):
        worker.simulate("equal", {}, -1)


@needs_sumo
def test_a_second_start_in_a_process_is_refused(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from citylib.allocation.signals.sumo import SumoSignals, network
folder = Path({str(tmp_path)!r})
one = SumoSignals(folder, 1)
try:
    SumoSignals(folder, 2)
except ValueError as error:
    print(error)
one.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "SUMO must be started once in a process" in done.stdout


@needs_sumo
def test_equal_seeds_give_equal_results() -> None:
    one = worker.simulate("max-pressure", MAX_PRESSURE, 11, limit=240, frames=60)
    two = worker.simulate("max-pressure", MAX_PRESSURE, 11, limit=240, frames=60)
    for run in (one, two):
        run.pop("cpu_seconds")
    assert one == two
    assert one["vehicles"] == len(demand.trips(11).until(239).departs_V)
    assert one["unfinished"] + one["undeparted"] > 0, "four minutes are too short for all to arrive"
    assert [frame["seconds"] for frame in one["frames"]] == [0, 60, 120, 180]


@needs_sumo
def test_an_error_in_the_process_comes_back() -> None:
    with pytest.raises(InputError, match="simulation must end well"):
        worker.simulate("equal", {}, 1, streets=Path("nowhere.net.xml"), limit=60)


@needs_sumo
@pytest.mark.slow
def test_a_whole_run_ends_with_everybody_home() -> None:
    found = worker.simulate("max-pressure", MAX_PRESSURE, 1)
    assert found["teleports"] == found["unfinished"] == found["undeparted"] == 0
    assert found["mean"] < worker.simulate("equal", {}, 1)["mean"]
