"""A simulation in a process of its own, since a process holds SUMO once."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from citylib import checks
from citylib.allocation.signals import demand as demands
from citylib.allocation.signals import score, sumo
from citylib.allocation.signals.controllers.catalogue import make
from citylib.allocation.signals.state import GridState, drive
from citylib.errors import InputError

__all__ = ["simulate"]


def simulate(
    controller: str,
    parameters: Mapping[str, Any],
    seed: int,
    demand: str = "grid4-v1",
    *,
    limit: int = demands.LIMIT,
    frames: int = 0,
    streets: Path | None = None,
) -> dict[str, Any]:
    """Run SUMO once under a controller, in a process of its own.

    Parameters
    ----------
    controller : str
        A name of `citylib.allocation.signals.controllers.catalogue.CONTROLLERS`.
    parameters : mapping
        Of the controller.
    seed : int
        Of demand and simulation.
    demand : str, default "grid4-v1"
        A name of `citylib.allocation.signals.demand.DEMANDS`.
    limit : int, default 5400
        Seconds until the run is ended.
    frames : int, default 0
        If above 0, the state of the grid is kept at every so many seconds.
    streets : Path, optional
        The network, if it has been made by `citylib.allocation.signals.sumo.network`.

    Returns
    -------
    dict
        The figures of `citylib.allocation.signals.score.Score`, ``cpu_seconds``, and ``frames`` if asked for.

    Raises
    ------
    InputError
        SUMO is missing, an unknown name, parameters that break a rule, or the process ended early.

    Notes
    -----
    A program that calls this does so below ``if __name__ == "__main__":``, as for any other use of processes.
    """
    make(controller, parameters)
    checks.one_of("demand", demand, demands.DEMANDS)
    checks.integer("seed", seed, minimum=0)
    if not sumo.available():
        raise InputError("SUMO", "be installed", "no module libsumo", "pip install 'citylib[sumo]'")
    context: Any = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    if sys.platform == "linux":  # the server imports once and starts nothing; every run is a fresh fork of it
        context.set_forkserver_preload([__name__])
    near, far = context.Pipe(duplex=False)
    work = context.Process(target=_one, args=(far, controller, dict(parameters), seed, demand, limit, frames, streets))
    work.start()
    far.close()
    try:
        found: dict[str, Any] = near.recv()
    except EOFError:
        work.join()
        raise InputError("simulation", "end well", f"exit code {work.exitcode}") from None
    work.join()
    if "error" in found:
        raise InputError("simulation", "end well", found["error"])
    return found


def _one(
    pipe: Any,
    controller: str,
    parameters: dict[str, Any],
    seed: int,
    demand: str,
    limit: int,
    frames: int,
    streets: Path | None,
) -> None:
    """Run and send back what came out."""
    try:
        pipe.send(_run(controller, parameters, seed, demand, limit, frames, streets))
    except Exception as error:
        pipe.send({"error": f"{type(error).__name__}: {error}"})
    finally:
        pipe.close()


def _run(
    controller: str,
    parameters: dict[str, Any],
    seed: int,
    demand: str,
    limit: int,
    frames: int,
    streets: Path | None,
) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    before = time.process_time()
    kept: list[dict[str, Any]] = []
    rule = make(controller, parameters)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = sumo.SumoSignals(folder, seed, demands.DEMANDS[demand], network_file=streets, limit=limit)
        drive(run, _Watched(rule, frames, kept) if frames else rule)
        ended, teleports, longest = run.seconds, run.teleports, float(run.lights.longest_B[0])
        run.close()
        found = score.of_trips(
            folder / "trips.xml", count=run.count, ended=ended, teleports=teleports, longest_red=longest,
            demand_ends=demands.DURATION,
        )  # fmt: skip
    whole: dict[str, Any] = asdict(found) | {"cpu_seconds": time.process_time() - before}
    return whole | ({"frames": kept} if frames else {})


class _Watched:
    """A controller that is looked over the shoulder."""

    def __init__(self, rule: Any, frames: int, kept: list[dict[str, Any]]) -> None:
        self.rule, self.every, self.frames, self.kept = rule, rule.every, frames, kept

    def __call__(self, state: GridState) -> Any:
        """Note the state, and pass on what the rule wants."""
        if state.seconds >= len(self.kept) * self.frames:
            queue = state.stop_BJPS[0].reshape(-1, 2, 2, 2).sum(dim=2) + state.halted_BJXS[0]
            self.kept.append({
                "seconds": state.seconds,
                "phase": state.phase_BJ[0].tolist(),
                "changing": state.changing_BJ[0].int().tolist(),
                "queue": queue.flatten(1).int().tolist(),
            })  # fmt: skip
        return self.rule(state)
