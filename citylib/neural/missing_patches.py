"""Forecasting with parts of the history missing, so that a model knows what it is to be without them.

Legend: B examples, T steps of a window, P patches.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from citylib.errors import InputError
from citylib.neural.layers.patches import spread
from citylib.neural.pretrain import observed_loss
from citylib.neural.sequences import Sequences

__all__ = ["draw_missing", "forecasting_without"]


def draw_missing(
    examples: int, patches: int, *, most: float, generator: torch.Generator, share: float = 0.5
) -> torch.Tensor:
    """Return which patches of each history are missing, shape (B, P): up to a share of them, in some examples.

    Parameters
    ----------
    examples, patches : int
        B, and the patches of the history.
    most : float
        Largest share of patches that is missing, 0 to 1; every number from one to that is as likely.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`.
    share : float, default 0.5
        Share of the examples that miss anything.

    Examples
    --------
    >>> from citylib import seeds
    >>> lost = draw_missing(1000, 7, most=0.9, generator=seeds.torch_generator(0))
    >>> lost.shape, int(lost.sum(dim=1).max()), 0.4 < float(lost.any(dim=1).float().mean()) < 0.6
    (torch.Size([1000, 7]), 6, True)
    """
    largest = int(most * patches)
    if not 0 <= largest < patches or not 0 <= share <= 1:
        raise InputError("most, share", "be shares that leave a patch to see", (most, share))
    count_B1 = (
        torch.randint(1, largest + 1, (examples, 1), generator=generator) if largest else torch.zeros(examples, 1)
    )
    rank_BP = torch.rand(examples, patches, generator=generator).argsort(dim=1).argsort(dim=1)
    some_B1 = torch.rand(examples, 1, generator=generator) < share
    return (rank_BP < count_B1) & some_B1


def forecasting_without(sequences: Sequences, *, kind: str = "absolute") -> Callable[..., torch.Tensor]:
    """Return the loss of forecasting the horizon from what is left of the history, for `citylib.neural.train.train`.

    Its examples are (origin, sensor, missing). A model that never missed anything answers wildly when something is
    taken away, and then a deletion test says more of its surprise than of what it looked at (Hooker et al., 2019).

    Parameters
    ----------
    sequences : Sequences
        Where windows are cut from; history and horizon are whole patches.
    kind : {"absolute", "squared"}
        Loss of a value.

    References
    ----------
    Hooker, S., Erhan, D., Kindermans, P.-J. and Kim, B. (2019). A benchmark for interpretability methods in deep neural
    networks. NeurIPS.
    """
    if sequences.history % sequences.patch:
        raise InputError("history", f"be a multiple of the patch of {sequences.patch} steps", sequences.history)

    def loss(
        model: nn.Module, origin_B: torch.Tensor, sensor_B: torch.Tensor, missing_BP: torch.Tensor
    ) -> torch.Tensor:
        x_BT, observed_BT, c_BPC = sequences.take(origin_B, sensor_B)
        left_BT = torch.ones_like(observed_BT)
        left_BT[:, : sequences.history] = ~spread(missing_BP, sequences.patch)
        past_BT = sequences.history_only(observed_BT)
        seen_BT = past_BT & left_BT
        seen_BT = torch.where(seen_BT.any(dim=1, keepdim=True), seen_BT, past_BT)  # gaps may have left nothing
        return observed_loss(model(x_BT, seen_BT, c_BPC), x_BT, observed_BT & ~past_BT, kind=kind)

    return loss
