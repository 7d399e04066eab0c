"""What copies of rows do to standard errors: the law that the chapter on linear regression tells."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from citylib.regression import linear


def test_rows_written_twice_narrow_errors_that_count_rows_and_leave_clustered_ones() -> None:
    generator = np.random.default_rng(0)
    x = sm.add_constant(generator.normal(size=(500, 2)))
    y = x @ [1.0, 2.0, 3.0] + generator.normal(size=500) * (1 + np.abs(x[:, 1]))
    hours = np.arange(500)
    twice = np.repeat(hours, 2)
    once, copied = sm.OLS(y, x), sm.OLS(y[twice], x[twice])
    np.testing.assert_allclose(copied.fit().params, once.fit().params)
    np.testing.assert_allclose(copied.fit().bse, once.fit().bse * np.sqrt(0.5 * 497 / 498.5), rtol=1e-9)
    robust = (linear.fit(rows, read).covariance for rows, read in ((x, y), (x[twice], y[twice])))
    single, double = (np.sqrt(np.diag(covariance)) for covariance in robust)
    np.testing.assert_allclose(double, single / np.sqrt(2), rtol=0.01)
    kept = [
        model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}).bse
        for model, groups in ((once, hours), (copied, twice))
    ]
    np.testing.assert_allclose(*kept, rtol=1e-9)
