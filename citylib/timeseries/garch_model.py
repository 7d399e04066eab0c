"""GARCH(1,1) and GJR: which model of the variance is meant, its recursion in plain form, what it starts from.

y_t = mu + e_t, e_t = sqrt(s_t) z_t, s_t = omega + (alpha + gamma [e_(t-1) < 0]) e_(t-1)^2 + beta s_(t-1), z normal
or Student's t. Legend: T time steps, N series, k parameters, S starts, 5 of mu, omega, alpha, gamma, beta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from citylib import checks

__all__ = ["Garch", "recursion", "recursion_slopes", "starting_variance"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Derivatives = tuple[FloatArray, ...]  # a function of one number, its first derivative, its second

DISTRIBUTIONS = ("normal", "t")
SPAN, DECAY = 75, 0.94  # of the weights of the starting variance
# Persistence, share of the shock in it: what cities' and markets' series have shown.
STARTS = ((0.98, 0.05), (0.95, 0.1), (0.9, 0.2), (0.8, 0.1), (0.7, 0.4), (0.5, 0.2), (0.3, 0.6), (0.99, 0.15))


def recursion(
    y: npt.ArrayLike, *, mu: float, omega: float, alpha: float, beta: float, first: float, gamma: float = 0.0
) -> FloatArray:
    """Return the conditional variances, shape (T,), in plain form.

    Parameters
    ----------
    y : array_like, shape (T,)
        Series; NaN where a reading is missing: the square of its shock is then replaced by the conditional variance.
    mu, omega, alpha, beta : float
        Parameters.
    first : float
        Variance that stands for what came before the first step.
    gamma : float, default 0
        What a shock below zero adds to alpha (GJR).

    Examples
    --------
    >>> recursion([1.0, 0.0, 0.0], mu=0.0, omega=0.1, alpha=0.5, beta=0.4, first=1.0).round(6).tolist()
    [1.0, 1.0, 0.5]
    """
    e_T = checks.series("y", y, missing=True) - mu
    s_T = np.empty(len(e_T))
    for t in range(len(e_T)):
        if t == 0 or np.isnan(e_T[t - 1]):
            s_T[t] = omega + (alpha + gamma / 2 + beta) * (s_T[t - 1] if t else first)
        else:
            s_T[t] = omega + (alpha + gamma * (e_T[t - 1] < 0)) * e_T[t - 1] ** 2 + beta * s_T[t - 1]
    return s_T


def recursion_slopes(
    y: npt.ArrayLike, *, mu: float, omega: float, alpha: float, beta: float, first: float, gamma: float = 0.0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return conditional variances (T,) with first (T, 5) and second (T, 5, 5) derivatives, in plain form.

    Parameters
    ----------
    y, mu, omega, alpha, beta, first, gamma : see `recursion`
        As in `recursion`; the derivatives are by mu, omega, alpha, gamma, beta.

    References
    ----------
    Fiorentini, G., Calzolari, G. and Panattoni, L. (1996). Analytic derivatives and the computation of GARCH
    estimates. Journal of Applied Econometrics 11(4), 399-417.

    Examples
    --------
    >>> recursion_slopes([1.0, 0.0], mu=0.0, omega=0.1, alpha=0.5, beta=0.4, first=1.0)[1].tolist()
    [[0.0, 1.0, 1.0, 0.5, 1.0], [-1.0, 1.4, 1.4, 0.2, 1.4]]
    """
    e_T = checks.series("y", y) - mu
    s_T = recursion(y, mu=mu, omega=omega, alpha=alpha, beta=beta, gamma=gamma, first=first)
    slope_T5, bend_T55 = np.zeros((len(e_T), 5)), np.zeros((len(e_T), 5, 5))
    slope_T5[:1] = [0.0, 1.0, first, first / 2, first]
    for t in range(1, len(e_T)):
        e, fallen = e_T[t - 1], float(e_T[t - 1] < 0)
        pull = alpha + gamma * fallen
        slope_T5[t] = beta * slope_T5[t - 1] + [-2 * pull * e, 1.0, e**2, fallen * e**2, s_T[t - 1]]
        bend_T55[t] = beta * bend_T55[t - 1]
        bend_T55[t, 0, :4] += [2 * pull, 0.0, -2 * e, -2 * e * fallen]
        bend_T55[t, 2:4, 0] += [-2 * e, -2 * e * fallen]
        bend_T55[t, 4] += slope_T5[t - 1]
        bend_T55[t, :, 4] += slope_T5[t - 1]
    return s_T, slope_T5, bend_T55


def starting_variance(y_TN: npt.ArrayLike, *, mean: bool = True) -> FloatArray:
    """Return what stands for the variance before the first step, shape (N,): the first 75 squares, weights 0.94^t.

    The convention of arch, so that likelihoods can be compared.

    Parameters
    ----------
    y_TN : array_like, shape (T, N)
        Series.
    mean : bool, default True
        Whether their means are taken off first.
    """
    centred = checks.matrix("y_TN", y_TN)
    if mean:
        centred = centred - centred.mean(axis=0)
    weights = DECAY ** np.arange(min(SPAN, len(centred)))
    return np.asarray((weights[:, None] * centred[: len(weights)] ** 2).sum(axis=0) / weights.sum())


@dataclass(frozen=True)
class Garch:
    """Which model of the variance.

    Parameters
    ----------
    mean : bool
        Whether mu is estimated; otherwise it is zero.
    asymmetric : bool
        GJR: shocks below zero weigh more by gamma.
    distribution : {"normal", "t"}
        Of the standardised shocks.
    """

    mean: bool = True
    asymmetric: bool = False
    distribution: str = "normal"

    def __post_init__(self) -> None:
        checks.one_of("distribution", self.distribution, DISTRIBUTIONS)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters, as they are ordered."""
        wanted = (self.mean, True, True, self.asymmetric, True, self.distribution == "t")
        return tuple(n for n, w in zip(("mu", "omega", "alpha", "gamma", "beta", "nu"), wanted, strict=True) if w)

    def rows(self) -> IntArray:
        """Of the six that the recursion takes, those that are parameters."""
        six = ("mu", "omega", "alpha", "gamma", "beta", "nu")
        return np.array([six.index(name) for name in self.names])

    def six(self, natural: FloatArray) -> FloatArray:
        """Return all six (..., 6) of parameters (..., k)."""
        out = np.zeros((*natural.shape[:-1], 6))
        out[..., 5] = 1e6
        out[..., self.rows()] = natural
        return out

    def natural(self, free: FloatArray) -> FloatArray:
        """Return parameters of numbers without bounds: positive variances, persistence under 1.

        Omega is what is left of the variance in the long run. Free of it, omega and the persistence would lie along a
        bent ridge wherever shocks count for little.
        """
        at = {name: free[..., i] for i, name in enumerate(self.names)}
        persistence, share = special.expit(at["beta"]), special.expit(at["alpha"])
        omega = np.exp(at["omega"]) * special.expit(-at["beta"])
        out = {"mu": at.get("mu"), "omega": omega, "beta": persistence * (1 - share)}
        shock = persistence * share  # of alpha + gamma / 2
        if self.asymmetric:
            symmetric = special.expit(at["gamma"])
            out |= {"alpha": shock * symmetric, "gamma": 2 * shock * (1 - symmetric)}
        else:
            out["alpha"] = shock
        if self.distribution == "t":
            out["nu"] = 2.0 + np.exp(at["nu"])
        return np.stack([np.asarray(out[name]) for name in self.names], axis=-1)

    def bends(self, free: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return first (..., k, k) and second (..., k, k, k) derivatives of `natural`: parameter by free numbers."""
        column = {name: i for i, name in enumerate(self.names)}
        first = np.zeros((*free.shape, len(column)))
        second = np.zeros((*first.shape, len(column)))
        if self.mean:
            first[..., 0, 0] = 1.0
        if self.distribution == "t":
            first[..., -1, -1] = second[..., -1, -1, -1] = np.exp(free[..., -1])
        logistic: dict[str, Derivatives] = {
            name: _logistic(free[..., column[name]]) for name in ("beta", "alpha", "gamma") if name in column
        }
        persistence, share = logistic["beta"], logistic["alpha"]
        size = np.exp(free[..., column["omega"]])
        missing = (special.expit(-free[..., column["beta"]]), *_rest(persistence)[1:])  # exact however near to 1
        products: dict[str, dict[str, Derivatives]] = {"omega": {"omega": (size,) * 3, "beta": missing}}
        products |= {"alpha": logistic, "beta": {"beta": persistence, "alpha": _rest(share)}}
        if self.asymmetric:
            twice = tuple(2 * part for part in _rest(logistic["gamma"]))
            products["gamma"] = {"beta": persistence, "alpha": share, "gamma": twice}
        for name, factors in products.items():
            for one in factors:
                first[..., column[name], column[one]] = _product(factors, one)
                for other in factors:
                    second[..., column[name], column[one], column[other]] = _product(factors, one, other)
        return first, second

    def starts(self, pairs: tuple[tuple[float, float], ...] = STARTS) -> FloatArray:
        """Return points to start from, free of bounds, for series of variance 1: shape (S, k).

        Parameters
        ----------
        pairs : tuple of (float, float)
            Persistence, and the share of the shock in it.
        """
        rows = []
        for persistence, share in pairs:
            at = {"mu": 0.0, "omega": 0.0, "alpha": special.logit(share), "gamma": 1.0}
            at |= {"beta": special.logit(persistence), "nu": np.log(6.0)}
            rows.append([at[name] for name in self.names])
        return np.array(rows)


def _logistic(x: FloatArray) -> Derivatives:
    p = special.expit(x)
    slope = p * special.expit(-x)
    return p, slope, slope * (1 - 2 * p)


def _rest(part: Derivatives) -> Derivatives:
    """What a share leaves."""
    return 1 - part[0], -part[1], -part[2]


def _product(factors: dict[str, Derivatives], *by: str) -> FloatArray:
    """Return the product of functions of a number each, differentiated by the numbers named."""
    out = np.asarray(1.0)
    for name, factor in factors.items():
        out = out * factor[by.count(name)]
    return out
