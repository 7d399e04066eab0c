"""Occlusion: take one group away and see how the answer changes.

Legend: B examples, G groups of numbers, K answers.
"""

from __future__ import annotations

import torch

from citylib import checks
from citylib.errors import InputError
from citylib.neural.attribution import Left

__all__ = ["occlusion"]


def occlusion(left: Left, *, examples: int, groups: int) -> torch.Tensor:
    """Return how much the answer falls when each group alone is taken away, shape (B, G) or (B, G, K).

    It needs no gradient, and asks what the model would say if the group had not been there. Two groups that say the
    same hide each other: without one the other is still there.

    Parameters
    ----------
    left : callable
        From ``keep_BG`` to the answer, shape (B,) or (B, K): `citylib.neural.attribution.replaced`, or a model that
        can be told what it may not see.
    examples, groups : int
        B and G.

    Returns
    -------
    torch.Tensor, shape (B, G) or (B, G, K)

    Raises
    ------
    InputError
        An answer of another shape.

    References
    ----------
    Zeiler, M. D. and Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV, 818-833.

    Examples
    --------
    >>> from citylib.neural.attribution import replaced
    >>> x = torch.tensor([[1.0, 2.0, 4.0]])
    >>> left = replaced(lambda z: z.sum(dim=1), x, torch.zeros(1, 3), torch.arange(3))
    >>> occlusion(left, examples=1, groups=3).tolist()
    [[1.0, 2.0, 4.0]]
    """
    examples = checks.integer("examples", examples, minimum=1)
    keep_BG = torch.ones(examples, checks.integer("groups", groups, minimum=1), dtype=torch.bool)
    with torch.no_grad():
        whole = left(keep_BG)
        if whole.ndim not in (1, 2) or len(whole) != examples:
            raise InputError("left", f"give shape ({examples},) or ({examples}, K)", tuple(whole.shape))
        scores = []
        for g in range(groups):
            keep_BG[:, g] = False
            scores.append(whole - left(keep_BG))
            keep_BG[:, g] = True
    return torch.stack(scores, dim=1)
