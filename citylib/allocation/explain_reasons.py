"""Why a place gets more or less than an equal share, in reasons a manager knows: its own facts and those of others.

Each fact, such as requests or the way to them, counts twice: as the place's own and as everybody else's. What is not
known of a fact is its mean over places. The exact Shapley values of these few players add up to the share less an
equal one.

Legend: N places, K sets of players.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation.explain_shapley import LARGEST, exact
from citylib.errors import InputError

__all__ = ["reasons"]

FloatArray = npt.NDArray[np.float64]
Share = Callable[[dict[str, FloatArray]], FloatArray]


def reasons(facts: Mapping[str, npt.ArrayLike], share: Share) -> dict[str, FloatArray]:
    """Return what each reason adds to the share of each place.

    Parameters
    ----------
    facts : mapping of str to array_like, shape (N,)
        What is known of places, by name; at most 7 facts.
    share : callable
        From facts, each of shape (K, N), to shares, shape (K, N); equal facts must get equal shares.

    Returns
    -------
    dict of str to ndarray, shape (N,)
        ``own <fact>`` and ``others' <fact>``; together the share less that of equal facts.

    Raises
    ------
    InputError
        No fact or too many, facts of several lengths, shares of another shape.

    References
    ----------
    Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions. NeurIPS.

    Examples
    --------
    >>> told = reasons({"calls": [1.0, 3.0]}, lambda f: f["calls"] / f["calls"].sum(axis=1, keepdims=True))
    >>> {name: value.round(3).tolist() for name, value in told.items()}
    {'own calls': [-0.158, 0.092], "others' calls": [-0.092, 0.158]}
    """
    held = {name: checks.series(name, value) for name, value in facts.items()}
    checks.integer("number of facts", len(held), minimum=1, maximum=LARGEST // 2)
    n = checks.same_length(**held)
    names = [*(f"own {name}" for name in held), *(f"others' {name}" for name in held)]
    out = np.empty((len(names), n))
    for i in range(n):
        mine = np.arange(n) == i

        def value(sets_KP: npt.NDArray[np.bool_], mine: npt.NDArray[np.bool_] = mine, i: int = i) -> FloatArray:
            shown = {}
            for k, (name, fact) in enumerate(held.items()):
                known = np.where(mine, sets_KP[:, k, None], sets_KP[:, len(held) + k, None])
                shown[name] = np.where(known, fact, fact.mean())
            given = np.asarray(share(shown), dtype=np.float64)
            if given.shape != (len(sets_KP), n):
                raise InputError("share", f"give {n} shares for each of {len(sets_KP)} sets", given.shape)
            return np.asarray(given[:, i])

        out[:, i] = exact(value, len(names))
    return dict(zip(names, out, strict=True))
