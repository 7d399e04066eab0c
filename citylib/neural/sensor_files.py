"""A fitted `SensorForecast` in a folder and back, as a checkpoint that says of which sensors, in which order.

Legend: N sensors, K neighbours, S slots of a day, D days before the cut, F numbers that describe an example.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from citylib.errors import InputError
from citylib.neural import checkpoint
from citylib.neural.models.sensor_mlp import SensorMLP
from citylib.neural.sensor_features import SensorFeatures
from citylib.neural.sensor_forecast import Recipe, SensorForecast
from citylib.neural.train import History

__all__ = ["load", "save"]

ARRAYS = ("neighbour", "profile", "middle", "spread")


class _Fitted(nn.Module):
    """The network together with the arrays that were fitted beside it: all that a forecast hangs on."""

    def __init__(self, model: SensorMLP, arrays: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        for name in ARRAYS:
            self.register_buffer(name, arrays[name])


def save(
    folder: str | os.PathLike[str],
    fitted: SensorForecast,
    *,
    data: Mapping[str, str],
    metrics: Mapping[str, float] | None = None,
) -> Path:
    """Write a fitted forecast; an older checkpoint in the folder is replaced in one go.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    fitted : SensorForecast
        From `citylib.neural.sensor_forecast.fit`, which was told the names of its sensors.
    data : mapping of str to str
        Name and sha256 of what it learned from.
    metrics : mapping of str to float, optional
        How well it did.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        Sensors without names, a weight that is not finite.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from citylib import seeds
    >>> from citylib.neural.sensor_forecast import fit
    >>> times = np.arange("2026-03-02", "2026-03-06", 60, dtype="datetime64[m]")
    >>> speed = 40 + seeds.generator(0).standard_normal((len(times), 2))
    >>> told = {"neighbour": [[1], [0]], "sensors": ["north", "south"], "channel": "speed"}
    >>> made = fit(speed, times, cut=72, generator=seeds.torch_generator(0), **told)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(folder, made, data={}), sensors=["north", "south"])
    >>> bool((again.predict(speed, [80]) == made.predict(speed, [80])).all())
    True
    """
    if not fitted.sensors:
        raise InputError("fitted", "know its sensors by name, so that others are refused", "none", "tell fit(sensors=)")
    features, model = fitted.features, fitted.model
    config = {
        "features": {f.name: getattr(features, f.name) for f in fields(features) if f.name not in ARRAYS},
        "shape": {name: list(getattr(features, name).shape) for name in ARRAYS},
        "hidden": list(model.hidden),
        "recipe": asdict(fitted.recipe),
        "epochs": fitted.epochs,
        "since": fitted.since,
        "step": fitted.step,
        "choice": None if fitted.choice is None else _told(fitted.choice),
        "history": _told(fitted.history),
    }
    whole = _Fitted(model, {name: torch.as_tensor(getattr(features, name)) for name in ARRAYS})
    names: dict[str, Any] = {"sensors": fitted.sensors, "channels": [fitted.channel] if fitted.channel else []}
    return checkpoint.save(folder, whole, config=config, data=data, metrics=metrics, **names)


def load(
    folder: str | os.PathLike[str],
    *,
    data: Mapping[str, str] | None = None,
    sensors: Sequence[str] | None = None,
    channel: str | None = None,
) -> SensorForecast:
    """Read a fitted forecast.

    Parameters
    ----------
    folder : path
        Written by `save`.
    data : mapping of str to str, optional
        Data that must be the same there.
    sensors : sequence of str, optional
        Sensors it is to be used on: those of the fit, in the same order, for each has weights of its own.
    channel : str, optional
        What it is to be told: the same as at the fit.

    Returns
    -------
    SensorForecast
        On the CPU; its forecasts are those of the one that was saved.

    Raises
    ------
    InputError, UnknownNameError, ChecksumError
        As `citylib.neural.checkpoint.load` does.
    """
    about = checkpoint.about(folder)
    kind = f"{_Fitted.__module__}.{_Fitted.__qualname__}"
    if about.model != kind:
        raise InputError("folder", "hold a SensorForecast that was saved", f"a checkpoint of {about.model}")
    told = about.config
    try:
        recipe = Recipe(**told["recipe"] | {"hidden": tuple(told["recipe"]["hidden"])})
        shape, horizon = told["shape"], told["features"]["horizon"]
        counts = shape["middle"][0], shape["neighbour"][0], shape["profile"][1], horizon
        model = SensorMLP(*counts, hidden=told["hidden"], embedding=recipe.embedding, generator=torch.Generator())
        kinds = {name: torch.int64 if name == "neighbour" else torch.float64 for name in ARRAYS}
        whole = _Fitted(model, {name: torch.zeros(shape[name], dtype=kinds[name]) for name in ARRAYS})
        fixed = dict(told["features"])
        choice = None if told["choice"] is None else _history(told["choice"])
        rest = {"recipe": recipe, "epochs": told["epochs"], "choice": choice, "history": _history(told["history"])}
        rest |= {"since": str(told["since"]), "step": float(told["step"])}
    except (KeyError, TypeError, IndexError) as reason:
        raise InputError("folder", "say how the forecast is built", f"{folder}: {reason!r}") from None
    channels = None if channel is None else [channel]
    checkpoint.load(folder, whole, data=data, sensors=sensors, channels=channels)
    arrays = {name: getattr(whole, name).numpy() for name in ARRAYS}
    features = SensorFeatures(**fixed, **arrays)
    return SensorForecast(features, model, **rest, sensors=about.sensors, channel="".join(about.channels))


def _told(history: History) -> dict[str, Any]:
    """Return a history as JSON can hold it; a loss that was not finite becomes nothing."""
    return {
        name: [x if math.isfinite(x) else None for x in value] if isinstance(value, tuple) else value
        for name, value in asdict(history).items()
    }


def _history(told: Mapping[str, Any]) -> History:
    lists = {k: tuple(math.nan if x is None else x for x in v) for k, v in told.items() if isinstance(v, list)}
    return History(**dict(told) | lists)
