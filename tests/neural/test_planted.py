"""Planted faults: each kind is what it says, and sound profiles are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.planted import KINDS, SOUND, plant

DAY = 0.55 + 0.45 * np.sin(2 * np.pi * (np.arange(96) - 30) / 96 + 0.3 * np.sin(np.arange(96)))
DAYS = np.tile(DAY / DAY.max(), (600, 1))


def test_kinds_and_shares() -> None:
    found, kind = plant(DAYS, share=0.4, generator=seeds.generator(1))
    assert set(kind) == {SOUND, *KINDS}
    assert np.mean(kind != SOUND) == pytest.approx(0.4, abs=0.06)  # 3 standard errors
    np.testing.assert_array_equal(found[kind == SOUND], DAYS[kind == SOUND])
    np.testing.assert_allclose(found.max(axis=1), 1.0)


def test_each_kind_is_what_it_says() -> None:
    found, kind = plant(DAYS, share=1.0, generator=seeds.generator(2))
    clock = found[kind == "clock"]
    shifts = (clock.argmax(axis=1) - DAYS[0].argmax() + 48) % 96 - 48
    assert set(np.abs(shifts)) <= set(range(8, 17))
    np.testing.assert_allclose(np.sort(clock, axis=1), np.sort(DAYS[: len(clock)], axis=1))
    steps = np.diff(found[kind == "stuck"], axis=1)
    assert ((steps == 0).sum(axis=1) >= 23).all()  # six hours hold 24 equal readings
    bends = np.abs(np.diff(found[kind == "straight"], 2, axis=1))
    assert ((bends < 1e-12).sum(axis=1) >= 22).all()


def test_the_same_seed_plants_the_same() -> None:
    one, two = (plant(DAYS, share=0.3, generator=seeds.generator(5))[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_refusals() -> None:
    with pytest.raises(InputError, match="values must lie between 0 and 1, got '0 to 2'"):
        plant([[0.0, 2.0]], share=0.5, generator=seeds.generator(0))
    with pytest.raises(InputError, match="hours must be"):
        plant(DAYS, share=0.5, generator=seeds.generator(0), hours=(8, 4))
