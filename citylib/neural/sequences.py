"""Windows of many series, gathered when they are needed, with what of them is observed and what the calendar says.

Legend: T steps of all data, N sensors, B examples, L steps of history, H of horizon, P patches, S steps a patch,
C side channels.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["Sequences", "Windows"]


class Windows(Protocol):
    """Where windows are cut from: `Sequences` of one time axis, or `citylib.neural.series_bank.SeriesBank` of many."""

    history: int
    horizon: int
    patch: int

    @property
    def patches(self) -> int:
        """Patches of a window P."""

    def take(
        self, origin_B: torch.Tensor, sensor_B: torch.Tensor, /
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Return windows: values (B, L + H) with NaN, what is observed of them, and channels (B, P, C)."""

    def history_only(self, seen_BT: torch.Tensor, /) -> torch.Tensor:
        """Return `seen_BT` with the horizon hidden."""


class Sequences:
    """Readings of all sensors, of which windows are cut by the row of their first target and their sensor.

    Examples of `citylib.neural.train.train` are such pairs: a window of a week, an hour apart from the next, would be
    held 168 times otherwise.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings, NaN where missing, filled or masked.
    history, horizon : int
        L and H; L + H a multiple of `patch`.
    patch : int
        S.
    channels : array_like, shape (T, C), optional
        Known beforehand of each step, such as `citylib.neural.calendar.clock`; a patch has those of its first step.
    side : array_like, shape (T, N, K), optional
        Known of each sensor at the end of each step, such as the weather there; a patch of the history has those of
        its last step, a patch of the horizon none, and one more channel says which.

    Raises
    ------
    InputError
        Infinite values, channels with gaps, lengths that do not fit.

    Examples
    --------
    >>> found = Sequences(np.arange(12.0)[:, None], history=4, horizon=2, patch=2)
    >>> x, seen, _ = found.take(torch.tensor([5]), torch.tensor([0]))
    >>> x.tolist(), found.history_only(seen).tolist()
    ([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], [[True, True, True, True, False, False]])
    """

    def __init__(
        self,
        values: npt.ArrayLike,
        *,
        history: int,
        horizon: int,
        patch: int,
        channels: npt.ArrayLike | None = None,
        side: npt.ArrayLike | None = None,
    ) -> None:
        values_TN = checks.matrix("values", values, missing=True)
        self.values_TN = torch.as_tensor(values_TN.astype(np.float32))
        self.history = checks.integer("history", history, minimum=1)
        self.horizon = checks.integer("horizon", horizon, minimum=1)
        self.patch = checks.integer("patch", patch, minimum=1)
        if (history + horizon) % patch:
            raise InputError("history + horizon", f"be a multiple of the patch of {patch} steps", history + horizon)
        self.channels_TC: torch.Tensor | None = None
        if channels is not None:
            channels_TC = checks.matrix("channels", channels)
            checks.same_length(values=values_TN, channels=channels_TC)
            self.channels_TC = torch.as_tensor(channels_TC.astype(np.float32))
        self.side_TNK: torch.Tensor | None = None
        if side is not None:
            side_TNK = checks.array("side", side, ndim=3)
            if side_TNK.shape[:2] != values_TN.shape or history % patch:
                rule = f"have shape {values_TN.shape} and a third axis, with a history of a multiple of {patch} steps"
                raise InputError("side", rule, (side_TNK.shape, history))
            self.side_TNK = torch.as_tensor(side_TNK.astype(np.float32))
        self._steps = torch.arange(-history, horizon)

    @property
    def channels(self) -> int:
        """Channels of a patch, C."""
        fixed = 0 if self.channels_TC is None else self.channels_TC.shape[1]
        return fixed + (0 if self.side_TNK is None else self.side_TNK.shape[2] + 1)

    @property
    def patches(self) -> int:
        """Patches of a window P."""
        return (self.history + self.horizon) // self.patch

    def take(
        self, origin_B: torch.Tensor, sensor_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Return windows: values (B, L + H) with NaN, what is observed of them, and channels (B, P, C).

        Parameters
        ----------
        origin_B : torch.Tensor of int, shape (B,)
            Row of the first target of each.
        sensor_B : torch.Tensor of int, shape (B,)
            Column of each.

        Raises
        ------
        InputError
            A window that reaches beyond the data, or a column that isn't there.
        """
        if len(origin_B) and not self.history <= int(origin_B.min()) <= int(origin_B.max()) <= self._last:
            rule = f"lie between {self.history} and {self._last}, so that its window lies within the data"
            raise InputError("origin", rule, (int(origin_B.min()), int(origin_B.max())))
        self._columns("sensor", sensor_B)
        self._follow(origin_B.device)
        row_BT = origin_B[:, None] + self._steps
        x_BT = self.values_TN[row_BT, sensor_B[:, None]]
        parts = [] if self.channels_TC is None else [self.channels_TC[row_BT[:, :: self.patch]]]
        if self.side_TNK is not None:
            end_BP = row_BT[:, self.patch - 1 : self.history : self.patch]
            known_BPK = nn.functional.pad(self.side_TNK[end_BP, sensor_B[:, None]], (0, 1), value=1.0)
            parts.append(nn.functional.pad(known_BPK, (0, 0, 0, self.patches - end_BP.shape[1])))
        return x_BT, ~torch.isnan(x_BT), torch.cat(parts, dim=-1) if parts else None

    def history_only(self, seen_BT: torch.Tensor) -> torch.Tensor:
        """Return `seen_BT` with the horizon hidden: all that a forecast may look at."""
        return seen_BT & (self._steps < 0).to(seen_BT.device)

    def examples(
        self, start: int, stop: int, *, sensors: npt.ArrayLike, stride: int = 1, least: int = 1
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (origin, sensor) of the windows whose targets lie in rows start to stop - 1.

        Parameters
        ----------
        start, stop : int
            Rows; histories may begin before `start` (they are inputs), targets may not.
        sensors : array_like of int
            Columns.
        stride : int, default 1
            Rows from one origin to the next.
        least : int, default 1
            Values that must be observed in the history, and at least one in the horizon.

        Raises
        ------
        InputError
            No window fits, none is observed, or a column isn't there.
        """
        first, last = max(start, self.history), min(stop, len(self.values_TN)) - self.horizon
        if last < first:
            rule = f"hold a history of {self.history} and a horizon of {self.horizon} steps"
            raise InputError("start, stop", rule, (start, stop))
        origin_O = torch.arange(first, last + 1, checks.integer("stride", stride, minimum=1))
        total_TN = nn.functional.pad((~torch.isnan(self.values_TN.cpu())).long().cumsum(0), (0, 0, 1, 0))
        before_ON = total_TN[origin_O] - total_TN[origin_O - self.history]
        after_ON = total_TN[origin_O + self.horizon] - total_TN[origin_O]
        columns = torch.as_tensor(np.atleast_1d(np.asarray(sensors)))
        if columns.is_floating_point() or columns.dtype == torch.bool:
            raise InputError("sensors", "be whole numbers", sensors)
        self._columns("sensors", columns)
        columns = columns.long()
        good_NO = ((before_ON >= least) & (after_ON > 0))[:, columns].T
        which, when = good_NO.nonzero(as_tuple=True)
        if not len(which):
            raise InputError("values", f"hold a window of which {least} values are observed", (start, stop))
        return origin_O[when], columns[which]

    def _columns(self, argument: str, which: torch.Tensor) -> None:
        """Refuse columns that are not there; negative ones would be counted from the end."""
        last = self.values_TN.shape[1] - 1
        if len(which) and not 0 <= int(which.min()) <= int(which.max()) <= last:
            raise InputError(argument, f"name columns 0 to {last}", (int(which.min()), int(which.max())))

    def _follow(self, device: torch.device) -> None:
        """Move the readings, once, to where windows are asked for."""
        if self.values_TN.device != device:
            self.values_TN, self._steps = self.values_TN.to(device), self._steps.to(device)
            self.channels_TC = None if self.channels_TC is None else self.channels_TC.to(device)
            self.side_TNK = None if self.side_TNK is None else self.side_TNK.to(device)

    @property
    def _last(self) -> int:
        return len(self.values_TN) - self.horizon
