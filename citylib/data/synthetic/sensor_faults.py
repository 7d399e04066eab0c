"""How sensors fail: readings that were not made, and readings that were made up.

Each kind of fault is planted on its own cells; no two touch. A stuck run repeats its first,
good reading; a straight run joins the good readings before and after it by a line, as a
provider's gap filling does; a spike multiplies one reading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds

__all__ = ["CODES", "FaultsTruth", "Planted", "plant"]

FloatArray = npt.NDArray[np.float64]

CODES = ("missing", "dropout", "stuck-run", "straight-run", "spike")  # 1, 2, ... in the matrix of kinds


@dataclass(frozen=True)
class FaultsTruth:
    """What sensor faults are drawn with.

    Parameters
    ----------
    missing_share : float
        Share of single readings that were lost.
    dropouts, stuck_runs, straight_runs, spikes : float
        Number per sensor and 100 days; at least one of each in the city, unless 0, as far as there is room.
    shortest, longest : int
        Length of a run [h], every length equally likely.
    spike_low, spike_high : float
        Range of a spike's factor.
    """

    missing_share: float = 0.002
    dropouts: float = 1.2
    stuck_runs: float = 0.4
    straight_runs: float = 0.4
    spikes: float = 1.5
    shortest: int = 6
    longest: int = 36
    spike_low: float = 3.0
    spike_high: float = 8.0

    def __post_init__(self) -> None:
        checks.fraction("missing_share", self.missing_share, closed=True)
        for name in ("dropouts", "stuck_runs", "straight_runs", "spikes"):
            checks.number(name, getattr(self, name), minimum=0.0)
        checks.integer("shortest", self.shortest, minimum=1)
        checks.integer("longest", self.longest, minimum=self.shortest, maximum=100)
        checks.number("spike_low", self.spike_low, above=1.0)
        checks.number("spike_high", self.spike_high, minimum=self.spike_low)


@dataclass(frozen=True, eq=False)
class Planted:
    """Readings as recorded, and what is wrong with them.

    Parameters
    ----------
    recorded : ndarray, shape (T, N)
        With the faults in; NaN where nothing was recorded.
    kind : ndarray of int, shape (T, N)
        0: good; else the place of the fault in `CODES`, from 1.
    runs : pandas.DataFrame
        sensor (its column), code, row, hours: each planted fault but the single missing readings.
    """

    recorded: FloatArray
    kind: npt.NDArray[np.int8]
    runs: pd.DataFrame


def plant(seed: int, room: str, values_TN: FloatArray, truth: FaultsTruth) -> Planted:
    """Return readings with faults planted.

    Parameters
    ----------
    seed : int
        The city's seed.
    room : str
        Whose sensors they are; another room gets other faults.
    values_TN : ndarray, shape (T, N)
        Readings as they should be.
    truth : FaultsTruth
        What the faults are drawn with.
    """
    hours, sensors = values_TN.shape
    rng = seeds.generator(seed, "synthetic", room, "faults")
    kind = np.zeros(values_TN.shape, dtype=np.int8)
    recorded = values_TN.copy()
    rates = (truth.dropouts, truth.stuck_runs, truth.straight_runs, truth.spikes)
    rows: list[tuple[int, str, int, int]] = []
    for code, rate in zip(CODES[1:], rates, strict=True):
        wanted = max(round(rate * sensors * hours / 2400), 1) if rate > 0 else 0
        for n, t, size, factor in _candidates(rng, code, 2 * wanted + 20, values_TN.shape, truth):
            if wanted and not kind[t - 2 : t + size + 2, n].any():  # it may not touch another
                _write(recorded[:, n], code, t, size, factor)
                kind[t : t + size, n] = CODES.index(code) + 1
                rows.append((n, code, t, size))
                wanted -= 1
    # Single readings are lost only where two good ones lie on either side, so that runs keep their ends.
    quiet = kind == 0
    for shift in (-2, -1, 1, 2):
        quiet &= np.roll(kind, shift, axis=0) == 0
    lost = (rng.random(values_TN.shape) < truth.missing_share) & quiet
    recorded[lost] = np.nan
    kind[lost] = 1
    return Planted(recorded, kind, pd.DataFrame(rows, columns=["sensor", "code", "row", "hours"]))


def _candidates(
    rng: np.random.Generator, code: str, number: int, shape: tuple[int, ...], truth: FaultsTruth
) -> list[tuple[int, int, int, float]]:
    """Draw sensor, row, hours and factor of more faults than wanted, as some will touch others."""
    column = rng.integers(0, shape[1], number)
    length = np.ones(number, dtype=np.int64)
    if code != "spike":
        length = rng.integers(truth.shortest, truth.longest + 1, number)
    start = 2 + np.floor(rng.random(number) * (shape[0] - length - 4)).astype(np.int64)
    factor = rng.uniform(truth.spike_low, truth.spike_high, number)
    return list(zip(column.tolist(), start.tolist(), length.tolist(), factor.tolist(), strict=True))


def _write(series: FloatArray, code: str, t: int, size: int, factor: float) -> None:
    if code == "dropout":
        series[t : t + size] = np.nan
    elif code == "stuck-run":
        series[t : t + size] = series[t - 1]
    elif code == "straight-run":
        before, after = series[t - 1], series[t + size]
        series[t : t + size] = before + (after - before) * np.arange(1, size + 1) / (size + 1)
    else:
        series[t] = np.rint(series[t] * factor)
