"""Pre-training on sensors without labels: hide patches and fill them; or forecast, which hides the end.

Legend: B examples, T steps of a window, P patches, S steps a patch, C side channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural.layers.patches import spread
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.sequences import Windows

__all__ = ["filling", "forecasting", "masked_error", "observed_loss"]

Loss = Callable[..., torch.Tensor]
KINDS = ("absolute", "squared")


def observed_loss(
    guess_BT: torch.Tensor, x_BT: torch.Tensor, counted_BT: torch.Tensor, *, kind: str = "absolute"
) -> torch.Tensor:
    """Return the mean loss over the values that count; the others, NaN too, have no part and no gradient.

    Parameters
    ----------
    guess_BT, x_BT : torch.Tensor, shape (B, T)
        What was said and what was read.
    counted_BT : torch.Tensor of bool, shape (B, T)
        Which values count: observed ones.
    kind : {"absolute", "squared"}, default "absolute"
        Loss of a value.

    Raises
    ------
    InputError
        A value that counts is NaN, or none counts.

    Examples
    --------
    >>> x = torch.tensor([[1.0, float("nan")]])
    >>> float(observed_loss(torch.zeros(1, 2), x, ~torch.isnan(x)))
    1.0
    """
    checks.one_of("kind", kind, KINDS)
    count = counted_BT.sum()
    if not bool(count):
        raise InputError("counted", "leave a value to score", f"{counted_BT.numel()} values, none counts")
    difference_BT = torch.where(counted_BT, guess_BT - x_BT, torch.zeros_like(guess_BT))
    loss = (difference_BT.abs() if kind == "absolute" else difference_BT**2).sum() / count
    if bool(torch.isnan(x_BT[counted_BT]).any()):
        raise InputError("x", "be a number wherever it counts", "NaN among what counts", "mask it")
    return loss


def masked_error(
    model: nn.Module,
    x_BT: torch.Tensor,
    observed_BT: torch.Tensor,
    hidden_BP: torch.Tensor,
    c_BPC: torch.Tensor | None = None,
    *,
    kind: str = "absolute",
    relative: bool = False,
) -> torch.Tensor:
    """Return the mean loss of filling hidden patches, over those of their values that were observed.

    Parameters
    ----------
    model : torch.nn.Module
        A `citylib.neural.models.patch_transformer.PatchTransformer`.
    x_BT : torch.Tensor, shape (B, T)
        Windows.
    observed_BT : torch.Tensor of bool, shape (B, T)
        Which values were read: missing and filled ones were not.
    hidden_BP : torch.Tensor of bool, shape (B, P)
        Patches to hide. A window of which nothing would be left to see, or to score, has no part.
    c_BPC : torch.Tensor, shape (B, P, C), optional
        Side channels.
    kind : {"absolute", "squared"}, default "absolute"
        Loss of a value.
    relative : bool, default False
        Whether losses are in scales of their window, so that quiet and busy series count alike, not in their unit.

    Returns
    -------
    torch.Tensor
        A single number.
    """
    hidden_BT = spread(hidden_BP, x_BT.shape[1] // hidden_BP.shape[1])
    seen_BT, counted_BT = observed_BT & ~hidden_BT, observed_BT & hidden_BT
    keep_B = seen_BT.any(dim=1) & counted_BT.any(dim=1)
    if not bool(keep_B.all()):
        c_BPC = None if c_BPC is None else c_BPC[keep_B]
        x_BT, seen_BT, counted_BT = x_BT[keep_B], seen_BT[keep_B], counted_BT[keep_B]
    if not len(x_BT):
        raise InputError("hidden", "leave a window with something to see and to score", f"{len(hidden_BP)} without")
    guess_BT = model(x_BT, seen_BT, c_BPC)
    if relative:
        _, scale_B1 = cast("PatchTransformer", model).measure(x_BT, seen_BT)  # it may be wrapped
        guess_BT, x_BT = guess_BT / scale_B1, x_BT / scale_B1
    return observed_loss(guess_BT, x_BT, counted_BT, kind=kind)


def filling(sequences: Windows, *, kind: str = "absolute", relative: bool = False) -> Loss:
    """Return the loss of masked pre-training, for `citylib.neural.train.train`.

    Its examples are (origin, sensor, hidden): the masks are drawn beforehand (`citylib.neural.masks.draw`), one an
    example, so that a training that was killed goes on with the same ones.

    Parameters
    ----------
    sequences : Windows
        Where windows are cut from.
    kind, relative
        As in `masked_error`.
    """

    def loss(model: nn.Module, origin_B: torch.Tensor, sensor_B: torch.Tensor, hidden_BP: torch.Tensor) -> torch.Tensor:
        x_BT, observed_BT, c_BPC = sequences.take(origin_B, sensor_B)
        return masked_error(model, x_BT, observed_BT, hidden_BP, c_BPC, kind=kind, relative=relative)

    return loss


def forecasting(sequences: Windows, *, kind: str = "absolute", relative: bool = False) -> Loss:
    """Return the loss of forecasting the horizon from the history, for `citylib.neural.train.train`.

    Its examples are (origin, sensor).

    Parameters
    ----------
    sequences : Windows
        Where windows are cut from.
    kind, relative
        As in `masked_error`.
    """
    if sequences.history % sequences.patch:
        rule = f"be a multiple of the patch of {sequences.patch} steps, so that no patch reaches across the origin"
        raise InputError("history", rule, sequences.history)
    first = sequences.history // sequences.patch

    def loss(model: nn.Module, origin_B: torch.Tensor, sensor_B: torch.Tensor) -> torch.Tensor:
        x_BT, observed_BT, c_BPC = sequences.take(origin_B, sensor_B)
        ahead_P = torch.arange(sequences.patches, device=x_BT.device) >= first
        hidden_BP = ahead_P.expand(len(x_BT), -1)
        return masked_error(model, x_BT, observed_BT, hidden_BP, c_BPC, kind=kind, relative=relative)

    return loss
