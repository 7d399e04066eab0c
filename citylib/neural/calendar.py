"""What the calendar says of a patch beforehand: hour of the day and day of the week, as points on circles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CHANNELS", "clock"]

CHANNELS = ("hour_sine", "hour_cosine", "week_sine", "week_cosine")


def clock(times: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return where each moment stands in its day and in its week, shape (T, 4), -1 to 1.

    Parameters
    ----------
    times : array_like of datetime64, shape (T,)
        Local times.

    Returns
    -------
    ndarray of float32, shape (T, 4)
        Sine and cosine of the angle in the day (0 at midnight) and in the week (0 on Monday, 0 o'clock).

    Examples
    --------
    >>> clock(np.array(["2026-01-05T06"], dtype="datetime64[h]"))[:, :2].round(3).tolist()
    [[1.0, 0.0]]
    """
    minute = np.asarray(times).astype("datetime64[m]").astype(np.int64)
    angles = []
    for length, first in ((1440, 0), (7 * 1440, 4 * 1440)):  # the first Monday after 1970-01-01, a Thursday
        angle = 2 * np.pi * ((minute - first) % length) / length
        angles += [np.sin(angle), np.cos(angle)]
    return np.stack(angles, axis=-1).astype(np.float32)
