"""GARCH for many series: against the plain recursion, arch, planted truth, bad series."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.timeseries import garch, garch_model

REFERENCE = Path(__file__).parents[1] / "reference" / "garch.json"


def simulated(steps=1500, seed=0, *, omega=0.1, alpha=0.1, beta=0.8, gamma=0.0, heavy=None, mu=0.5):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(steps) if heavy is None else rng.standard_t(heavy, steps) / np.sqrt(heavy / (heavy - 2))
    e, s = np.zeros(steps), omega / (1 - alpha - gamma / 2 - beta)
    for t in range(steps):
        if t:
            s = omega + (alpha + gamma * (e[t - 1] < 0)) * e[t - 1] ** 2 + beta * s
        e[t] = np.sqrt(s) * z[t]
    return mu + e


def plain_height(y, model, natural, first):
    at = dict(zip(model.names, natural, strict=True))
    s = garch_model.recursion(y, mu=at.get("mu", 0.0), omega=at["omega"], alpha=at["alpha"], beta=at["beta"],
                        gamma=at.get("gamma", 0.0), first=first)  # fmt: skip
    e = y - at.get("mu", 0.0)
    if model.distribution == "normal":
        return -0.5 * (np.log(2 * np.pi) + np.log(s) + e**2 / s).sum()
    from scipy import stats

    nu = at["nu"]
    return stats.t.logpdf(e / np.sqrt(s * (nu - 2) / nu), nu).sum() - 0.5 * np.log(s * (nu - 2) / nu).sum()


MODELS = [
    garch.Garch(),
    garch.Garch(mean=False),
    garch.Garch(asymmetric=True),
    garch.Garch(distribution="t"),
    garch.Garch(asymmetric=True, distribution="t"),
]


@pytest.mark.parametrize("model", MODELS)
def test_the_compiled_likelihood_is_the_plain_one(model):
    y = simulated(700)
    found = garch.fit(y[:, None], model=model)
    assert found.loglikelihood[0] == pytest.approx(
        plain_height(y, model, found.parameters[0], found.first[0]), rel=1e-10
    )
    variances = found.variances(y[:, None])[:, 0]
    at = dict(zip(model.names, found.parameters[0], strict=True))
    s = garch_model.recursion(y, mu=at.get("mu", 0.0), omega=at["omega"], alpha=at["alpha"], beta=at["beta"],
                        gamma=at.get("gamma", 0.0), first=found.first[0])  # fmt: skip
    assert variances[:-1] == pytest.approx(s, rel=1e-9)
    assert len(variances) == 701


@pytest.mark.parametrize("model", MODELS)
def test_nothing_near_is_higher(model):
    y = simulated(900, gamma=0.05)
    found = garch.fit(y[:, None], model=model)
    top = found.loglikelihood[0]
    for i in range(len(model.names)):
        for factor in (0.98, 1.02):
            moved = found.parameters[0].copy()
            moved[i] *= factor
            assert plain_height(y, model, moved, found.first[0]) <= top + 1e-6


def test_truth_is_found_and_its_errors_are_right():
    truth = np.array([0.5, 0.1, 0.1, 0.8])
    y = np.column_stack([simulated(2500, seed=s) for s in range(40)])
    found = garch.fit(y)
    assert np.nanmedian(found.parameters, axis=0) == pytest.approx(truth, rel=0.15)
    z = (found.parameters - truth) / found.standard_errors
    assert 0.6 < np.nanstd(z[:, 0]) < 1.5
    assert 0.5 < np.nanstd(z[:, 2]) < 1.6


def test_heavy_tails_and_asymmetry_are_seen():
    y = np.column_stack([simulated(3000, seed=s, gamma=0.15, alpha=0.03, heavy=5) for s in range(8)])
    found = garch.fit(y, model=garch.Garch(asymmetric=True, distribution="t"))
    names = found.model.names
    assert np.median(found.parameters[:, names.index("gamma")]) == pytest.approx(0.15, abs=0.06)
    assert np.median(found.parameters[:, names.index("nu")]) == pytest.approx(5, abs=1.5)


@pytest.mark.skipif(not REFERENCE.is_file(), reason="tests/reference/garch.py has not been run")
@pytest.mark.parametrize("case", range(8))
def test_as_arch_has_it(case):
    known = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"][case]
    model = garch.Garch(**known["model"])
    y = simulated(**known["series"])
    found = garch.fit(y[:, None], model=model)
    assert found.first[0] == pytest.approx(known["backcast"], rel=1e-10)
    at_theirs = plain_height(y, model, np.array(known["parameters"]), known["backcast"])
    assert at_theirs == pytest.approx(known["loglikelihood"], abs=1e-6)
    assert found.loglikelihood[0] >= known["loglikelihood"] - 1e-6
    assert found.parameters[0] == pytest.approx(known["parameters"], rel=0.02, abs=1e-3)
    assert found.standard_errors[0] == pytest.approx(known["standard_errors"], rel=0.05)


def test_bad_series_are_told_apart_and_never_fail_the_others():
    y = np.column_stack([simulated(300, seed=s) for s in range(4)])
    y[99:, 1], y[:, 2] = np.nan, 1.0
    found = garch.fit(y)
    assert found.status[1:3].tolist() == ["too short", "constant"]
    assert np.isfinite(found.parameters[[0, 3]]).all()
    assert np.isnan(found.parameters[1:3]).all()
    assert garch.fit(y[:50]).status.tolist() == ["too short"] * 4
    assert list(found.table()["status"]) == found.status.tolist()


T = 500
NOISE = np.random.default_rng(0).standard_normal(T)
ODD = {
    "alternating": (np.tile([1.0, -1.0], T // 2), "not identified"),
    "two by two": (np.tile([1.0, 1.0, -1.0, -1.0], T // 4), "not identified"),
    "two values": (5.0 + (NOISE > 0), "not identified"),
    "an outlier of 1e12": (np.where(np.arange(T) == 250, 1e12, NOISE), "not identified"),
    "a straight line": (3.0 - 0.1 * np.arange(T), "straight line"),
    "1e160": (1e160 * NOISE, "out of range"),
    "1e300": (1e300 * NOISE, "out of range"),
    "1e-160": (1e-160 * NOISE, "out of range"),
    "1e-310": (1e-310 * NOISE, "out of range"),
    "but for rounding": (1.0 + 1e-15 * NOISE, "constant"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gaps", [False, True])
def test_what_is_the_matter_with_a_series_is_said(model, gaps):
    y = np.column_stack([series for series, _ in ODD.values()] + [simulated(T)])
    if gaps:
        y[400:405] = np.nan
    found = garch.fit(y, model=model)
    wanted = [status for _, status in ODD.values()]
    if not model.mean:  # whose two values and outlier are shocks of two sizes
        wanted[2:4] = found.status[2:4].tolist()
        assert "converged" not in wanted
    assert found.status[:-1].tolist() == wanted
    assert np.isnan(found.parameters[:-1][np.array(wanted) != "boundary"]).all()
    assert np.isfinite(found.parameters[-1]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gaps", [False, True])
def test_none_has_converged_without_errors(model, gaps):
    rng = np.random.default_rng(1)
    spikes = np.where(rng.random((T, 3)) < 0.9, 0.0, rng.standard_normal((T, 3)))
    walks, waves = rng.standard_normal((T, 2)).cumsum(axis=0), np.sin(np.arange(T) / [[10.0], [3.0]]).T
    jump, growth = np.where(np.arange(T) == 250, 1e6, NOISE), np.exp(np.arange(T) / 20.0)
    y = np.column_stack([spikes, walks, waves, jump, growth, np.round(NOISE), rng.uniform(-1, 1, (T, 4))])
    if gaps:
        y[400:405] = np.nan
    found = garch.fit(y, model=model)
    assert set(found.status) <= set(garch.STATUSES)
    assert np.isfinite(found.standard_errors[found.status == "converged"]).all()
    assert np.isnan(found.standard_errors[found.status == "not identified"]).any(axis=1).all()


@pytest.mark.parametrize("model", [m for m in MODELS if m.mean])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("level", "size"), [(1e6, 1.0), (1.0, 1e-10), (-1e3, 1e120), (0.0, 1e-120)])
def test_a_level_far_from_zero_and_any_unit_give_the_same_model(model, gaps, level, size):
    y = simulated(800, seed=1, heavy=5.0)
    y[400 : 400 + 5 * gaps] = np.nan
    here, there = garch.fit(y[:, None], model=model), garch.fit(level + size * y[:, None], model=model)
    assert there.status == here.status
    unit = np.array([{"mu": size, "omega": size**2}.get(name, 1.0) for name in model.names])
    moved = np.where(np.array(model.names) == "mu", level, 0.0)
    assert (there.parameters[0] - moved) / unit == pytest.approx(here.parameters[0], rel=0.02, abs=1e-4)
    assert there.standard_errors[0, 0] / size == pytest.approx(here.standard_errors[0, 0], rel=0.01)
    height = there.loglikelihood[0] + (~np.isnan(y)).sum() * np.log(size)
    assert height == pytest.approx(here.loglikelihood[0], abs=1e-3)


def test_students_t_of_normal_shocks_lies_on_the_boundary():
    found = garch.fit(np.column_stack([simulated(800, seed=s) for s in (2, 4, 5)]), model=garch.Garch(distribution="t"))
    assert found.status.tolist() == ["boundary"] * 3
    assert (found.parameters[:, -1] > 300).all()


def test_where_nothing_is_remembered_shocks_count_for_nothing():
    found = garch.fit(np.random.default_rng(3).uniform(-1, 1, (800, 10)))
    assert np.median(found.parameters[:, found.model.names.index("alpha")]) < 0.03
    assert (found.status == "boundary").any()


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="values must be finite"):
        garch.fit(np.array([[np.inf], [1.0]]))
    with pytest.raises(InputError, match="distribution must be one of"):
        garch.Garch(distribution="cauchy")


def test_units_do_not_matter():
    y = simulated(800)[:, None]
    here, there = garch.fit(y), garch.fit(1000 * y)
    assert there.loglikelihood[0] == pytest.approx(here.loglikelihood[0] - 800 * np.log(1000), abs=1e-6)
    assert there.parameters[0] == pytest.approx(here.parameters[0] * [1e3, 1e6, 1, 1], rel=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_no_series_knows_which_others_are_there(model):
    """To the bit: not by the size of a block, the order of the series, or what is left of them."""
    y = np.column_stack([simulated(420, seed=s, alpha=0.05 + 0.03 * s, beta=0.8 - 0.08 * s) for s in range(7)])
    y = np.column_stack([y, np.random.default_rng(1).uniform(-1, 1, (420, 4))])
    whole = garch.fit(y, model=model)

    def same(other, order):
        for name in ("status", "parameters", "standard_errors", "loglikelihood", "first"):
            mine, theirs = getattr(whole, name)[order], getattr(other, name)
            assert mine.tobytes() == theirs.tobytes(), name

    for block in (1, 3):
        same(garch.fit(y, model=model, block=block), np.arange(11))
    order = np.random.default_rng(2).permutation(11)
    same(garch.fit(y[:, order], model=model), order)
    same(garch.fit(y[:, [4]], model=model), [4])
    same(garch.fit(np.asfortranarray(y[:, 2:9]), model=model), np.arange(2, 9))


def with_gaps(y, seed=0, share=0.1):
    """Single hours and whole days missing."""
    out, rng = y.copy(), np.random.default_rng(seed)
    out[rng.random(len(y)) < share] = np.nan
    for at in rng.integers(0, len(y), 5):
        out[at : at + 24] = np.nan
    return out


def plain_gap_height(y, model, natural, first):
    """The likelihood of what was read, by the plain recursion."""
    from scipy import stats

    at = dict(zip(model.names, natural, strict=True))
    mu = at.get("mu", 0.0)
    s = garch_model.recursion(y, mu=mu, omega=at["omega"], alpha=at["alpha"], beta=at["beta"],
                              gamma=at.get("gamma", 0.0), first=first)  # fmt: skip
    read = ~np.isnan(y)
    e, s = (y - mu)[read], s[read]
    if model.distribution == "normal":
        return stats.norm.logpdf(e / np.sqrt(s)).sum() - 0.5 * np.log(s).sum()
    scale = np.sqrt(s * (at["nu"] - 2) / at["nu"])
    return (stats.t.logpdf(e / scale, at["nu"]) - np.log(scale)).sum()


@pytest.mark.parametrize("model", MODELS)
def test_gaps_the_compiled_likelihood_is_the_plain_one_and_nothing_near_is_higher(model):
    y = with_gaps(simulated(1200, gamma=0.05))
    y[:3] = np.nan
    found = garch.fit(y[:, None], model=model)
    top = found.loglikelihood[0]
    assert top == pytest.approx(plain_gap_height(y, model, found.parameters[0], found.first[0]), rel=1e-10)
    for i in range(len(model.names)):
        for factor in (0.98, 1.02):
            moved = found.parameters[0].copy()
            moved[i] *= factor
            assert plain_gap_height(y, model, moved, found.first[0]) <= top + 1e-6
    at = dict(zip(model.names, found.parameters[0], strict=True))
    s = garch_model.recursion(y, mu=at.get("mu", 0.0), omega=at["omega"], alpha=at["alpha"], beta=at["beta"],
                              gamma=at.get("gamma", 0.0), first=found.first[0])  # fmt: skip
    assert found.variances(y[:, None])[:-1, 0] == pytest.approx(s, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_without_gaps_the_way_for_gaps_is_the_other(model):
    from citylib.timeseries.garch_by_differences import ByDifferences
    from citylib.timeseries.garch_with_gaps import WithGaps

    y = np.ascontiguousarray(np.column_stack([simulated(700, seed=s) for s in range(3)]).T)
    for one, other in zip(WithGaps(y, model).fitted(4, True), ByDifferences(y, model).fitted(4, True), strict=True):
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_what_follows_a_gap_is_what_is_expected_of_it():
    """By the law: the mean, over many ways in which the gap may have gone, of the variance after it."""
    mu, omega, alpha, gamma, beta = 0.0, 0.1, 0.05, 0.1, 0.8
    rng = np.random.default_rng(5)
    s, e = np.full(400_000, 2.0), np.full(400_000, -1.3)
    for _ in range(3):
        s = omega + (alpha + gamma * (e < 0)) * e**2 + beta * s
        e = np.sqrt(s) * rng.standard_normal(len(s))
    y = np.array([-1.3, np.nan, np.nan, 0.4])
    first = (2.0 - omega) / (alpha + gamma / 2 + beta)
    known = {"mu": mu, "omega": omega, "alpha": alpha, "gamma": gamma, "beta": beta, "first": first}
    got = garch_model.recursion(y, **known)
    assert got[0] == pytest.approx(2.0)
    assert got[3] == pytest.approx(s.mean(), abs=5 * s.std() / np.sqrt(len(s)))


def test_truth_is_found_through_gaps_and_its_errors_are_right():
    truth = np.array([0.5, 0.1, 0.1, 0.8])
    y = np.column_stack([with_gaps(simulated(2500, seed=s), seed=s) for s in range(40)])
    found = garch.fit(y)
    assert (found.status == "converged").mean() > 0.9
    assert np.nanmedian(found.parameters, axis=0) == pytest.approx(truth, rel=0.15)
    z = (found.parameters - truth) / found.standard_errors
    assert 0.6 < np.nanstd(z[:, 0]) < 1.5
    assert 0.5 < np.nanstd(z[:, 2]) < 1.6


def test_a_gap_in_one_series_changes_no_other():
    y = np.column_stack([simulated(400, seed=s) for s in range(3)])
    alone = garch.fit(y)
    y[50:60, 1] = np.nan
    beside = garch.fit(y)
    for name in ("parameters", "standard_errors", "correlations", "loglikelihood"):
        assert getattr(alone, name)[[0, 2]].tobytes() == getattr(beside, name)[[0, 2]].tobytes()
    assert np.isfinite(beside.parameters[1]).all()


def test_half_lives_hold_the_truth_as_often_as_they_claim():
    y = np.column_stack([simulated(4000, seed=s, alpha=0.1, beta=0.85) for s in range(120)])
    found = garch.fit(y)
    half = found.half_lives()
    inside = (half[:, 1] < np.log(0.5) / np.log(0.95)) & (np.log(0.5) / np.log(0.95) < half[:, 2])
    assert 0.88 <= inside.mean() <= 1.0
    assert half[:, 0] == pytest.approx(np.log(0.5) / np.log(found.persistence))


def test_variances_ahead_and_quantiles():
    model = garch.Garch(asymmetric=True, distribution="t")
    y = simulated(1500, gamma=0.1, heavy=6)[:, None]
    found = garch.fit(y, model=model)
    following = found.variances(y)
    ahead = found.ahead(following, steps=3)
    longer = garch.ManyGarch.variances(found, np.r_[y, [[np.nan]], [[np.nan]]])
    assert ahead[:, -1, 0] == pytest.approx(longer[-3:, 0])
    share = (y - found.parameters[0, 0] < found.quantiles(0.95) * np.sqrt(following[:-1])).mean()
    assert share == pytest.approx(0.95, abs=0.02)
    assert garch.fit(y).quantiles(0.5)[0] == pytest.approx(0.0)
    with pytest.raises(InputError, match="values must have the 1 series of the fit"):
        found.variances(np.c_[y, y])


@pytest.mark.skipif(not REFERENCE.is_file(), reason="tests/reference/garch.py has not been run")
@pytest.mark.parametrize("case", range(4))
def test_at_the_same_parameters_arch_has_the_same_likelihood(case):
    """And the same variances: no optimiser has a say."""
    known = json.loads(REFERENCE.read_text(encoding="utf-8"))["fixed"][case]
    model = garch.Garch(mean=False, **known["model"])
    y = simulated(**known["series"])
    at = dict(zip(model.names, known["parameters"], strict=True))
    here = plain_height(y, model, np.array(known["parameters"]), known["backcast"])
    assert here == pytest.approx(known["loglikelihood"], rel=1e-10)
    assert garch_model.starting_variance(y[:, None], mean=False)[0] == pytest.approx(known["backcast"], rel=1e-10)
    s = garch_model.recursion(y, mu=0.0, omega=at["omega"], alpha=at["alpha"], beta=at["beta"],
                              gamma=at.get("gamma", 0.0), first=known["backcast"])  # fmt: skip
    assert s[::100] == pytest.approx(known["variances"], rel=1e-8)
    assert plain_gap_height(y, model, np.array(known["parameters"]), known["backcast"]) == pytest.approx(
        here, rel=1e-12
    )
