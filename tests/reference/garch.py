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
    path.write_text(json.dumps(content | {"cases": cases}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
