"""The feedback problem `drift-v1`: effects that wander, seen only through what the shares given bring.

64 instances of `budget-v1` with N = 12. ln a(t) = ln a(0) + d(t), d(t + 1) = 0.985 d(t) + 0.06 e, d(0) = 0; b stays.
At each of 200 steps a rule gives shares w and is told y = a (1 - exp(-b w R)) (1 + 0.15 e). Regret is averaged from
step 40 on.

Legend: B instances, N resources, T steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from citylib import checks, seeds
from citylib.allocation.problem import Contexts, benefit, contexts, simplex
from citylib.allocation.water_filling import fill

__all__ = ["FROM", "KEPT", "NOISE", "PRIORS", "STEP", "Drift", "Rule", "drift", "misjudged", "play", "prior"]

FloatArray = npt.NDArray[np.float64]
KEPT, STEP, NOISE = 0.985, 0.06, 0.15
INSTANCES, STEPS, FROM = 64, 200, 40
PRIORS = ("true", "biased", "flat")


class Rule(Protocol):
    """What decides, is told what came of it, and decides again."""

    def shares(self) -> FloatArray:
        """Return the shares of this step, shape (B, N)."""
        ...

    def observe(self, shares_BN: FloatArray, benefit_BN: FloatArray) -> None:
        """Take in what the shares given brought."""
        ...


@dataclass(frozen=True, eq=False)
class Drift:
    """A world in which effects wander.

    Parameters
    ----------
    start : Contexts
        The instances at step 0.
    scale_TBN : ndarray, shape (T, B, N)
        a at each step.
    noise_TBN : ndarray, shape (T, B, N)
        What the benefit seen is multiplied with.
    best_TB : ndarray, shape (T, B)
        F of the best shares at each step.
    """

    start: Contexts
    scale_TBN: FloatArray
    noise_TBN: FloatArray
    best_TB: FloatArray


def drift(*, seed: int, steps: int = STEPS, instances: int = INSTANCES) -> Drift:
    """Draw a world.

    Parameters
    ----------
    seed : int
        The run's seed.
    steps : int, default 200
        T, more than 40.
    instances : int, default 64
        B.

    Returns
    -------
    Drift

    Examples
    --------
    >>> drift(seed=0, steps=50, instances=2).scale_TBN.shape
    (50, 2, 12)
    """
    checks.integer("steps", steps, minimum=FROM + 1)
    start = contexts(instances, seed=seed, part="drift")
    draw = {what: seeds.generator(seed, "drift-v1", what) for what in ("steps", "noise")}
    e_TBN = draw["steps"].standard_normal((steps, *start.scale_BN.shape))
    off_TBN = np.zeros_like(e_TBN)
    for t in range(1, steps):
        off_TBN[t] = KEPT * off_TBN[t - 1] + STEP * e_TBN[t]
    scale_TBN = start.scale_BN * np.exp(off_TBN)
    noise_TBN = 1 + NOISE * draw["noise"].standard_normal(scale_TBN.shape)
    rate_TBN = np.broadcast_to(start.rate_BN, scale_TBN.shape)
    best = fill(scale_TBN, rate_TBN, np.broadcast_to(start.budget_B, scale_TBN.shape[:2])).shares
    return Drift(start, scale_TBN, noise_TBN, benefit(best, scale_TBN, rate_TBN, start.budget_B))


def prior(world: Drift, kind: str, *, seed: int) -> FloatArray:
    """Return what a rule believes of ln a at the start.

    Parameters
    ----------
    world : Drift
        The world.
    kind : {"true", "biased", "flat"}
        ln a(0) itself; that, 0.5 too high or too low by the toss of a coin; its mean over all contexts and resources.
    seed : int
        The run's seed.

    Returns
    -------
    ndarray, shape (B, N)
    """
    log_a = np.log(world.start.scale_BN)
    checks.one_of("kind", kind, PRIORS)
    if kind == "true":
        return log_a
    if kind == "flat":
        return np.full_like(log_a, log_a.mean())
    coin = seeds.generator(seed, "drift-v1", "coin").integers(0, 2, log_a.shape)
    return np.asarray(log_a + np.where(coin == 1, 0.5, -0.5))


def misjudged(world: Drift, *, seed: int) -> FloatArray:
    """Return b as a rule believes it to be when it is wrong by a factor exp(0.3 e), shape (B, N)."""
    e = seeds.generator(seed, "drift-v1", "rate").standard_normal(world.start.rate_BN.shape)
    return np.asarray(world.start.rate_BN * np.exp(0.3 * e))


def play(
    rule: Rule, world: Drift, *, every: int = 1, watch: Callable[[int, FloatArray], None] | None = None
) -> FloatArray:
    """Let a rule decide and learn through all steps, and return its regret, shape (T, B).

    Parameters
    ----------
    rule : Rule
        Fresh: what it learned before it keeps.
    world : Drift
        The world.
    every : int, default 1
        Shares are decided anew every so many steps; the outcome is told at every step.
    watch : callable, optional
        Called with step and shares.

    Returns
    -------
    ndarray, shape (T, B)
        (F* - F) / F*; its mean from row `FROM` on is the score.
    """
    checks.integer("every", every, minimum=1)
    start, out = world.start, np.empty(world.best_TB.shape)
    shares_BN = np.empty(0)
    for t, (a_BN, noise_BN) in enumerate(zip(world.scale_TBN, world.noise_TBN, strict=True)):
        if t % every == 0:
            shares_BN = simplex("shares of the rule", rule.shares(), start.scale_BN.shape)
        if watch is not None:
            watch(t, shares_BN)
        out[t] = 1 - benefit(shares_BN, a_BN, start.rate_BN, start.budget_B) / world.best_TB[t]
        seen_BN = a_BN * -np.expm1(-start.rate_BN * shares_BN * start.budget_B[:, None]) * noise_BN
        rule.observe(shares_BN, seen_BN)
    return out
