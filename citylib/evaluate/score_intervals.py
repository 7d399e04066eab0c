"""How sure scores are that are no means of losses: whole blocks of time drawn, every score worked out again.

Legend: n cases, T time steps, D draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.evaluate import compare
from citylib.evaluate.multiclass import Scored

__all__ = ["Resampled", "block_counts", "resample"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def block_counts(steps: int, *, block: int, draws: int, generator: np.random.Generator) -> IntArray:
    """Return how often each step is drawn, in resamples of circular blocks of exactly T steps, shape (D, T).

    Parameters
    ----------
    steps : int
        T, two blocks or more.
    block : int
        Steps in a block.
    draws : int
        D.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.

    Returns
    -------
    ndarray of int

    Raises
    ------
    InputError
        Fewer than two blocks.

    Examples
    --------
    >>> from citylib import seeds
    >>> block_counts(10, block=5, draws=3, generator=seeds.generator(0)).sum(axis=1).tolist()
    [10, 10, 10]
    """
    steps, block = checks.integer("steps", steps, minimum=1), checks.integer("block", block, minimum=1)
    if steps < 2 * block:
        raise InputError("steps", f"hold at least two blocks of {block}", steps)
    draws = checks.integer("draws", draws, minimum=1)
    whole = -(-steps // block)
    begin = generator.integers(0, steps, size=(draws, whole))
    drawn = ((begin[:, :, None] + np.arange(block)) % steps).reshape(draws, -1)[:, :steps]
    return np.stack([np.bincount(row, minlength=steps) for row in drawn])


@dataclass(frozen=True, eq=False)
class Resampled:
    """Every score of every contender, on the cases as they are and in D resamples of whole blocks of time.

    Legend: S scores, D draws. From `resample`.

    Attributes
    ----------
    scores : tuple of str
        Names of the S scores; one that a contender lacks (log loss) is left out.
    seen : mapping of str to ndarray, shape (S,)
        Contender to its scores.
    drawn : mapping of str to ndarray, shape (D, S)
        The same in each resample; all contenders meet the same hours.
    blocks : int
        B, blocks that the steps hold.
    """

    scores: tuple[str, ...]
    seen: Mapping[str, FloatArray]
    drawn: Mapping[str, FloatArray]
    blocks: int

    def alone(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return each score of each contender with an interval of its own.

        The ends are as in `compare.block_bootstrap`: Student's t with B - 1 degrees of freedom, on the deviation of the
        resampled scores made wider by sqrt(B / (B - 1)).

        Parameters
        ----------
        level : float, default 0.95
            Coverage that each interval claims by itself.

        Returns
        -------
        pandas.DataFrame
            A row a contender and score: contender, score, value, low, high, blocks.
        """
        reach, rows = self._reach(level), []
        for name, values in self.seen.items():
            wide = reach * np.nanstd(self.drawn[name], axis=0)
            for score, value, less in zip(self.scores, values.tolist(), wide.tolist(), strict=True):
                row = {"contender": name, "score": score, "value": value, "low": value - less, "high": value + less}
                rows.append(row | {"blocks": self.blocks})
        return pd.DataFrame(rows)

    def apart(self, compared: Sequence[tuple[str, str, str]], *, level: float = 0.95) -> pd.DataFrame:
        """Return differences between contenders, with intervals that *all* hold together with `level` (Bonferroni).

        Of many intervals that each hold with 95 %, one in twenty would look proven by chance. So ask at once for all
        comparisons of which anything is going to be said.

        Parameters
        ----------
        compared : sequence of (str, str, str)
            Contender, the other that is taken off, and the score.
        level : float, default 0.95
            Coverage that the intervals claim together.

        Returns
        -------
        pandas.DataFrame
            A row a comparison: contender, against, score, difference, low, high, each_level (coverage of the interval
            by itself), blocks.

        Raises
        ------
        InputError
            No comparison, or a contender or score that is not there.
        """
        if not compared:
            raise InputError("compared", "hold one comparison or more", compared)
        each = 1 - (1 - checks.fraction("level", level)) / len(compared)
        reach, rows = self._reach(each), []
        for name, other, score in compared:
            for given in (name, other):
                checks.one_of("compared", given, list(self.seen))
            k = self.scores.index(checks.one_of("compared", score, list(self.scores)))
            less = float(self.seen[name][k] - self.seen[other][k])
            wide = reach * float(np.nanstd(self.drawn[name][:, k] - self.drawn[other][:, k]))
            row = {"contender": name, "against": other, "score": score, "difference": less, "low": less - wide}
            rows.append(row | {"high": less + wide, "each_level": each, "blocks": self.blocks})
        return pd.DataFrame(rows)

    def _reach(self, level: float) -> float:
        degrees = self.blocks - 1
        wide = float(stats.t.ppf((1 + checks.fraction("level", level)) / 2, degrees))
        return wide * math.sqrt(self.blocks / degrees)


def resample(
    contenders: Mapping[str, Scored | Sequence[Scored]],
    step: npt.ArrayLike,
    *,
    block: int,
    generator: np.random.Generator,
    draws: int = 500,
) -> Resampled:
    """Return every score of every contender, worked out again in resamples of whole blocks of time.

    Parameters
    ----------
    contenders : mapping of str to Scored, or to several
        Of the same cases in the same order. Of several (one a seed) the mean score is taken.
    step : array_like of int, shape (n,)
        Step of each case, on a regular axis: 0, 1, ...; all cases of a step stay together.
    block : int
        Steps in a block.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    draws : int, default 500
        D, at least 100.

    Returns
    -------
    Resampled

    Raises
    ------
    InputError
        No contender, contenders of other cases, fewer than two blocks.

    Examples
    --------
    >>> from citylib import seeds
    >>> right = Scored([0, 1] * 20, [[0.8, 0.2], [0.2, 0.8]] * 20)
    >>> unsure = Scored([0, 1] * 20, [[0.5, 0.5]] * 40)
    >>> both = resample({"right": right, "unsure": unsure}, range(40), block=4, generator=seeds.generator(0), draws=100)
    >>> both.apart([("right", "unsure", "accuracy")])[["difference", "blocks"]].values.tolist()
    [[0.5, 10.0]]
    """
    draws = checks.integer("draws", draws, minimum=100)
    runs = {name: [one] if isinstance(one, Scored) else list(one) for name, one in contenders.items()}
    if not all(runs.values()) or not runs:
        raise InputError("contenders", "be scored on the same cases", list(runs))
    truth = next(iter(runs.values()))[0].actual
    for name, several in runs.items():
        if any(one.actual.shape != truth.shape or (one.actual != truth).any() for one in several):
            raise InputError("contenders", "be scored on the same cases", name)
    at = np.asarray(step, dtype=np.int64)
    checks.same_length(step=at, actual=truth)
    at = at - at.min()
    per_step = np.bincount(at).astype(float)
    number = compare.blocks(np.where(per_step > 0, 1.0, np.nan), block)
    counts = block_counts(len(per_step), block=block, draws=draws, generator=generator)
    seen = {name: _mean(several, None) for name, several in runs.items()}
    names = tuple(s for s in next(iter(seen.values())) if all(s in found for found in seen.values()))
    drawn = {name: np.empty((draws, len(names))) for name in runs}
    for d, count in enumerate(counts):
        weight = count[at].astype(float)
        for name, several in runs.items():
            again = _mean(several, weight)
            drawn[name][d] = [again[s] for s in names]
    return Resampled(names, {name: np.array([one[s] for s in names]) for name, one in seen.items()}, drawn, number)


def _mean(several: Sequence[Scored], weight: FloatArray | None) -> dict[str, float]:
    found = [one.scores(weight) for one in several]
    return {name: float(np.mean([f[name] for f in found])) for name in found[0] if all(name in f for f in found)}
