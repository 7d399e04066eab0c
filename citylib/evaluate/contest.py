"""A contest of forecasters on the same steps: how large each one's loss is, and which pairs the data can tell apart.

T time steps. Losses of all contenders meet the same steps, so that hours that are hard for all cancel in a pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.evaluate import compare

__all__ = ["UNSETTLED", "duels", "standings"]

UNSETTLED = "not settled"


def standings(
    losses: Mapping[str, npt.ArrayLike], *, block: int, generator: np.random.Generator, level: float = 0.95
) -> pd.DataFrame:
    """Return each contender's mean loss with its interval.

    Parameters
    ----------
    losses : mapping of str to array_like, shape (T,)
        Loss of each contender at each step, such as absolute errors; NaN in the same places.
    block : int
        Steps in a block, see `compare.block_bootstrap`.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    level : float, default 0.95
        Coverage that each interval claims, alone.

    Returns
    -------
    pandas.DataFrame
        Columns ``contender``, ``loss``, ``low``, ``high``, in the order given.

    Raises
    ------
    InputError
        Nobody, lengths that differ, or steps scored for some only.

    Examples
    --------
    >>> from citylib import seeds
    >>> low, high = np.arange(99.0) % 3, np.arange(99.0) % 3 + 1
    >>> table = standings({"a": low, "b": high}, block=3, generator=seeds.generator(0))
    >>> table["loss"].tolist()
    [1.0, 2.0]
    """
    held = _same_steps(losses)
    rows = []
    for name, loss in held.items():
        found = compare.block_bootstrap(loss, block=block, generator=generator, level=level)
        rows.append({"contender": name, "loss": found.estimate, "low": found.low, "high": found.high})
    return pd.DataFrame(rows)


def duels(
    losses: Mapping[str, npt.ArrayLike],
    pairs: Sequence[tuple[str, str]],
    *,
    block: int,
    generator: np.random.Generator,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return for each pair the difference of mean losses, and who is better if the steps can tell.

    The intervals are widened so that *all* of them hold together with `level` (Bonferroni): of many pairs, one would
    look settled by chance alone.

    Parameters
    ----------
    losses, block, generator
        As in `standings`.
    pairs : sequence of (str, str)
        Whom to compare, chosen before the losses are seen.
    level : float, default 0.95
        Coverage that the intervals claim together.

    Returns
    -------
    pandas.DataFrame
        Columns ``first``, ``second``, ``difference`` (first minus second: below 0 the first is better), ``low``,
        ``high`` and ``better``: a name, or ``"not settled"``.

    Raises
    ------
    InputError
        No pair, a contender against itself, or as in `standings`.
    UnknownNameError
        A name that is nobody's; the nearest is offered.

    Examples
    --------
    >>> from citylib import seeds
    >>> low, high = np.arange(99.0) % 3, np.arange(99.0) % 3 + 1
    >>> table = duels({"a": low, "b": high}, [("b", "a")], block=3, generator=seeds.generator(0))
    >>> table[["difference", "better"]].to_dict("records")
    [{'difference': 1.0, 'better': 'a'}]
    """
    held = _same_steps(losses)
    level = checks.fraction("level", level)
    if not pairs:
        raise InputError("pairs", "name at least one pair", list(pairs))
    rows = []
    for one, two in pairs:
        first, second = checks.one_of("pairs", one, held), checks.one_of("pairs", two, held)
        if first == second:
            raise InputError("pairs", "name two different contenders", first)
        each = 1 - (1 - level) / len(pairs)
        found = compare.paired_bootstrap(held[first], held[second], block=block, generator=generator, level=each)
        better = first if found.high < 0 else second if found.low > 0 else UNSETTLED
        ends = {"difference": found.estimate, "low": found.low, "high": found.high}
        rows.append({"first": first, "second": second, **ends, "better": better})
    return pd.DataFrame(rows)


def _same_steps(losses: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[np.float64]]:
    if not losses:
        raise InputError("losses", "name at least one contender", "none")
    held = {name: checks.series(name, loss, missing=True) for name, loss in losses.items()}
    checks.same_length(**held)
    scored = {name: ~np.isnan(loss) for name, loss in held.items()}
    first = next(iter(scored.values()))
    for name, here in scored.items():
        if (here != first).any():
            raise InputError(name, "be scored on the same steps as the others", f"{int((here != first).sum())} are not")
    return held
