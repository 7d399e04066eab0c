"""Shapley values: what each player adds, averaged over the orders in which they may come.

A player is whatever can be known or not: a resource's features, or a reason such as "its distance". What is not known
holds the value of a background. The values add up to the difference between all known and nothing known, exactly, for
any number of orders drawn: in each order the steps telescope.

Legend: P players, K sets of players, M orders, B instances, N resources, F features.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.allocation.explain import background, shares_of, target
from citylib.allocation.policy import Policy, State
from citylib.errors import InputError

__all__ = ["LARGEST", "Value", "exact", "known_only", "leave_one_out", "sampled", "shapley"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Value = Callable[[BoolArray], FloatArray]
LARGEST = 14  # players of an exact sum: 2^14 sets


def exact(value: Value, players: int) -> FloatArray:
    """Return the Shapley values by the sum over all sets of players.

    Parameters
    ----------
    value : callable
        From sets, shape (K, P), True where a player is in, to what they are worth, shape (K,).
    players : int
        P, up to 14.

    Returns
    -------
    ndarray, shape (P,)

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games 2.

    Examples
    --------
    >>> def together(sets):
    ...     return sets[:, 0] + 2.0 * (sets[:, 1] & sets[:, 2])
    >>> exact(together, 3).round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    p = checks.integer("players", players, minimum=1, maximum=LARGEST)
    code = np.arange(2**p)
    sets_KP = (code[:, None] >> np.arange(p)) & 1 == 1
    worth_K = _worth(value, sets_KP)
    size_K = sets_KP.sum(axis=1)
    weight = np.ones(p)  # s! (p - 1 - s)! / p!
    weight[0] = 1 / p
    for s in range(1, p):
        weight[s] = weight[s - 1] * s / (p - s)
    out = np.empty(p)
    for k in range(p):
        without = ~sets_KP[:, k]
        gain = worth_K[code[without] | (1 << k)] - worth_K[without]
        out[k] = weight[size_K[without]] @ gain
    return out


def sampled(value: Value, players: int, *, orders: int, generator: np.random.Generator) -> FloatArray:
    """Return the Shapley values by orders drawn, each followed by its reverse.

    Parameters
    ----------
    value : callable
        As in `exact`; a set is asked for once.
    players : int
        P.
    orders : int
        M, even.
    generator : numpy.random.Generator
        Draws.

    Returns
    -------
    ndarray, shape (P,)
        They add up to the value of all less that of none, whatever M is.

    References
    ----------
    Castro, J., Gomez, D. and Tejada, J. (2009). Polynomial calculation of the Shapley value based on sampling.
    Computers and Operations Research 36(5). Mitchell, R. et al. (2022). Sampling permutations for Shapley value
    estimation. JMLR 23.
    """
    orders_MP, sets_KP, chain_MQ = _chains(players, orders, generator)
    return np.asarray(_along(_worth(value, sets_KP)[None], orders_MP, chain_MQ)[0])


def leave_one_out(policy: Policy, given: State, of: npt.ArrayLike, base: npt.ArrayLike) -> FloatArray:
    """Return by how much a share moves when the features of one resource are replaced by a background.

    Parameters
    ----------
    policy : Policy
        In its mode for use.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.
    base : array_like, shape (F,)
        The background, such as the training contexts' mean.

    Returns
    -------
    ndarray, shape (B, N)
        The share with all known, less that without the resource's features; with its sign.
    """
    n = given.tokens_BNF.shape[1]
    sets_KN = np.concatenate([np.ones((1, n), dtype=np.bool_), ~np.eye(n, dtype=np.bool_)])
    worth_BK = known_only(policy, given, of, base, sets_KN)
    return np.asarray(worth_BK[:, :1] - worth_BK[:, 1:])


def shapley(
    policy: Policy,
    given: State,
    of: npt.ArrayLike,
    base: npt.ArrayLike,
    *,
    orders: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Return what knowing each resource's features adds to a share: Shapley values by orders drawn.

    Parameters
    ----------
    policy : Policy
        In its mode for use.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.
    base : array_like, shape (F,)
        The background.
    orders : int
        M, even; the same orders for all instances.
    generator : numpy.random.Generator
        Draws.

    Returns
    -------
    ndarray, shape (B, N)
        With their sign. A row adds up to the share less the share with nothing known, which is 1 / N for a policy that
        keeps its contract.

    References
    ----------
    Strumbelj, E. and Kononenko, I. (2014). Explaining prediction models and individual predictions with feature
    contributions. Knowledge and Information Systems 41(3).
    """
    orders_MN, sets_KN, chain_MQ = _chains(given.tokens_BNF.shape[1], orders, generator)
    return _along(known_only(policy, given, of, base, sets_KN), orders_MN, chain_MQ)


def known_only(policy: Policy, given: State, of: npt.ArrayLike, base: npt.ArrayLike, sets_KN: BoolArray) -> FloatArray:
    """Return a share where only the features of a set of resources are known, for each instance and set.

    Parameters
    ----------
    policy : Policy
        In its mode for use.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is asked.
    base : array_like, shape (F,)
        What the features of the others are replaced by.
    sets_KN : ndarray of bool, shape (K, N) or (B, K, N)
        Sets; the same for all instances, or for each its own.

    Returns
    -------
    ndarray, shape (B, K)
    """
    rows = target(of, given)
    count, n, _ = given.tokens_BNF.shape
    plain = torch.tensor(background(base, given), dtype=given.tokens_BNF.dtype)
    if sets_KN.shape[-1] != n or sets_KN.ndim not in (2, 3) or (sets_KN.ndim == 3 and len(sets_KN) != count):
        raise InputError("sets", f"be of {n} resources", sets_KN.shape)
    every_BKN = torch.from_numpy(np.broadcast_to(sets_KN, (count, *sets_KN.shape[-2:])).copy())
    out, k = np.empty((count, every_BKN.shape[1])), every_BKN.shape[1]
    with torch.no_grad():
        for b in range(count):
            tokens_KNF = torch.where(every_BKN[b, :, :, None], given.tokens_BNF[b], plain)
            there_KN, units_K = given.mask_BN[b].expand(k, -1), given.budget_B[b].expand(k)
            out[b] = shares_of(policy, tokens_KNF, there_KN, units_K, np.full(k, rows[b])).double().numpy()
    return out


def _chains(
    players: int, orders: int, generator: np.random.Generator
) -> tuple[npt.NDArray[np.int64], BoolArray, npt.NDArray[np.int64]]:
    """Return orders (M, P), the different sets met on the way (K, P), and which is met where (M, P + 1)."""
    p = checks.integer("players", players, minimum=1)
    m = checks.integer("orders", orders, minimum=2)
    if m % 2:
        raise InputError("orders", "be even, as each order is followed by its reverse", m)
    half = np.stack([generator.permutation(p) for _ in range(m // 2)])
    orders_MP = np.concatenate([half, half[:, ::-1]])
    rank_MP = np.argsort(orders_MP, axis=1)
    sets = rank_MP[:, None, :] < np.arange(p + 1)[None, :, None]
    sets_KP, back = np.unique(sets.reshape(-1, p), axis=0, return_inverse=True)
    return orders_MP, sets_KP, back.reshape(m, p + 1)


def _along(worth_BK: FloatArray, orders_MP: npt.NDArray[np.int64], chain_MQ: npt.NDArray[np.int64]) -> FloatArray:
    """Return the mean step of each player over the orders, shape (B, P)."""
    out = np.zeros((len(worth_BK), orders_MP.shape[1]))
    for order, chain in zip(orders_MP, chain_MQ, strict=True):
        out[:, order] += np.diff(worth_BK[:, chain], axis=1)
    return out / len(orders_MP)


def _worth(value: Value, sets_KP: BoolArray) -> FloatArray:
    """Return what the sets are worth, checked."""
    found = checks.series("value", value(sets_KP))
    if len(found) != len(sets_KP):
        raise InputError("value", f"give a number for each of {len(sets_KP)} sets", len(found))
    return found
