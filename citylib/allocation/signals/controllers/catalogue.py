"""All controllers by name, and where between their parameters are tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from citylib import checks
from citylib.allocation.signals.controllers.actuated import Actuated
from citylib.allocation.signals.controllers.attention import Attention
from citylib.allocation.signals.controllers.fixed_time import FixedTime
from citylib.allocation.signals.controllers.linear_index import LinearIndex
from citylib.allocation.signals.controllers.max_pressure import MaxPressure
from citylib.allocation.signals.controllers.webster import Webster
from citylib.allocation.signals.state import Controller
from citylib.errors import InputError

__all__ = ["CONTROLLERS", "PACE", "TUNED", "USUAL", "Range", "make"]

CONTROLLERS: dict[str, Any] = {
    "equal": FixedTime,
    "webster": Webster,
    "actuated": Actuated,
    "max-pressure": MaxPressure,
    "linear index": LinearIndex,
    "attention": Attention,
}


@dataclass(frozen=True)
class Range:
    """Where between a parameter is tuned.

    Parameters
    ----------
    low, high : float
        The ends.
    step : float, default 0
        Of its grid; 0: any number.
    """

    low: float
    high: float
    step: float = 0.0


TUNED: dict[str, dict[str, Range]] = {
    "equal": {"green": Range(5, 60, 1)},
    "webster": {"cycle": Range(60, 140, 1), "east": Range(-40, 40, 1), "north": Range(-40, 40, 1)},
    "actuated": {
        "gap": Range(1, 6, 1), "through_most": Range(10, 60, 1), "left_most": Range(5, 30, 1), "least": Range(0, 5, 1)
    },
    "max-pressure": {
        "interval": Range(1, 20, 1), "least": Range(0, 20, 1), "red_most": Range(60, 240, 10), "coming": Range(0, 1)
    },
}  # fmt: skip
PACE = {"interval": Range(1, 10, 1), "least": Range(0, 10, 1)}  # tuned beside the weights of the learned rules

USUAL: dict[str, dict[str, float]] = {  # a first guess: an engineer's; a block takes 22 s at the limit of speed
    "equal": {"green": 20},
    "webster": {"cycle": 90, "east": 22, "north": 0},
    "actuated": {"gap": 2, "through_most": 40, "left_most": 15, "least": 5},
    "max-pressure": {"interval": 5, "least": 5, "red_most": 120, "coming": 0.0},
}


def make(name: str, parameters: Mapping[str, Any]) -> Controller:
    """Return a controller by name.

    Parameters
    ----------
    name : str
        A name of `CONTROLLERS`.
    parameters : mapping
        Its own.

    Returns
    -------
    Controller

    Raises
    ------
    InputError
        An unknown name, a parameter that it doesn't have, one that is missing or breaks a rule.

    Examples
    --------
    >>> make("equal", {"green": 15}).green
    15
    """
    kind = CONTROLLERS[checks.one_of("name", name, CONTROLLERS)]
    try:
        made: Controller = kind(**parameters)
    except TypeError as error:
        raise InputError("parameters", f"be those of {name}", dict(parameters), str(error)) from None
    return made
