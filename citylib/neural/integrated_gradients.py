"""Integrated gradients: the slopes of the answer, gathered on the way from a baseline to the example.

Legend: B examples, D numbers in one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from citylib import checks
from citylib.errors import InputError
from citylib.neural.attribution import Answer

__all__ = ["Integrated", "integrated_gradients"]


@dataclass(frozen=True, eq=False)
class Integrated:
    """Scores of integrated gradients, and what they leave unexplained.

    Parameters
    ----------
    score_BD : torch.Tensor, shape (B, D)
        What each number adds to the answer.
    change_B : torch.Tensor, shape (B,)
        Answer at the example minus that at the baseline.
    """

    score_BD: torch.Tensor
    change_B: torch.Tensor

    @property
    def gap_B(self) -> torch.Tensor:
        """Sum of the scores minus the change, shape (B,): 0 by the axiom of completeness, but for the quadrature."""
        gap: torch.Tensor = self.score_BD.sum(dim=1) - self.change_B
        return gap


def integrated_gradients(
    answer: Answer, x_BD: torch.Tensor, *, baseline_BD: torch.Tensor, steps: int = 32
) -> Integrated:
    """Return (x - b) times the mean gradient on the straight way from b to x.

    With f the answer and b the baseline, the score of number i is
    (x_i - b_i) times the integral over a from 0 to 1 of df/dx_i at b + a (x - b). The scores add up to f(x) - f(b)
    (completeness). The integral is taken by Gauss and Legendre's rule, exact for polynomials of degree 2 steps - 1
    along the way: a line needs one step, a bent network some tens; `Integrated.gap_B` tells whether they were enough.

    Parameters
    ----------
    answer : callable
        From (B, D) to (B,), each example by itself, differentiable.
    x_BD : torch.Tensor, shape (B, D)
        Examples.
    baseline_BD : torch.Tensor, shape (B, D)
        What stands for "nothing".
    steps : int, default 32
        Points on the way.

    Returns
    -------
    Integrated

    Raises
    ------
    InputError
        Shapes that differ, numbers that are not finite, an answer that is no number an example.

    References
    ----------
    Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep networks. ICML, 3319-3328.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 2.0]])
    >>> found = integrated_gradients(lambda z: z[:, 0] * z[:, 1], x, baseline_BD=torch.zeros(1, 2))
    >>> found.score_BD.round(decimals=4).tolist(), found.change_B.tolist()
    ([[1.0, 1.0]], [2.0])
    """
    if x_BD.ndim != 2 or x_BD.shape != baseline_BD.shape:
        raise InputError("x, baseline", "have one shape (B, D)", (tuple(x_BD.shape), tuple(baseline_BD.shape)))
    if not bool(torch.isfinite(x_BD).all() and torch.isfinite(baseline_BD).all()):
        raise InputError("x, baseline", "be finite", "NaN or infinite numbers")
    node, weight = np.polynomial.legendre.leggauss(checks.integer("steps", steps, minimum=1))
    way_BD = x_BD - baseline_BD
    mean_BD = torch.zeros_like(x_BD)
    for at, part in zip((node + 1) / 2, weight / 2, strict=True):
        point_BD = (baseline_BD + float(at) * way_BD).requires_grad_()
        value_B = _number(answer(point_BD), len(x_BD))
        (slope_BD,) = torch.autograd.grad(value_B.sum(), point_BD)
        mean_BD += float(part) * slope_BD
    with torch.no_grad():
        change_B = _number(answer(x_BD), len(x_BD)) - _number(answer(baseline_BD), len(x_BD))
    return Integrated(way_BD * mean_BD, change_B)


def _number(value_B: torch.Tensor, examples: int) -> torch.Tensor:
    if value_B.shape != (examples,):
        raise InputError("answer", f"give one number an example, shape ({examples},)", tuple(value_B.shape))
    return value_B
