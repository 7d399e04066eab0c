"""Data augmentation of windows: the same history with noise, at another size, or with holes.

Legend: B examples, T steps of a window (history and horizon), P patches, S steps a patch, C side channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural.layers.patches import spread
from citylib.neural.pretrain import masked_error
from citylib.neural.sequences import Windows

__all__ = ["WAYS", "forecasting", "holes", "jitter", "resize"]

WAYS = ("jitter", "scaling", "masking")


def jitter(x_BT: torch.Tensor, seen_BT: torch.Tensor, *, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Return windows with noise on what is seen: a model should not hang on single readings.

    Parameters
    ----------
    x_BT : torch.Tensor, shape (B, T)
        Values.
    seen_BT : torch.Tensor of bool, shape (B, T)
        What may be seen; the rest is left as it is.
    strength : float
        Standard deviation of the noise, in those of what is seen of each window; 0 or more.
    generator : torch.Generator
        Draws the noise.

    Examples
    --------
    >>> from citylib import seeds
    >>> x, seen = torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[True, True, False]])
    >>> found = jitter(x, seen, strength=0.1, generator=seeds.torch_generator(0))
    >>> bool((found != x)[0, 0]), float(found[0, 2])
    (True, 9.0)
    """
    strength = checks.number("strength", strength, minimum=0)
    count_B1 = seen_BT.sum(dim=1, keepdim=True).clamp_min(1)
    known_BT = torch.where(seen_BT, x_BT, torch.zeros_like(x_BT))
    mean_B1 = known_BT.sum(dim=1, keepdim=True) / count_B1
    squares_BT = torch.where(seen_BT, (known_BT - mean_B1) ** 2, torch.zeros_like(x_BT))
    scale_B1 = (squares_BT.sum(dim=1, keepdim=True) / count_B1).sqrt()
    noise_BT = torch.randn(x_BT.shape, generator=generator, dtype=x_BT.dtype).to(x_BT.device)
    return torch.where(seen_BT, x_BT + strength * scale_B1 * noise_BT, x_BT)


def resize(x_BT: torch.Tensor, *, spread: float, generator: torch.Generator) -> torch.Tensor:
    """Return windows multiplied by a random number each, history and target alike: a larger road, the same day.

    Parameters
    ----------
    x_BT : torch.Tensor, shape (B, T)
        Values; NaN stays NaN.
    spread : float
        Standard deviation of the logarithm of the number; 0 or more.
    generator : torch.Generator
        Draws it.

    Examples
    --------
    >>> from citylib import seeds
    >>> found = resize(torch.tensor([[1.0, 2.0]]), spread=0.5, generator=seeds.torch_generator(0))
    >>> round(float(found[0, 1] / found[0, 0]), 5)
    2.0
    """
    spread = checks.number("spread", spread, minimum=0)
    size_B1 = torch.exp(spread * torch.randn(len(x_BT), 1, generator=generator, dtype=x_BT.dtype))
    return x_BT * size_B1.to(x_BT.device)


def holes(seen_BT: torch.Tensor, *, share: float, patch: int, generator: torch.Generator) -> torch.Tensor:
    """Return what is seen with whole patches hidden at random: a model should not hang on one of them.

    Parameters
    ----------
    seen_BT : torch.Tensor of bool, shape (B, T)
        What may be seen, T a multiple of `patch`.
    share : float
        Probability that a patch is hidden, 0 to 1. A window of which nothing would be left is not changed.
    patch : int
        Steps S.
    generator : torch.Generator
        Draws which.

    Examples
    --------
    >>> from citylib import seeds
    >>> seen = torch.ones(1, 8, dtype=torch.bool)
    >>> holes(seen, share=0.5, patch=4, generator=seeds.torch_generator(0))[0].long().tolist()
    [0, 0, 0, 0, 1, 1, 1, 1]
    """
    share = checks.fraction("share", share, closed=True)
    if seen_BT.shape[1] % checks.integer("patch", patch, minimum=1):
        raise InputError("patch", f"divide the {seen_BT.shape[1]} steps of a window", patch)
    kept_BP = torch.rand(len(seen_BT), seen_BT.shape[1] // patch, generator=generator) >= share
    out_BT = seen_BT & spread(kept_BP, patch).to(seen_BT.device)
    return torch.where(out_BT.any(dim=1, keepdim=True), out_BT, seen_BT)


def forecasting(
    sequences: Windows, ways: Sequence[str] = (), *, strength: float, kind: str = "absolute", relative: bool = False
) -> Callable[..., torch.Tensor]:
    """Return `citylib.neural.pretrain.forecasting` with its training windows changed; validation sees them as they are.

    What is drawn comes from the numbers that `citylib.neural.train.train` lends to each step, so that a training gives
    the same weights again.

    Parameters
    ----------
    sequences : Windows
        Where windows are cut from.
    ways : sequence of {"jitter", "scaling", "masking"}
        What is done, in this order; nothing for none.
    strength : float
        Noise, spread of the size, or share of hidden patches; 0 to 1.
    kind, relative
        As in `masked_error` of `citylib.neural.pretrain`.

    Raises
    ------
    InputError
        A way that is not known, or a strength out of bounds.
    """
    for way in ways:
        checks.one_of("ways", way, WAYS)
    strength = checks.fraction("strength", strength, closed=True)
    hidden_P = torch.arange(sequences.patches) >= sequences.history // sequences.patch

    def loss(model: nn.Module, origin_B: torch.Tensor, series_B: torch.Tensor) -> torch.Tensor:
        x_BT, observed_BT, c_BPC = sequences.take(origin_B, series_B)
        seen_BT = sequences.history_only(observed_BT)
        if model.training and ways:
            drawn = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
            if "jitter" in ways:
                x_BT = jitter(x_BT, seen_BT, strength=strength, generator=drawn)
            if "scaling" in ways:
                x_BT = resize(x_BT, spread=strength, generator=drawn)
            if "masking" in ways:
                left_BT = holes(seen_BT, share=strength, patch=sequences.patch, generator=drawn)
                observed_BT = left_BT | (observed_BT & ~sequences.history_only(torch.ones_like(observed_BT)))
        hidden_BP = hidden_P.to(x_BT.device).expand(len(x_BT), -1)
        return masked_error(model, x_BT, observed_BT, hidden_BP, c_BPC, kind=kind, relative=relative)

    return loss
