"""Where a training stands, kept in a folder, so that a killed one goes on to the same weights."""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from citylib.errors import FitWarning, InputError
from citylib.neural import store

__all__ = ["Standing", "load", "save"]

Weights = dict[str, torch.Tensor]
NUMBERS = ("epoch", "step", "best", "sound_at", "losses", "train", "validation", "stopped")


@dataclass
class Standing:
    """What moves while a training goes on.

    Parameters
    ----------
    kept : dict of str to torch.Tensor
        The weights that would be handed back now.
    sound : dict of str to torch.Tensor
        Weights of which a loss was finite.
    epoch, step : int
        Epochs behind, and steps behind in the one that runs.
    sound_at : int
        Step before which they were so.
    best : int
        Epoch of the weights kept, from 1; 0: those it started with.
    lowest : float
        Validation loss of the weights kept.
    losses : list of float
        Loss of each step.
    train, validation : list of float
        Losses of each epoch.
    stopped : str
        Why it ended; empty while it goes on.
    """

    kept: Weights
    sound: Weights
    epoch: int = 0
    step: int = 0
    best: int = 0
    sound_at: int = 1
    lowest: float = math.inf
    losses: list[float] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    stopped: str = ""


def save(
    folder: Path, standing: Standing, model: nn.Module, optimiser: torch.optim.Optimizer, told: dict[str, Any]
) -> None:
    """Write where a training stands.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    standing : Standing
        What moves.
    model : torch.nn.Module
        As it is now.
    optimiser : torch.optim.Optimizer
        Its moments are kept too.
    told : dict
        What must be the same when it goes on.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"kept.{k}": v for k, v in standing.kept.items()}
    tensors |= {f"sound.{k}": v for k, v in standing.sound.items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{k}": torch.as_tensor(v) for k, v in state.items() if v is not None}
    numbers = {k: v for k, v in asdict(_bare(standing)).items() if k in NUMBERS}
    lowest = standing.lowest if math.isfinite(standing.lowest) else None
    store.write(folder, tensors, {"kind": "training", "told": told, **numbers, "lowest": lowest})


def load(
    folder: Path, standing: Standing, model: nn.Module, optimiser: torch.optim.Optimizer, told: dict[str, Any]
) -> None:
    """Bring model, optimiser and standing to where the folder says the training stood.

    Parameters
    ----------
    folder : pathlib.Path
        Written by `save`.
    standing : Standing
        Changed in place.
    model : torch.nn.Module
        Changed in place.
    optimiser : torch.optim.Optimizer
        Changed in place.
    told : dict
        What must be the same as it was.

    Raises
    ------
    InputError
        The folder holds another training; the first thing that differs is named.

    Warns
    -----
    FitWarning
        The training ended there because its loss was not finite.
    """
    tensors, manifest = store.read(folder, argument="keep")
    if manifest.get("kind") != "training":
        raise InputError("keep", "be a folder of a training that began", f"{folder}: {manifest.get('kind')!r}")
    for key in sorted({*told, *manifest["told"]}):
        was, now = manifest["told"].get(key), told.get(key)
        if was != now:
            rule = f"hold this training: {key} was {was!r} there and is {now!r} here"
            raise InputError("keep", rule, str(folder), "use another folder, or delete it")
    model.load_state_dict(_part(tensors, "model."))
    standing.kept, standing.sound = _part(tensors, "kept."), _part(tensors, "sound.")
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _part(tensors, "optimiser.").items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    for name in NUMBERS:
        setattr(standing, name, manifest[name])
    standing.lowest = math.inf if manifest["lowest"] is None else float(manifest["lowest"])
    if standing.stopped == "not finite":
        text = f"the training kept in {folder} ended in step {len(standing.losses)}, where its loss was not finite"
        warnings.warn(f"{text}; it is not repeated: use another folder, or delete it", FitWarning, stacklevel=3)


def _part(tensors: Weights, prefix: str) -> Weights:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _bare(standing: Standing) -> Standing:
    return Standing({}, {}, **{k: getattr(standing, k) for k in NUMBERS})
