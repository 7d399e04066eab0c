"""What pictures of traffic are trained with: losses that draw pictures when they are needed, weights for rare levels.

Legend: B pictures, K levels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural import train
from citylib.neural.pictures import Cases, Pictures

__all__ = ["classifying", "level_weights", "probabilities"]

FloatArray = npt.NDArray[np.float64]


def classifying(
    pictures: Pictures, *, weights: torch.Tensor | None = None
) -> Callable[[nn.Module, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return the loss ``loss(model, at, sensor, level)``: the mean cross-entropy of what came.

    Parameters
    ----------
    pictures : Pictures
        From which they are drawn.
    weights : torch.Tensor, shape (K,), optional
        How much a case of each level counts, from `level_weights`; the weighted mean is taken.

    Returns
    -------
    callable
        As `citylib.neural.train.train` takes it, with examples ``(cases.at, cases.sensor, cases.level)``.
    """

    def loss(model: nn.Module, at_B: torch.Tensor, sensor_B: torch.Tensor, level_B: torch.Tensor) -> torch.Tensor:
        each = None if weights is None else weights.to(level_B.device)
        return nn.functional.cross_entropy(model(pictures.gather(at_B, sensor_B)), level_B, weight=each)

    return loss


def level_weights(level: npt.ArrayLike, classes: int) -> torch.Tensor:
    """Return weights by which all levels count alike: n / (K n_k).

    Parameters
    ----------
    level : array_like of int, shape (n,)
        Levels in the training part.
    classes : int
        K.

    Returns
    -------
    torch.Tensor, shape (K,)

    Raises
    ------
    InputError
        A level that is not in the training part at all: nothing can be learned of it.

    Examples
    --------
    >>> level_weights([0, 0, 0, 1], 2).tolist()
    [0.6666666865348816, 2.0]
    """
    counts = counted(level, classes)
    return torch.as_tensor(counts.sum() / (classes * counts), dtype=torch.float32)


def counted(level: npt.ArrayLike, classes: int) -> npt.NDArray[np.int64]:
    """Return how often each level occurs, shape (K,), and refuse those that do not.

    Raises
    ------
    InputError
        A level outside 0 to K - 1, or one that does not occur.
    """
    found, classes = np.asarray(level, dtype=np.int64), checks.integer("classes", classes, minimum=2)
    if found.size and not 0 <= found.min() <= found.max() < classes:
        raise InputError("level", f"lie between 0 and {classes - 1}", (int(found.min()), int(found.max())))
    counts = np.bincount(found, minlength=classes)
    if (counts == 0).any():
        absent = np.flatnonzero(counts == 0).tolist()
        hint = "put it to its neighbour: citylib.neural.pictures.common_cuts"
        raise InputError("level", f"hold all of 0 to {classes - 1} in the training part", f"none of {absent}", hint)
    return counts


def probabilities(model: nn.Module, pictures: Pictures, cases: Cases, *, batch: int = 4096) -> FloatArray:
    """Return the probability that a model gives to each level.

    Parameters
    ----------
    model : torch.nn.Module
        Gives scores of shape (B, K).
    pictures : Pictures
        From which they are drawn.
    cases : Cases
        Which ones.
    batch : int, default 4096
        Pictures drawn at once.

    Returns
    -------
    ndarray, shape (P, K)
        Rows add up to 1.
    """
    parts = []
    for rows in torch.split(torch.arange(len(cases)), checks.integer("batch", batch, minimum=1)):
        parts.append(train.predict(model, pictures.gather(cases.at[rows], cases.sensor[rows])))
    return np.asarray(torch.softmax(torch.cat(parts).double(), dim=1).numpy())
