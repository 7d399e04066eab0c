"""Which patches to hide while pre-training: scattered, in one block, at the end, or a mixture.

Legend: B examples, P patches.
"""

from __future__ import annotations

import torch

from citylib import checks
from citylib.errors import InputError

__all__ = ["SHAPES", "draw", "tail"]

SHAPES = ("random", "block", "tail")


def draw(
    examples: int,
    patches: int,
    *,
    generator: torch.Generator,
    ratio: float = 0.5,
    shape: str = "random",
    tail_share: float = 0.0,
    tail_patches: int = 1,
) -> torch.Tensor:
    """Draw which patches of each example are hidden.

    ``random`` hides patches here and there, ``block`` a run of neighbours at a random place, ``tail`` the last ones.
    What is hidden here and there can be guessed from both sides; only a hidden end asks for a forecast. With
    `tail_share` some examples have their last patches hidden instead of what `shape` says.

    Parameters
    ----------
    examples, patches : int
        B and P.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`.
    ratio : float, default 0.5
        Share of the patches that is hidden, between 0 and 1; at least one is, and at least one is not.
    shape : {"random", "block", "tail"}, default "random"
        Where they lie.
    tail_share : float, default 0
        Share of the examples whose end is hidden instead, 0 to 1.
    tail_patches : int, default 1
        Patches that are hidden there.

    Returns
    -------
    torch.Tensor of bool, shape (B, P)
        True where hidden.

    Raises
    ------
    InputError
        A shape that is not known, a number out of bounds, fewer than two patches.

    References
    ----------
    He, K. et al. (2022). Masked autoencoders are scalable vision learners. CVPR.

    Examples
    --------
    >>> from citylib import seeds
    >>> draw(2, 8, ratio=0.25, generator=seeds.torch_generator(0)).sum(dim=1).tolist()
    [2, 2]
    >>> draw(1, 4, ratio=0.5, shape="tail", generator=seeds.torch_generator(0)).tolist()
    [[False, False, True, True]]
    """
    examples = checks.integer("examples", examples, minimum=0)
    patches = checks.integer("patches", patches, minimum=2)
    checks.one_of("shape", shape, SHAPES)
    hidden = min(max(1, round(checks.fraction("ratio", ratio) * patches)), patches - 1)
    share = checks.fraction("tail_share", tail_share, closed=True)
    if shape == "tail":
        out = tail(patches, hidden).repeat(examples, 1)
    elif shape == "block":
        begin_B1 = torch.randint(0, patches - hidden + 1, (examples, 1), generator=generator)
        place_P = torch.arange(patches)
        out = (place_P >= begin_B1) & (place_P < begin_B1 + hidden)
    else:
        rank_BP = torch.rand(examples, patches, generator=generator).argsort(dim=1).argsort(dim=1)
        out = rank_BP < hidden
    if share:
        swapped_B1 = torch.rand(examples, 1, generator=generator) < share
        out = torch.where(swapped_B1, tail(patches, tail_patches), out)
    return out


def tail(patches: int, hidden: int) -> torch.Tensor:
    """Return the mask that hides the last patches, shape (P,).

    Parameters
    ----------
    patches : int
        P.
    hidden : int
        How many of them, at least one and not all.

    Raises
    ------
    InputError
        None or all would be hidden.
    """
    if not 0 < hidden < patches:
        raise InputError("hidden", f"be between 1 and {patches - 1} of {patches} patches", hidden)
    return torch.arange(patches) >= patches - hidden
