"""How many failures are to be expected of every asset and of the whole network, by what is known today.

Two steps. A Poisson regression with a ridge says what an asset of this kind, length and age fails a year; gamma
multipliers (`citylib.survival.credibility`) say how far this asset and its neighbours differ from their kind.
Legend: N assets, Y years learned from, H years foreseen, K columns.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import FitWarning, InputError, UnknownNameError
from citylib.survival import credibility
from citylib.survival.credibility import Memory
from citylib.survival.rate_design import FREE, RateDesign, learn
from citylib.survival.recurrent import Histories
from citylib.survival.year_rows import YearRows, by_year

__all__ = ["BreakForecast", "fit"]

FloatArray = npt.NDArray[np.float64]
BURN = 4  # first years that only fill the memory


@dataclass(frozen=True, eq=False)
class BreakForecast:
    """What was learned, and what it foresees.

    Parameters
    ----------
    assets : pandas.DataFrame
        The inventory, N rows.
    design : RateDesign
        The columns.
    coefficients : ndarray, shape (K,)
        Of the logarithm of failures a year.
    covariance : ndarray, shape (K, K)
        Of the coefficients, by a sandwich over assets.
    memory : Memory
        How much the past counts.
    tried : pandas.DataFrame
        Memories tried and their scores; empty if it was given.
    shape, rate : ndarray, shape (N,)
        Of the gamma law of each asset's multiplier, as known at the end.
    there : ndarray of bool, shape (N,)
        Whether an asset is under watch up to the end, so that something is expected of it.
    ahead : pandas.DataFrame
        Past years by multipliers known before each: year, expected, variance, came. The coefficients are those of all
        years learned from, so these years lie somewhat nearer to what came than years to come will.
    level : float
        Failures that came in those years, by those expected; all that is foreseen is multiplied by it.
    year_variance : float
        Variance of the factor by which whole years differ, beyond chance.
    """

    assets: pd.DataFrame
    design: RateDesign
    coefficients: FloatArray
    covariance: FloatArray
    memory: Memory
    tried: pd.DataFrame
    shape: FloatArray
    rate: FloatArray
    there: npt.NDArray[np.bool_]
    ahead: pd.DataFrame
    level: float
    year_variance: float

    def of_kind(self, year: float) -> FloatArray:
        """Return what an asset of each one's kind, length and age fails in a year, shape (N,)."""
        return np.exp(self.design.columns(self.assets, year) @ self.coefficients)

    def expected(self, years: Sequence[int]) -> FloatArray:
        """Return the failures expected of each asset in each year, shape (N, H); 0 of one not under watch.

        Parameters
        ----------
        years : sequence of int, length H
            Calendar years after those learned from.

        Returns
        -------
        ndarray

        Raises
        ------
        InputError
            No year, or one that was learned from: the multipliers know what came in it.
        """
        own = self.there * self.level * self.shape / self.rate
        return np.column_stack([own * self.of_kind(year) for year in self._later(years)])

    def interval(self, year: int, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return between what the failures to be expected of each asset in a year lie, each of shape (N,).

        What is uncertain is the mean, by the multiplier, the coefficients and how years differ: a gamma law with the
        variance of the three. How many failures come around that mean is chance, and not in it.

        Parameters
        ----------
        year : int
            A calendar year after those learned from.
        level : float, default 0.95
            Coverage that the intervals claim.

        Returns
        -------
        (low, high) : ndarray

        Raises
        ------
        InputError
            A year that was learned from.
        """
        half = (1 - checks.fraction("level", level)) / 2
        mean = self.expected([year])[:, 0]
        x = self.design.columns(self.assets, year)
        spread = 1 / self.shape + ((x @ self.covariance) * x).sum(axis=1)
        spread += self.year_variance * (1 + 1 / len(self.ahead))
        low, high = (mean * spread * stats.gamma.ppf(p, 1 / spread) for p in (half, 1 - half))
        return low, high

    def total(self, years: Sequence[int]) -> pd.DataFrame:
        """Return the failures expected of the network in each year, and what makes them uncertain.

        Parameters
        ----------
        years : sequence of int, length H
            Calendar years after those learned from.

        Returns
        -------
        pandas.DataFrame
            year, expected; variance by where it comes from: ``chance`` (Poisson's), ``assets`` (multipliers known from
            few failures), ``coefficients``, ``years`` (mild and hard ones, and a level known from few years); and
            ``dispersion`` a, with which the negative binomial has their sum as variance: expected + a expected^2.

        Raises
        ------
        InputError
            No year, or one that was learned from.
        """
        rows = []
        known = len(self.ahead)
        for year in self._later(years):
            x = self.design.columns(self.assets, year)
            kind = self.there * self.level * np.exp(x @ self.coefficients)
            each = kind * self.shape / self.rate
            mean, slope = float(each.sum()), each @ x
            parts = {
                "chance": mean,
                "assets": float((each**2 / self.shape).sum()),
                "coefficients": float(slope @ self.covariance @ slope),
                "years": mean**2 * self.year_variance * (1 + 1 / known),
            }
            beyond = sum(parts.values()) - mean
            rows.append({"year": int(year), "expected": mean, **parts, "dispersion": beyond / mean**2})
        return pd.DataFrame(rows)

    def _later(self, years: Sequence[int]) -> list[int]:
        """Return the years, if they are to come."""
        asked, last = [int(year) for year in years], int(self.ahead["year"].max())
        if not asked or min(asked) <= last:
            raise InputError("years", f"be after {last}, the last that was learned from", asked)
        return asked


def fit(
    known: Histories,
    assets: pd.DataFrame,
    *,
    measures: Sequence[str] = (),
    kinds: Sequence[str] = (),
    place: str | None = None,
    ridge: float = 2.0,
    least: int = 10,
    memory: Memory | None = None,
    barred: Collection[str] | None = None,
) -> BreakForecast:
    """Learn from what is known how often each asset will fail.

    Parameters
    ----------
    known : Histories
        Of all assets, up to the day on which the forecast is made: `Histories.known_at`.
    assets : DataFrame, N rows
        The inventory, in the order of `known`.
    measures, kinds : sequence of str
        As in `citylib.survival.rate_design.learn`.
    least : int, default 10
        As there.
    barred : collection of str, optional
        As there.
    place : str, optional
        Column that says which assets are neighbours, such as the street.
    ridge : float, default 2
        Penalty on squared coefficients, as so many failures' worth of information against each; the constant and the
        first measure go free.
    memory : Memory, optional
        How much the past counts; None: chosen by how well past years would have been foreseen.

    Returns
    -------
    BreakForecast

    Raises
    ------
    InputError
        No failure to learn from, or none after the first four years, fewer than six whole years, an inventory in
        another order; and what `learn` refuses.
    UnknownNameError
        A column that is not there.

    Warns
    -----
    FitWarning
        The regression did not settle.

    References
    ----------
    Kleiner, Y. and Rajani, B. (2001). Comprehensive review of structural deterioration of water mains: statistical
    models. Urban Water 3(3), 131-150.

    Examples
    --------
    >>> from citylib.survival.histories import histories
    >>> mains = pd.DataFrame({"asset": ["a", "b"], "installed": pd.to_datetime(["1960-01-01", "1970-01-01"])})
    >>> days = [f"{year}-06-01" for year in range(2000, 2010)]
    >>> found = fit(histories(mains["asset"], mains["installed"], ["a"] * 10, days, start="2000-01-01",
    ...                       end="2010-01-01"), mains, ridge=10.0)
    >>> one, other = found.expected([2010])[:, 0]
    >>> bool(one > 3 * other)
    True
    """
    for name in ("asset", *(() if place is None else (place,))):
        if name not in assets:
            raise UnknownNameError("assets, place", name, [str(column) for column in assets])
    if len(assets) != len(known.asset) or (assets["asset"].astype(str).to_numpy() != known.asset).any():
        raise InputError("assets", "be the inventory of `known`, in its order", f"{len(assets)} rows")
    if place is not None and place in (assets.attrs.get("snapshot", ()) if barred is None else barred):
        raise InputError("place", "be none of the columns written down after the failures", place)
    checks.number("ridge", ridge, minimum=0)
    rows = by_year(known)
    if len(rows) < BURN + 2:
        raise InputError("known", f"hold {BURN + 2} whole years", len(rows))
    if not rows.failures.any():
        raise InputError("known", "hold a failure to learn from", 0)
    design = learn(
        assets, rows.failures.sum(axis=1), measures=measures, kinds=kinds, least=least, barred=barred
    )  # fmt: skip
    beta, covariance, rates = _regress(design, assets, rows, ridge)
    where = None if place is None else assets[place]
    mu = rates * rows.watched
    tried = pd.DataFrame()
    if memory is None:
        memory, tried = credibility.choose(rows.failures, mu, place=where, burn=BURN)
    held = credibility.filtered(rows.failures, mu, memory, place=where)
    ahead = _ahead(rows, mu, held)
    if not ahead["came"].sum() > 0:
        raise InputError("known", f"hold a failure after its first {BURN} whole years", 0)
    level = float(ahead["came"].sum() / ahead["expected"].sum())
    there = known.watched & (known.closes >= known.end)
    if not there.any():
        raise InputError("known", "leave somebody under watch at the end", f"{known.end}, all have left before")
    return BreakForecast(
        assets, design, beta, covariance, memory, tried, held.shape[:, -1], held.rate[:, -1], there,
        ahead, level, _between(ahead, level),
    )  # fmt: skip


def _regress(
    design: RateDesign, assets: pd.DataFrame, rows: YearRows, ridge: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients, their covariance, and the rate of each asset in each year."""
    free = min(FREE, 1 + len(design.measures))
    penalty = np.full(len(design.names), float(ridge))
    penalty[:free] = 0.0
    penalty[1:] += 1e-6  # a column that repeats others, such as all decades, or is the same for all says nothing
    beta = np.zeros(len(design.names))
    beta[0] = np.log(rows.failures.sum() / rows.watched.sum())
    parts = [(k, rows.watched[:, k] > 0, design.columns(assets, year)) for k, year in enumerate(rows.years)]
    for _ in range(60):
        slope, curve = -penalty * beta, np.diag(penalty)
        for k, seen, x in parts:
            mu = np.exp(x[seen] @ beta) * rows.watched[seen, k]
            slope = slope + x[seen].T @ (rows.failures[seen, k] - mu)
            curve = curve + (x[seen] * mu[:, None]).T @ x[seen]
        step = np.linalg.solve(curve, slope)
        beta = beta + step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-8:
            break
    else:
        told = f"the regression of yearly failures still moves by {np.abs(step).max():.2g}; raise ridge"
        warnings.warn(told, FitWarning, stacklevel=3)
    rates = np.column_stack([np.exp(x @ beta) for _, _, x in parts])
    pull = np.zeros((len(assets), len(beta)))
    for k, _, x in parts:
        pull += x * (rows.failures[:, k] - rates[:, k] * rows.watched[:, k])[:, None]
    inverse = np.linalg.inv(curve)
    return beta, inverse @ (pull.T @ pull) @ inverse, rates


def _ahead(rows: YearRows, mu: FloatArray, held: credibility.Posterior) -> pd.DataFrame:
    """Return what is foreseen for each year by the multipliers before it, and what came."""
    each = held.mean[:, :-1] * mu
    chance = each.sum(axis=0) + (each**2 / held.shape[:, :-1]).sum(axis=0)
    found = pd.DataFrame({"year": rows.years, "expected": each.sum(axis=0), "variance": chance})
    found["came"] = rows.failures.sum(axis=0)
    return found.iloc[BURN:].reset_index(drop=True)


def _between(ahead: pd.DataFrame, level: float) -> float:
    """Return by how much whole years vary beyond chance, by moments; 0 if they vary less."""
    mean, came = level * ahead["expected"], ahead["came"]
    chance = mean + level**2 * (ahead["variance"] - ahead["expected"])
    spread = ((came - mean) ** 2).sum() * len(ahead) / max(len(ahead) - 1, 1)
    return float(max(spread - chance.sum(), 0.0) / (mean**2).sum())
