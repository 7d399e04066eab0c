"""Lines that go in steps, with bands: what is drawn of one of thousands of steps, so that the page stays light."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_STEPS", "Banded", "inside"]

FloatArray = npt.NDArray[np.float64]
MAX_STEPS = 160  # corners drawn of one curve; more cannot be told apart and only make the page heavy


class Banded(Protocol):
    """What curves in steps have in common: times, and the ends of a band at each."""

    @property
    def time(self) -> FloatArray:
        """Times of the steps, shape (K,)."""
        ...

    @property
    def lower(self) -> FloatArray:
        """Lower end of the band from each time on, shape (K,); (K, C) of C curves."""
        ...

    @property
    def upper(self) -> FloatArray:
        """Upper end of the band from each time on, shape (K,); (K, C) of C curves."""
        ...


def inside(time: FloatArray, until: float) -> npt.NDArray[np.int64]:
    """Return which steps are drawn up to `until`: all, or as many as the eye can tell apart, the last among them.

    Examples
    --------
    >>> inside(np.array([1.0, 2.0, 5.0]), 4.0)
    array([0, 1])
    >>> len(inside(np.arange(1000.0), 999.0)), inside(np.arange(1000.0), 999.0)[-1]
    (160, np.int64(999))
    """
    found = np.flatnonzero(time <= until)
    if len(found) > MAX_STEPS:
        found = found[np.unique(np.linspace(0, len(found) - 1, MAX_STEPS).round().astype(int))]
    return found
