"""A trained model in a folder: safetensors and a manifest that says what it is; what does not fit is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

import citylib
from citylib.errors import InputError, UnknownNameError
from citylib.neural import store

__all__ = ["Manifest", "load", "save"]

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint says of itself.

    Parameters
    ----------
    model : str
        Class of the model, with its module.
    config : dict
        What the model and its training were told.
    data : dict of str to str
        Name and sha256 of the data it learned from.
    metrics : dict of str to float
        How well it did, on what is said in the names.
    sensors, channels : tuple of str
        What it was fitted on, in order.
    versions : dict of str to str
        Of citylib and torch.
    """

    model: str
    config: dict[str, Any]
    data: dict[str, str]
    metrics: dict[str, float]
    sensors: tuple[str, ...]
    channels: tuple[str, ...]
    versions: dict[str, str]


def save(
    folder: str | os.PathLike[str],
    model: nn.Module,
    *,
    config: Mapping[str, Any],
    data: Mapping[str, str],
    metrics: Mapping[str, float] | None = None,
    sensors: Sequence[str] = (),
    channels: Sequence[str] = (),
) -> Path:
    """Write a model; an older checkpoint in the folder is replaced in one go.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    model : torch.nn.Module
        Its weights are kept; how to build it again is for `config` to say.
    config : mapping
        Settings that JSON can hold.
    data : mapping of str to str
        Name and sha256 of what it learned from.
    metrics : mapping of str to float, optional
        How well it did.
    sensors, channels : sequence of str, optional
        Of its inputs, in order.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        A weight that is not finite, or a config JSON cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(folder, nn.Linear(2, 1), config={"inputs": 2}, data={}, channels=["flow", "rain"])
    ...     load(folder, nn.Linear(2, 1), channels=["flow", "rain"]).config
    {'inputs': 2}
    """
    weights = model.state_dict()
    for name, value in weights.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise InputError("model", "have weights that are all finite", name, "it was not trained to an end")
    about = {
        "kind": "checkpoint",
        "format": FORMAT,
        "model": _name(model),
        "built": _built(model),
        "config": _plain("config", config),
        "data": dict(data),
        "metrics": {k: float(v) for k, v in (metrics or {}).items()},
        "sensors": list(sensors),
        "channels": list(channels),
        "versions": {"citylib": citylib.__version__, "torch": torch.__version__.split("+")[0]},
    }
    store.write(Path(folder), weights, about)
    return Path(folder)


def load(
    folder: str | os.PathLike[str],
    model: nn.Module,
    *,
    config: Mapping[str, Any] | None = None,
    data: Mapping[str, str] | None = None,
    sensors: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
) -> Manifest:
    """Read a checkpoint into a model, after everything about it has been found to fit.

    Parameters
    ----------
    folder : path
        Written by `save`.
    model : torch.nn.Module
        Of the class and shapes that were saved. It is not touched where anything is refused.
    config : mapping, optional
        Settings that must be the same there.
    data : mapping of str to str, optional
        Data that must be the same there.
    sensors : sequence of str, optional
        Sensors it is to be used on: each must have been there when it was fitted.
    channels : sequence of str, optional
        Channels of its input: the same, in the same order.

    Returns
    -------
    Manifest

    Raises
    ------
    InputError
        A pickle, a broken folder, another format, a checkpoint of another model, shape, setting or data,
        channels in another order.
    UnknownNameError
        A sensor it was not fitted on.
    ChecksumError
        Weights that are not those the manifest speaks of.
    """
    path = Path(folder)
    weights, about = store.read(path)
    if about.get("kind") != "checkpoint" or about.get("format") != FORMAT:
        found = f"{about.get('kind')!r}, format {about.get('format')!r}"
        raise InputError("folder", f"hold a checkpoint of format {FORMAT}", f"{path}: {found}")
    if about["model"] != _name(model):
        raise InputError("folder", f"hold a checkpoint of {_name(model)}", f"one of {about['model']}")
    built = about.get("built", {})  # older checkpoints do not say
    for key, now in _built(model).items():
        if built.get(key, now) != now:
            raise InputError("model", f"be built like the checkpoint's, {key} = {built[key]!r}", now)
    for argument, wanted in (("config", config), ("data", data)):
        _same(argument, about[argument], None if wanted is None else _plain(argument, wanted))
    for sensor in sensors or ():
        if sensor not in about["sensors"]:
            raise UnknownNameError("sensor", sensor, about["sensors"])
    if channels is not None and list(channels) != about["channels"]:
        raise InputError("channels", f"be {about['channels']}, in this order", list(channels))
    _fits(weights, model)
    model.load_state_dict(weights)
    rest = {k: about[k] for k in ("model", "config", "data", "metrics", "versions")}
    return Manifest(**rest, sensors=tuple(about["sensors"]), channels=tuple(about["channels"]))


def _same(argument: str, was: Mapping[str, Any], now: Mapping[str, Any] | None) -> None:
    for key in sorted(now or {}):
        assert now is not None
        if key not in was or was[key] != now[key]:
            raise InputError(argument, f"be that of the checkpoint, {key} = {was.get(key)!r}", now[key])


def _fits(weights: Mapping[str, torch.Tensor], model: nn.Module) -> None:
    own = model.state_dict()
    for name in sorted({*own, *weights}):
        there = tuple(weights[name].shape) if name in weights else "none"
        here = tuple(own[name].shape) if name in own else "none"
        if there != here:
            raise InputError("model", f"have the checkpoint's weights: {name} is {there} there", here)


def _plain(argument: str, value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as reason:
        raise InputError(argument, "hold what JSON can hold", f"{dict(value)!r}: {reason}") from None
    return plain


def _built(model: nn.Module) -> dict[str, Any]:
    """Return what parts of citylib were told and no shape of a weight shows, such as heads or the bend of a layer."""
    return {
        f"{where}.{key}".lstrip("."): value
        for where, part in model.named_modules()
        if type(part).__module__.startswith("citylib.")
        for key, value in vars(part).items()
        if isinstance(value, (bool, int, float, str)) and not key.startswith("_") and key != "training"
    }


def _name(model: nn.Module) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"
