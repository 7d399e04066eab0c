"""A forecast for all sensors by one `SensorMLP`, fitted on the rows before a cut, its epochs chosen on the last ones.

Legend: T time steps, N sensors, O origins (first row forecast), H steps ahead, B examples, F numbers that describe one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural import checkpoint, windows
from citylib.neural.devices import Place
from citylib.neural.models.sensor_mlp import SensorMLP
from citylib.neural.sensor_features import SensorFeatures
from citylib.neural.train import History, predict, train

__all__ = ["Recipe", "SensorForecast", "examples", "fit", "foretold", "huber"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Recipe:
    """How the network is built and trained.

    Parameters
    ----------
    hidden : tuple of int, default (256, 128)
        Units of the hidden layers.
    embedding : int, default 8
        Numbers that stand for a sensor, and for a slot of the day.
    epochs : int, default 8
        At most so many.
    rate, batch, decay : float, int, float
        Of the training; the rate falls by half a cosine after a rise over a tenth of the steps.
    delta : float, default 3
        Errors above it count by their size, those below by their square (Huber); in the unit of the readings.
    """

    hidden: tuple[int, ...] = (256, 128)
    embedding: int = 8
    epochs: int = 8
    rate: float = 4e-3
    batch: int = 1024
    decay: float = 0.01
    delta: float = 3.0


@dataclass(frozen=True, eq=False)
class SensorForecast:
    """A fitted network with what it needs to be told.

    Parameters
    ----------
    features : SensorFeatures
        Fitted on all rows before the cut.
    model : SensorMLP
        Trained on them.
    recipe : Recipe
        As it was trained.
    epochs : int
        Chosen on the last rows before the cut, or those of the recipe.
    choice : History or None
        The training in which they were chosen; None: they were not.
    history : History
        The training on all rows before the cut.
    sensors : tuple of str
        Names in the order of the fit; none where it was told none.
    channel : str
        What was read, such as ``"speed"``; empty where it was told nothing.
    since : str
        Time of the first row of the fit.
    step : float
        Seconds from one row to the next.
    """

    features: SensorFeatures
    model: SensorMLP
    recipe: Recipe
    epochs: int
    choice: History | None
    history: History
    sensors: tuple[str, ...] = ()
    channel: str = ""
    since: str = ""
    step: float = 0.0

    def predict(
        self,
        values: npt.ArrayLike,
        origins: npt.ArrayLike,
        *,
        times: npt.ArrayLike | None = None,
        sensors: Sequence[str] | None = None,
        channel: str | None = None,
    ) -> FloatArray:
        """Return the forecasts made at `origins`, shape (O, H, N), in the unit of `values`, shape (T, N).

        Only rows before each origin are read. Each sensor has weights of its own, so columns must stand in the order
        of the fit: tell the names, and it is checked. The clock runs from the first row of the fit: readings that
        begin later need `times`, without which their first row is taken for that one.

        Parameters
        ----------
        values : array_like, shape (T, N)
            Readings, NaN where missing.
        origins : array_like of int, shape (O,)
            First rows forecast.
        times : array_like of datetime64, shape (T,), optional
            Start of each step, on the grid of the fit and not before its first row.
        sensors : sequence of str, optional
            Names of the columns.
        channel : str, optional
            What was read.

        Returns
        -------
        ndarray, shape (O, H, N)

        Raises
        ------
        InputError
            As `SensorFeatures.at` does; sensors that lack or stand in another order; another channel; times off the
            grid of the fit or before it.
        UnknownNameError
            A sensor that was not there at the fit.
        """
        if sensors is not None:
            checkpoint.same_sensors(self.sensors, sensors)
        if channel is not None and channel != self.channel:
            raise InputError("channel", f"be that of the fit, {self.channel!r}", channel)
        if times is not None:
            values, origins = self._on_its_clock(values, origins, times)
        return foretold(self.features, lambda *inputs: predict(self.model, *inputs, batch=8192), values, origins)

    def _on_its_clock(
        self, values: npt.ArrayLike, origins: npt.ArrayLike, times: npt.ArrayLike
    ) -> tuple[FloatArray, IntArray]:
        """Return readings and origins as rows counted from the first of the fit; what lies between is missing."""
        table, axis = checks.matrix("values", values, missing=True), np.asarray(times, dtype="datetime64[ns]")
        checks.same_length(values=table, times=axis)
        steps = (axis - np.datetime64(self.since, "ns")) / np.timedelta64(1, "s") / self.step
        if steps[0] < 0 or (steps != steps[0] + np.arange(len(steps))).any() or steps[0] % 1:
            rule = f"be {self.step:g} s apart on the grid that begins at {self.since}"
            raise InputError("times", rule, f"{axis[0]} to {axis[-1]}")
        ahead, at = int(steps[0]), np.asarray(origins)
        if at.size and at.min() < self.features.lags:
            raise InputError("origins", f"have {self.features.lags} rows before each", int(at.min()))
        return np.concatenate([np.full((ahead, table.shape[1]), np.nan), table]), at + ahead


def foretold(
    features: SensorFeatures, run: Callable[..., Any], values: npt.ArrayLike, origins: npt.ArrayLike
) -> FloatArray:
    """Return the forecasts of whatever computes like `SensorMLP`: ``run(x_BF, sensor_B, slot_B)`` gives (B, H).

    Parameters
    ----------
    features : SensorFeatures
        What describes the sensors.
    run : callable
        Takes and gives torch tensors or numpy arrays.
    values : array_like, shape (T, N)
        Readings.
    origins : array_like of int, shape (O,)
        First rows forecast.

    Returns
    -------
    ndarray, shape (O, H, N)
    """
    told = features.at(values, origins)
    change = np.asarray(run(*_inputs(told.x, told.slot)), dtype=np.float64) * features.unit
    ahead = change.reshape(*told.last.shape, features.horizon) + told.last[..., None]
    return np.moveaxis(ahead, 2, 1)


def examples(features: SensorFeatures, values: npt.ArrayLike, origins: npt.ArrayLike) -> Tensors:
    """Return the examples of all sensors at `origins`: x_BF, sensor_B, slot_B and the target y_BH.

    One whose target lacks a reading is left out.

    Parameters
    ----------
    features : SensorFeatures
        What describes the sensors.
    values : array_like, shape (T, N)
        Readings, NaN where missing.
    origins : array_like of int, shape (O,)
        First rows forecast.

    Returns
    -------
    tuple of torch.Tensor
        y is the change over the last reading in `features.unit`.
    """
    told = features.at(values, origins)
    target = features.targets(values, np.asarray(origins), told.last).reshape(-1, features.horizon)
    whole = ~np.isnan(target).any(axis=1)
    if not whole.any():
        raise InputError("values", "hold a target without a missing reading", f"{len(target)} targets")
    tensors = (*_inputs(told.x, told.slot), torch.from_numpy(target))
    if whole.all():
        return tensors
    rows = torch.from_numpy(np.flatnonzero(whole))
    return tuple(tensor[rows] for tensor in tensors)


def huber(delta: float) -> Callable[..., torch.Tensor]:
    """Return Huber's loss for `train`: squares up to `delta`, beyond it absolute errors, so that one jam does not rule.

    Parameters
    ----------
    delta : float
        In the unit of the model's output.

    Returns
    -------
    callable
        ``loss(model, x_BF, sensor_B, slot_B, y_BH)``.

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35(1), 73-101.

    Examples
    --------
    >>> loss = huber(1.0)
    >>> float(loss(lambda x, sensor, slot: x, torch.tensor([3.0]), None, None, torch.tensor([0.0])))
    2.5
    """
    delta = checks.number("delta", delta, above=0)

    def loss(model: nn.Module, *batch: torch.Tensor) -> torch.Tensor:
        *inputs, y_BH = batch
        return nn.functional.huber_loss(model(*inputs), y_BH, delta=delta)

    return loss


def fit(
    values: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    cut: int,
    neighbour: npt.ArrayLike,
    generator: torch.Generator,
    held: int | None = None,
    recipe: Recipe | None = None,
    on: Place | None = None,
    sensors: Sequence[str] = (),
    channel: str = "",
    **told: int,
) -> SensorForecast:
    """Fit on the rows before `cut`; with `held`, choose the number of epochs on the last `held` of them first.

    For the choice, profile and scales are fitted on the rows before the held ones; then all is fitted anew on all
    rows before the cut.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings, NaN where missing.
    times : array_like of datetime64, shape (T,)
        Start of each step.
    cut : int
        No row from here on is looked at.
    neighbour : array_like of int, shape (N, K)
        From `sensor_features.neighbours`.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws weights and the order of the examples.
    held : int, optional
        Rows before the cut on which epochs are chosen, such as a day's. By default all epochs of the recipe are run.
    recipe : Recipe, optional
        By default `Recipe()`.
    on : Place, optional
        As `train` takes it.
    sensors : sequence of str, optional
        Names of the columns, kept so that others, or the same in another order, are refused later.
    channel : str, optional
        What is read.
    **told : int
        lags, near, horizon, smooth of `SensorFeatures.fit`.

    Returns
    -------
    SensorForecast

    Raises
    ------
    InputError
        As `SensorFeatures.fit` and `train` do; rows held that are too few to forecast once, or leave fewer than two
        days or no reading of a sensor to learn from; names that are not one a column.

    Examples
    --------
    >>> from citylib import seeds
    >>> times = np.arange("2026-03-02", "2026-03-06", 60, dtype="datetime64[m]")
    >>> day = 40 + 10 * np.sin(np.arange(len(times)) / 24 * 2 * np.pi)
    >>> speed = day[:, None] + seeds.generator(0).standard_normal((len(times), 2))
    >>> made = fit(speed, times, cut=72, neighbour=[[1], [0]], generator=seeds.torch_generator(0))
    >>> made.predict(speed, [80]).shape
    (1, 3, 2)
    """
    recipe = recipe or Recipe()
    table = checks.matrix("values", values, missing=True)[: checks.integer("cut", cut, minimum=1, maximum=len(values))]  # type: ignore[arg-type]
    known: dict[str, Any] = {"neighbour": neighbour} | told
    axis = np.asarray(times)[: len(table)]
    names = checks.unique("sensors", sensors)
    if names and len(names) != table.shape[1]:
        raise InputError("sensors", f"name each of the {table.shape[1]} columns of values", f"{len(names)} names")
    features = SensorFeatures.fit(table, axis, cut=cut, **known)
    epochs, choice = recipe.epochs, None
    if held is not None:
        begin = _before(features, table, held, names)
        earlier = SensorFeatures.fit(table[:begin], axis[:begin], cut=begin, **known)
        after = _origins(earlier, begin, cut, reach=0)
        _, choice = _trained(earlier, table, recipe, generator, recipe.epochs, after, on)
        epochs = choice.best
    model, history = _trained(features, table, recipe, generator, epochs, None, on)
    grid = axis.astype("datetime64[ns]")
    since, step = str(grid[0]), float((grid[1] - grid[0]) / np.timedelta64(1, "s"))
    return SensorForecast(features, model, recipe, epochs, choice, history, names, channel, since, step)


def _before(features: SensorFeatures, table: FloatArray, held: int, names: Sequence[str]) -> int:
    """Return the first row held, when enough is held to be judged by and enough left to learn from."""
    least, cut = max(2 * features.slots, features.lags + features.horizon), features.cut
    if not features.horizon <= checks.integer("held", held) <= cut - least:
        rule = f"be rows enough to forecast once ({features.horizon}) and leave {least} of the {cut} before the cut "
        raise InputError("held", rule + "to learn from: two days, and a window", held)
    silent = np.flatnonzero(np.isnan(table[: cut - held]).all(axis=0))
    if len(silent):
        which = names[silent[0]] if names else f"sensor {silent[0]}"
        raise InputError(
            "held", "leave a reading of each sensor to learn from", f"{held}, which leaves none of {which}"
        )
    return cut - held


def _trained(
    features: SensorFeatures,
    table: FloatArray,
    recipe: Recipe,
    generator: torch.Generator,
    epochs: int,
    after: IntArray | None,
    on: Place | None,
) -> tuple[SensorMLP, History]:
    counts = features.inputs, len(features.neighbour), features.slots, features.horizon
    model = SensorMLP(*counts, hidden=recipe.hidden, embedding=recipe.embedding, generator=generator)
    learned = examples(features, table, _origins(features, 0, features.cut))
    setting = {key: value for key, value in asdict(recipe).items() if key in ("rate", "batch", "decay")}
    history = train(
        model,
        huber(recipe.delta / features.unit),
        learned,
        generator=generator,
        epochs=epochs,
        validation=None if after is None else examples(features, table, after),
        patience=epochs,
        schedule="cosine",
        warm=0.1,
        on=on,
        **setting,
    )
    return model, history


def _origins(features: SensorFeatures, start: int, stop: int, *, reach: int | None = None) -> IntArray:
    return windows.origins(start, stop, history=features.lags, horizon=features.horizon, reach=reach)


def _inputs(x_ONF: npt.NDArray[np.float32], slot_O: IntArray) -> Sequence[torch.Tensor]:
    count, sensors, numbers = x_ONF.shape
    sensor_B = torch.arange(sensors).repeat(count)
    slot_B = torch.from_numpy(np.repeat(slot_O, sensors))
    return torch.from_numpy(np.ascontiguousarray(x_ONF).reshape(-1, numbers)), sensor_B, slot_B
