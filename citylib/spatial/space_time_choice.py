"""Lags, neighbours and penalty of a space-time regression, chosen on the last part of what may be learned from.

All candidates are worked out from two sets of second moments, one of the steps before the part they are judged on and
one of that part: the error of coefficients b there is s - 2 b'r + b'Gb, so no candidate is ever fitted on rows.
Legend: N sensors, H steps ahead, C orders, K columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.space_time import solve
from citylib.spatial.space_time_design import Design, listed, readings

__all__ = ["Choice", "choose"]


@dataclass(frozen=True, eq=False)
class Choice:
    """What was tried, and what erred least.

    Parameters
    ----------
    lags : tuple of int, length C
        Of each order, of the best candidate.
    penalty : tuple of float, length C + 1
        Of each order and of the known columns, of the best one.
    rmse : float
        Its root mean squared error over sensors, origins and steps of the part it was judged on, in the unit of the
        readings.
    tried : pandas.DataFrame
        candidate (its number), lags, penalty, own_share, rmse: a row a candidate, penalty and share.
    """

    lags: tuple[int, ...]
    penalty: tuple[float, ...]
    rmse: float
    tried: pd.DataFrame


def choose(
    values: npt.ArrayLike,
    orders: Sequence[sparse.sparray],
    /,
    *,
    candidates: Sequence[Sequence[int]],
    penalties: Sequence[float],
    own_shares: Sequence[float] = (1.0,),
    steps: Sequence[int] = (1,),
    pooled: bool = False,
    known: npt.ArrayLike | None = None,
    stand_in: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
    split: int,
    until: int | None = None,
) -> Choice:
    """Fit every candidate on the steps before `split`, judge it on those from there on, and return the best.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings; NaN where one is missing.
    orders : sequence of sparse matrices, shape (N, N)
        What a sensor sees.
    candidates : sequence of sequences of int, each of length C
        Lags of each order; 0 leaves it out.
    penalties : sequence of float
        Ridge penalties tried, each above zero.
    own_shares : sequence of float, default (1.0,)
        Shares of the penalty that the first order (the sensor itself) bears.
    steps : sequence of int, default (1,)
        Steps ahead.
    pooled : bool, default False
        Whether all sensors share their coefficients.
    known, stand_in, offset : array_like, optional
        As for `citylib.spatial.space_time.fit`. Whatever they hold must be learned before `split`.
    split : int
        First step that candidates are judged on.
    until : int, optional
        Steps that may be used at all, the first ones; by default all.

    Returns
    -------
    Choice
        Among equals the first. All sensors share the choice; all candidates learn from the origins that the one with
        the most lags has.

    Raises
    ------
    InputError
        As `fit` raises; no candidates, penalties that are not positive, nothing to judge on.
    """
    matrix = readings(values)
    end = len(matrix) if until is None else checks.integer("until", until, minimum=2, maximum=len(matrix))
    split = checks.integer("split", split, minimum=2, maximum=end - 1)
    many = len(listed("orders", orders, "sparse matrices"))
    given = [
        listed("candidates", c, "sequences of whole numbers") for c in listed("candidates", candidates, "sequences")
    ]
    tried = [tuple(checks.integer("candidates", n, minimum=0) for n in c) for c in given]
    odd = [c for c in tried if len(c) != many or not any(c)]
    if not tried or odd:
        raise InputError("candidates", f"be at least one, each of {many} lags, some above 0", odd[:1])
    costs = [checks.number("penalties", p, above=0) for p in listed("penalties", penalties, "numbers")]
    shares = [checks.number("own_shares", s, above=0) for s in listed("own_shares", own_shares, "numbers")]
    if not costs or not shares:
        raise InputError("penalties, own_shares", "be at least one each", (len(costs), len(shares)))
    most = [max(column) for column in zip(*tried, strict=True)]
    design = Design.learn(matrix, orders, lags=most, steps=steps, known=known, end=split)
    read = design.read(matrix, known=known, stand_in=stand_in, offset=offset)
    ahead = max(*design.steps, 1) - 1
    learned = design.moments(read, range(design.first, split - ahead))
    judged = design.moments(read, range(max(design.first, split + 1 - min(*design.steps, 1)), end - ahead), learned)
    unit = float(np.ldexp(1.0, int(np.frexp(design.scale.max())[1])))  # whose squares neither overflow nor vanish
    weight = (design.scale / unit) ** 2 * judged.rows * (learned.status == "fitted")
    if not weight.any():
        raise InputError("split", f"leave readings to judge on between {split} and {end}", 0)
    rows = []
    for number, lags in enumerate(tried):
        kept = _columns(design, lags)
        past, here = learned.only(kept), judged.only(kept)
        for penalty in costs:
            for share in shares:
                b = solve(past, design.costs([penalty * share] + [penalty] * many)[kept], pooled=pooled)
                missed = (here.errors(b).mean(axis=1) * weight).sum() / (judged.rows * (weight > 0)).sum()
                rows.append({"candidate": number, "lags": " ".join(map(str, lags)), "penalty": penalty})
                rows[-1] |= {"own_share": share, "rmse": unit * float(np.sqrt(missed))}
    table = pd.DataFrame(rows)
    best = table.iloc[int(table["rmse"].argmin())]
    each = (float(best["penalty"] * best["own_share"]), *[float(best["penalty"])] * many)
    return Choice(tried[int(best["candidate"])], each, float(best["rmse"]), table)


def _columns(design: Design, lags: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return which of the design's columns a candidate has."""
    labels = design.labels()
    return np.array(
        [k for k, (c, lag) in enumerate(labels) if not isinstance(c, int) or lag <= lags[c]], dtype=np.int64
    )
