"""What a training is told, as one digest: the loss with all it closes over, and how a model is built.

A training that is kept on disk may only go on where all of this is the same. Examples are often numbers of windows,
and the readings themselves lie in what the loss closes over.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from citylib.neural import store

__all__ = ["fingerprint", "of_model", "of_training"]

_PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic, np.datetime64)


def fingerprint(value: object) -> str:
    """Return a sha256 of a value: of a function its name and what it closes over, of an object its attributes.

    Tensors and arrays enter by their values, generators by their state. What is none of these enters by its type.

    Parameters
    ----------
    value : object
        A loss, mostly.

    Returns
    -------
    str
        The same in every process.

    Examples
    --------
    >>> def loss_of(delta, x):
    ...     return lambda model: delta * (model(x) - x).abs().mean()
    >>> one, other = loss_of(1.0, torch.ones(2)), loss_of(1.0, torch.zeros(2))
    >>> fingerprint(one) == fingerprint(loss_of(1.0, torch.ones(2))), fingerprint(one) == fingerprint(other)
    (True, False)
    """
    total = hashlib.sha256()
    _add(total, value, [])
    return total.hexdigest()


def of_model(model: nn.Module) -> str:
    """Return a sha256 of how a model is built: classes, plain attributes, what learns; not of its weights.

    Parameters
    ----------
    model : torch.nn.Module
        Any.

    Returns
    -------
    str
    """
    total = hashlib.sha256()
    for name, module in model.named_modules():
        plain = {k: v for k, v in vars(module).items() if not k.startswith("_") and isinstance(v, (*_PLAIN, tuple))}
        _add(total, [name, type(module).__module__, type(module).__qualname__, plain], [])
    _add(total, [(name, p.requires_grad) for name, p in model.named_parameters()], [])
    return total.hexdigest()


def of_training(
    model: nn.Module, loss: object, examples: Sequence[torch.Tensor], validation: Sequence[torch.Tensor] | None
) -> dict[str, str | None]:
    """Return what must be the same for a kept training to go on, besides its numbers; each under its name.

    Parameters
    ----------
    model : torch.nn.Module
        As it starts.
    loss : callable
        As `citylib.neural.train.train` takes it.
    examples : sequence of torch.Tensor
        What is learned from.
    validation : sequence of torch.Tensor, optional
        What says when to stop.

    Returns
    -------
    dict of str to str or None
    """
    return {
        "model": f"{type(model).__module__}.{type(model).__qualname__}",
        "how the model is built": of_model(model),
        "loss": getattr(loss, "__qualname__", type(loss).__qualname__),
        "what the loss closes over": fingerprint(loss),
        "weights at the start": store.digest(*model.state_dict().values()),
        "examples": store.digest(*examples),
        "validation data": None if validation is None else store.digest(*validation),
    }


def _add(total: Any, value: object, within: list[object]) -> None:
    if any(value is one for one in within):
        total.update(b"itself;")
        return
    inner = [*within, value]
    total.update(f"{type(value).__module__}.{type(value).__qualname__}:".encode())
    if isinstance(value, _PLAIN):
        total.update(repr(value).encode())
    elif isinstance(value, torch.Tensor):
        total.update(store.digest(value).encode())
    elif isinstance(value, np.ndarray):
        total.update(f"{value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, torch.Generator):
        total.update(value.get_state().numpy().tobytes())
    elif isinstance(value, np.random.Generator):
        _add(total, value.bit_generator.state, inner)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            _add(total, (key, value[key]), inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for one in sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value:
            _add(total, one, inner)
    elif isinstance(value, nn.Module):
        total.update(of_model(value).encode())
        _add(total, dict(value.state_dict()), inner)
    else:
        _add_object(total, value, inner)
    total.update(b";")


def _add_object(total: Any, value: object, inner: list[object]) -> None:
    """Add a function by its name and cells, a method by its owner too, any other object by its attributes."""
    total.update(str(getattr(value, "__qualname__", "")).encode())
    cells = getattr(value, "__closure__", None) or ()
    _add(total, [cell.cell_contents for cell in cells], inner)
    _add(total, [getattr(value, name, None) for name in ("__defaults__", "__kwdefaults__", "__self__")], inner)
    if isinstance(value, functools.partial):
        _add(total, (value.func, value.args, value.keywords), inner)
    elif not isinstance(value, type) and not inspect.isroutine(value) and hasattr(value, "__dict__"):
        _add(total, vars(value), inner)
