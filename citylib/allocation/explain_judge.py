"""Explanations judged: by rank against planted sensitivities, and by what a share does when what they name is hidden.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from citylib import checks
from citylib.allocation.explain_shapley import known_only
from citylib.allocation.policy import Policy, State
from citylib.errors import InputError

__all__ = ["agreement", "deletion"]

FloatArray = npt.NDArray[np.float64]


def agreement(scores_BN: npt.ArrayLike, truth_BN: npt.ArrayLike, mask_BN: npt.ArrayLike | None = None) -> FloatArray:
    """Return Spearman's rank correlation over resources, an instance at a time.

    Parameters
    ----------
    scores_BN : array_like, shape (B, N)
        How much each resource matters, as said; signs don't count.
    truth_BN : array_like, shape (B, N)
        How much it does.
    mask_BN : array_like of bool, shape (B, N), optional
        Which resources are there; others have no rank.

    Returns
    -------
    ndarray, shape (B,)
        0 where the scores are all the same, for they put nothing in order; NaN where the truth is.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things. American Journal of Psychology 15.

    Examples
    --------
    >>> agreement([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], [[0.1, 0.2, 0.9], [1.0, 2.0, 3.0]]).round(9).tolist()
    [1.0, 0.0]
    """
    said, true = (checks.array(n, v, ndim=2) for n, v in (("scores", scores_BN), ("truth", truth_BN)))
    if said.shape != true.shape or said.shape[1] < 2:
        raise InputError("scores", f"be of the shape of truth, {true.shape}, two resources or more", said.shape)
    there = np.ones(true.shape, dtype=bool) if mask_BN is None else checks.binary("mask", mask_BN)
    if there.shape != true.shape:
        raise InputError("mask", f"have the shape {true.shape}", there.shape)
    ranks = (rankdata(np.where(there, np.abs(v), np.nan), axis=1, nan_policy="omit") for v in (said, true))
    first, second = (np.where(there, v - np.nanmean(v, axis=1, keepdims=True), 0.0) for v in ranks)
    size, scale = np.sqrt((first**2).sum(axis=1)), np.sqrt((second**2).sum(axis=1))
    below = np.where(size > 0, size, 1.0) * np.where(scale > 0, scale, np.nan)
    return np.asarray((first * second).sum(axis=1) / below)


def deletion(
    policy: Policy, given: State, of: npt.ArrayLike, scores_BN: npt.ArrayLike, base: npt.ArrayLike
) -> FloatArray:
    """Return how far a share has moved once the features of the top k resources are replaced by a background.

    An explanation that names what counts moves it early.

    Parameters
    ----------
    policy : Policy
        In its mode for use.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.
    scores_BN : array_like, shape (B, N)
        How much each resource matters, as said; signs don't count.
    base : array_like, shape (F,)
        The background, such as the training contexts' mean.

    Returns
    -------
    ndarray, shape (B, N + 1)
        |w(k hidden) - w|, for k = 0..N.

    References
    ----------
    Samek, W. et al. (2017). Evaluating the visualization of what a deep neural network has learned. IEEE Transactions
    on Neural Networks and Learning Systems 28(11).
    """
    said = checks.array("scores", scores_BN, ndim=2)
    if said.shape != tuple(given.mask_BN.shape):
        raise InputError("scores", f"have the shape {tuple(given.mask_BN.shape)}", said.shape)
    place_BN = np.argsort(np.argsort(-np.abs(said), axis=1, kind="stable"), axis=1)
    sets_BKN = place_BN[:, None, :] >= np.arange(said.shape[1] + 1)[None, :, None]
    share_BK = known_only(policy, given, of, base, sets_BKN)
    return np.asarray(np.abs(share_BK - share_BK[:, :1]))
