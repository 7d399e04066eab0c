"""Cox regression against numbers from R's survival, from lifelines and from its plain form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib.survival import cox, cox_residuals, proportionality
from citylib.survival.cox_plain import Plain

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "cox.json").read_text(encoding="utf-8"))
CASES = REFERENCE["cases"]
NAMES = ("size", "iron", "breaks")
STOP, EVENT = np.array(REFERENCE["stop"], dtype=np.float64), np.array(REFERENCE["event"], dtype=np.bool_)
X = np.column_stack([REFERENCE[name] for name in NAMES]).astype(np.float64)
ENTRY: dict[str, Any] = {"entry": np.array(REFERENCE["entry"], dtype=np.float64)}
STRATA: dict[str, Any] = {"stratum": np.array(REFERENCE["zone"])}
WEIGHTS: dict[str, Any] = {"weight": np.array(REFERENCE["weight"]), "cluster": np.array(REFERENCE["main"])}
GIVEN: dict[str, dict[str, Any]] = {
    "right_efron": {},
    "right_breslow": {"ties": "breslow"},
    "late_efron": ENTRY,
    "late_breslow": ENTRY | {"ties": "breslow"},
    "strata_efron": STRATA,
    "weighted_cluster": WEIGHTS,
    "all_efron": ENTRY | STRATA | WEIGHTS,
    "all_breslow": ENTRY | STRATA | WEIGHTS | {"ties": "breslow"},
    "ridge": {"ridge": 2.5},
}
close = np.testing.assert_allclose


def fitted(name: str) -> cox.CoxFit:
    return cox.fit(STOP, EVENT, X, names=NAMES, **GIVEN[name])


def test_every_case_of_r_is_held() -> None:
    assert GIVEN.keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_coefficients_errors_and_likelihoods_equal_r(name: str) -> None:
    ours, r = fitted(name), CASES[name]
    # R stops when the likelihood has settled to 1e-13 of itself, its errors those of the step before
    close(ours.coefficients, r["coefficients"], rtol=0, atol=1e-12)
    close(ours.standard_errors, r["standard_errors"], rtol=1e-10)
    close(np.sqrt(np.diag(ours.covariance)), r["model_errors"], rtol=1e-10)
    close([ours.null_loglikelihood, ours.loglikelihood], r["loglikelihood"], rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in CASES if name != "ridge"])
def test_baseline_hazards_equal_r(name: str) -> None:
    ours, r = cox_residuals.baseline(fitted(name)), CASES[name]
    time, hazard = np.array(r["baseline_time"]), np.array(r["baseline_cumulative"])
    opens = np.flatnonzero(np.append(True, np.diff(time) < 0))
    strata = np.unique(REFERENCE["zone"]) if "stratum" in GIVEN[name] else ["all"]
    assert len(opens) == len(strata)
    for stratum, part in zip(strata, np.split(np.arange(len(time)), opens[1:]), strict=True):
        close(ours.at(time[part], stratum=stratum), hazard[part], rtol=1e-11)


@pytest.mark.parametrize("name", [name for name in CASES if "martingale" in CASES[name]])
def test_residuals_equal_r(name: str) -> None:
    ours, r = fitted(name), CASES[name]
    for kind, tolerance in (("martingale", 1e-11), ("deviance", 1e-11), ("score", 1e-11), ("dfbeta", 1e-11)):
        close(getattr(cox_residuals, kind)(ours).ravel(), r[kind], rtol=0, atol=tolerance, err_msg=kind)
    plain, scaled = cox_residuals.schoenfeld(ours), cox_residuals.schoenfeld(ours, scaled=True)
    close(plain.residuals.ravel(), r["schoenfeld"], rtol=0, atol=1e-11)
    close(scaled.residuals.ravel(), r["scaledsch"], rtol=0, atol=1e-9)  # times the number of events, 84
    np.testing.assert_array_equal(STOP[plain.row], plain.time)
    assert EVENT[plain.row].all()


@pytest.mark.parametrize("name", [name for name in CASES if name != "ridge"])
@pytest.mark.parametrize("transform", ["km", "identity", "rank", "log"])
def test_proportionality_equals_cox_zph(name: str, transform: str) -> None:
    ours = proportionality.proportionality(fitted(name), transform=transform)
    close([*ours.statistic, ours.joint], CASES[name][f"zph_{transform}"], rtol=1e-9)
    assert ours.to_frame().index.tolist() == [*NAMES, "all"]


@pytest.mark.parametrize("name", CASES)
def test_equals_its_plain_form(name: str) -> None:
    given = {key: value for key, value in GIVEN[name].items() if key not in ("ties", "cluster")}
    plain = Plain(STOP, EVENT, X, efron=GIVEN[name].get("ties") != "breslow", **given)
    ours = fitted(name)
    beta, covariance = plain.fit(steps=12)
    close(ours.coefficients, beta, rtol=0, atol=1e-13)
    close(ours.covariance, covariance, rtol=0, atol=1e-11)
    value = plain.likelihood(ours.coefficients)[0] + ours.ridge / 2 * float((ours.coefficients**2).sum())
    close(ours.loglikelihood, value, rtol=1e-13)
    close(cox_residuals.martingale(ours), plain.martingale(beta), rtol=0, atol=1e-12)
    close(cox_residuals.score(ours), plain.score(beta), rtol=0, atol=1e-12)
    close(cox_residuals.baseline(ours).hazard, plain.hazards(beta), rtol=1e-11)
    if ours.robust is not None:
        close(ours.robust, plain.robust(beta, WEIGHTS["cluster"]), rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", ["right_efron", "late_efron", "strata_efron"])
def test_equals_lifelines(name: str) -> None:
    from lifelines import CoxPHFitter

    given = GIVEN[name]
    frame = pd.DataFrame(X, columns=NAMES).assign(stop=STOP, event=EVENT, **given)
    theirs = CoxPHFitter().fit(
        frame, "stop", "event", entry_col="entry" if "entry" in given else None,
        strata="stratum" if "stratum" in given else None, fit_options={"precision": 1e-12},
    )  # fmt: skip
    ours = fitted(name)
    # with entries lifelines stops when it is so near
    close(ours.coefficients, theirs.params_, rtol=0, atol=2e-7)
    close(ours.standard_errors, theirs.standard_errors_, rtol=1e-6)
    close(ours.loglikelihood, theirs.log_likelihood_, rtol=1e-11)
