"""Windows of many series of many sources, with their own units, steps and spans, by a pair of numbers each.

Legend: F steps of all series end to end, B examples, L steps of history, H of horizon, T = L + H, P patches,
C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.errors import InputError, UnknownNameError
from citylib.neural import scaling
from citylib.neural.calendar import CHANNELS as CLOCK
from citylib.neural.calendar import clock
from citylib.neural.sequences import Sequences
from citylib.panel import Panel

__all__ = ["CHANNELS", "LeftOut", "Series", "SeriesBank"]

CHANNELS = (*CLOCK, "log2_step_hours")
HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, eq=False)
class Series:
    """One sensor of one source.

    Parameters
    ----------
    source, sensor, unit : str
        What it is.
    times : ndarray of datetime64, shape (T,)
        Its own axis.
    begin : int
        Where it stands among all.
    mean, deviation : float
        Of its training readings, in its unit.
    """

    source: str
    sensor: str
    unit: str
    times: npt.NDArray[np.datetime64]
    begin: int
    mean: float
    deviation: float


@dataclass(frozen=True)
class LeftOut:
    """A series that cannot be learned from, and why."""

    source: str
    sensor: str
    why: str


class SeriesBank:
    """Series of several panels, of which windows are cut by where their target begins and the number of the series.

    A window has L + H *steps* whatever a step is: a week of hours, or two days of quarters of an hour; the channels
    say which hour it is and how long a step. Each series is brought to mean 0 and deviation 1 by its readings before
    `learn_before` only, so that units do not matter. Series that have too few are left out, and said so.

    Parameters
    ----------
    panels : mapping of str to Panel
        By source; each on a regular axis. A reading that is missing or masked is NaN and never seen.
    history, horizon, patch : int
        L, H and steps a patch; both lengths multiples of `patch`.
    learn_before : datetime64 or str
        Nothing from then on is looked at for scales.
    least : int, optional
        Readings before `learn_before` that a series must have; by default a window, L + H.

    Attributes
    ----------
    series : tuple of Series
        In order: the second number of an example.
    left_out : tuple of LeftOut

    Raises
    ------
    InputError
        No panels, an axis that is not regular, no series left, lengths that do not fit.

    Examples
    --------
    >>> hours = np.arange("2026-01-01", "2026-01-03", dtype="datetime64[h]")
    >>> flow = Panel(np.arange(48.0)[:, None], hours, ["a"], unit="veh/h")
    >>> bank = SeriesBank({"city": flow}, history=8, horizon=4, patch=4, learn_before="2026-01-02")
    >>> origin, series = bank.windows(until="2026-01-02", stride=4)
    >>> origin.tolist(), bank.in_unit(bank.take(origin[:1], series[:1])[0], series[:1])[0, :3].numpy().round(2).tolist()
    ([8, 12, 16, 20], [0.0, 1.0, 2.0])
    """

    def __init__(
        self,
        panels: Mapping[str, Panel],
        *,
        history: int,
        horizon: int,
        patch: int,
        learn_before: np.datetime64 | str,
        least: int | None = None,
    ) -> None:
        self.history = checks.integer("history", history, minimum=1)
        self.horizon = checks.integer("horizon", horizon, minimum=1)
        self.patch = checks.integer("patch", patch, minimum=1)
        for name, steps in (("history", history), ("horizon", horizon)):
            if steps % patch:
                raise InputError(name, f"be a multiple of the patch of {patch} steps", steps)
        least = history + horizon if least is None else checks.integer("least", least, minimum=2)
        series: list[Series] = []
        left_out: list[LeftOut] = []
        values, channels = [], []
        for source, panel in panels.items():
            begin = sum(len(one.times) for one in series)
            kept, out, scaled_TN = _scaled(source, panel, np.datetime64(learn_before), least, begin)
            series, left_out = series + kept, left_out + out
            values += list(scaled_TN.T)
            hours_T = np.full(len(panel.times), np.log2(panel.step / HOUR))
            channels += [np.column_stack([clock(panel.times), hours_T])] * len(kept)
        if not series:
            rule = f"hold a series with {least} readings before {learn_before}"
            raise InputError("panels", rule, f"{len(left_out)} series, none has")
        self.series, self.left_out = tuple(series), tuple(left_out)
        self._flat: Sequences = Sequences(
            np.concatenate(values)[:, None],
            history=history,
            horizon=horizon,
            patch=patch,
            channels=np.concatenate(channels),
        )
        self._begin = torch.tensor([one.begin for one in self.series])
        self._stop = self._begin + torch.tensor([len(one.times) for one in self.series])

    @property
    def patches(self) -> int:
        """Patches of a window P."""
        return self._flat.patches

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources of which a series was kept."""
        return tuple(dict.fromkeys(one.source for one in self.series))

    def of(self, source: str) -> npt.NDArray[np.int64]:
        """Return the numbers of the series of a source."""
        if source not in self.sources:
            raise UnknownNameError("source", source, self.sources)
        return np.array([k for k, one in enumerate(self.series) if one.source == source], dtype=np.int64)

    def windows(
        self,
        *,
        since: np.datetime64 | str | None = None,
        until: np.datetime64 | str | None = None,
        series: Sequence[int] | npt.NDArray[np.int64] | None = None,
        stride: int = 1,
        least: int = 1,
        whole: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (origin, series) of the windows whose targets lie from `since` up to, not including, `until`.

        Parameters
        ----------
        since, until : datetime64 or str, optional
            Bounds of the targets; by default the ends of each series. A step belongs where it begins.
        series : sequence of int, optional
            Which; by default all.
        stride : int, default 1
            Steps from one origin to the next.
        least : int, default 1
            Readings that the history must hold; the horizon holds at least one.
        whole : bool, default False
            Whether histories must begin at `since` or later too.

        Raises
        ------
        InputError
            Not one window.
        """
        stride, least = checks.integer("stride", stride, minimum=1), checks.integer("least", least, minimum=1)
        observed_F = ~torch.isnan(self._flat.values_TN[:, 0].cpu())
        total_F = torch.nn.functional.pad(observed_F.long().cumsum(0), (1, 0))
        origins, numbers = [], []
        for k in range(len(self.series)) if series is None else series:
            one = self.series[k]
            first = 0 if since is None else int(np.searchsorted(one.times, np.datetime64(since)))
            stop = len(one.times) if until is None else int(np.searchsorted(one.times, np.datetime64(until)))
            first = first + self.history if whole else max(first, self.history)
            at = one.begin + torch.arange(first, max(first, stop - self.horizon + 1), stride)
            before, after = (
                total_F[at] - total_F[at - self.history],
                total_F[at + self.horizon] - total_F[at],
            )
            at = at[(before >= least) & (after > 0)]
            origins.append(at)
            numbers.append(torch.full_like(at, int(k)))
        if not sum(map(len, origins)):
            rule = f"hold a window of {self.history} + {self.horizon} steps with {least} readings in its history"
            raise InputError("since, until", rule, (str(since), str(until)))
        return torch.cat(origins), torch.cat(numbers)

    def take(
        self, origin_B: torch.Tensor, series_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Return windows: scaled values (B, T) with NaN, what is observed of them, and channels (B, P, C).

        Parameters
        ----------
        origin_B, series_B : torch.Tensor of int, shape (B,)
            As `windows` gives them.

        Raises
        ------
        InputError
            A window that reaches beyond its series.
        """
        begin_B, stop_B = (bound.to(series_B.device)[series_B] for bound in (self._begin, self._stop))
        outside = (origin_B - self.history < begin_B) | (origin_B + self.horizon > stop_B)
        if bool(outside.any()):
            k = int(series_B[outside][0])
            name = f"{self.series[k].source}, {self.series[k].sensor}"
            raise InputError("origin", "have its window within its series", f"{int(origin_B[outside][0])} of {name}")
        return self._flat.take(origin_B, torch.zeros_like(series_B))

    def history_only(self, seen_BT: torch.Tensor) -> torch.Tensor:
        """Return `seen_BT` with the horizon hidden: all that a forecast may look at."""
        return self._flat.history_only(seen_BT)

    def times(self, origin_B: torch.Tensor, series_B: torch.Tensor) -> npt.NDArray[np.datetime64]:
        """Return when the targets begin, shape (B,)."""
        when = np.empty(len(origin_B), dtype="datetime64[ns]")
        which, at = series_B.cpu().numpy(), origin_B.cpu().numpy()
        for k in np.unique(which):
            rows = which == k
            when[rows] = self.series[k].times[at[rows] - self.series[k].begin]
        return when

    def within(self, origin_B: torch.Tensor, series_B: torch.Tensor, *, until: np.datetime64 | str) -> None:
        """Refuse windows that reach to `until` or beyond: what is learned from may not cross the split.

        Raises
        ------
        InputError
            The first one that does, with its last step.
        """
        limit = np.datetime64(until)
        last = self.times(origin_B + self.horizon - 1, series_B)
        late = np.flatnonzero(last >= limit)
        if len(late):
            one = self.series[int(series_B[late[0]])]
            raise InputError("origin", f"have its window end before {limit}", f"{last[late[0]]} in {one.source}")

    def in_unit(self, scaled_BH: torch.Tensor, series_B: torch.Tensor) -> torch.Tensor:
        """Return values in the unit of their series, float64."""
        both = torch.tensor([(one.mean, one.deviation) for one in self.series], dtype=torch.float64)
        mean, deviation = both.to(series_B.device)[series_B].unbind(dim=1)
        return mean[:, None] + deviation[:, None] * scaled_BH.double()


def _scaled(
    source: str, panel: Panel, learn_before: np.datetime64, least: int, begin: int
) -> tuple[list[Series], list[LeftOut], npt.NDArray[np.float64]]:
    """Return the series of a panel that can be learned from, those that cannot, and the values of the first, scaled."""
    rows = int(np.searchsorted(panel.times, learn_before))
    kept, out = [], []
    for k, sensor in enumerate(panel.sensors):
        here = panel.values[:rows, k]
        here = here[~np.isnan(here)]
        if len(here) < least:
            out.append(LeftOut(source, sensor, f"{len(here)} readings to learn from, {least} needed"))
        elif np.ptp(here) == 0:
            out.append(LeftOut(source, sensor, "never moves before the cut"))
        else:
            kept.append(k)
    if not kept:
        return [], out, np.empty((len(panel.times), 0))
    scale = scaling.fit(panel.values[:, kept], rows=(0, rows))
    series = [
        Series(source, panel.sensors[k], panel.unit, panel.times, begin + i * len(panel.times), mean, deviation)
        for i, (k, mean, deviation) in enumerate(zip(kept, scale.mean.tolist(), scale.deviation.tolist(), strict=True))
    ]
    return series, out, scale.apply(panel.values[:, kept])
