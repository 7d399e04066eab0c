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
from citylib import checks
from citylib.errors import InputError, UnknownNameError
from citylib.neural import store

__all__ = ["Manifest", "about", "load", "same_sensors", "save"]

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
        A weight that is not finite, a config JSON cannot hold, or a sensor or channel that is named twice.

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
    told = {
        "kind": "checkpoint",
        "format": FORMAT,
        "model": _name(model),
        "built": _built(model),
        "config": _plain("config", config),
        "data": dict(data),
        "metrics": {k: float(v) for k, v in (metrics or {}).items()},
        "sensors": _names("sensors", sensors),
        "channels": _names("channels", channels),
        "versions": {"citylib": citylib.__version__, "torch": torch.__version__.split("+")[0]},
    }
    store.write(Path(folder), weights, told)
    return Path(folder)


def load(
    folder: str | os.PathLike[str],
    model: nn.Module,
    *,
    config: Mapping[str, Any] | None = None,
    data: Mapping[str, str] | None = None,
    sensors: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    any_order: bool = False,
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
        Sensors it is to be used on: those it was fitted on, in the same order.
    channels : sequence of str, optional
        Channels of its input: the same, in the same order.
    any_order : bool, default False
        Say True only of a model that treats all sensors alike, such as one that sees a series at a time: then any
        of those it was fitted on will do, in any order. A model with weights of each sensor would mix them up.

    Returns
    -------
    Manifest

    Raises
    ------
    InputError
        A pickle, a broken folder, another format, a checkpoint of another model, shape, setting or data,
        sensors that lack or stand in another order, channels in another order.
    UnknownNameError
        A sensor it was not fitted on.
    ChecksumError
        Weights that are not those the manifest speaks of.
    """
    path = Path(folder)
    weights, kept = _read(path)
    if kept["model"] != _name(model):
        raise InputError("folder", f"hold a checkpoint of {_name(model)}", f"one of {kept['model']}")
    built = kept.get("built", {})  # older checkpoints do not say
    for key, now in _built(model).items():
        if built.get(key, now) != now:
            raise InputError("model", f"be built like the checkpoint's, {key} = {built[key]!r}", now)
    for argument, wanted in (("config", config), ("data", data)):
        _same(argument, kept[argument], None if wanted is None else _plain(argument, wanted))
    if sensors is not None:
        same_sensors(kept["sensors"], sensors, any_order=any_order)
    if channels is not None and list(channels) != kept["channels"]:
        raise InputError("channels", f"be {kept['channels']}, in this order", list(channels))
    _fits(weights, model)
    model.load_state_dict(weights)
    return _manifest(kept)


def about(folder: str | os.PathLike[str]) -> Manifest:
    """Return what a checkpoint says of itself, so that a model can be built that it fits.

    Parameters
    ----------
    folder : path
        Written by `save`.

    Returns
    -------
    Manifest

    Raises
    ------
    InputError
        A pickle, a broken folder or another format.
    ChecksumError
        Weights that are not those the manifest speaks of.
    """
    return _manifest(_read(Path(folder))[1])


def same_sensors(fitted: Sequence[str], wanted: Sequence[str], *, any_order: bool = False) -> None:
    """Refuse sensors that were not there when a model was fitted, or stand in another order, by name.

    Parameters
    ----------
    fitted, wanted : sequence of str
        Names, in order.
    any_order : bool, default False
        Whether any of those fitted will do, in any order.

    Raises
    ------
    InputError
        A name that comes twice or lacks, or the first that stands elsewhere.
    UnknownNameError
        A sensor the model was not fitted on.

    Examples
    --------
    >>> same_sensors(["a", "b", "c"], ["a", "c", "b"])
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: sensors must stand in the order of the fit, 'b' at 1, got 'c'
    """
    names = _names("sensors", wanted)
    if names and not fitted:
        raise InputError("sensors", "be left out: the model was fitted on sensors without names", names[0])
    for name in names:
        if name not in fitted:
            raise UnknownNameError("sensor", name, fitted)
    if any_order:
        return
    lacking = [name for name in fitted if name not in names]
    if lacking:
        raise InputError("sensors", f"be all {len(fitted)} of the fit", f"{len(names)}, without {lacking[0]!r}")
    for at, (was, now) in enumerate(zip(fitted, names, strict=True)):
        if was != now:
            raise InputError("sensors", f"stand in the order of the fit, {was!r} at {at}", now)


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    weights, kept = store.read(path)
    if kept.get("kind") != "checkpoint" or kept.get("format") != FORMAT:
        found = f"{kept.get('kind')!r}, format {kept.get('format')!r}"
        raise InputError("folder", f"hold a checkpoint of format {FORMAT}", f"{path}: {found}")
    return weights, kept


def _manifest(kept: Mapping[str, Any]) -> Manifest:
    rest = {k: kept[k] for k in ("model", "config", "data", "metrics", "versions")}
    return Manifest(**rest, sensors=tuple(kept["sensors"]), channels=tuple(kept["channels"]))


def _names(argument: str, names: Sequence[str]) -> list[str]:
    found = [names] if isinstance(names, str) else list(names)  # a lone text would be taken for its letters
    for name in found:
        if not isinstance(name, str):
            raise InputError(argument, "be named by text", name)
    return list(checks.unique(argument, found))


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
