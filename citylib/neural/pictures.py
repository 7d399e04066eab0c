"""Time-space pictures of traffic, and the level of congestion that each is to foresee.

A picture shows a sensor and its neighbours over the last steps: rows are sensors in the order in which they lie along
the road, the sensor itself in the middle; columns are steps, the last one on the right. Its three channels are the
speeds as shares of free speed, what is usual at those steps, and what is usual H steps later.

Legend: T time steps, N sensors, C channels, R rows (an odd number), L columns, H steps ahead, P pictures, B a batch of
them, K levels (0 is free).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.errors import InputError
from citylib.neural import windows

__all__ = ["CHANNELS", "CUTS", "Cases", "Pictures", "along", "common_cuts", "draw", "free_speed", "levels"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CUTS = (0.9, 0.75, 0.5)
CHANNELS = ("now", "usual", "usual later")
UNKNOWN = -1  # level of a reading that is not there


@dataclass(frozen=True, eq=False)
class Cases:
    """Which pictures, and what they are to foresee.

    Parameters
    ----------
    at, sensor : torch.Tensor of int, shape (P,)
        Origin (the first row that is not seen), and the sensor in the middle row.
    level : torch.Tensor of int, shape (P,)
        What came, H - 1 rows after the origin.
    now : torch.Tensor of int, shape (P,)
        The level last read within the picture; of the usual value where nothing was.
    """

    at: torch.Tensor
    sensor: torch.Tensor
    level: torch.Tensor
    now: torch.Tensor

    def __len__(self) -> int:
        return len(self.at)

    def pick(self, rows: npt.ArrayLike) -> Cases:
        """Return the cases at the positions `rows` (several times the same, if asked for)."""
        chosen = torch.as_tensor(np.asarray(rows, dtype=np.int64))
        return Cases(self.at[chosen], self.sensor[chosen], self.level[chosen], self.now[chosen])

    def sample(self, count: int, generator: np.random.Generator) -> Cases:
        """Return `count` of them drawn without replacement, in their order; all where there are no more."""
        count = min(checks.integer("count", count, minimum=1), len(self))
        return self.pick(np.sort(generator.choice(len(self), count, replace=False)))

    def balanced(self, generator: np.random.Generator) -> Cases:
        """Return as many cases, drawn with replacement so that each level is as likely."""
        level = self.level.numpy()
        counts = np.bincount(level)
        chance = 1 / counts[level]
        return self.pick(generator.choice(len(self), len(self), p=chance / chance.sum()))


@dataclass(frozen=True, eq=False)
class Pictures:
    """All pictures of a city, drawn when asked for.

    Parameters
    ----------
    planes_TNC : torch.Tensor, shape (T, N, C)
        Channels, in standard units of the steps learned from: one mean and one deviation for all channels.
    rows_NR : torch.Tensor of int, shape (N, R)
        Sensors in each sensor's picture, from `along`.
    columns, ahead : int
        L and H.
    level_TN : ndarray of int, shape (T, N)
        Level of each reading; -1 where there is none.
    cuts : tuple of float
        Between the K levels.
    mean, deviation : float
        By which shares of free speed were put into standard units.
    """

    planes_TNC: torch.Tensor
    rows_NR: torch.Tensor
    columns: int
    ahead: int
    level_TN: IntArray
    cuts: tuple[float, ...]
    mean: float
    deviation: float

    @property
    def classes(self) -> int:
        """Number of levels K."""
        return len(self.cuts) + 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of a picture."""
        return self.planes_TNC.shape[2], self.rows_NR.shape[1], self.columns

    def cases(self, start: int, stop: int, *, reach: int | None = None, every: int = 1) -> Cases:
        """Return the pictures of a part whose whole way, from the origin to what came, lies in it.

        Parameters
        ----------
        start, stop : int
            First row of the part, and the first after it.
        reach : int, optional
            First row a picture may show; by default `start`. A test part may look back, a training part never ahead.
        every : int, default 1
            Rows from one origin to the next.

        Returns
        -------
        Cases
            Sorted by origin, then sensor. Left out are those of which it is not known what came.

        Raises
        ------
        InputError
            No window fits in, or of none is it known what came.
        """
        stop = checks.integer("stop", stop, maximum=len(self.level_TN))
        at_O = windows.origins(start, stop, history=self.columns, horizon=self.ahead, reach=reach, stride=every)
        at, sensor = (x.ravel() for x in np.meshgrid(at_O, np.arange(self.level_TN.shape[1]), indexing="ij"))
        level = self.level_TN[at + self.ahead - 1, sensor]
        at, sensor, level = at[level >= 0], sensor[level >= 0], level[level >= 0]
        if not len(level):
            raise InputError("start, stop", "hold a reading to foresee", (start, stop))
        read_TN = np.where(self.level_TN >= 0, np.arange(len(self.level_TN))[:, None], -1)
        last = np.maximum.accumulate(read_TN, axis=0)[at - 1, sensor]
        now = self.level_TN[np.maximum(last, 0), sensor]
        unseen = last < at - self.columns
        now[unseen] = self.usual_level(at[unseen], sensor[unseen])
        return Cases(*(torch.as_tensor(x) for x in (at, sensor, level, now)))

    def usual_level(self, at: npt.ArrayLike, sensor: npt.ArrayLike) -> IntArray:
        """Return the level of what is usual at the last step seen, shape (P,)."""
        usual = self.planes_TNC[np.asarray(at) - 1, np.asarray(sensor), 1].numpy()
        return levels(usual * self.deviation + self.mean, self.cuts)

    def gather(self, at_B: torch.Tensor, sensor_B: torch.Tensor) -> torch.Tensor:
        """Return pictures, shape (B, C, R, L).

        Raises
        ------
        InputError
            A picture that begins before the first row, ends after the last, or of a sensor that is not there.
        """
        steps, sensors = self.planes_TNC.shape[:2]
        if len(at_B) and (int(at_B.min()) < self.columns or int(at_B.max()) > steps):
            raise InputError("at_B", f"lie between {self.columns} and {steps}", (int(at_B.min()), int(at_B.max())))
        if len(at_B) and not 0 <= int(sensor_B.min()) <= int(sensor_B.max()) < sensors:
            raise InputError("sensor_B", f"lie between 0 and {sensors - 1}", (int(sensor_B.min()), int(sensor_B.max())))
        where = at_B.device
        row_BL = at_B[:, None] + torch.arange(-self.columns, 0, device=where)
        found_BRLC = self.planes_TNC.to(where)[row_BL[:, None, :], self.rows_NR.to(where)[sensor_B][:, :, None]]
        return found_BRLC.permute(0, 3, 1, 2)


def free_speed(values: npt.ArrayLike, *, learned: npt.ArrayLike, quantile: float = 0.85) -> FloatArray:
    """Return the speed of each sensor that its faster readings reach: free flow, as engineers take it.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Speeds; NaN where there is none.
    learned : array_like of bool, shape (T,)
        Steps that may be learned from; the others are not looked at.
    quantile : float, default 0.85
        Share of its readings below.

    Returns
    -------
    ndarray, shape (N,)

    Raises
    ------
    InputError
        A sensor without a reading in the steps learned from, or whose free speed is not above 0.

    Examples
    --------
    >>> free_speed([[10.0], [20.0], [900.0]], learned=[True, True, False], quantile=0.5).tolist()
    [15.0]
    """
    speeds, known = checks.matrix("values", values, missing=True), checks.binary("learned", learned)
    checks.same_length(values=speeds, learned=known)
    part = speeds[known]
    silent = np.isnan(part).all(axis=0)
    if silent.any():
        rule = "have a reading of each sensor in the steps learned from"
        raise InputError("values", rule, f"none of {int(silent.sum())} sensors, first at column {int(silent.argmax())}")
    found: FloatArray = np.nanquantile(part, checks.fraction("quantile", quantile), axis=0)
    if not (found > 0).all():
        at = int(np.argmin(found))
        raise InputError("values", "be speeds whose upper ones are above 0", f"{found[at]:g} at column {at}")
    return found


def levels(share: npt.ArrayLike, cuts: tuple[float, ...] = CUTS) -> IntArray:
    """Return the level of congestion of shares of free speed: 0 from the first cut up, one more below each cut.

    Parameters
    ----------
    share : array_like
        Speeds over free speed; NaN where there is none.
    cuts : tuple of float, default (0.9, 0.75, 0.5)
        Falling, between 0 and 1.

    Returns
    -------
    ndarray of int
        Of the shape of `share`; -1 where it is NaN.

    Raises
    ------
    InputError
        Cuts that do not fall, or are not shares.

    Examples
    --------
    >>> levels([1.1, 0.9, 0.89, 0.3, float("nan")]).tolist()
    [0, 0, 1, 3, -1]
    """
    edges = _falling(cuts)
    values = checks.array("share", share, missing=True)
    found = sum(((values < edge).astype(np.int64) for edge in edges), np.zeros(values.shape, dtype=np.int64))
    return np.where(np.isnan(values), UNKNOWN, found)


def common_cuts(share: npt.ArrayLike, cuts: tuple[float, ...] = CUTS, *, least: int = 100) -> tuple[float, ...]:
    """Return the cuts that are left when levels too rare to learn are put to their neighbour.

    While a level occurs fewer than `least` times, the rarest one loses the cut to the next milder level (the mildest:
    its own).

    Parameters
    ----------
    share : array_like
        Shares of free speed, of the steps learned from only.
    cuts : tuple of float, default (0.9, 0.75, 0.5)
        As in `levels`.
    least : int, default 100
        Cases that a level must have.

    Returns
    -------
    tuple of float

    Raises
    ------
    InputError
        Fewer than two levels are left: there is nothing to tell apart.

    Examples
    --------
    >>> common_cuts([1.0, 1.0, 0.8, 0.8, 0.4], least=2)
    (0.9,)
    """
    left, least = list(_falling(cuts)), checks.integer("least", least, minimum=1)
    while left:
        level = levels(share, tuple(left))
        counts = np.bincount(level[level >= 0], minlength=len(left) + 1)
        rarest = int(counts.argmin())
        if counts[rarest] >= least:
            return tuple(left)
        del left[max(rarest - 1, 0)]
    raise InputError("share", f"hold two levels with {least} cases or more", f"one with cuts at {tuple(cuts)}")


def along(weights: npt.ArrayLike, *, side: int) -> IntArray:
    """Return which sensors are in the rows of each sensor's picture, in the order in which they lie along the road.

    The sensor itself is in the middle. Above it are those that lie before it (from which the way to it is shorter than
    back, w[j, i] > w[i, j]), below it those after it; the nearer to the middle, the stronger the link. Where a graph
    has no directions, its links go to both sides in turn. Where a side has too few sensors, its outermost is repeated.

    Parameters
    ----------
    weights : array_like, shape (N, N)
        Strength of the link from the sensor down to the sensor across, 0 for none.
    side : int
        Sensors on each side; R = 2 side + 1.

    Returns
    -------
    ndarray of int, shape (N, R)

    Raises
    ------
    InputError
        No square matrix of weights of 0 or more.

    Examples
    --------
    >>> along([[0, 0.9, 0.5], [0, 0, 0.8], [0, 0, 0]], side=2)[1].tolist()
    [0, 0, 1, 2, 2]
    """
    w = checks.array("weights", weights, ndim=2, at_least=1, minimum=0.0)
    if w.shape[0] != w.shape[1]:
        raise InputError("weights", "have as many rows as columns", w.shape)
    side = checks.integer("side", side, minimum=0)
    strength = np.maximum(w, w.T)
    np.fill_diagonal(strength, 0.0)
    rows = np.empty((len(w), 2 * side + 1), dtype=np.int64)
    for i in range(len(w)):
        above, below = [i], [i]
        for j in np.argsort(-strength[i], kind="stable")[: int((strength[i] > 0).sum())].tolist():
            here = above if w[j, i] > w[i, j] or (w[j, i] == w[i, j] and len(above) <= len(below)) else below
            if len(here) <= side:
                here.append(j)
        first, last = (part + [part[-1]] * (side + 1 - len(part)) for part in (above, below))
        rows[i] = first[:0:-1] + last
    return rows


def draw(
    share: npt.ArrayLike,
    usual: npt.ArrayLike,
    rows: npt.ArrayLike,
    *,
    learned: npt.ArrayLike,
    columns: int,
    ahead: int,
    cuts: tuple[float, ...] = CUTS,
) -> Pictures:
    """Make the pictures of a city ready.

    Parameters
    ----------
    share : array_like, shape (T, N)
        Speeds as shares of free speed; NaN where there is none, and the usual value is shown.
    usual : array_like, shape (T, N)
        What is usual at each step, from steps learned from (and, for them, from other days); none missing.
    rows : array_like of int, shape (N, R)
        From `along`.
    learned : array_like of bool, shape (T,)
        Steps whose mean and deviation put the shares into standard units.
    columns, ahead : int
        Steps shown L, and steps ahead H.
    cuts : tuple of float, default (0.9, 0.75, 0.5)
        Of the levels.

    Returns
    -------
    Pictures

    Raises
    ------
    InputError
        Shapes that disagree, rows that name no sensor, shares that do not vary in the steps learned from.
    """
    speed, expected = checks.matrix("share", share, missing=True), checks.matrix("usual", usual)
    if speed.shape != expected.shape:
        raise InputError("usual", f"have the shape of share {speed.shape}", expected.shape)
    known = checks.binary("learned", learned)
    checks.same_length(share=speed, learned=known)
    who = np.asarray(rows, dtype=np.int64)
    if who.ndim != 2 or len(who) != speed.shape[1] or who.shape[1] % 2 == 0:
        raise InputError("rows", f"have shape ({speed.shape[1]}, an odd number)", who.shape)
    if who.min() < 0 or who.max() >= speed.shape[1]:
        raise InputError("rows", f"name sensors 0 to {speed.shape[1] - 1}", (int(who.min()), int(who.max())))
    columns, ahead = checks.integer("columns", columns, minimum=1), checks.integer("ahead", ahead, minimum=1)
    now = np.where(np.isnan(speed), expected, speed)
    later = expected[np.minimum(np.arange(len(expected)) + ahead, len(expected) - 1)]
    mean, deviation = float(now[known].mean()), float(now[known].std())
    if not deviation > 0:
        raise InputError("share", "vary in the steps learned from", deviation)
    planes = torch.as_tensor((np.stack([now, expected, later], axis=2) - mean) / deviation, dtype=torch.float32)
    level = levels(speed, cuts)
    return Pictures(planes, torch.as_tensor(who), columns, ahead, level, _falling(cuts), mean, deviation)


def _falling(cuts: tuple[float, ...]) -> tuple[float, ...]:
    edges = tuple(checks.fraction("cuts", cut) for cut in cuts)
    if not edges or any(a <= b for a, b in itertools.pairwise(edges)):
        raise InputError("cuts", "be shares that fall, at least one", tuple(cuts))
    return edges
