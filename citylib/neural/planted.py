"""Faults planted into daily profiles, so that what finds faults can be tried where the truth is known.

Legend: P profiles, S steps in a day. Readings stay between 0 and 1 with a largest one of 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["KINDS", "SOUND", "plant"]

FloatArray = npt.NDArray[np.float64]
SOUND = "sound"
KINDS = ("clock", "stuck", "straight")


def plant(
    values: npt.ArrayLike, *, share: float, generator: np.random.Generator, hours: tuple[float, float] = (6.0, 12.0)
) -> tuple[FloatArray, npt.NDArray[np.str_]]:
    """Return profiles of which a share carries a fault, and the kind of each.

    - ``clock``: the clock is wrong by 2 to 4 hours, fast or slow; what leaves at one end enters at the other;
    - ``stuck``: from some step on the detector repeats one reading for some hours;
    - ``straight``: a gap of some hours was filled by a straight line, as publishers do.

    Stuck and straight stretches begin between 5 and 17 o'clock, where they hide something. A profile is
    divided by its largest reading again.

    Parameters
    ----------
    values : array_like, shape (P, S)
        Sound profiles, 0 to 1.
    share : float
        Probability that a profile gets a fault; each kind is as likely.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    hours : (float, float), default (6, 12)
        Shortest and longest stretch that is stuck or straight.

    Returns
    -------
    (values, kind) : ndarray, shapes (P, S) and (P,)
        `kind` is ``"sound"`` where nothing was done.

    Raises
    ------
    InputError
        Values outside 0 to 1, or hours the wrong way round.

    Examples
    --------
    >>> from citylib import seeds
    >>> day = np.sin(np.linspace(0, np.pi, 24))
    >>> found, kind = plant(np.tile(day, (100, 1)), share=0.5, generator=seeds.generator(0))
    >>> found.shape, sorted(set(kind.tolist()))
    ((100, 24), ['clock', 'sound', 'straight', 'stuck'])
    """
    out = checks.matrix("values", values).copy()
    if out.size and not (out.min() >= 0 and out.max() <= 1):
        raise InputError("values", "lie between 0 and 1", f"{out.min():g} to {out.max():g}")
    share = checks.fraction("share", share, closed=True)
    shortest, longest = hours
    if not 0 < shortest <= longest <= 12:
        raise InputError("hours", "be (shortest, longest), above 0 and at most 12", hours)
    count, steps = out.shape
    hour = steps / 24
    faulty = generator.random(count) < share
    kind = np.where(faulty, np.array(KINDS)[generator.integers(0, len(KINDS), count)], SOUND)
    shift = np.rint(generator.uniform(2, 4, count) * hour).astype(int) * generator.choice([-1, 1], count)
    begin = np.rint(generator.uniform(5, 17, count) * hour).astype(int)
    length = np.maximum(2, np.rint(generator.uniform(shortest, longest, count) * hour)).astype(int)
    for row in np.flatnonzero(faulty):
        stretch = slice(begin[row], min(begin[row] + length[row], steps))
        if kind[row] == "clock":
            out[row] = np.roll(out[row], shift[row])
        elif kind[row] == "stuck":
            out[row, stretch] = out[row, stretch.start]
        else:
            out[row, stretch] = np.linspace(
                out[row, stretch.start], out[row, stretch.stop - 1], stretch.stop - begin[row]
            )
    height = out.max(axis=1, keepdims=True)
    return np.divide(out, height, out=out, where=height > 0), kind
