"""Whether counts vary more than Poisson's law allows: tests for every series of a city at once.

Under Poisson's law E[(y - mu)^2 - y] = 0. Each test asks whether it is above zero in its own way. For one series
`statsmodels.discrete.diagnostic.PoissonDiagnostic` does (but for NB1, where 0.15 repeats NB2); held equal to it by a
test.
Legend: N series, T rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["over_dispersion"]

FloatArray = npt.NDArray[np.float64]


def over_dispersion(counts: npt.ArrayLike, mean: npt.ArrayLike, *, columns: int) -> pd.DataFrame:
    """Test each series for variance above its mean, by Cameron and Trivedi's regressions and by the multiplier.

    With z = ((y - mu)^2 - y) / mu, which has mean 0 and variance 2 under Poisson's law, the regressions are of z on
    a constant (alternative: variance (1 + a) mu, NB1) and on mu without a constant (variance mu + a mu^2, NB2); a is
    the slope. The Lagrange multiplier is sum((y - mu)^2 - y) / sqrt(2 sum mu^2), the slope of NB2's likelihood at 0.

    Parameters
    ----------
    counts : array_like, shape (T, N) or (T,)
        NaN where one is missing.
    mean : array_like, of the same shape
        Expected counts by the Poisson fit, above zero; a series that could not be fitted is NaN throughout.
    columns : int
        Coefficients each fit has spent.

    Returns
    -------
    pandas.DataFrame
        A row a series: ``pearson`` (sum of squared Pearson residuals over T - columns, 1 under Poisson's law),
        ``nb1``, ``nb1_z``, ``nb1_p``, ``nb2``, ``nb2_z``, ``nb2_p``, ``lm_z``, ``lm_p``. The p-values are one-sided
        (normal): against more variance. NaN for a series without a fit.

    Raises
    ------
    InputError
        Shapes that differ, a mean that is not above zero.

    References
    ----------
    Cameron, A. C. and Trivedi, P. K. (1990). Regression-based tests for overdispersion in the Poisson model. Journal
    of Econometrics 46(3), 347-364.
    Dean, C. B. (1992). Testing for overdispersion in Poisson and binomial regression models. Journal of the American
    Statistical Association 87(418), 451-457.

    Examples
    --------
    >>> found = over_dispersion([0.0, 9.0, 1.0, 10.0], [5.0] * 4, columns=1)
    >>> found[["pearson", "nb1", "lm_z"]].round(3).values.tolist()
    [[5.467, 3.1, 4.384]]
    """
    y, mu = (checks.array(name, v, missing=True) for name, v in (("counts", counts), ("mean", mean)))
    if y.shape != mu.shape or y.ndim not in (1, 2):
        raise InputError("counts, mean", "have the same shape, (T,) or (T, N)", (y.shape, mu.shape))
    if (mu <= 0).any():
        raise InputError("mean", "be above zero", f"{mu[mu <= 0][0]:g}")
    y, mu = y.reshape(len(y), -1), mu.reshape(len(mu), -1)
    spent = checks.integer("columns", columns, minimum=0)
    known = ~np.isnan(y) & ~np.isnan(mu)
    rows = known.sum(axis=0)
    y, mu = np.where(known, y, 0.0), np.where(known, mu, 1.0)
    excess = np.where(known, (y - mu) ** 2 - y, 0.0)
    out: dict[str, FloatArray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        out["pearson"] = np.where(known, (y - mu) ** 2 / mu, 0.0).sum(axis=0) / (rows - spent)
        for name, regressor in (("nb1", known.astype(float)), ("nb2", np.where(known, mu, 0.0))):
            out |= _slope(name, excess / mu, regressor, rows)
        multiplier = excess.sum(axis=0) / np.sqrt(2 * np.where(known, mu**2, 0.0).sum(axis=0))
    out["lm_z"], out["lm_p"] = multiplier, stats.norm.sf(multiplier)
    frame = pd.DataFrame(out)
    frame[rows <= spent] = np.nan
    return frame


def _slope(name: str, z: FloatArray, regressor: FloatArray, rows: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
    square = (regressor**2).sum(axis=0)
    slope = (z * regressor).sum(axis=0) / square
    rest = np.where(regressor > 0, z - slope * regressor, 0.0)
    t = slope / np.sqrt((rest**2).sum(axis=0) / (rows - 1) / square)
    return {name: slope, f"{name}_z": t, f"{name}_p": stats.norm.sf(t)}
