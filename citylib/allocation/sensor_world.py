"""A panel of readings made ready for the question which sensors to read: scaled, its usual day and dynamics learned.

Legend: B runs, T steps, N sensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation import sensor_choice, sensor_dynamics, sensor_filter
from citylib.allocation.sensor_dynamics import Dynamics
from citylib.allocation.sensor_filter import FloatArray, Watched
from citylib.errors import InputError
from citylib.neural import scaling

__all__ = ["CANDIDATES", "World", "prepare", "score"]

CANDIDATES = tuple(
    {"harmonics": waves, **how}
    for waves in (0, 4)
    for how in (
        {"kind": "level", "shrink": 0.05},
        {"kind": "level", "shrink": 0.2},
        {"kind": "vector", "shrink": 0.05, "penalty": 100.0},
        {"kind": "vector", "shrink": 0.05, "penalty": 1000.0},
        {"kind": "vector", "shrink": 0.2, "penalty": 3000.0},
    )
)
TRIED = 1500  # steps that a choice is judged on, at most


@dataclass(frozen=True, eq=False)
class World:
    """A field that can be watched.

    Parameters
    ----------
    scaled_TN : ndarray, shape (T, N)
        Readings in standard deviations of the learned part, or as they are; NaN where there is none.
    usual_TN : ndarray, shape (T, N)
        The usual reading of each step.
    moves : Dynamics
        How departures from it move.
    cut : int
        The first step that is judged; what lies before it was learned from.
    chosen : dict
        The candidate that was chosen, and its error.
    tried : tuple of dict
        All candidates with their errors on the last part before the cut.
    """

    scaled_TN: FloatArray
    usual_TN: FloatArray
    moves: Dynamics
    cut: int
    chosen: dict[str, object]
    tried: tuple[dict[str, object], ...] = ()

    def judged(self, runs: int = 1) -> FloatArray:
        """Return what is judged, once for each of so many runs, shape (B, T, N)."""
        return np.repeat(self.scaled_TN[None, self.cut :], checks.integer("runs", runs, minimum=1), axis=0)


def prepare(
    values_TN: npt.ArrayLike,
    *,
    cut: int,
    per_day: int,
    reads: int,
    noise: float,
    generator: np.random.Generator,
    candidates: Sequence[dict[str, object]] = CANDIDATES,
    held: float = 0.2,
    scaled: bool = True,
) -> World:
    """Scale readings by what lies before the cut, and learn the usual day and the dynamics from it.

    Of the candidates the one is taken that errs least on the last part before the cut while sensors are read in turn,
    learned from the part before that; then it is learned from all that lies before the cut.

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Readings, NaN where there is none.
    cut : int
        The first step that is judged.
    per_day : int
        Steps a day.
    reads : int
        K, for the choice.
    noise : float
        Of a reading, in standard deviations (or in its own unit, see `scaled`).
    generator : numpy.random.Generator
        Draws that noise.
    candidates : sequence of dict
        Arguments of `citylib.allocation.sensor_dynamics.fit`, and ``harmonics``.
    held : float, default 0.2
        Share of the steps before the cut that candidates are judged on.
    scaled : bool, default True
        Whether readings are scaled; if not, noise and errors are in their own unit, as `sensors-v1` has them.

    Returns
    -------
    World

    Raises
    ------
    InputError
        Too little before the cut, or nothing after it; no candidate; a sensor that cannot be learned.
    """
    values = checks.matrix("values", values_TN, missing=True, at_least=30)
    checks.integer("cut", cut, minimum=20, maximum=len(values) - 1)
    if not candidates:
        raise InputError("candidates", "name at least one", len(candidates))
    ready = scaling.fit(values, rows=(0, cut)).apply(values) if scaled else values
    start = cut - max(2, int(checks.fraction("held", held) * cut))
    part = slice(start, min(cut, start + TRIED))
    seed, tried = int(generator.integers(2**31)), []
    for how in candidates if len(candidates) > 1 else ():
        usual, moves = _learned(ready, start, per_day, how)
        draw = np.random.default_rng(seed)  # the same noise for all
        seen = sensor_filter.watch(
            ready[None, part],
            moves,
            sensor_choice.InTurn(),
            reads=reads,
            noise=noise,
            generator=draw,
            usual_TN=usual[part],
        )
        tried.append({**how, "error": score(seen, ready[None, part])["error"]})
    best = min(tried, key=lambda row: float(str(row["error"]))) if tried else dict(candidates[0])
    usual, moves = _learned(ready, cut, per_day, best)
    return World(ready, usual, moves, cut, best, tuple(tried))


def score(seen: Watched, values_BTN: npt.ArrayLike, *, level: float = 0.9) -> dict[str, float]:
    """Return how far estimates are off, and whether the filter's own variance says so.

    Parameters
    ----------
    seen : Watched
        Of `citylib.allocation.sensor_filter.watch`.
    values_BTN : array_like, shape (B, T, N)
        True readings; NaN is not scored.
    level : float, default 0.9
        Of the intervals whose coverage is told.

    Returns
    -------
    dict
        ``error``: mean absolute error; ``rmse``; ``said``: root of the mean variance; ``z_variance``: mean squared
        error in units of the filter's variance, 1 if it is calibrated; ``coverage`` of its intervals; both also for
        what was not read.

    Raises
    ------
    InputError
        Shapes that differ, nothing to score.

    Examples
    --------
    >>> seen = Watched(np.zeros((1, 1, 2)), np.ones((1, 1, 2)), np.array([[[True, False]]]))
    >>> found = score(seen, [[[1.0, 2.0]]])
    >>> found["error"], found["z_variance"], found["coverage"], found["z_variance_unread"]
    (1.5, 2.5, 0.5, 4.0)
    """
    values = checks.array("values", values_BTN, ndim=3, missing=True)
    if values.shape != seen.estimate_BTN.shape:
        raise InputError("values", f"have the shape {seen.estimate_BTN.shape}", values.shape)
    known = ~np.isnan(values)
    if not known.any():
        raise InputError("values", "hold a reading to score", "none")
    off, variance = (values - seen.estimate_BTN)[known], seen.variance_BTN[known]
    z = off / np.sqrt(variance)
    within = np.abs(z) <= NormalDist().inv_cdf((1 + checks.fraction("level", level)) / 2)
    unread = ~seen.read_BTN[known]
    out = {"error": np.abs(off).mean(), "rmse": np.sqrt((off**2).mean()), "said": np.sqrt(variance.mean())}
    out |= {"z_variance": (z**2).mean(), "coverage": within.mean()}
    some = bool(unread.any())
    out |= {"z_variance_unread": (z[unread] ** 2).mean() if some else np.nan}
    out |= {"coverage_unread": within[unread].mean() if some else np.nan}
    return {name: float(value) for name, value in out.items()}


def _learned(scaled_TN: FloatArray, end: int, per_day: int, how: dict[str, object]) -> tuple[FloatArray, Dynamics]:
    given = {name: value for name, value in how.items() if name not in ("harmonics", "error")}
    waves = min(int(str(how.get("harmonics", 0))), max(0, (per_day - 1) // 2))
    usual = sensor_dynamics.usual(scaled_TN, learned=end, per_day=per_day, harmonics=waves)
    return usual, sensor_dynamics.fit((scaled_TN - usual)[:end], **given)  # type: ignore[arg-type]
