"""Failures foreseen: held to statsmodels, to closed forms and to planted truth, and blind to what came later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from citylib import data
from citylib.errors import InputError, UnknownNameError
from citylib.survival import break_forecast, credibility
from citylib.survival.credibility import Memory
from citylib.survival.histories import histories
from citylib.survival.rate_design import learn
from citylib.survival.recurrent import Histories
from citylib.survival.year_rows import by_year

GIVEN: Any = {"measures": ["length_m"], "kinds": ["material"]}


def town(seed: int = 0, assets: int = 400, years: int = 15, variance: float = 0.5) -> tuple[pd.DataFrame, Histories]:
    """Mains laid 1950 to 1990, two materials, gamma multipliers, yearly counts; watched 2000 on."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"asset": [f"m{k}" for k in range(assets)]})
    frame["installed"] = pd.to_datetime([f"{year}-01-01" for year in rng.integers(1950, 1990, assets)])
    frame["material"] = np.where(rng.random(assets) < 0.4, "iron", "plastic")
    frame["length_m"] = rng.lognormal(4.5, 0.5, assets)
    frame["street"] = rng.integers(0, assets // 4, assets).astype(str)
    z = rng.gamma(1 / variance, variance, assets) if variance else np.ones(assets)
    mean = 0.1 * z * np.where(frame["material"] == "iron", 3.0, 1.0) * frame["length_m"] / 100
    of, day = [], []
    for year in range(2000, 2000 + years):
        for i in np.flatnonzero(rng.poisson(mean)):
            of.append(frame["asset"][i])
            day.append(f"{year}-{rng.integers(1, 13):02d}-15")
    end = f"{2000 + years}-01-01"
    return frame, histories(frame["asset"], frame["installed"], of, day, start="2000-01-01", end=end)


def test_years_add_up_to_the_whole_window() -> None:
    _, known = town()
    rows = by_year(known)
    failures, watched = known.count("2000-01-01", "2015-01-01")
    assert rows.failures.sum(axis=1).tolist() == failures.tolist()
    np.testing.assert_allclose(rows.watched.sum(axis=1), watched, atol=0.01)  # a year of 366 days counts as one
    with pytest.raises(InputError, match="whole calendar year"):
        by_year(histories(["a"], ["1990-01-01"], ["a"], ["2000-05-01"], start="2000-02-01", end="2000-12-01"))


def test_without_ridge_the_regression_is_statsmodels() -> None:
    frame, known = town(variance=0.0)
    found = break_forecast.fit(known, frame, ridge=0.0, least=10**6, memory=Memory(1.0), measures=["length_m"])
    rows = by_year(known)
    x = np.vstack([found.design.columns(frame, year) for year in rows.years])
    y, watched = rows.failures.T.ravel(), rows.watched.T.ravel()
    model = sm.GLM(y, x, family=sm.families.Poisson(), offset=np.log(watched))
    who = np.tile(np.arange(len(frame)), len(rows))
    other = model.fit(tol=1e-12, cov_type="cluster", cov_kwds={"groups": who, "use_correction": False})
    # ours has a ridge of 1e-6 for safety; the bends over age, nearly alike, feel it most
    np.testing.assert_allclose(found.coefficients, other.params, atol=1e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), other.bse, rtol=1e-4)


def test_multipliers_are_bayes() -> None:
    n, mu = np.array([[0, 3, 1]]), np.array([[0.2, 0.1, 0.4]])
    known = credibility.filtered(n, mu, Memory(prior=1.7, half_life=2.0))
    weight = 2.0 ** -(np.array([3, 2, 1]) / 2.0)
    assert known.shape[0, -1] == pytest.approx(1.7 + (weight * n[0]).sum())
    assert known.rate[0, -1] == pytest.approx(1.7 + (weight * mu[0]).sum())
    plain = credibility.filtered(n, mu, Memory(prior=1.7))
    z = np.linspace(1e-5, 60, 600_001)
    density = stats.gamma.pdf(z, 1.7, scale=1 / 1.7) * stats.poisson.pmf(n[0][:, None], mu[0][:, None] * z).prod(axis=0)
    assert plain.mean[0, -1] == pytest.approx((z * density).sum() / density.sum(), rel=1e-6)


def test_neighbours_are_the_others_at_the_place() -> None:
    n, mu = np.array([[4.0], [0.0], [0.0]]), np.full((3, 1), 0.5)
    known = credibility.filtered(n, mu, Memory(prior=1.0, near=1.0), place=["a", "a", None])
    assert known.shape[:, -1].tolist() == pytest.approx([1 / 1.5 + 4, 5 / 1.5, 1.0])


def test_the_score_is_the_negative_binomial() -> None:
    rng = np.random.default_rng(3)
    mu = rng.uniform(0, 0.5, (50, 6))
    n = rng.poisson(mu)
    _, tried = credibility.choose(n, mu, burn=2, priors=[1.5], half_lives=[4.0])
    known = credibility.filtered(n, mu, Memory(1.5, 4.0))
    chance = known.rate[:, 2:-1] / (known.rate[:, 2:-1] + mu[:, 2:])
    by_scipy = -stats.nbinom.logpmf(n[:, 2:], known.shape[:, 2:-1], chance).sum()
    assert tried.loc[0, "score"] == pytest.approx(by_scipy, rel=1e-12)


def test_planted_memory_is_found() -> None:
    city = data.load("synthetic")  # variance of multipliers 0.6, nothing forgotten, no effect of the place
    frame, breaks = city.table("assets"), city.table("breaks")
    known = histories(
        frame["asset"], frame["installed"], breaks["asset"], breaks["date"], start="1997-01-01", end="2023-01-01"
    )
    found = break_forecast.fit(
        known, frame, measures=["length_m", "diameter_mm"], kinds=["material", "soil"], place="district"
    )
    assert found.memory.prior in (1.0, 2.0)  # 1 / 0.6 lies between
    assert found.memory.half_life >= 20
    truth = city.table("assets_all").set_index("asset").loc[frame["asset"], "frailty"]
    assert np.corrcoef(found.shape / found.rate, truth)[0, 1] > 0.3


def test_nothing_later_is_known() -> None:
    frame, known = town()
    later = histories(
        frame["asset"], frame["installed"], [*known.asset[known.of], *(["m0"] * 8)],
        [*known.day.astype(str), *(f"2012-{month:02d}-03" for month in range(1, 9))],
        start="2000-01-01", end="2015-01-01",
    )  # fmt: skip
    cut = "2010-01-01"
    one, two = (break_forecast.fit(h.known_at(cut), frame, **GIVEN) for h in (known, later))
    np.testing.assert_array_equal(one.expected([2010, 2011]), two.expected([2010, 2011]))
    frame.loc[0, "installed"] = pd.Timestamp("2012-01-01")
    fresh = histories(
        frame["asset"], frame["installed"], known.asset[known.of], known.day, start="2000-01-01", end="2015-01-01"
    )
    assert break_forecast.fit(fresh.known_at(cut), frame, **GIVEN).expected([2010])[0, 0] == 0  # not laid yet


def test_the_networks_variance_is_that_of_draws() -> None:
    frame, known = town()
    found = break_forecast.fit(known, frame, **GIVEN, memory=Memory(2.0))
    told = found.total([2015]).iloc[0]
    rng, draws = np.random.default_rng(0), 4000
    x = found.design.columns(frame, 2015)
    beta = rng.multivariate_normal(found.coefficients, found.covariance, draws)
    z = rng.gamma(found.shape, 1 / found.rate, (draws, len(frame)))
    spread = found.year_variance * (1 + 1 / len(found.ahead))
    years = rng.gamma(1 / spread, spread, draws) if spread > 0 else np.ones(draws)
    mean = found.level * np.exp(beta @ x.T) * z
    totals = rng.poisson(mean.sum(axis=1) * years)
    assert totals.mean() == pytest.approx(told["expected"], rel=0.02)
    law = told["expected"] + told["dispersion"] * told["expected"] ** 2
    assert totals.var() == pytest.approx(law, rel=0.12)
    parts = told[["chance", "assets", "coefficients", "years"]].sum()
    assert law == pytest.approx(parts)


def test_intervals_cover_the_next_year() -> None:
    held = []
    for seed in range(40):
        frame, known = town(seed, assets=200)
        told = (
            break_forecast.fit(known.known_at("2014-01-01"), frame, **GIVEN, memory=Memory(2.0)).total([2014]).iloc[0]
        )
        size = 1 / told["dispersion"]
        law = stats.nbinom(size, size / (size + told["expected"]))
        came = by_year(known).of([2014]).sum()
        held.append(law.ppf(0.05) <= came <= law.ppf(0.95))
    assert sum(held) >= stats.binom.ppf(0.001, 40, 0.9)


def test_an_asset_taken_out_is_expected_nothing_of() -> None:
    frame, known = town()
    removed = pd.Series(pd.NaT, index=frame.index)
    removed[3] = pd.Timestamp("2009-06-01")
    held = histories(
        frame["asset"], frame["installed"], known.asset[known.of], known.day, start="2000-01-01", end="2012-01-01",
        removed=removed,
    )  # fmt: skip
    expected = break_forecast.fit(held, frame, **GIVEN).expected([2012])[:, 0]
    assert expected[3] == 0
    assert (np.delete(expected, 3) > 0).all()


def test_columns_of_a_later_day_are_refused() -> None:
    frame, known = town()
    frame["condition"] = 1.0
    with pytest.raises(InputError, match="condition"):
        break_forecast.fit(known, frame, measures=["condition"], barred=["condition"])
    frame.attrs["snapshot"] = ["condition"]
    with pytest.raises(InputError, match="condition"):
        break_forecast.fit(known, frame, kinds=["condition"])
    with pytest.raises(InputError, match="place"):
        break_forecast.fit(known, frame, place="condition")


@pytest.mark.real
def test_columns_of_2023_are_refused_on_kitchener(real_data: Any) -> None:
    mains = data.load("infra-water-mains-kitchener").table("assets")
    mains = mains[mains["installed"].notna()]
    for name in ("condition_score", "criticality", "lined"):
        with pytest.raises(InputError, match=name):
            learn(mains, np.zeros(len(mains)), kinds=[name])


@pytest.mark.parametrize(
    ("given", "error", "named"),
    [
        ({"measures": ["width"]}, UnknownNameError, "width"),
        ({"measures": ["zero"]}, InputError, "zero"),
        ({"measures": ["material"]}, InputError, "material"),
        ({"place": "harbour"}, UnknownNameError, "harbour"),
        ({"ridge": -1.0}, InputError, "ridge"),
        ({"least": 0}, InputError, "least"),
    ],
)
def test_bad_input(given: dict[str, Any], error: type[Exception], named: str) -> None:
    frame, known = town(assets=40)
    frame["zero"] = 0.0
    with pytest.raises(error, match=named):
        break_forecast.fit(known, frame, **given)


def test_a_measure_that_is_the_same_for_all_says_nothing() -> None:
    frame, known = town(assets=60)
    frame["length_m"] = 100.0
    found = break_forecast.fit(known, frame, **GIVEN)
    assert found.coefficients[1] == 0
    assert np.isfinite(found.expected([2015])).all()


def test_years_learned_from_are_not_foreseen() -> None:
    frame, known = town(assets=60)
    found = break_forecast.fit(known, frame, **GIVEN)
    for years in ([2014], [2015, 2003], []):
        for ask in (found.expected, found.total):
            with pytest.raises(InputError, match="after 2014"):
                ask(years)
    with pytest.raises(InputError, match="after 2014"):
        found.interval(2014)


def test_intervals_of_assets_hold_their_true_means() -> None:
    held, sides = [], []
    for seed in range(6):
        frame, known = town(seed)
        found = break_forecast.fit(known, frame, **GIVEN, memory=Memory(2.0))
        low, high = found.interval(2015, level=0.9)
        mean = found.expected([2015])[:, 0]
        assert ((low < mean) & (mean < high)).all()
        z = np.random.default_rng(seed)  # the multipliers that `town` drew, by the draws before them once more
        z.integers(1950, 1990, 400), z.random(400), z.lognormal(4.5, 0.5, 400), z.integers(0, 100, 400)
        true = 0.1 * z.gamma(2.0, 0.5, 400) * np.where(frame["material"] == "iron", 3.0, 1.0) * frame["length_m"] / 100
        held.append(((low <= true) & (true <= high)).mean())
        sides.append((true < low).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)
    assert np.mean(sides) == pytest.approx(0.05, abs=0.03)


def test_bad_columns_are_named() -> None:
    frame, known = town(assets=40)
    with pytest.raises(UnknownNameError, match="asset"):
        break_forecast.fit(known, frame.drop(columns="asset"))
    with pytest.raises(InputError, match="installed must be dates"):
        break_forecast.fit(known, frame.assign(installed=frame["installed"].astype(str)))
    with pytest.raises(InputError, match="failures must be at least 0"):
        learn(frame, -np.ones(40))


def test_bad_histories() -> None:
    frame, known = town(assets=40)
    with pytest.raises(InputError, match="6 whole years"):
        break_forecast.fit(known.known_at("2004-01-01"), frame)
    with pytest.raises(InputError, match="in its order"):
        break_forecast.fit(known, frame[::-1])
    quiet = histories(frame["asset"], frame["installed"], [], [], start="2000-01-01", end="2012-01-01")
    with pytest.raises(InputError, match="failure to learn from"):
        break_forecast.fit(quiet, frame)
    then = known.day < np.datetime64("2004-01-01")
    old = histories(
        frame["asset"], frame["installed"], known.asset[known.of][then], known.day[then], start="2000-01-01",
        end="2015-01-01",
    )  # fmt: skip
    with pytest.raises(InputError, match="first 4 whole years"):
        break_forecast.fit(old, frame)
    early = pd.Series(pd.Timestamp("2011-06-01"), index=frame.index)
    gone = histories(
        frame["asset"], frame["installed"], known.asset[known.of], known.day, start="2000-01-01", end="2012-01-01",
        observed_until=early,
    )  # fmt: skip
    with pytest.raises(InputError, match="all have left before"):
        break_forecast.fit(gone, frame)
    with pytest.raises(InputError, match="prior"):
        Memory(0.0)
    with pytest.raises(InputError, match="finite"):
        Memory(np.inf)
    with pytest.raises(InputError, match="half_lives"):
        credibility.choose([[1, 1]], [[1.0, 1.0]], burn=1, half_lives=[])
    with pytest.raises(InputError, match="same shape"):
        credibility.filtered([[1]], [[1.0, 2.0]], Memory(1.0))
    with pytest.raises(InputError, match="burn"):
        credibility.choose([[1]], [[1.0]], burn=1)
