"""How much of a pre-trained model may change: its head, thin adapters, or everything.

Legend: B examples, H horizon.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from citylib import checks
from citylib.neural.layers.attention import Block
from citylib.neural.layers.lora import LowRank
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.sequences import Windows

__all__ = ["WAYS", "adapt", "forecast", "trainable"]

WAYS = ("frozen", "lora", "full")


def adapt(model: PatchTransformer, way: str, *, generator: torch.Generator, rank: int = 4) -> PatchTransformer:
    """Return a copy of `model` of which the part that `way` names can be trained.

    Parameters
    ----------
    model : PatchTransformer
        Pre-trained; is not changed.
    way : {"frozen", "lora", "full"}
        ``frozen``: the last norm and the head only. ``lora``: those, and adapters of `rank` beside every linear
        layer of the blocks (`citylib.neural.layers.lora`). ``full``: everything.
    generator : torch.Generator
        Draws the adapters.
    rank : int, default 4
        Of the adapters.

    Returns
    -------
    PatchTransformer
        Gives the same output as `model` until it is trained.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = PatchTransformer(4, 6, width=16, heads=2, layers=1, generator=seeds.torch_generator(0))
    >>> [trainable(adapt(model, way, generator=seeds.torch_generator(1), rank=2)) for way in WAYS]
    [100, 484, 2628]
    """
    checks.one_of("way", way, WAYS)
    out = copy.deepcopy(model)
    if way == "full":
        return out.requires_grad_(True)
    out.requires_grad_(False)
    out.head.requires_grad_(True)
    out.last_norm.requires_grad_(True)
    if way == "lora":
        for block in out.blocks:
            assert isinstance(block, Block)
            for owner, name in (
                (block.attention, "query_key_value"),
                (block.attention, "out"),
                (block, "rise"),
                (block, "fall"),
            ):
                setattr(owner, name, LowRank(getattr(owner, name), rank, generator=generator))
    return out


def trainable(model: nn.Module) -> int:
    """Return how many numbers of `model` can be trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def forecast(
    model: PatchTransformer, sequences: Windows, origin_B: torch.Tensor, sensor_B: torch.Tensor, *, batch: int = 1024
) -> torch.Tensor:
    """Return forecasts of windows from their histories alone, shape (B, H).

    Parameters
    ----------
    model : PatchTransformer
        Is put into evaluation.
    sequences : Windows
        Where windows are cut from; nothing from the origin on is looked at.
    origin_B, sensor_B : torch.Tensor of int, shape (B,)
        As `Sequences.examples` gives them.
    batch : int, default 1024
        Windows at once.
    """
    model.eval()
    where, out = next(model.parameters()).device, []
    with torch.no_grad():
        for origin, sensor in zip(torch.split(origin_B, batch), torch.split(sensor_B, batch), strict=True):
            x_BT, observed_BT, c_BPC = sequences.take(origin.to(where), sensor.to(where))
            guess_BT = model(x_BT, sequences.history_only(observed_BT), c_BPC)
            out.append(guess_BT[:, sequences.history :].cpu())
    return torch.cat(out)
