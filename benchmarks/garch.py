"""GARCH(1,1) for many series beside arch."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

__all__ = ["POINTS"]

FILES = tuple(f"citylib/timeseries/{name}.py" for name in (
    "garch", "garch_block", "garch_by_derivatives", "garch_model", "conditional_variance", "variance_slopes", "ascent",
    "climb", "damped_steps"
))  # fmt: skip


def shaken(count: int, steps: int = 2000) -> np.ndarray[Any, Any]:
    """Return GARCH(1,1) series of random parameters, (steps, count)."""
    generator = np.random.default_rng(7)
    alpha, beta = generator.uniform(0.03, 0.25, count), generator.uniform(0.5, 0.72, count)
    z = generator.standard_normal((steps + 200, count))
    e, s = np.zeros_like(z), np.ones(count)
    for t in range(len(z)):
        if t:
            s = (1 - alpha - beta) + alpha * e[t - 1] ** 2 + beta * s
        e[t] = np.sqrt(s) * z[t]
    return 0.1 + e[200:]


def volatility(quick: bool) -> Raw:
    """Fit a thousand series by ours and a part of them by arch; compare likelihoods both ways."""
    from arch import arch_model

    from citylib.timeseries import garch, garch_model

    count, theirs = (40, 10) if quick else (1000, 200)
    series = shaken(count)
    garch.fit(series[:, :1])
    rows.spent(lambda: arch_model(series[:, 0], rescale=False).fit(disp="off"))
    raw: Raw = {"citylib": [], "arch": [], "apart": [], "below": [], "count": count}
    step = count // 5
    for i in range(0, count, step):
        part = series[:, i : i + step]
        seconds, found = rows.spent(lambda: garch.fit(part))  # noqa: B023
        raw["citylib"].append(seconds / step)
        for j in range(theirs // 5):
            y = part[:, j]
            seconds, other = rows.spent(lambda: arch_model(y, rescale=False).fit(disp="off"))  # noqa: B023
            more, _ = rows.spent(lambda: other.std_err)  # noqa: B023  # they are worked out when they are asked for
            raw["arch"].append(seconds + more)
            mu, omega, alpha, beta = other.params
            s = garch_model.recursion(y, mu=mu, omega=omega, alpha=alpha, beta=beta, first=float(found.first[j]))
            plain = -0.5 * float((np.log(2 * np.pi) + np.log(s) + (y - mu) ** 2 / s).sum())
            raw["apart"].append(abs(plain - float(other.loglikelihood)))
            raw["below"].append(float(other.loglikelihood) - float(found.loglikelihood[j]))
    return raw


def judge_volatility(raw: Raw) -> Verdict:
    """Hold speed and likelihood against arch."""
    ours, theirs = float(np.mean(raw["citylib"])), median(raw["arch"])
    good = theirs / ours >= 20 and max(raw["apart"]) < 1e-6 and max(raw["below"]) < 1e-6 and raw["count"] == 1000
    told = f"{ours * 1e3:.2f} ms a series; likelihoods apart {max(raw['apart']):.0e}, "
    told += f"never over {max(raw['below']):.0e} below"
    return Verdict(told, f"arch {theirs * 1e3:.1f} ms", f"{theirs / ours:.0f} times", bool(good))


POINTS = (
    Point("garch", "GARCH(1,1), 1,000 series of 2,000 steps, standard errors included",
          "20 times, likelihoods within 1e-6",
          volatility, judge_volatility, ("numpy", "numba", "statsmodels", "arch"), FILES),
)  # fmt: skip
