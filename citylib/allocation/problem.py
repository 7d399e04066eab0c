"""The budget problem `budget-v1`: contexts, their effects, the noise of what is observed, and the score.

F(w) = (1 / N) sum a_i (1 - exp(-b_i w_i R)), R = N, w on the simplex; a and b are functions of the context that nobody
is told. Changing a constant makes another problem, with another name.

Legend: B instances, N resources, F = 8 features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks, seeds
from citylib.allocation.water_filling import fill
from citylib.errors import InputError

__all__ = ["FEATURES", "Contexts", "benefit", "contexts", "effects", "effects_of", "gap_closed", "regret", "simplex"]

FloatArray = npt.NDArray[np.float64]
OWN, SHARED = 6, 2
OFF = 1e-3  # by which shares may miss 1: single precision, and what solvers leave
FEATURES = (*(f"x{k}" for k in range(OWN)), *(f"g{k}" for k in range(SHARED)))


@dataclass(frozen=True, eq=False)
class Contexts:
    """Instances of the problem.

    Parameters
    ----------
    features_BNF : ndarray, shape (B, N, 8)
        x of each resource, then g, the same for all resources of an instance.
    scale_BN, rate_BN : ndarray, shape (B, N)
        The true a and b.
    observed_BN : ndarray, shape (B, N)
        a times a noise of mean 1: what training sees in its place.
    """

    features_BNF: FloatArray
    scale_BN: FloatArray
    rate_BN: FloatArray
    observed_BN: FloatArray

    @property
    def budget_B(self) -> FloatArray:
        """R of each instance: as many units as resources."""
        return np.full(len(self.scale_BN), float(self.scale_BN.shape[1]))

    def first(self, count: int) -> Contexts:
        """Return the first `count` instances."""
        most = len(self.scale_BN)
        k = checks.integer("count", count, minimum=1, maximum=most)
        return Contexts(self.features_BNF[:k], self.scale_BN[:k], self.rate_BN[:k], self.observed_BN[:k])


def contexts(count: int, resources: int = 12, *, seed: int, part: str) -> Contexts:
    """Draw instances of `budget-v1`; fewer of the same seed and part are the first of more.

    Parameters
    ----------
    count : int
        B.
    resources : int, default 12
        N.
    seed : int
        The run's seed.
    part : str
        What they are for, such as ``"train"``: parts are independent.

    Returns
    -------
    Contexts

    Examples
    --------
    >>> few = contexts(3, seed=0, part="train")
    >>> few.features_BNF.shape, bool((few.scale_BN == contexts(5, seed=0, part="train").first(3).scale_BN).all())
    ((3, 12, 8), True)
    """
    shape = (checks.integer("count", count, minimum=1), checks.integer("resources", resources, minimum=1))
    draw = {what: seeds.generator(seed, "budget-v1", part, resources, what) for what in ("x", "g", "e")}
    own = draw["x"].standard_normal((*shape, OWN))
    shared = np.repeat(draw["g"].standard_normal((count, 1, SHARED)), resources, axis=1)
    features = np.concatenate([own, shared], axis=2)
    scale, rate, spread = effects(features)
    noise = np.exp(spread * draw["e"].standard_normal(shape) - spread**2 / 2)
    return Contexts(features, scale, rate, scale * noise)


def effects(features_BNF: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a, b and the spread of the noise of each resource, each of shape (B, N).

    Parameters
    ----------
    features_BNF : array_like, shape (B, N, 8)
        As in `Contexts`.

    Raises
    ------
    InputError
        Another number of features.
    """
    found = checks.array("features", features_BNF, ndim=3)
    if found.shape[2] != len(FEATURES):
        raise InputError("features", f"be the {len(FEATURES)} of budget-v1", found.shape)
    x0, x1, x2, x3, x4, x5, g0, g1 = np.moveaxis(found, 2, 0)
    relative = x3 - x3.mean(axis=1, keepdims=True)
    logistic = 1 / (1 + np.exp(-x5))
    log_a = 0.7 * np.tanh(x0) + 0.5 * np.sin(1.5 * x1) * np.tanh(x2) + 0.5 * g0 * np.tanh(x4) + 0.8 * np.tanh(relative)
    log_b = 0.3 + 0.5 * np.tanh(x2) - 0.4 / (1 + np.exp(-2 * x5)) + 0.3 * g1 * np.tanh(x1)
    return np.exp(log_a), np.exp(log_b), 0.25 + 0.6 * logistic


def benefit(
    shares_BN: npt.ArrayLike, scale_BN: npt.ArrayLike, rate_BN: npt.ArrayLike, budget_B: npt.ArrayLike
) -> FloatArray:
    """Return F(w) of each instance: the mean over resources of a (1 - exp(-b w R)).

    Parameters
    ----------
    shares_BN : array_like, shape (..., N)
        w.
    scale_BN, rate_BN : array_like, shape (..., N)
        a and b.
    budget_B : array_like, shape (...) or ()
        R.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    InputError
        Not finite, a or b below 0, a budget that is not above 0, shapes that don't fit.

    Examples
    --------
    >>> float(benefit([0.5, 0.5], [1.0, 2.0], [1.0, 1.0], 2.0).round(4))
    0.9482
    """
    w, a, b, units = effects_of(shares_BN, scale_BN, rate_BN, budget_B)
    return np.asarray((a * -np.expm1(-b * w * units)).mean(axis=-1))


def effects_of(
    shares_BN: npt.ArrayLike, scale_BN: npt.ArrayLike, rate_BN: npt.ArrayLike, budget_B: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return w, a, b and R as arrays that fit together, R with an axis for the resources; or say what is wrong.

    Parameters
    ----------
    shares_BN, scale_BN, rate_BN, budget_B : array_like
        As in `benefit`.

    Returns
    -------
    tuple of ndarray

    Raises
    ------
    InputError
        Not finite, a or b below 0, a budget that is not above 0, shapes that don't fit.

    Examples
    --------
    >>> effects_of([0.5, 0.5], [1.0, 2.0], [1.0, 1.0], 2.0)[3].tolist()
    [2.0]
    """
    w = checks.array("shares", shares_BN)
    a, b = checks.array("scale", scale_BN, minimum=0), checks.array("rate", rate_BN, minimum=0)
    units = checks.array("budget", budget_B)[..., None]
    if units.size and units.min() <= 0:
        raise InputError("budget", "be above 0", float(units.min()))
    try:
        np.broadcast_shapes(w.shape, a.shape, b.shape, units.shape)
    except ValueError:
        shapes = [found.shape for found in (w, a, b)] + [units.shape[:-1]]
        raise InputError("shares, scale, rate and budget", "fit together", shapes) from None
    return w, a, b, units


def simplex(argument: str, value: npt.ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Return `value` as shares, or say why it is none.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like, shape (..., N)
        Shares: none negative, summing to 1 up to 0.001, as in single precision or from a solver.
    shape : tuple of int, optional
        Wanted shape.

    Returns
    -------
    ndarray, shape (..., N)

    Raises
    ------
    InputError
        Another shape, a share that is missing or negative, a sum that is not 1; the instance is named.

    Examples
    --------
    >>> simplex("shares", [[0.5, 0.5], [0.5, 0.6]])
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: shares must sum to 1, got '1.1 in instance 1'
    """
    found = checks.array(argument, value, minimum=0)
    if shape is not None and found.shape != shape:
        raise InputError(argument, f"have the shape {shape}", found.shape)
    if not found.ndim or not found.size:
        raise InputError(argument, "be shares of one resource or more", found.shape)
    sums = found.sum(axis=-1)
    off = np.abs(sums - 1)
    if off.max() > OFF:
        where = f" in instance {int(off.argmax())}" if sums.ndim else ""
        raise InputError(argument, "sum to 1", f"{sums.flat[off.argmax()]:g}{where}")
    return found


def regret(shares_BN: npt.ArrayLike, known: Contexts) -> FloatArray:
    """Return (F* - F) / F* of each instance, F* by water-filling on the true a and b; refuses what are no shares."""
    given = _given(shares_BN, known)
    best = fill(known.scale_BN, known.rate_BN, known.budget_B).shares
    top = benefit(best, known.scale_BN, known.rate_BN, known.budget_B)
    return np.asarray((top - benefit(given, known.scale_BN, known.rate_BN, known.budget_B)) / top)


def _given(shares_BN: npt.ArrayLike, known: Contexts) -> FloatArray:
    """Return shares of each instance, or the same ones for all."""
    found = simplex("shares", shares_BN)
    if found.shape not in (known.scale_BN.shape, known.scale_BN.shape[1:]):
        raise InputError("shares", f"have the shape {known.scale_BN.shape}", found.shape)
    return found


def gap_closed(shares_BN: npt.ArrayLike, known: Contexts) -> float:
    """Return how much of the way from equal shares to the optimum is gone: (F - F_equal) / (F* - F_equal), of means.

    1 where there is no way to go, as with one resource. Refuses what are no shares, as `regret` does.
    """
    value = {
        name: benefit(w, known.scale_BN, known.rate_BN, known.budget_B).mean()
        for name, w in {
            "given": _given(shares_BN, known),
            "equal": np.full(known.scale_BN.shape, 1 / known.scale_BN.shape[1]),
            "best": fill(known.scale_BN, known.rate_BN, known.budget_B).shares,
        }.items()
    }
    way = value["best"] - value["equal"]
    return float((value["given"] - value["equal"]) / way) if way > 0 else 1.0
