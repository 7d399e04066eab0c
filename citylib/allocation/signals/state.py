"""What controllers see and what they answer; the lights that turn answers into green, yellow and red; how a run goes.

Legend: B runs side by side, J = 16 junctions, X = 2 axes, S = 2 sides, P = 4 phases, K = 2 kinds (through and right;
left), so that P = X K.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from citylib import checks
from citylib.allocation.signals import grid
from citylib.errors import InputError

__all__ = ["Controller", "GridState", "Lights", "Signals", "drive"]


@dataclass(frozen=True, eq=False)
class GridState:
    """The grid at a moment.

    Parameters
    ----------
    seconds : int
        Since the start.
    phase_BJ : torch.Tensor of int, shape (B, J)
        The phase that has green, or that will have it next.
    changing_BJ : torch.Tensor of bool, shape (B, J)
        Whether yellow or red goes before it.
    green_BJ : torch.Tensor, shape (B, J)
        Seconds of green so far; 0 while changing.
    waited_BJP : torch.Tensor, shape (B, J, P)
        Seconds for which a phase has had no green with someone at its stop line.
    empty_BJP : torch.Tensor, shape (B, J, P)
        Seconds for which nobody has been at a phase's stop lines.
    stop_BJPS : torch.Tensor, shape (B, J, P, S)
        Vehicles on the last 60 m before the stop line, in the lanes that the phase serves.
    far_BJXS, halted_BJXS : torch.Tensor, shape (B, J, X, S)
        Vehicles farther back on the block, and those of them that stand.
    """

    seconds: int
    phase_BJ: torch.Tensor
    changing_BJ: torch.Tensor
    green_BJ: torch.Tensor
    waited_BJP: torch.Tensor
    empty_BJP: torch.Tensor
    stop_BJPS: torch.Tensor
    far_BJXS: torch.Tensor
    halted_BJXS: torch.Tensor


class Controller(Protocol):
    """A rule for the lights; it keeps nothing in mind, all it needs is in the state.

    Attributes
    ----------
    every : int
        Seconds between decisions.
    """

    every: int

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        ...


class Signals(Protocol):
    """A grid with lights: the simulator, or the model of it.

    Attributes
    ----------
    step : int
        Seconds of its smallest step.
    """

    step: int

    def state(self) -> GridState:
        """Return the grid as it is."""
        ...

    def advance(self, phase_BJ: torch.Tensor, seconds: int) -> None:
        """Want these phases for that long."""
        ...

    def done(self) -> bool:
        """Return whether everybody has arrived, or the time is over."""
        ...


class Lights:
    """Green, yellow and red of every junction: a change takes 3 s of yellow and 2 s of red, and cannot be called off.

    Parameters
    ----------
    runs : int
        B.
    """

    def __init__(self, runs: int) -> None:
        shape = (checks.integer("runs", runs, minimum=1), grid.JUNCTIONS)
        self.phase_BJ = torch.zeros(shape, dtype=torch.int64)
        self.before_BJ = torch.zeros(shape, dtype=torch.int64)
        self.left_BJ = torch.zeros(shape)
        self.green_BJ = torch.zeros(shape)
        self.waited_BJP = torch.zeros((*shape, grid.PHASES))
        self.empty_BJP = torch.zeros((*shape, grid.PHASES))
        self.longest_B = torch.zeros(shape[0])

    def want(self, phase_BJ: torch.Tensor) -> None:
        """Start a change wherever another phase is wanted and none is under way.

        Parameters
        ----------
        phase_BJ : torch.Tensor of int, shape (B, J)
            0 to 3.

        Raises
        ------
        InputError
            A phase that isn't there, or a shape that doesn't fit.
        """
        if phase_BJ.shape != self.phase_BJ.shape:
            raise InputError("phase_BJ", f"have the shape {tuple(self.phase_BJ.shape)}", tuple(phase_BJ.shape))
        if phase_BJ.is_floating_point() or bool(((phase_BJ < 0) | (phase_BJ >= grid.PHASES)).any()):
            raise InputError("phase_BJ", f"be phases 0 to {grid.PHASES - 1}", sorted(set(phase_BJ.flatten().tolist())))
        turned = (phase_BJ != self.phase_BJ) & (self.left_BJ <= 0)
        self.before_BJ = torch.where(turned, self.phase_BJ, self.before_BJ)
        self.phase_BJ = torch.where(turned, phase_BJ, self.phase_BJ)
        self.left_BJ = torch.where(turned, float(grid.CHANGE), self.left_BJ)
        self.green_BJ = torch.where(turned, 0.0, self.green_BJ)

    def tick(self, seconds: int) -> None:
        """Let time pass, by no more than what divides yellow and red, or by a whole change."""
        changing = self.left_BJ > 0
        self.green_BJ = torch.where(changing, self.green_BJ, self.green_BJ + seconds)
        self.left_BJ = (self.left_BJ - seconds).clamp(min=0)

    def seen(self, stop_BJPS: torch.Tensor, seconds: int) -> None:
        """Note who stands at the stop lines, `seconds` after the last time."""
        there = stop_BJPS.sum(dim=3) >= 1
        green = torch.nn.functional.one_hot(self.phase_BJ, grid.PHASES).bool() & (self.left_BJ <= 0)[..., None]
        self.waited_BJP = torch.where(there & ~green, self.waited_BJP + seconds, 0.0)
        self.empty_BJP = torch.where(there, 0.0, self.empty_BJP + seconds)
        self.longest_B = torch.maximum(self.longest_B, self.waited_BJP.amax(dim=(1, 2)))


def drive(signals: Signals, controller: Controller) -> int:
    """Let a controller run the lights until all have arrived or the time is over.

    Parameters
    ----------
    signals : Signals
        Freshly made.
    controller : Controller
        The rule.

    Returns
    -------
    int
        Seconds that passed in the grid.

    Raises
    ------
    InputError
        The controller decides at times between the grid's steps.
    """
    every = checks.integer("controller.every", controller.every, minimum=1)
    if every % signals.step:
        raise InputError("controller.every", f"be a multiple of the grid's step of {signals.step} s", every)
    while not signals.done():
        signals.advance(controller(signals.state()), every)
    return signals.state().seconds
