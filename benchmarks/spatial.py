"""Spatial lag regression by maximum likelihood beside spreg's, on a square grid."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

SIDE = 64
FILES = ("citylib/spatial/lag_models.py", "citylib/spatial/log_determinants.py")


def places(side: int) -> tuple[Any, Any, Any]:
    """Return design, readings and rook weights, rows summing to 1, of a square grid."""
    ring = sparse.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    eye = sparse.eye_array(side)
    near = sparse.csr_array(sparse.kron(eye, ring) + sparse.kron(ring, eye))
    w = sparse.csr_array(sparse.diags_array(1 / near.sum(axis=1)) @ near)
    generator = np.random.default_rng(1)
    x = np.column_stack([np.ones(side**2), generator.standard_normal((side**2, 3))])
    noise = x @ [1.0, 2.0, -1.0, 0.5] + generator.standard_normal(side**2)
    return x, sparse.linalg.spsolve(sparse.csc_matrix(sparse.eye_array(side**2) - 0.6 * w), noise), w


def measure(quick: bool) -> Raw:
    """Fit by ours, with and without standard errors, and by both of spreg's ways."""
    from libpysal.weights import WSP, WSP2W
    from spreg import ML_Lag

    from citylib.spatial import lag_models

    side = 24 if quick else SIDE
    x, y, w = places(side)
    weights = WSP2W(WSP(w))
    weights.transform = "r"
    raw: Raw = {"places": side**2, "plain": [], "errors": [], "ord": [], "LU": []}
    lag_models.lag(*places(8))
    found: Any = None
    for turn in range(1 if quick else 5):
        for name, kept in (("plain", False), ("errors", True)):
            before = time.process_time()
            found = lag_models.lag(x, y, w, standard_errors=kept)
            raw[name].append(time.process_time() - before)
        for method in ("LU", "ord") if turn < 2 or not quick else ():
            before = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                other = ML_Lag(y[:, None], x[:, 1:], w=weights, method=method)
            raw[method].append(time.process_time() - before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Its errors by "ord" differ from those by "full" and "LU" by some 1e-4.
        fine = ML_Lag(y[:, None], x[:, 1:], w=weights, method="LU", epsilon=1e-13)
    raw["rho"] = abs(found.spatial - float(fine.rho))
    raw["rho_default"] = abs(found.spatial - float(other.rho))
    errors = np.sqrt(np.diag(np.asarray(fine.vm)))[: len(found.coefficients) + 1]
    raw["apart"] = float(np.abs(np.sqrt(np.diag(found.covariance)) / errors - 1).max())
    raw["below"] = float(fine.logll) - found.loglikelihood
    return raw


def judge(raw: Raw) -> Verdict:
    """Hold speed and agreement."""
    fastest = min(("ord", "LU"), key=lambda n: median(raw[n]))
    peer, plain, errors = median(raw[fastest]), median(raw["plain"]), median(raw["errors"])
    good = peer / plain >= 20 and peer / errors >= 5 and raw["rho"] < 1e-8 and raw["apart"] < 1e-6
    told = f"{plain:.2f} s, with standard errors {errors:.2f} s; rho apart {raw['rho']:.0e}, errors {raw['apart']:.0e}"
    ratio = f"{peer / plain:.0f} and {peer / errors:.0f} times"
    return Verdict(told, f"spreg {fastest} {peer:.1f} s", ratio, bool(good and raw["places"] == SIDE**2))


POINTS = (
    Point(
        "lag", "ML lag on a grid of 4,096 places", "rho 1e-8; 20 times without standard errors, 5 with (1e-6 to spreg)",
        measure, judge, ("numpy", "scipy", "spreg", "libpysal"), FILES,
    ),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
