"""Series that remember what they are told to: what matters for the next reading is planted, and explanations tried.

Legend: T time steps, N sensors.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["remember"]

FloatArray = npt.NDArray[np.float64]


def remember(lags: Mapping[int, float], *, steps: int, sensors: int, generator: np.random.Generator) -> FloatArray:
    """Return independent series y_t = sum over lags k of weight_k y_(t-k) + e_t, shape (T, N), of mean square about 1.

    The best forecast of y_t, as long as no lag is shorter than its distance, is that sum without e_t: a line, so
    what each past reading adds to it is known exactly, and nothing else adds anything.

    Parameters
    ----------
    lags : mapping of int to float
        Weight of the reading so many steps before; the weights' absolute values add up to less than 1.
    steps, sensors : int
        T and N.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.

    Returns
    -------
    ndarray, shape (T, N)

    Raises
    ------
    InputError
        No lag, a lag below 1, weights that make the series grow without end.

    Examples
    --------
    >>> from citylib import seeds
    >>> y = remember({24: 0.5, 168: 0.4}, steps=2000, sensors=10, generator=seeds.generator(0))
    >>> rest = y[168:] - 0.5 * y[144:-24] - 0.4 * y[:-168]
    >>> y.shape, bool(abs(rest[1:] * rest[:-1]).mean() < abs(y[1:] * y[:-1]).mean())
    ((2000, 10), True)
    """
    if not lags:
        raise InputError("lags", "name at least one lag", dict(lags))
    weights = {checks.integer("lags", k, minimum=1): checks.number("lags", w) for k, w in lags.items()}
    total = sum(map(abs, weights.values()))
    if total >= 1:
        raise InputError("lags", "have weights whose absolute values add up to less than 1", f"{total:g}")
    steps, sensors = checks.integer("steps", steps, minimum=1), checks.integer("sensors", sensors, minimum=1)
    longest = max(weights)
    burn = (
        longest * (2 + int(np.ceil(np.log(0.01) / np.log(total)))) if total > 0 else longest
    )  # the start is forgotten
    y_TN = generator.standard_normal((burn + steps, sensors))
    for t in range(longest, len(y_TN)):
        for lag, weight in weights.items():
            y_TN[t] += weight * y_TN[t - lag]
    out: FloatArray = y_TN[burn:] / np.sqrt(np.mean(y_TN[burn:] ** 2))
    return out
