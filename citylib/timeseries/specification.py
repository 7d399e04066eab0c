"""Which ARIMA is meant: its orders, the lags its polynomials have, and parameters free of bounds to climb with.

Legend: k = p + q + P + Q parameters in this order: AR, MA, seasonal AR, seasonal MA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.timeseries import likelihood

__all__ = ["Specification"]

FloatArray = npt.NDArray[np.float64]
# Partial autocorrelations of AR and MA to start from. Searched for with ARIMA(2,1,2): of many, the eight from which
# most of the highest tops are reached, for a week of speeds in Los Angeles, volumes in Boroondara, PM2.5 in Beijing,
# loads of PJM, and synthetic series. How often they miss one: python -m benchmarks.arima_starts.
STARTS = (
    ((0.97, 0.02), (0.97, 0.02)),
    ((0.97, -0.12), (-0.08, 0.01)),
    ((0.95, 0.6), (0.95, 0.0)),
    ((0.95, -0.6), (0.95, 0.6)),
    ((0.95, 0.0), (0.5, 0.6)),
    ((-0.63, -0.72), (0.05, 0.47)),
    ((-0.52, 0.16), (0.57, -0.55)),
    ((0.9, -0.02), (-0.76, -0.16)),
)
SEASONAL_STARTS = (
    ((0.0, 0.0), (0.0, 0.0)),
    ((0.0, 0.0), (0.8, 0.0)),
    ((0.5, 0.0), (0.0, 0.0)),
    ((0.5, 0.0), (0.8, 0.0)),
)


@dataclass(frozen=True)
class Specification:
    """A seasonal ARIMA model.

    Parameters
    ----------
    order : (int, int, int)
        p, d, q.
    seasonal : (int, int, int, int)
        P, D, Q and the steps in a season.

    Raises
    ------
    InputError
        Negative orders, a season of less than 2 steps where one is used, or one that an AR or MA order reaches.

    Examples
    --------
    >>> daily = Specification((1, 0, 1), (0, 1, 1, 24))
    >>> daily.names, daily.levels
    (('ar1', 'ma1', 'seasonal_ma1'), 24)
    """

    order: tuple[int, int, int]
    seasonal: tuple[int, int, int, int] = (0, 0, 0, 1)

    def __post_init__(self) -> None:
        _whole("order", self.order, 3, "p, d, q")
        _whole("seasonal", self.seasonal, 4, "P, D, Q and the steps in a season")
        (p, _, q), (*seasonal, season) = self.order, self.seasonal
        if any(seasonal) and season < 2:
            raise InputError("seasonal", "have a season of at least 2 steps", season)
        if any(seasonal) and max(p, q) >= season:
            raise InputError("order", f"have p and q under the season of {season} steps", self.order)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """p, q, P, Q."""
        return self.order[0], self.order[2], self.seasonal[0], self.seasonal[2]

    @property
    def parameters(self) -> int:
        """How many, k."""
        return sum(self.sizes)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        kinds = ("ar", "ma", "seasonal_ar", "seasonal_ma")
        return tuple(f"{kind}{i + 1}" for kind, size in zip(kinds, self.sizes, strict=True) for i in range(size))

    @property
    def season(self) -> int:
        """Steps in a season; 1 without one."""
        return self.seasonal[3] if any(self.seasonal[:3]) else 1

    @property
    def levels(self) -> int:
        """First steps that differencing uses up, d + D s."""
        return self.order[1] + self.seasonal[1] * self.season

    @property
    def states(self) -> int:
        """Of the ARMA part, r."""
        p, q, many, often = self.sizes
        return max(p + many * self.season, q + often * self.season + 1)

    @cached_property
    def level_coefficients(self) -> FloatArray:
        """Coefficients with which past levels enter by differencing, shape (levels,)."""
        polynomial = np.ones(1)
        for _ in range(self.order[1]):
            polynomial = np.convolve(polynomial, [1.0, -1.0])
        for _ in range(self.seasonal[1]):
            polynomial = np.convolve(polynomial, np.r_[1.0, np.zeros(self.season - 1), -1.0])
        return -polynomial[1:]

    @cached_property
    def lags(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Lags at which the multiplied AR and MA polynomials can have coefficients."""
        p, q, many, often = self.sizes
        return _lags(p, many, self.season), _lags(q, often, self.season)

    def natural(self, free: npt.ArrayLike) -> FloatArray:
        """Return parameters, shape (..., k), from numbers without bounds: stationary and invertible, all of them."""
        partial = np.tanh(np.asarray(free, dtype=np.float64))
        parts = np.split(partial, np.cumsum(self.sizes)[:-1], axis=-1)
        signs = (1.0, -1.0, 1.0, -1.0)
        return np.concatenate(
            [s * likelihood.from_partial(part) for s, part in zip(signs, parts, strict=True)], axis=-1
        )

    def free(self, natural: npt.ArrayLike) -> FloatArray:
        """Return the numbers without bounds of parameters: the inverse of `natural`."""
        parts = np.split(np.asarray(natural, dtype=np.float64), np.cumsum(self.sizes)[:-1], axis=-1)
        signs = (1.0, -1.0, 1.0, -1.0)
        partial = np.concatenate(
            [likelihood.to_partial(s * part) for s, part in zip(signs, parts, strict=True)], axis=-1
        )
        return np.asarray(np.arctanh(np.clip(partial, -1 + 1e-12, 1 - 1e-12)))

    def multiplied(self, natural: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the multiplied AR and MA polynomials, shapes (..., p + P s) and (..., q + Q s), without the 1."""
        ar, ma, many, often = np.split(np.asarray(natural, dtype=np.float64), np.cumsum(self.sizes)[:-1], axis=-1)
        return (
            likelihood.multiplied(ar, many, self.season, sign=-1),
            likelihood.multiplied(ma, often, self.season, sign=1),
        )

    def starts(self) -> FloatArray:
        """Return points to start from, free of bounds, shape (S, k): each plain one once, then in other seasons."""
        p, q, many, often = self.sizes
        plain, seasonal = _cut(STARTS, p, q), _cut(SEASONAL_STARTS, many, often)
        pairs = [(i, (i + j) % len(seasonal)) for j in range(len(seasonal)) for i in range(len(plain))]
        return np.asarray(np.arctanh([np.concatenate([plain[i], seasonal[j]]) for i, j in pairs]))

    def differenced(self, y: npt.ArrayLike) -> FloatArray:
        """Return the series differenced along the first axis, `levels` steps shorter."""
        return likelihood.differenced(y, self.order[1], self.seasonal[1], self.season)


def _whole(argument: str, value: Sequence[int], count: int, what: str) -> None:
    if not isinstance(value, Sequence) or len(value) != count:
        raise InputError(argument, f"be {count} whole numbers: {what}", value)
    for one in value:
        checks.integer(argument, one, minimum=0)


def _lags(short: int, seasonal: int, season: int) -> npt.NDArray[np.int64]:
    return np.array([k * season + i for k in range(seasonal + 1) for i in range(short + 1) if k or i], dtype=np.int64)


def _cut(starts: Sequence[tuple[tuple[float, ...], tuple[float, ...]]], p: int, q: int) -> list[FloatArray]:
    """Return the pairs cut or filled with zeros to orders p and q, each once."""
    cut = dict.fromkeys((*(*ar, *[0.0] * p)[:p], *(*ma, *[0.0] * q)[:q]) for ar, ma in starts)
    return [np.array(one) for one in cut]
