"""ARIMA models are those of R's arima by maximum likelihood, made by tests/reference/arima.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from citylib.timeseries import many

R: dict[str, Any] = json.loads((Path(__file__).parents[1] / "reference" / "arima.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", R["cases"])
def test_fits_and_forecasts_are_those_of_r(name: str) -> None:
    case = R["cases"][name]
    y = np.array(case["y"], dtype=np.float64)[:, None]
    found = many.fit(y, order=case["order"], seasonal=case["seasonal"], constant=case["mean"])
    assert found.status.tolist() == ["converged"]
    # R gives d differences a wide prior in place of none: with a difference its figures agree less closely.
    near = 2e-4 if case["mean"] else 2e-3
    ours = np.concatenate([found.parameters[0], found.regression[0]])
    errors = np.concatenate([found.standard_errors[0], found.regression_errors[0]])
    np.testing.assert_allclose(ours, case["coefficients"], atol=near)
    assert found.variance[0] == pytest.approx(case["variance"], rel=near)
    assert found.loglikelihood[0] == pytest.approx(case["loglikelihood"], abs=1e-3)
    assert found.loglikelihood[0] > case["loglikelihood"] - 1e-4
    np.testing.assert_allclose(errors, case["errors"], rtol=0.05)
    centre, _, upper = found.forecast(y, origins=[len(y)], horizon=5, level=0.95)
    np.testing.assert_allclose(centre[0, 0], case["centre"], atol=5 * near)
    np.testing.assert_allclose((upper - centre)[0, 0] / 1.959963984540054, case["spread"], rtol=2 * near)
