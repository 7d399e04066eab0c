"""Makes garch.json: what arch finds in the series of tests/timeseries/test_garch.py.

Run: python -m tests.reference.garch
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"seed": 0}),
    ({}, {"seed": 1, "alpha": 0.2, "beta": 0.7}),
    ({"mean": False}, {"seed": 2, "mu": 0.0}),
    ({"asymmetric": True}, {"seed": 3, "gamma": 0.1, "alpha": 0.05}),
    ({"asymmetric": True}, {"seed": 4, "gamma": 0.15, "alpha": 0.04}),
    ({"distribution": "t"}, {"seed": 5, "heavy": 6}),
    ({"distribution": "t"}, {"seed": 6, "heavy": 8, "alpha": 0.15, "beta": 0.75}),
    ({"asymmetric": True, "distribution": "t"}, {"seed": 7, "gamma": 0.12, "alpha": 0.05, "heavy": 7}),
]

FIXED = {"omega": 0.12, "alpha": 0.07, "gamma": 0.11, "beta": 0.78, "nu": 5.5}  # where nobody optimises
SERIES = {"steps": 800, "seed": 11, "gamma": 0.1, "heavy": 5, "mu": 0.0}


def at_given_parameters() -> list[dict[str, Any]]:
    """Return the likelihood of each model at the same parameters, and every hundredth variance."""
    from arch import univariate

    from tests.timeseries.test_garch import simulated

    y, cases = simulated(**SERIES), []
    for asymmetric in (False, True):
        for distribution in ("normal", "t"):
            names = ["omega", "alpha", *(["gamma"] if asymmetric else []), "beta"]
            at = [FIXED[name] for name in names + (["nu"] if distribution == "t" else [])]
            made = univariate.ZeroMean(y, rescale=False)
            made.volatility = univariate.GARCH(p=1, o=int(asymmetric), q=1)
            made.distribution = univariate.StudentsT() if distribution == "t" else univariate.Normal()
            found = made.fix(at)
            case = {"model": {"asymmetric": asymmetric, "distribution": distribution}, "series": SERIES}
            case |= {"parameters": at, "loglikelihood": float(found.loglikelihood)}
            case |= {"backcast": float(made.volatility.backcast(y))}
            cases.append(case | {"variances": [float(v) ** 2 for v in found.conditional_volatility[::100]]})
    return cases


def main() -> None:
    """Fit each case by arch."""
    from arch import arch_model

    from tests.timeseries.test_garch import simulated

    cases = []
    for model, series in CASES:
        series = {"steps": 3000} | series
        made = arch_model(
            simulated(**series), mean="Constant" if model.get("mean", True) else "Zero",
            o=1 if model.get("asymmetric") else 0, dist=model.get("distribution", "normal"), rescale=False,
        )  # fmt: skip
        found = made.fit(disp="off", tol=1e-12, options={"maxiter": 2000})
        values = {
            "parameters": [float(v) for v in found.params],
            "standard_errors": [float(v) for v in found.std_err],
            "loglikelihood": float(found.loglikelihood),
            "backcast": float(made.volatility.backcast(made._y - (made._y.mean() if model.get("mean", True) else 0.0))),
        }
        cases.append({"model": model, "series": series} | values)
    content = {"made_by": "python -m tests.reference.garch", "versions": {n: version(n) for n in ("arch", "numpy")}}
    path = Path(__file__).with_suffix(".json")
    path.write_text(
        json.dumps(content | {"cases": cases, "fixed": at_given_parameters()}, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
