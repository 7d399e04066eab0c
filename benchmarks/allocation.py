"""Shares of a budget and what hangs on them held to their bars: exact answers, policies, feedback, sensors, stations.

``python -m benchmarks.allocation`` shows what was recorded and measures what is quick; ``--only POINT`` makes
a point anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import (
    allocation_attack,
    allocation_budget,
    allocation_drift,
    allocation_explain,
    allocation_sensors,
    allocation_signals,
    allocation_stations,
    chapters,
    rows,
)
from benchmarks.rows import Point, Raw, Verdict, median

RESOURCES, MANY, SOLVED = 50, 100_000, 200
FILES = ("citylib/allocation/water_filling*.py", "citylib/allocation/problem.py")


def instances(count: int, seed: int) -> Any:
    """Return instances of budget-v1 with as many resources as the point asks for."""
    from citylib.allocation import problem

    return problem.contexts(count, RESOURCES, seed=seed, part="benchmark")


def solver_optimum(known: Any, k: int) -> Any:
    """Return the shares that cvxpy finds for one instance."""
    import cvxpy

    w = cvxpy.Variable(RESOURCES)
    left = known.scale_BN[k] @ cvxpy.exp(-RESOURCES * cvxpy.multiply(known.rate_BN[k], w))
    problem = cvxpy.Problem(cvxpy.Minimize(left), [cvxpy.sum(w) == 1, w >= 0])
    tight = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    problem.solve(solver="CLARABEL", **tight)
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise SystemExit(f"the solver ended with {problem.status}")
    return w.value


def gradient_error(known: Any, count: int) -> float:
    """Return how far the layer's gradients are from central differences, relative to the largest of them."""
    import torch

    from citylib.allocation import water_filling_layer

    worst = 0.0
    for k in range(count):
        log_a = torch.tensor(np.log(known.scale_BN[k : k + 1]), requires_grad=True)
        log_b = torch.tensor(np.log(known.rate_BN[k : k + 1]), requires_grad=True)
        money = torch.tensor(known.budget_B[k : k + 1])
        weight = torch.tensor(np.random.default_rng(k).standard_normal((1, RESOURCES)))
        (water_filling_layer.fill(log_a, log_b, money) * weight).sum().backward()
        for x in (log_a, log_b):
            ahead = torch.eye(RESOURCES, dtype=torch.float64)[:, None, :] * 1e-6
            ends = []
            for sign in (1, -1):
                moved = (x.detach() + sign * ahead).reshape(RESOURCES, RESOURCES)
                still = (log_b if x is log_a else log_a).detach().expand(RESOURCES, -1)
                pair = (moved, still) if x is log_a else (still, moved)
                shares = water_filling_layer.fill(*pair, money.expand(RESOURCES))
                ends.append((shares * weight).sum(dim=1))
            slope = (ends[0] - ends[1]) / 2e-6
            assert x.grad is not None
            worst = max(worst, float((slope - x.grad[0]).abs().max() / x.grad.abs().max()))
    return worst


def measure(quick: bool) -> Raw:
    """Fill many problems at once, and compare some with the solver's optimum."""
    from citylib.allocation import problem
    from citylib.allocation.water_filling import fill

    many, some = (2_000, 5) if quick else (MANY, SOLVED)
    known = instances(many, 0)
    fill(known.scale_BN[:2], known.rate_BN[:2], known.budget_B[:2])
    raw: Raw = {"problems": many, "solved": some, "seconds": [], "solver": []}
    found: Any = None
    for _ in range(1 if quick else 5):
        seconds, found = rows.spent(lambda: fill(known.scale_BN, known.rate_BN, known.budget_B))
        raw["seconds"].append(seconds)
    value = problem.benefit(found.shares, known.scale_BN, known.rate_BN, known.budget_B)
    worse, apart = [], []
    for k in range(some):
        seconds, other = rows.spent(lambda k=k: solver_optimum(known, k))
        raw["solver"].append(seconds)
        theirs = float(problem.benefit(other, known.scale_BN[k], known.rate_BN[k], float(RESOURCES)))
        worse.append(abs(float(value[k]) / theirs - 1))
        apart.append(float(np.abs(found.shares[k] - other).max()))
    raw |= {"residual": float(found.residual.max()), "objective": max(worse), "shares": max(apart)}
    raw["gradient"] = gradient_error(known, 2 if quick else 20)
    return raw


def judge(raw: Raw) -> Verdict:
    """Hold the residual, the speed, the gradient and the agreement with the solver."""
    ours, solver = median(raw["seconds"]), median(raw["solver"])
    exact = raw["residual"] < 1e-10 and raw["gradient"] < 1e-6
    agree = raw["objective"] < 1e-7 and raw["shares"] < 1e-4
    whole = raw["problems"] == MANY and raw["solved"] == SOLVED
    told = f"{ours:.2f} s; residual {raw['residual']:.0e}, gradient off {raw['gradient']:.0e}"
    told += f", objective {raw['objective']:.0e}, shares {raw['shares']:.0e}"
    each = solver * raw["problems"] / ours
    return Verdict(
        told, f"cvxpy {solver * 1e3:.0f} ms a problem", f"{each:.0f} times", exact and agree and ours < 1 and whole
    )


POINTS = (
    Point(
        "water_filling", "exact shares of 1e5 problems of 50 resources; 200 of them by cvxpy; gradient by differences",
        "under 1 s; residual 1e-10, gradient 1e-6; objective 1e-7 and shares 1e-4 to cvxpy",
        measure, judge, ("numpy", "numba", "torch", "cvxpy", "clarabel"), FILES,
    ),
    chapters.point("allocation_chapters", ("allocation/*",), ("notebooks/allocation/*.ipynb",)),
)  # fmt: skip
PARTS = (
    allocation_budget,
    allocation_attack,
    allocation_drift,
    allocation_explain,
    allocation_sensors,
    allocation_signals,
    allocation_stations,
)
EVERY = (*POINTS, *(point for part in PARTS for point in part.POINTS))


if __name__ == "__main__":
    raise SystemExit(rows.main(EVERY, __doc__))
