"""Losses, as the training loop takes them: a model and a batch in, the mean loss out.

Legend: B examples, D numbers in one, K numbers to be foreseen, C classes.
"""

from __future__ import annotations

import torch
from torch import nn

from citylib.errors import InputError

__all__ = ["classifying", "rebuilding", "squared"]


def rebuilding(model: nn.Module, x_BD: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of rebuilding the examples.

    Parameters
    ----------
    model : torch.nn.Module
        Gives back tensors of the shape it gets.
    x_BD : torch.Tensor, shape (B, D)
        Examples.

    Returns
    -------
    torch.Tensor
        A single number.

    Examples
    --------
    >>> float(rebuilding(nn.Identity(), torch.ones(2, 3)))
    0.0
    """
    squared: torch.Tensor = (model(x_BD) - x_BD) ** 2
    return squared.mean()


def classifying(model: nn.Module, x_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of the classes under the softmax of the model's scores.

    Parameters
    ----------
    model : torch.nn.Module
        Gives scores of shape (B, C).
    x_BD : torch.Tensor, shape (B, D)
        Examples.
    y_B : torch.Tensor of int, shape (B,)
        Their classes, 0 to C - 1.

    Returns
    -------
    torch.Tensor
        A single number, in nats.

    Examples
    --------
    >>> round(float(classifying(nn.Identity(), torch.zeros(1, 2), torch.tensor([0]))), 4)
    0.6931
    """
    return nn.functional.cross_entropy(model(x_BD), y_B)


def squared(model: nn.Module, x_BD: torch.Tensor, y_BK: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of what the model foresees.

    Parameters
    ----------
    model : torch.nn.Module
        Gives tensors of shape (B, K).
    x_BD : torch.Tensor, shape (B, D)
        Examples.
    y_BK : torch.Tensor, shape (B, K)
        What came.

    Returns
    -------
    torch.Tensor
        A single number.

    Raises
    ------
    InputError
        The model's shape is another one: (B, 1) against (B,) would be compared each with each.

    Examples
    --------
    >>> float(squared(nn.Identity(), torch.ones(2, 1), torch.zeros(2, 1)))
    1.0
    """
    foreseen = model(x_BD)
    if foreseen.shape != y_BK.shape:
        raise InputError("y_BK", f"have the model's shape {tuple(foreseen.shape)}", tuple(y_BK.shape))
    error: torch.Tensor = (foreseen - y_BK) ** 2
    return error.mean()
