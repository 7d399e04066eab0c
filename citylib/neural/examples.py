"""What a training learns from, looked at before work starts: tensors of one length, of the numbers its model works in.

Legend: n examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from citylib.errors import InputError

__all__ = ["count", "learnable", "same_numbers"]


def count(argument: str, tensors: Any) -> int:
    """Return n, the rows that each of the tensors has.

    Parameters
    ----------
    argument : str
        What an error calls them.
    tensors : sequence of torch.Tensor
        With n rows each.

    Returns
    -------
    int

    Raises
    ------
    InputError
        None, something else than tensors, a single number, tensors of different lengths.

    Examples
    --------
    >>> count("examples", (torch.zeros(3, 2), torch.zeros(3)))
    3
    """
    if isinstance(tensors, torch.Tensor):
        raise InputError(argument, "be a sequence of tensors", "one tensor", "write (x,)")
    if not isinstance(tensors, Sequence):
        raise InputError(argument, "be a sequence of tensors", type(tensors).__name__)
    for tensor in tensors:
        if not isinstance(tensor, torch.Tensor):
            hint = "torch.as_tensor makes one of an array"
            raise InputError(argument, "be tensors", type(tensor).__name__, hint)
        if not tensor.dim():
            raise InputError(argument, "have a row an example", "a single number")
    if not tensors or len(tensors[0]) == 0:
        raise InputError(argument, "hold at least one example", f"{len(tensors)} tensors without a row")
    lengths = {len(tensor) for tensor in tensors}
    if len(lengths) > 1:
        raise InputError(argument, "have tensors of one length", sorted(lengths))
    return int(lengths.pop())


def learnable(model: nn.Module) -> None:
    """Refuse a model in which nothing learns.

    Parameters
    ----------
    model : torch.nn.Module
        To be trained.

    Raises
    ------
    InputError
        No weights, or all of them frozen.
    """
    weights = list(model.parameters())
    if not weights:
        raise InputError("model", "have weights to train", type(model).__name__)
    if not any(p.requires_grad for p in weights):
        raise InputError("model", "have weights that learn", f"{len(weights)} tensors of weights, all frozen")


def same_numbers(argument: str, tensors: Sequence[torch.Tensor], place: Any, model: nn.Module) -> None:
    """Refuse examples of other floating point numbers than the model works in, where nothing turns them.

    Parameters
    ----------
    argument : str
        What an error calls them.
    tensors : sequence of torch.Tensor
        What is learned from.
    place : Place
        Where; mixed precision turns what a model is given by itself, and so does ``"64-true"``.
    model : torch.nn.Module
        As it starts.

    Raises
    ------
    InputError
        float64 beside a model in float32.
    """
    if place.precision != "32-true":
        return
    own = next(model.parameters()).dtype
    for tensor in tensors:
        if tensor.is_floating_point() and tensor.dtype == torch.float64 != own:
            hint = "x.float(), or a place of precision '64-true'"
            raise InputError(argument, f"hold {str(own)[6:]} as the model does", "float64", hint)
