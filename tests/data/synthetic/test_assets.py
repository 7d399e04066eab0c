"""Mains break and end by the planted laws; what the city sees of it misleads as planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import kstest, weibull_min

from citylib.data.synthetic.assets import DIAMETERS, MATERIALS, SOILS, MainsTruth, mains
from citylib.data.synthetic.districts import ground
from citylib.errors import InputError

TRUTH = MainsTruth()
PLACE = ground(0, 12)
YEAR = pd.Timedelta(days=365.25)


@pytest.fixture(scope="module")
def pipes():
    return mains(0, 6000, PLACE)


def lived(every):
    """Years that each main was under observation: from its laying to its end or the snapshot."""
    end = every["removed"].fillna(pd.Timestamp(TRUTH.snapshot))
    return ((end - every["installed"]) / YEAR).to_numpy()


def test_retirement_ages_are_weibull(pipes):
    """On complete data, maximum likelihood finds shape and scale of every material."""
    for material, life in pipes.assets_all.groupby("material")["life_years"]:
        shape, _, scale = weibull_min.fit(life, floc=0)
        # Cramér-Rao: shape 0.78 k / sqrt(n), scale 1.05 scale / (k sqrt(n))
        root = np.sqrt(len(life))
        assert shape == pytest.approx(TRUTH.life_shape, abs=4 * 0.78 * TRUTH.life_shape / root)
        assert scale == pytest.approx(TRUTH.life_years[material], abs=4 * 1.05 * scale / TRUTH.life_shape / root)


def test_breaks_are_a_power_law_process(pipes):
    """Given each main's own rate, the score equation of the shape has its root at the planted one."""
    every = pipes.assets_all
    age, end, rate = pipes.breaks_all["age_years"].to_numpy(), lived(every), every["break_rate"].to_numpy()
    theta = TRUTH.theta_years
    end = np.maximum(end, 1e-9)

    def score(k):
        grown = rate * (end / theta) ** k * np.log(end / theta)
        return (1 / k + np.log(age / theta)).sum() - grown.sum()

    shape = brentq(score, 0.5, 4.0)
    assert shape == pytest.approx(TRUTH.shape, abs=4 * TRUTH.shape / np.sqrt(len(age)))


def test_ages_at_break_are_as_the_process_has_them(pipes):
    """Given their number, the k-th powers of a main's ages at break are uniform up to its end."""
    every = pipes.assets_all.assign(end=lived(pipes.assets_all))
    own = pipes.breaks_all.merge(every[every["reason"] != "break"], on="asset")
    own = own[own["end"] > 1]
    assert kstest((own["age_years"] / own["end"]) ** TRUTH.shape, "uniform").pvalue > 1e-4


def test_covariates_multiply_the_breaks(pipes):
    """Breaks over the exposure of a main of reference: exp(effect), by material and by soil."""
    every = pipes.assets_all
    count = pipes.breaks_all["asset"].value_counts().reindex(every["asset"], fill_value=0).to_numpy()
    base = every["frailty"] * (every["length_m"] / 100) ** TRUTH.length_power
    base = base * (every["diameter_mm"] / 150) ** TRUTH.diameter * (lived(every) / TRUTH.theta_years) ** TRUTH.shape
    by_soil, by_material = (every[c].map(getattr(TRUTH, c)) for c in ("soil", "material"))
    for column, others, law in (("material", by_soil, TRUTH.material), ("soil", by_material, TRUTH.soil)):
        exposure = (base * np.exp(others)).groupby(every[column]).sum()
        seen = pd.Series(count).groupby(every[column].to_numpy()).sum()
        for level, effect in law.items():
            # Ages are to the day and the day counts from 1: half a day of some 40 years is nothing.
            assert np.log(seen[level] / exposure[level]) == pytest.approx(effect, abs=4 / np.sqrt(seen[level]))


def test_frailty_is_gamma_of_mean_one(pipes):
    z = pipes.assets_all["frailty"]
    assert z.mean() == pytest.approx(1.0, abs=4 * np.sqrt(TRUTH.frailty_variance / len(z)))
    assert z.var() == pytest.approx(TRUTH.frailty_variance, rel=0.12)
    none = mains(0, 200, PLACE, replace(TRUTH, frailty_variance=0.0)).assets_all
    assert (none["frailty"] == 1).all()


def test_breaks_end_mains_with_the_planted_probability(pipes):
    ended = (pipes.assets_all["reason"] == "break").sum()
    n, p = len(pipes.breaks_all), TRUTH.removed_after_break
    assert ended / n == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))


def test_every_place_has_one_main_after_another(pipes):
    every = pipes.assets_all.sort_values(["place", "installed"])
    assert pipes.assets_all["asset"].is_unique
    follows = every["place"].eq(every["place"].shift())
    assert (every["installed"][follows] == every["removed"].shift()[follows]).all()
    last = ~every["place"].eq(every["place"].shift(-1))
    assert every["removed"].isna().equals(last)
    assert len(pipes.assets) == 6000
    own = pipes.breaks_all.merge(every, on="asset", suffixes=("", "_main"))
    assert (own["date"] > own["installed"]).all()
    assert (own["date"] <= own["removed"].fillna(pd.Timestamp(TRUTH.snapshot))).all()


def test_the_city_sees_what_the_log_and_the_inventory_hold(pipes):
    since, snapshot = pd.Timestamp(TRUTH.recorded_since), pd.Timestamp(TRUTH.snapshot)
    every, log = pipes.assets_all, pipes.breaks_all
    logged = log[log["date"] >= since]
    assert log["recorded"].equals(log["date"] >= since)
    assert len(pipes.breaks) + len(pipes.breaks_unused) == len(logged)
    assert set(pipes.assets["asset"]) == set(every.loc[every["removed"].isna(), "asset"])
    assert pipes.breaks.merge(pipes.assets, on="asset").eval("date > installed").all()
    assert pipes.breaks_unused.merge(pipes.assets, on="asset").eval("date <= installed").all()
    gone = every["removed"].between(since, snapshot)
    assert set(pipes.removals["asset"]) == set(every.loc[gone, "asset"])
    assert pipes.breaks.attrs == {"recorded_from": 1997, "recorded_until": 2022}
    hidden = {"frailty", "break_rate", "life_years"}
    assert not hidden & {*pipes.assets, *pipes.breaks, *pipes.removals}


def kaplan_meier(entry, exit_, event, at):
    """Survival at age `at`, plain: the product over event ages of 1 - events / at risk."""
    alive = 1.0
    for age in np.unique(exit_[event & (exit_ <= at)]):
        alive *= 1 - (event & (exit_ == age)).sum() / ((entry < age) & (exit_ >= age)).sum()
    return alive


def test_what_ignoring_the_record_does_to_a_lifetime():
    """Late entry heeded: the truth. Entry ignored: the risk of ageing is halved by those who were never seen to end."""
    law = replace(TRUTH, removed_after_break=0.0)
    every = mains(1, 20_000, PLACE, law).assets_all
    since, snapshot = pd.Timestamp(law.recorded_since), pd.Timestamp(law.snapshot)
    seen = every[(every["material"] == "cast iron") & ~(every["removed"] < since)]
    entry = np.maximum((since - seen["installed"]) / YEAR, 0).to_numpy()
    exit_ = ((seen["removed"].fillna(snapshot) - seen["installed"]) / YEAR).to_numpy()
    event = seen["removed"].notna().to_numpy()
    truth = np.exp(-((65 / law.life_years["cast iron"]) ** law.life_shape))
    right = kaplan_meier(entry, exit_, event, 65)
    naive = kaplan_meier(np.zeros(len(entry)), exit_, event, 65)
    assert right == pytest.approx(truth, abs=0.04)  # Greenwood's error is about 0.01
    assert naive > truth + 0.04


def test_what_survivorship_does_to_frailty(pipes):
    """Breaks end mains, so the old mains that are left break less than all that were laid."""
    every = pipes.assets_all
    old = every["installed"].dt.year < 1960
    left = every["removed"].isna()
    assert every.loc[old & left, "frailty"].mean() < every.loc[old, "frailty"].mean() - 0.05


def test_first_breaks_before_the_log_are_unknown(pipes):
    """Of old mains in service many broke before 1997, so their first logged break is not their first."""
    first = pipes.breaks_all.groupby("asset")["date"].min()
    logged = pipes.breaks.groupby("asset")["date"].min()
    truth = first.reindex(logged.index)
    assert 0.2 < (truth < logged).mean() < 0.8


def test_columns_hold_what_they_say(pipes):
    assets = pipes.assets
    assert set(assets["material"]) == set(MATERIALS)
    assert set(assets["soil"]) == set(SOILS)
    assert set(assets["diameter_mm"]) == set(DIAMETERS)
    assert (assets["installed_year"] == assets["installed"].dt.year).all()
    assert (assets["length_m"] >= 5).all()
    laid = assets.groupby("material")["installed_year"]
    assert laid.min()["PVC"] >= 1975
    assert laid.max()["cast iron"] < 1976


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shape": 0.0}, "shape must be more than 0"),
        ({"frailty_variance": -1.0}, "frailty_variance must be at least 0"),
        ({"removed_after_break": 1.2}, "removed_after_break must lie between 0 and 1"),
        ({"material": {"PVC": 0.0}}, "material must name each once"),
        ({"life_years": dict.fromkeys(MATERIALS, 0.0)}, "must be more than 0"),
        ({"clay_west": 0.9}, "leave room for loam"),
        ({"diameter_shares": (0.5, 0.5)}, "diameter_shares must be 5 shares that sum to 1"),
        ({"eras": ((1990, (1.0, 0.0, 0.0, 0.0)), (1950, (1.0, 0.0, 0.0, 0.0)))}, "eras must be strictly increasing"),
        ({"eras": ((0, (0.5, 0.0, 0.0, 0.0)),)}, "eras, 0 must be 4 shares that sum to 1"),
    ],
)
def test_laws_without_mains_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        MainsTruth(**wrong)


def test_no_mains_are_refused():
    with pytest.raises(InputError, match="mains must be at least 1"):
        mains(0, 0, PLACE)
