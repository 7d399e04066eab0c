"""Figures of several ways to end say in words what they show, and refuse what cannot be drawn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.plots import incidence


def curves(*ends: float, steps: int = 400) -> SimpleNamespace:
    time = np.linspace(0.1, 40, steps)
    rise = 1 - np.exp(-time / 5)
    value = np.outer(rise, ends)
    lower = np.where(value > 0, value * 0.9, np.nan)
    names = ("resolved", "noted", "invalid", "d", "e", "f", "g")[: len(ends)]
    return SimpleNamespace(causes=names, time=time, incidence=value, lower=lower, upper=value * 1.05)


def test_curves_by_cause_tell_the_shares_at_the_end_from_the_largest() -> None:
    shown = incidence.by_cause("outcomes", curves(0.2, 0.7, 0.0), until=40)
    assert "noted 70%; resolved 20%; invalid 0%" in shown["alt"]
    assert "over 40 days" in shown["alt"]


def test_nothing_watched_by_the_end_is_drawn_as_nothing() -> None:
    assert "resolved 0%" in incidence.by_cause("outcomes", curves(0.5), until=0.05)["alt"]


def test_stacked_shares_tell_each_group() -> None:
    frame = pd.DataFrame({"resolved": [0.6, 0.2], "noted": [0.1, 0.001]}, index=["Waste", "Parks"])
    assert (
        "Waste: resolved 60%, noted 10%; Parks: resolved 20%."
        in incidence.shares_by_group("s", frame, what="share")["alt"]
    )


def test_groups_against_the_average_name_those_apart() -> None:
    shown = incidence.against_average(
        "fair", ["north", "south"], [0.8, 1.1], ([0.7, 1.02], [0.9, 1.2]), ([0.65, 0.95], [0.95, 1.3]), what="rate"
    )
    assert "north 0.80; south 1.10" in shown["alt"]
    assert shown["alt"].endswith("all intervals at once: north.")


def test_promises_tell_what_each_rule_kept() -> None:
    lines = [("all", [0.9, 0.92]), ("closed", [0.5, np.nan])]
    shown = incidence.promises("kept", ["a", "b"], lines, goal=0.9, low=[0.8, 0.9], high=[0.95, 1.0], what="share")
    assert "promised 90%" in shown["alt"]
    assert "all: 91% kept on average of 2 groups; closed: 50%" in shown["alt"]


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [0.7], "b": [0.4]}), pd.DataFrame({"a": [-0.1]})])
def test_shares_that_are_none_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="shares"):
        incidence.shares_by_group("s", frame, what="share")


def test_too_many_causes_and_lengths_that_differ_are_refused() -> None:
    with pytest.raises(InputError, match="number of causes must be at most 6"):
        incidence.by_cause("outcomes", curves(*[0.1] * 7), until=10)
    with pytest.raises(InputError, match="length"):
        incidence.promises("kept", ["a", "b"], [("all", [0.9])], goal=0.9, low=[0.8], high=[1.0], what="share")
