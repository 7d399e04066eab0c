"""How sure scores are that are no means of losses: whole blocks of time drawn, every score worked out again.

Legend: n cases, T time steps, D draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.evaluate import compare
from citylib.evaluate.multiclass import Scored

__all__ = ["block_counts", "block_scores"]

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


def block_scores(
    contenders: Mapping[str, Scored | Sequence[Scored]],
    step: npt.ArrayLike,
    *,
    baseline: str,
    block: int,
    generator: np.random.Generator,
    draws: int = 500,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return every score of every contender with its interval, and its difference to the baseline's with one.

    All contenders meet the same hours in every resample. The ends are as in `compare.block_bootstrap`: Student's t with
    one degree of freedom less than there are blocks, on the deviation of the resampled scores made wider by
    sqrt(B / (B - 1)).

    Parameters
    ----------
    contenders : mapping of str to Scored, or to several
        Of the same cases in the same order. Of several (one a seed) the mean score is taken.
    step : array_like of int, shape (n,)
        Step of each case, on a regular axis: 0, 1, ...; all cases of a step stay together.
    baseline : str
        One of the contenders.
    block : int
        Steps in a block.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    draws : int, default 500
        Resamples, at least 100.
    level : float, default 0.95
        Coverage that the intervals claim.

    Returns
    -------
    pandas.DataFrame
        A row a contender and score: contender, score, value, low, high, minus_baseline, difference_low,
        difference_high, blocks. A score that one of the contenders lacks (log loss) is left out.

    Raises
    ------
    InputError
        Contenders of other cases, fewer than two blocks.
    """
    checks.one_of("baseline", baseline, list(contenders))
    draws = checks.integer("draws", draws, minimum=100)
    runs = {name: [one] if isinstance(one, Scored) else list(one) for name, one in contenders.items()}
    truth = runs[baseline][0].actual
    for name, several in runs.items():
        if any(one.actual.shape != truth.shape or (one.actual != truth).any() for one in several) or not several:
            raise InputError("contenders", "be scored on the same cases", name)
    at = np.asarray(step, dtype=np.int64)
    checks.same_length(step=at, actual=truth)
    at = at - at.min()
    per_step = np.bincount(at).astype(float)
    number = compare.blocks(np.where(per_step > 0, 1.0, np.nan), block)
    counts = block_counts(len(per_step), block=block, draws=draws, generator=generator)
    seen = {name: _mean(several, None) for name, several in runs.items()}
    names = [s for s in seen[baseline] if all(s in found for found in seen.values())]
    drawn = {name: np.empty((draws, len(names))) for name in runs}
    for d, count in enumerate(counts):
        weight = count[at].astype(float)
        for name, several in runs.items():
            again = _mean(several, weight)
            drawn[name][d] = [again[s] for s in names]
    reach = float(stats.t.ppf((1 + checks.fraction("level", level)) / 2, number - 1)) * math.sqrt(number / (number - 1))
    rows = []
    for name in runs:
        for k, score in enumerate(names):
            value, less = seen[name][score], seen[name][score] - seen[baseline][score]
            wide = reach * float(np.nanstd(drawn[name][:, k]))
            apart = reach * float(np.nanstd(drawn[name][:, k] - drawn[baseline][:, k]))
            row = {"contender": name, "score": score, "value": value, "low": value - wide, "high": value + wide}
            row |= {"minus_baseline": less, "difference_low": less - apart, "difference_high": less + apart}
            rows.append(row | {"blocks": number})
    return pd.DataFrame(rows)


def _mean(several: Sequence[Scored], weight: FloatArray | None) -> dict[str, float]:
    found = [one.scores(weight) for one in several]
    return {name: float(np.mean([f[name] for f in found])) for name in found[0] if all(name in f for f in found)}
