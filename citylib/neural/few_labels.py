"""A new place with few labels: what others' readings can do for it, by one date cut and equal history for all.

Legend: T steps, N sensors, K side series, B examples (windows), L steps of history, H of horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks, seeds
from citylib.errors import InputError
from citylib.neural import masks, pretrain
from citylib.neural.calendar import clock
from citylib.neural.finetune import forecast
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.sequences import Sequences
from citylib.neural.train import History, train

__all__ = ["DRAWS", "Places", "Recipe", "draw_labels", "learn"]

DRAWS = ("days", "recent", "random")
Windows = tuple[torch.Tensor, torch.Tensor]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to learn; chosen elsewhere than on the target.

    Parameters
    ----------
    steps : int
        Steps; 0 leaves the model as it is.
    rate : float
        Highest step size; it rises over the first tenth of the steps and falls to 0 by half a cosine.
    batch : int, default 64
        Windows a step.
    decay : float, default 0.01
        Weight decay.

    Raises
    ------
    InputError
        Negative steps or decay, a rate of 0, a batch of none.
    """

    steps: int
    rate: float
    batch: int = 64
    decay: float = 0.01

    def __post_init__(self) -> None:
        checks.integer("steps", self.steps, minimum=0)
        checks.number("rate", self.rate, above=0)
        checks.integer("batch", self.batch, minimum=1)
        checks.number("decay", self.decay, minimum=0)


@dataclass(frozen=True, eq=False)
class Places:
    """Readings of places with the dates up to which they may be learned from, and the size of the model.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        Readings, NaN where missing, filled or masked.
    times : ndarray of datetime64, shape (T,)
        Local start of each step, evenly spaced.
    cut : int
        First row after training, for all places alike: no target of a window that is learned from lies at or after it.
        Counted from the first row, from L + H to T.
    side : ndarray, shape (T, N, K), optional
        Further readings of the same places, such as weather; used of the history only.
    history, horizon, patch : int
        L, H and steps of a patch.
    width, heads, layers : int
        Size of the model, as in `citylib.neural.models.patch_transformer.PatchTransformer`.
    dropout : float, default 0.1
        Of the model, while it learns.
    least : int, default 24
        Readings that a history must hold for its window to count, for learning and for the test.

    Raises
    ------
    InputError
        Infinite readings, times that disagree or are not evenly spaced, a cut that leaves no window to learn from or
        lies beyond the last row, side series of another shape.
    """

    values: FloatArray
    times: npt.NDArray[np.datetime64]
    cut: int
    side: FloatArray | None = None
    history: int = 168
    horizon: int = 24
    patch: int = 24
    width: int = 32
    heads: int = 4
    layers: int = 2
    dropout: float = 0.1
    least: int = 24

    def __post_init__(self) -> None:
        values = checks.matrix("values", self.values, missing=True)
        history, horizon = (checks.integer(n, getattr(self, n), minimum=1) for n in ("history", "horizon"))
        checks.integer("least", self.least, minimum=1, maximum=history)
        step = np.diff(checks.increasing("times", self.times))
        checks.same_length(values=values, times=self.times)
        if len(step) and (step != step[0]).any():
            raise InputError("times", "be evenly spaced", f"a step of {step[step != step[0]][0]} after {step[0]}")
        cut = checks.integer("cut", self.cut)
        if not history + horizon <= cut <= len(values):
            rule = f"be a row from {history + horizon} (a window of {history} + {horizon} steps) to {len(values)}"
            raise InputError("cut", rule, cut, "it is counted from the first row")
        if self.side is not None:
            side = checks.array("side", self.side, ndim=3, missing=True)
            if side.shape[:2] != values.shape:
                raise InputError("side", f"have the steps and places of values, {values.shape}, first", side.shape)

    def scaler(self, sensors: tuple[int, ...]) -> tuple[float, FloatArray, FloatArray]:
        """Return the unit of the readings (their standard deviation), and mean and deviation of each side series.

        Learned from the training rows of `sensors` and nothing else.

        Raises
        ------
        InputError
            Sensors that are not there or named twice, or without readings before the cut, of their own or of a side
            series.
        """
        sensors = self._known(sensors)
        rows = self.values[: self.cut, list(sensors)]
        unit = float(np.nanstd(rows)) if np.isfinite(rows).any() else 0.0
        if not unit > 0:
            raise InputError("sensors", "have readings before the cut that differ", sensors)
        if self.side is None:
            return unit, np.empty(0), np.empty(0)
        known = self.side[: self.cut, list(sensors)].reshape(-1, self.side.shape[2])
        silent = np.isnan(known).all(axis=0)
        if silent.any():
            raise InputError("side", "have readings before the cut of each series", f"none of {silent.argmax()}")
        deviation = np.nanstd(known, axis=0)
        return unit, np.nanmean(known, axis=0), np.where(deviation > 0, deviation, 1.0)

    def sequences(self, sensors: tuple[int, ...]) -> tuple[Sequences, float]:
        """Return the windows of all places scaled by those of `sensors`, and the unit that gives readings back.

        A side series enters as its last reading and its mean over the patch; gaps carry the last reading forward, and
        before the first one stands the training mean.
        """
        unit, middle, deviation = self.scaler(sensors)
        side = None
        if self.side is not None:
            scaled = np.clip((_carried(self.side) - middle) / deviation, -5, 5)
            scaled = np.where(np.isnan(scaled), 0.0, scaled)
            side = np.concatenate([scaled, _rolling_mean(scaled, self.patch)], axis=2)
        size = {"history": self.history, "horizon": self.horizon, "patch": self.patch}
        return Sequences(self.values / unit, channels=clock(self.times), side=side, **size), unit

    def model(self, sequences: Sequences, *, seed: int) -> PatchTransformer:
        """Return a model whose weights are drawn from `seed`."""
        return PatchTransformer(
            self.patch,
            sequences.patches,
            channels=sequences.channels,
            width=self.width,
            heads=self.heads,
            layers=self.layers,
            dropout=self.dropout,
            generator=seeds.torch_generator(seed, "weights"),
        )

    def windows(self, sequences: Sequences, sensors: tuple[int, ...]) -> Windows:
        """Return (origin, sensor) of all windows that may be learned from: their targets end before the cut."""
        return sequences.examples(0, self.cut, sensors=self._known(sensors), least=self.least)

    def labels(self, sequences: Sequences, sensor: int, *, share: float, how: str, seed: int) -> Windows:
        """Return the few windows of a target that may be learned from; see `draw_labels`."""
        origin, which = self.windows(sequences, (sensor,))
        day = self.times[origin.numpy()].astype("datetime64[D]")
        keep = draw_labels(day, share=share, how=how, generator=seeds.generator(seed, "labels", how, sensor))
        return origin[torch.as_tensor(keep)], which[torch.as_tensor(keep)]

    def errors(
        self, model: PatchTransformer, sequences: Sequences, unit: float, windows: Windows
    ) -> npt.NDArray[np.float32]:
        """Return absolute errors of forecasts in the unit of the readings, shape (B, H), NaN where nothing was read."""
        guess_BH = forecast(model, sequences, *windows)
        x_BT, _, _ = sequences.take(*windows)
        out: npt.NDArray[np.float32] = ((guess_BH - x_BT[:, sequences.history :]).abs() * unit).numpy()
        return out

    def _known(self, sensors: tuple[int, ...]) -> tuple[int, ...]:
        """Return the numbers of places; negative ones, which would count from the end, are refused."""
        found = checks.unique("sensors", [checks.integer("sensors", k) for k in sensors])
        places = self.values.shape[1]
        if not found:
            raise InputError("sensors", "name at least one place", found)
        for k in found:
            if not 0 <= k < places:
                raise InputError("sensors", f"name places 0 to {places - 1}", k)
        return found


def learn(
    model: PatchTransformer,
    sequences: Sequences,
    windows: Windows,
    recipe: Recipe,
    *,
    seed: int,
    mask: dict[str, object] | None = None,
) -> History | None:
    """Train `model` in place on windows, to forecast them or, with a mask, to fill what is hidden of them.

    Parameters
    ----------
    model : PatchTransformer
        From `Places.model`, or one that others' windows were learned by.
    sequences : Sequences
        Where windows are cut from.
    windows : (torch.Tensor, torch.Tensor)
        Origins and sensors.
    recipe : Recipe
        How long and how fast.
    seed : int
        Draws the order of the windows, and masks.
    mask : dict, optional
        Arguments of `citylib.neural.masks.draw`. By default the horizon is what is asked for.

    Returns
    -------
    History or None
        None where the recipe has no steps.

    Raises
    ------
    InputError
        No windows, or origins and sensors of different number.
    """
    if not len(windows[0]) or len(windows[0]) != len(windows[1]):
        raise InputError(
            "windows", "hold origins and as many sensors, at least one", (len(windows[0]), len(windows[1]))
        )
    if recipe.steps == 0:
        return None
    generator = seeds.torch_generator(seed, "order")
    loss, examples = pretrain.forecasting(sequences), tuple(windows)
    if mask is not None:
        drawn = seeds.torch_generator(seed, "masks")
        hidden = masks.draw(len(windows[0]), sequences.patches, generator=drawn, **mask)  # type: ignore[arg-type]
        loss, examples = pretrain.filling(sequences), (*windows, hidden)
    epochs = -(-recipe.steps // -(-len(windows[0]) // recipe.batch))
    return train(
        model,
        loss,
        examples,
        generator=generator,
        epochs=epochs,
        steps=recipe.steps,
        rate=recipe.rate,
        batch=recipe.batch,
        decay=recipe.decay,
        schedule="cosine",
        warm=0.1,
        clip=1.0,
    )


def draw_labels(
    day: npt.NDArray[np.datetime64], *, share: float, how: str, generator: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Return which windows are among the few: `share` of them, as whole days, the last days, or one by one.

    Parameters
    ----------
    day : ndarray of datetime64[D], shape (B,)
        Day of the first target of each window of one place, in order of time.
    share : float
        Share of the days from first to last, rounded down but at least one; between 0 and 1.
    how : {"days", "recent", "random"}
        ``days``: the windows that begin in days drawn; ``recent``: in the last days; ``random``: as many windows as
        an even day holds, times those days, drawn one by one, so that they touch nearly all of the time.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.

    Returns
    -------
    ndarray of bool, shape (B,)

    Raises
    ------
    InputError
        No window, days that step back, a share that is none.

    Examples
    --------
    >>> day = np.repeat(np.arange("2026-01-01", "2026-01-21", dtype="datetime64[D]"), 3)
    >>> keep = draw_labels(day, share=0.1, how="recent", generator=seeds.generator(0))
    >>> np.unique(day[keep]).astype(str).tolist()
    ['2026-01-19', '2026-01-20']
    """
    checks.one_of("how", how, DRAWS)
    if not len(day):
        raise InputError("day", "hold at least one window", 0)
    back = np.flatnonzero(~(day[1:] >= day[:-1]))
    if len(back):
        raise InputError("day", "be in order of time, of one place", f"{day[back[0] + 1]} after {day[back[0]]}")
    days = np.arange(day[0], day[-1] + np.timedelta64(1, "D"))
    number = max(1, int(checks.fraction("share", share) * len(days) + 1e-9))
    if how == "recent":
        return np.asarray(day >= days[-number])
    if how == "days":
        held = np.unique(day)
        return np.isin(day, generator.choice(held, min(number, len(held)), replace=False))
    keep = np.zeros(len(day), dtype=bool)
    keep[generator.choice(len(day), max(1, round(number * len(day) / len(days))), replace=False)] = True
    return keep


def _carried(side_TNK: FloatArray) -> FloatArray:
    """Fill gaps by the last reading before them; what lies before the first stays missing."""
    row_TNK = np.where(np.isnan(side_TNK), 0, np.arange(len(side_TNK))[:, None, None])
    last_TNK = np.maximum.accumulate(row_TNK, axis=0)
    return np.asarray(np.take_along_axis(side_TNK, last_TNK, axis=0))


def _rolling_mean(side_TNK: FloatArray, steps: int) -> FloatArray:
    """Mean over the last `steps` steps up to each; over fewer at the beginning."""
    total = np.concatenate([np.zeros_like(side_TNK[:1]), np.cumsum(side_TNK, axis=0)])
    row = np.arange(1, len(total))
    first = np.maximum(row - steps, 0)
    return np.asarray((total[row] - total[first]) / (row - first)[:, None, None])
