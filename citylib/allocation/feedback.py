"""Rules that learn from what their shares brought: gradient steps, a Kalman filter, trials; and one that collapses.

All are told b and see, at each step, the benefit y of each resource under the shares they gave. Legend: B instances,
N resources.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation import drift
from citylib.allocation.problem import simplex
from citylib.allocation.water_filling import fill
from citylib.errors import InputError

__all__ = ["ExponentiatedGradient", "Fixed", "KalmanFilling", "ProportionalToEffect", "Thompson"]

FloatArray = npt.NDArray[np.float64]
SMALLEST = 1e-12  # b w R up to which benefit and b w R shrink together, so that their ratio still tells a
LARGEST = 700.0  # b w R beyond which exp(b w R) is no number any more, and one unit more brings nothing


class Fixed:
    """The same shares at every step: a plan that is never looked at again.

    Parameters
    ----------
    shares_BN : array_like, shape (B, N)
        What is given.
    """

    def __init__(self, shares_BN: npt.ArrayLike) -> None:
        self.given = _simplex(shares_BN)

    def shares(self) -> FloatArray:
        """Return the shares, shape (B, N)."""
        return self.given

    def observe(self, shares_BN: FloatArray, benefit_BN: FloatArray) -> None:
        """Learn nothing."""


class ProportionalToEffect:
    """Give more to what brought more: w is multiplied by the benefit seen, and made to sum to 1.

    It looks right and is wrong: a resource that gets more brings more, and so gets still more, until one has nearly
    all. What counts is not what a resource brings but what one unit *more* would.

    Parameters
    ----------
    shares_BN : array_like, shape (B, N)
        Where it starts.
    """

    def __init__(self, shares_BN: npt.ArrayLike) -> None:
        self.now = _simplex(shares_BN)

    def shares(self) -> FloatArray:
        """Return the shares, shape (B, N)."""
        return self.now

    def observe(self, shares_BN: FloatArray, benefit_BN: FloatArray) -> None:
        """Multiply by the benefit; a resource that brought nothing is out for good."""
        _, benefit_BN = _told(self.now.shape, shares_BN, benefit_BN)
        weight = self.now * np.maximum(benefit_BN, 0)
        total = weight.sum(axis=1, keepdims=True)
        self.now = np.where(total > 0, weight / np.where(total > 0, total, 1), self.now)


class ExponentiatedGradient:
    """Multiply each share by exp(step * its marginal benefit, relative to their mean), and make them sum to 1.

    The marginal benefit follows from what was seen: y b exp(-b w R) / (1 - exp(-b w R)).

    Parameters
    ----------
    shares_BN : array_like, shape (B, N)
        Where it starts; above 0, as what is 0 stays 0.
    rate_BN : array_like, shape (B, N)
        b, as believed.
    budget_B : array_like, shape (B,)
        R.
    step : float, default 0.3
        How far a step goes. Too far, and shares swing from one end to the other.
    floor : float, default 1e-3
        Shares are mixed with so much of equal ones, so that none goes out of sight.

    References
    ----------
    Kivinen, J. and Warmuth, M. K. (1997). Exponentiated gradient versus gradient descent for linear predictors.
    Information and Computation 132(1).
    """

    def __init__(
        self,
        shares_BN: npt.ArrayLike,
        rate_BN: npt.ArrayLike,
        budget_B: npt.ArrayLike,
        *,
        step: float = 0.3,
        floor: float = 1e-3,
    ) -> None:
        self.step = checks.number("step", step, above=0)
        self.floor = checks.number("floor", floor, minimum=0, maximum=1)
        start_BN = _simplex(shares_BN)
        self.rate, money_B = _known(start_BN.shape, rate_BN, budget_B)
        self.units = money_B[:, None]
        self.now = self._mixed(start_BN)

    def shares(self) -> FloatArray:
        """Return the shares, shape (B, N)."""
        return self.now

    def observe(self, shares_BN: FloatArray, benefit_BN: FloatArray) -> None:
        """Take a step along the gradient that the benefit shows."""
        shares_BN, benefit_BN = _told(self.now.shape, shares_BN, benefit_BN)
        reach = np.clip(self.rate * shares_BN * self.units, SMALLEST, LARGEST)
        marginal = np.maximum(benefit_BN, 0) * self.rate / np.expm1(reach)
        mean = (shares_BN * marginal).sum(axis=1, keepdims=True)
        push = self.step * (marginal / np.where(mean > 0, mean, 1) - 1)
        weight = self.now * np.exp(push - push.max(axis=1, keepdims=True))
        self.now = self._mixed(weight / weight.sum(axis=1, keepdims=True))

    def _mixed(self, shares_BN: FloatArray) -> FloatArray:
        return np.asarray((1 - self.floor) * shares_BN + self.floor / shares_BN.shape[1])


class KalmanFilling:
    """Track ln a of each resource by a Kalman filter, and share by water-filling on what is believed.

    ln a = level + d with d(t + 1) = `kept` d(t) + `wander` e. The level is known up to a prior variance; what is seen
    is ln y - ln(1 - exp(-b w R)). The filter shares by the mean of a, exp(m + v / 2): where it knows less, a is
    expected higher, but not by much: v of a resource that gets nothing grows to spread^2 + wander^2 / (1 - kept^2) and
    no further, which raises what is expected of it by 6 % with the constants of `drift-v1`. One that is believed to be
    clearly worse than it is may so never be tried; `Thompson` tries. Covariances are updated in Joseph's form.

    Parameters
    ----------
    log_scale_BN : array_like, shape (B, N)
        What is believed of ln a at the start.
    rate_BN : array_like, shape (B, N)
        b, as believed.
    budget_B : array_like, shape (B,)
        R.
    spread : float, default 0.5
        Standard deviation of that belief.
    kept, wander, noise : float
        Of `citylib.allocation.drift`: how much of d is kept, its steps, and the relative noise of y.

    References
    ----------
    Kalman, R. E. (1960). A new approach to linear filtering and prediction problems. Journal of Basic Engineering 82.
    """

    def __init__(
        self,
        log_scale_BN: npt.ArrayLike,
        rate_BN: npt.ArrayLike,
        budget_B: npt.ArrayLike,
        *,
        spread: float = 0.5,
        kept: float = drift.KEPT,
        wander: float = drift.STEP,
        noise: float = drift.NOISE,
    ) -> None:
        level = checks.array("log_scale", log_scale_BN, ndim=2)
        self.rate, self.budget = _known(level.shape, rate_BN, budget_B)
        self.kept, self.wander = checks.fraction("kept", kept, closed=True), checks.number("wander", wander, minimum=0)
        self.variance = float(np.log1p(checks.number("noise", noise, above=0) ** 2))  # of ln(1 + noise e), nearly
        self.mean = np.stack([level, np.zeros_like(level)], axis=-1)  # level and d
        self.cov = np.zeros((*level.shape, 2, 2))
        self.cov[..., 0, 0] = checks.number("spread", spread, minimum=0) ** 2

    def resume(self, mean_BN2: npt.ArrayLike, cov_BN22: npt.ArrayLike) -> None:
        """Go on from `mean` and `cov` as they were kept, such as by last week's run.

        Parameters
        ----------
        mean_BN2 : array_like, shape (B, N, 2)
            Level and d.
        cov_BN22 : array_like, shape (B, N, 2, 2)
            Their covariance.

        Raises
        ------
        InputError
            Other shapes, values that are missing, a covariance that is not symmetric or not positive.
        """
        mean, cov = checks.array("mean", mean_BN2), checks.array("cov", cov_BN22)
        for name, found, shape in (("mean", mean, self.mean.shape), ("cov", cov, self.cov.shape)):
            if found.shape != shape:
                raise InputError(name, f"have the shape {shape}", found.shape)
        size = max(float(np.abs(cov).max()), 1e-300)
        if np.abs(cov - np.swapaxes(cov, -1, -2)).max() > 1e-9 * size:
            raise InputError("cov", "be symmetric", float(np.abs(cov - np.swapaxes(cov, -1, -2)).max()))
        least_BN = np.linalg.eigvalsh(cov)[..., 0]
        if least_BN.min() < -1e-9 * size:
            row, i = (int(at) for at in np.argwhere(least_BN == least_BN.min())[0])
            told = f"eigenvalue {least_BN.min():.3g} (instance {row}, resource {i})"
            raise InputError("cov", "be positive: no variance below 0", told)
        self.mean, self.cov = mean.copy(), cov.copy()

    def believed(self) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of ln a, each of shape (B, N)."""
        return self.mean.sum(axis=-1), np.maximum(self.cov.sum(axis=(-2, -1)), 0.0)

    def shares(self) -> FloatArray:
        """Return the best shares under what is believed, shape (B, N)."""
        mean, variance = self.believed()
        return fill(np.exp(mean + variance / 2), self.rate, self.budget).shares

    def observe(self, shares_BN: FloatArray, benefit_BN: FloatArray) -> None:
        """Correct the belief by what was seen, then let it wander one step on.

        A benefit that is NaN was not reported: that resource's belief wanders and is not corrected, as where the share
        is 0. Nor is it where the benefit is 0 or below, for it has no logarithm; counts that may be 0 are best given
        half of one more, or the filter sees only the good days.
        """
        shares_BN, benefit_BN = _told(self.rate.shape, shares_BN, benefit_BN, missing=True)
        reach = self.rate * shares_BN * self.budget[:, None]
        seen = (reach > 0) & (benefit_BN > 0)  # NaN is not above 0
        log_a = np.log(np.where(seen, benefit_BN, 1.0)) - np.log(-np.expm1(-np.where(seen, reach, 1.0)))
        cross = self.cov.sum(axis=-1)
        gain = np.where(seen[..., None], cross / (cross.sum(axis=-1, keepdims=True) + self.variance), 0.0)
        self.mean = self.mean + gain * (log_a + self.variance / 2 - self.mean.sum(axis=-1))[..., None]
        keep = np.eye(2) - gain[..., :, None]  # I - K H, as H = (1, 1)
        self.cov = keep @ self.cov @ np.swapaxes(keep, -1, -2) + self.variance * gain[..., :, None] * gain[..., None, :]
        move = np.array([1.0, self.kept])
        self.mean = self.mean * move
        self.cov = self.cov * np.outer(move, move)
        self.cov[..., 1, 1] += self.wander**2


class Thompson(KalmanFilling):
    """Thompson sampling: draw ln a from what is believed, and share as if the draw were true.

    Parameters
    ----------
    log_scale_BN, rate_BN, budget_B : array_like
        As in `KalmanFilling`.
    generator : numpy.random.Generator
        Draws.
    **more : float
        Further arguments of `KalmanFilling`.

    References
    ----------
    Thompson, W. R. (1933). On the likelihood that one unknown probability exceeds another in view of the evidence of
    two samples. Biometrika 25.
    """

    def __init__(
        self,
        log_scale_BN: npt.ArrayLike,
        rate_BN: npt.ArrayLike,
        budget_B: npt.ArrayLike,
        *,
        generator: np.random.Generator,
        **more: float,
    ) -> None:
        super().__init__(log_scale_BN, rate_BN, budget_B, **more)
        self.generator = generator

    def shares(self) -> FloatArray:
        """Return the best shares under a draw, shape (B, N)."""
        mean, variance = self.believed()
        drawn = mean + np.sqrt(variance) * self.generator.standard_normal(mean.shape)
        return fill(np.exp(drawn), self.rate, self.budget).shares


def _simplex(shares_BN: npt.ArrayLike) -> FloatArray:
    found = simplex("shares", checks.array("shares", shares_BN, ndim=2))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _known(shape: tuple[int, ...], rate_BN: npt.ArrayLike, budget_B: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return b and R, checked once, where a rule is made."""
    rate, money = checks.array("rate", rate_BN, ndim=2), checks.array("budget", budget_B, ndim=1)
    if rate.shape != shape:
        raise InputError("rate", f"have the shape {shape}", rate.shape)
    if money.shape != shape[:1]:
        raise InputError("budget", f"be {shape[0]}, one an instance", money.shape)
    for name, found in (("rate", rate), ("budget", money)):
        if found.min() <= 0:
            raise InputError(name, "be above 0", float(found.min()))
    return rate, money


def _told(
    shape: tuple[int, ...], shares_BN: npt.ArrayLike, benefit_BN: npt.ArrayLike, *, missing: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Return what a rule is told, or raise where it cannot be."""
    told = checks.array("shares", shares_BN), checks.array("benefit", benefit_BN, missing=missing)
    for name, found in zip(("shares", "benefit"), told, strict=True):
        if found.shape != shape:
            raise InputError(name, f"have the shape {shape}", found.shape)
    return told
