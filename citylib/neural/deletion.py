"""The deletion test: take groups away in the order a method calls important; the sooner the answer goes, the better.

Legend: B examples, G groups of numbers, K answers.
"""

from __future__ import annotations

import torch

from citylib import checks
from citylib.errors import InputError
from citylib.neural.attribution import Left

__all__ = ["area", "deletion_curve", "random_order"]


def deletion_curve(left: Left, order_BG: torch.Tensor) -> torch.Tensor:
    """Return the answer after taking away none, one, two, ... of the groups, shape (B, G) or (B, G, K).

    The last group is never taken away, as a model that sees nothing has nothing to answer from.

    Parameters
    ----------
    left : callable
        From ``keep_BG`` to the answer, shape (B,) or (B, K); see `citylib.neural.attribution.Left`.
    order_BG : torch.Tensor of int, shape (B, G)
        Each example's groups, the first to go first: `citylib.neural.attribution.order_of`.

    Returns
    -------
    torch.Tensor, shape (B, G) or (B, G, K)
        At k of the second axis: the answer without the first k groups.

    Raises
    ------
    InputError
        Not an order of all groups, an answer of another shape.

    References
    ----------
    Samek, W. et al. (2017). Evaluating the visualization of what a deep neural network has learned. IEEE Transactions
    on Neural Networks and Learning Systems 28(11), 2660-2673.

    Examples
    --------
    >>> from citylib.neural.attribution import replaced
    >>> x = torch.tensor([[1.0, 2.0, 4.0]])
    >>> left = replaced(lambda z: z.sum(dim=1), x, torch.zeros(1, 3), torch.arange(3))
    >>> deletion_curve(left, torch.tensor([[2, 1, 0]])).tolist()
    [[7.0, 3.0, 1.0]]
    """
    order_BG = order_BG.cpu()  # scores may come from another device; what is left is kept on this one
    examples, groups = order_BG.shape
    if not torch.equal(order_BG.sort(dim=1).values, torch.arange(groups).expand(examples, -1)):
        raise InputError("order", f"hold each of the groups 0 to {groups - 1} once, for each example", "another order")
    keep_BG = torch.ones(examples, groups, dtype=torch.bool)
    answers = []
    with torch.no_grad():
        for k in range(groups):
            if k:
                keep_BG[torch.arange(examples), order_BG[:, k - 1]] = False
            value = left(keep_BG)
            if value.ndim not in (1, 2) or len(value) != examples:
                raise InputError("left", f"give shape ({examples},) or ({examples}, K)", tuple(value.shape))
            answers.append(value)
    return torch.stack(answers, dim=1)


def area(curve: torch.Tensor) -> torch.Tensor:
    """Return how far the answer is from where it began, on average over the deletions, shape (B,): larger is better.

    Two groups that pull one answer to different sides can make it come back when both are gone, so that even the true
    order loses a little. With many answers at once (all hours of a forecast) such luck evens out.

    Parameters
    ----------
    curve : torch.Tensor, shape (B, G) or (B, G, K)
        From `deletion_curve`.

    Examples
    --------
    >>> area(torch.tensor([[7.0, 3.0, 1.0]])).tolist()
    [5.0]
    """
    if curve.ndim not in (2, 3) or curve.shape[1] < 2:
        raise InputError("curve", "have shape (B, G) or (B, G, K) with at least two groups", tuple(curve.shape))
    mean_B: torch.Tensor = (curve[:, 1:] - curve[:, :1]).abs().flatten(1).mean(dim=1)
    return mean_B


def random_order(examples: int, groups: int, *, generator: torch.Generator) -> torch.Tensor:
    """Return a random order of the groups for each example, shape (B, G): what a method that knows nothing would say.

    Parameters
    ----------
    examples, groups : int
        B and G.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`.

    Examples
    --------
    >>> from citylib import seeds
    >>> random_order(2, 3, generator=seeds.torch_generator(0)).sort(dim=1).values.tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    shape = checks.integer("examples", examples, minimum=1), checks.integer("groups", groups, minimum=1)
    return torch.rand(shape, generator=generator).argsort(dim=1)
