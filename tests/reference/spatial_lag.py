"""Makes spatial_lag.json: what spreg finds in the places of tests/spatial/test_lag_models.py.

Run: python -m tests.reference.spatial_lag
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np


def main() -> None:
    """Fit a lag and an error model by spreg's full likelihood."""
    from libpysal.weights import WSP, WSP2W
    from spreg import ML_Error, ML_Lag

    from tests.spatial.test_lag_models import places

    content: dict[str, object] = {
        "made_by": "python -m tests.reference.spatial_lag",
        "versions": {n: version(n) for n in ("spreg", "libpysal", "numpy")},
    }
    for kind, made, how in (("lag", {"rho": 0.5}, ML_Lag), ("error", {"rho": 0.0, "lam": 0.6}, ML_Error)):
        x, y, w = places(seed=3, **made)
        weights = WSP2W(WSP(w.tocsr()))
        weights.transform = "r"
        found = how(y[:, None], x[:, 1:], w=weights, method="full", epsilon=1e-12)
        spatial = float(found.rho if kind == "lag" else found.lam)
        betas = np.asarray(found.betas).ravel()
        content[kind] = {
            "places": {"seed": 3, **made},
            "spatial": spatial,
            "coefficients": betas[:3].tolist(),
            "loglikelihood": float(found.logll),
            "standard_errors": np.sqrt(np.diag(np.asarray(found.vm)))[:4].tolist(),
        }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
