"""Survival curves, log-rank tests and concordance of a million rows beside R, lifelines and scikit-survival."""

from __future__ import annotations

import math
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

HERE = Path(__file__).parent
ROWS, GROUPS, TURNS = 1_000_000, 1_000, 5
USED = (
    "concordance", "censoring", "counting", "curve", "kaplan_meier", "log_rank", "pair_counts", "pair_halves",
    "rank_covariance", "rank_sums", "life_table", "sorting",
)  # fmt: skip
FILES = (*(f"citylib/survival/{name}.py" for name in USED), "benchmarks/survival_curves.*")
PACKAGES = ("numpy", "numba", "scipy", "lifelines", "scikit-survival")
Array = np.ndarray[Any, Any]
Timed = Callable[[], list[float]]


def made(n: int, *, whole: bool) -> dict[str, Array]:
    """Return rows of pipes: a thousand groups whose lives differ, watched for 2 to 60 years, with a forecast.

    Times have six decimals: R takes times that differ in their last bits for ties.
    """
    draw = np.random.default_rng(0)
    group = draw.integers(0, GROUPS, n)
    life, watched = draw.weibull(1.3, n) * (20 + group % 37), draw.uniform(2, 60, n)
    duration = np.minimum(life, watched)
    risk = -(life**0.3) + draw.normal(0, 0.5, n)
    return {
        "time": np.ceil(duration) if whole else duration.round(6),
        "event": life <= watched, "group": group, "risk": risk,
    }  # fmt: skip


def spent(work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Return CPU seconds and what came out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = time.process_time()
        out = work()
        return time.process_time() - before, out


def slices(data: dict[str, Array]) -> list[tuple[Array, Array]]:
    """Return times and events group by group; one sort, as a careful user of a one-group estimator would."""
    order = np.argsort(data["group"].astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(data["group"]))[:-1]
    return list(zip(np.split(data["time"][order], ends), np.split(data["event"][order], ends), strict=True))


def in_r(data: dict[str, Array], point: str, repeats: int) -> list[tuple[float, list[float]]]:
    """Return CPU seconds and results of R, each of `repeats`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, column in data.items():
            column.astype(np.float64).tofile(Path(folder) / name)
        command = ["Rscript", str(HERE / "survival_curves.R"), folder, point, str(len(data["time"])), str(repeats)]
        lines = rows.checked(command).stdout.splitlines()
    found = [[float(word) for word in line.split()] for line in lines]
    return [(line[0], line[1:]) for line in found]


def compare(data: dict[str, Array], point: str, workers: dict[str, Timed], in_turns: int, r_turns: int) -> Raw:
    """Run ours and the peers in turns, each once untimed before it is timed, as R is: memory just got is slow.

    Peers that are not installed are left out and said so.
    """
    raw: Raw = {"rows": len(data["time"]), "seconds": {}, "values": {}, "missing": []}
    for name, work in list(workers.items()):
        try:
            spent(work)  # the first call compiles and imports
        except ImportError:
            raw["missing"].append(name)
            del workers[name]
    for turn in range(in_turns):
        for name, work in workers.items():
            spent(work)
            seconds, raw["values"][name] = spent(work)
            raw["seconds"].setdefault(name, []).append(seconds)
        if turn < r_turns:
            seconds, raw["values"]["R"] = in_r(data, point, 2)[-1]
            raw["seconds"].setdefault("R", []).append(seconds)
    return raw


def curves(quick: bool, *, whole: bool) -> Raw:
    """Estimate a thousand curves."""
    data = made(ROWS // 10 if quick else ROWS, whole=whole)

    def ours() -> list[float]:
        from citylib.survival.kaplan_meier import kaplan_meier

        found = kaplan_meier(data["time"], data["event"], group=data["group"])
        return [float(found.survival.sum())]

    def sksurv() -> list[float]:
        from sksurv.nonparametric import kaplan_meier_estimator

        return [math.fsum(float(kaplan_meier_estimator(e, t)[1].sum()) for t, e in slices(data))]

    def lifelines() -> list[float]:
        from lifelines import KaplanMeierFitter

        # lifelines' curve begins with a 1 at time 0
        fits = (KaplanMeierFitter().fit(t, e).survival_function_.to_numpy() for t, e in slices(data))
        return [math.fsum(float(table[1:].sum()) for table in fits)]

    workers = {"citylib": ours, "scikit-survival": sksurv, "lifelines": lifelines}
    return compare(data, "curves", workers, 1 if quick else TURNS, 0 if quick else 1)


def log_rank(quick: bool) -> Raw:
    """Test a thousand groups at once."""
    data = made(ROWS // 10 if quick else ROWS, whole=True)
    if quick:
        data["group"] = data["group"] % 100

    def ours() -> list[float]:
        from citylib.survival.log_rank import log_rank as test

        return [test(data["time"], data["event"], data["group"]).statistic]

    def sksurv() -> list[float]:
        from sksurv.compare import compare_survival
        from sksurv.util import Surv

        return [float(compare_survival(Surv.from_arrays(data["event"], data["time"]), data["group"])[0])]

    def lifelines() -> list[float]:
        from lifelines.statistics import multivariate_logrank_test

        return [float(multivariate_logrank_test(data["time"], data["group"], data["event"]).test_statistic)]

    workers = {"citylib": ours, "scikit-survival": sksurv, "lifelines": lifelines}
    return compare(data, "log_rank", workers, *[1 if quick else TURNS] * 2)


def concordance(quick: bool, *, n: int) -> Raw:
    """Work out Harrell's C; R and ours with the standard error, lifelines has none."""
    n = n // 10 if quick else n
    data = made(n, whole=False)

    def ours() -> list[float]:
        from citylib.survival.concordance import harrell

        found = harrell(data["time"], data["event"], data["risk"])
        return [found.value, found.error]

    def lifelines() -> list[float]:
        from lifelines.utils import concordance_index

        return [float(concordance_index(data["time"], -data["risk"], data["event"]))]

    return compare(data, "concordance", {"citylib": ours, "lifelines": lifelines}, *[1 if quick else TURNS] * 2)


def judge(bar: float, apart: float) -> Callable[[Raw], Verdict]:
    """Return the judge of a point: how many times the fastest peer, and how far apart at most."""

    def judged(raw: Raw) -> Verdict:
        seconds = {name: median(values) for name, values in raw["seconds"].items()}
        mine, value = seconds.pop("citylib"), raw["values"]["citylib"]
        peer = min(seconds, key=lambda name: seconds[name])
        off = max(
            abs(a / b - 1)
            for name, found in raw["values"].items()
            if name in seconds
            for a, b in zip(value, found, strict=False)
        )
        ratio = seconds[peer] / mine
        told = ", ".join(f"{name} {s:.3g} s" for name, s in sorted(seconds.items(), key=lambda item: item[1]))
        absent = f"; not installed: {', '.join(raw['missing'])}" if raw["missing"] else ""
        return Verdict(
            f"{mine * 1e3:.1f} ms; apart {off:.0e}",
            told + absent,
            f"{ratio:.1f} times",
            bool(ratio >= bar and off < apart),
        )

    return judged


POINTS = (
    Point(
        "curves_whole", "Kaplan-Meier, 1e6 rows in 1,000 groups, whole years", "50 times, sum of curves 1e-12",
        lambda quick: curves(quick, whole=True), judge(50, 1e-12), PACKAGES, FILES, long=True,
    ),
    Point(
        "curves_continuous", "Kaplan-Meier, 1e6 rows in 1,000 groups, continuous times", "5 times, sum of curves 1e-12",
        lambda quick: curves(quick, whole=False), judge(5, 1e-12), PACKAGES, FILES, long=True,
    ),
    Point(
        "log_rank", "log-rank test of 1,000 groups, 1e6 rows, whole years", "50 times, 1e-10",
        log_rank, judge(50, 1e-10), PACKAGES, FILES, long=True,
    ),
    Point(
        "concordance", "Harrell's C with its error, 1e5 rows; lifelines has no error", "15 times, 1e-10",
        lambda quick: concordance(quick, n=100_000), judge(15, 1e-10), PACKAGES, FILES, long=True,
    ),
    Point(
        "concordance_million", "Harrell's C with its error, 1e6 rows", "15 times, 1e-10",
        lambda quick: concordance(quick, n=ROWS), judge(15, 1e-10), PACKAGES, FILES, long=True,
    ),
)  # fmt: skip
