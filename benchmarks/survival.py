"""Survival engines beside lifelines, statsmodels, scikit-survival and R's survival, on the same rows in the same run.

Cox regression is here; curves, log-rank tests and concordance are in `benchmarks.survival_curves`, the coverage of
intervals in `benchmarks.survival_coverage`, breaks foreseen in `benchmarks.survival_backtest`. All of them are recorded
by ``python -m benchmarks.survival --only POINT``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows, survival_backtest, survival_coverage, survival_curves
from benchmarks.rows import Point, Raw, Verdict, median

HERE = Path(__file__).parent
COLUMNS, STRATA, TURNS = 10, 20, 5
SIZES = (10_000, 100_000, 1_000_000)
FILES = ("citylib/survival/cox*.py", "citylib/survival/risk_sets.py", "benchmarks/cox.R")
Array = np.ndarray[Any, Any]
Data = dict[str, Array]
Answer = tuple[Array, Array]  # coefficients, standard errors


def durations(count: int, *, late: bool = False, strata: bool = False, seed: int = 20261126) -> Data:
    """Return rows in whole years, about 60 distinct ones, three quarters of them events."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, COLUMNS))
    x[:, COLUMNS // 2 :] = x[:, COLUMNS // 2 :] > 0.3
    life = 30 * generator.exponential(np.exp(-x @ np.linspace(-0.5, 0.5, COLUMNS)))
    watched = generator.uniform(5, 60, count)
    data: Data = {}
    if late:
        data["entry"] = np.floor(np.minimum(np.ceil(np.minimum(life, watched)) - 1, generator.uniform(0, 30, count)))
    if strata:
        data["stratum"] = generator.integers(0, STRATA, count).astype(np.float64)
    return data | {"stop": np.ceil(np.minimum(life, watched)), "event": (life <= watched).astype(np.float64), "x": x}


def ours(data: Data) -> Answer:
    """Fit by citylib."""
    from citylib.survival import cox

    found = cox.fit(**data)
    return found.coefficients, found.standard_errors


def by_lifelines(data: Data) -> Callable[[], Answer]:
    """Return what fits by lifelines; the data frame is made beforehand."""
    import pandas as pd
    from lifelines import CoxPHFitter

    frame = pd.DataFrame(data["x"]).rename(columns=str)
    others = {name: values for name, values in data.items() if name != "x"}
    frame = frame.assign(**others)
    given = {
        "entry_col": "entry" if "entry" in data else None,
        "strata": "stratum" if "stratum" in data else None,
    }

    def fit() -> Answer:
        found = CoxPHFitter().fit(frame, "stop", "event", **given)
        return found.params_.to_numpy(), found.standard_errors_.to_numpy()

    return fit


def by_statsmodels(data: Data) -> Callable[[], Answer]:
    """Return what fits by statsmodels."""
    from statsmodels.duration.hazard_regression import PHReg

    def fit() -> Answer:
        found = PHReg(data["stop"], data["x"], status=data["event"], ties="efron").fit()
        return found.params, found.bse

    return fit


class R:
    """R's coxph on the rows, which it reads once from a file.

    Parameters
    ----------
    data : dict
        As `durations` makes it.
    folder : Path
        Where the file is put.
    """

    def __init__(self, data: Data, folder: Path) -> None:
        self.data, self.path = data, folder / "rows.bin"
        with self.path.open("wb") as file:
            for name in ("entry", "stratum", "stop", "event"):
                if name in data:
                    file.write(data[name].tobytes())
            file.write(np.asfortranarray(data["x"]).tobytes(order="F"))

    def fit(self, *, settled: bool = False) -> tuple[float, Answer]:
        """Fit once; `settled`: until the likelihood no longer changes, not R's default."""
        count = len(self.data["stop"])
        named = ["yes" if name in self.data else "-" for name in ("entry", "stratum")]
        command = ["Rscript", str(HERE / "cox.R"), str(self.path), str(count), str(COLUMNS), *named, "1"]
        done = rows.checked([*command, "settled"] if settled else command)
        found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
        return found["seconds"], (np.array(found["coefficients"]), np.array(found["errors"]))


def beside(data: Data, *, turns: int, statsmodels: int = 0) -> Raw:
    """Fit by everybody in turns; `statsmodels`: how often by that."""
    raw: Raw = {"citylib": [], "lifelines": [], "rows": len(data["stop"])}
    small = {name: values[:500] for name, values in data.items()}
    ours(small), by_lifelines(small)()  # compiles, imports
    contenders = {"lifelines": by_lifelines(data)}
    if statsmodels:
        by_statsmodels(small)()
        contenders["statsmodels"] = by_statsmodels(data)
        raw["statsmodels"] = []
    with tempfile.TemporaryDirectory() as folder:
        r = R(data, Path(folder)) if shutil.which("Rscript") else None
        found: Answer | None = None
        for turn in range(turns):
            seconds, found = rows.spent(lambda: ours(data))
            raw["citylib"].append(seconds)
            for name, contender in contenders.items():
                if name != "statsmodels" or turn < statsmodels:
                    raw[name].append(rows.spent(contender)[0])
            if r is not None:
                seconds, answer = r.fit()
                raw.setdefault("R", []).append(seconds)
                raw["apart_default"] = apart(found, answer)
        if r is not None and found is not None:
            raw["apart"] = apart(found, r.fit(settled=True)[1])
    return raw


def apart(one: Answer, two: Answer) -> list[float]:
    """Return how far coefficients are apart, and by what part of themselves standard errors are."""
    return [float(np.abs(one[0] - two[0]).max()), float(np.abs(one[1] / two[1] - 1).max())]


def ties(quick: bool) -> Raw:
    """Fit ten thousand, a hundred thousand and a million rows with heavy ties."""
    raw: Raw = {}
    for count in SIZES[:2] if quick else SIZES:
        statsmodels = TURNS if count <= 10_000 else 1
        raw[str(count)] = beside(durations(count), turns=1 if quick else TURNS, statsmodels=statsmodels)
    return raw


def judge(bar: float, peers: tuple[str, ...]) -> Callable[[Raw], Verdict]:
    """Hold speed against the fastest of the peers, and agreement with R, at every size."""

    def verdict(raw: Raw) -> Verdict:
        told, other, ratios, good = [], [], [], True
        for size, one in raw.items():
            mine = median(one["citylib"])
            known = {name: median(one[name]) for name in peers if one.get(name)}
            best = min(known, key=lambda name: known[name])
            ratio = known[best] / mine
            ratios.append(f"{ratio:.0f}")
            told.append(f"{float(size):.0e}: {mine:.3g} s")
            other.append(f"{best} {known[best]:.3g} s (" + ", ".join(f"{n} {s:.3g}" for n, s in known.items()) + ")")
            good &= ratio >= bar and set(known) == set(peers) and len(one["citylib"]) >= TURNS
            good &= max(one.get("apart", [1.0])) < 1e-8
        far = max(max(one.get("apart", [float("nan")])) for one in raw.values())
        return Verdict(
            f"{'; '.join(told)}; from R at most {far:.0e}", "; ".join(other), " / ".join(ratios) + " times", bool(good)
        )

    return verdict


def judge_ties(raw: Raw) -> Verdict:
    """Hold all three sizes."""
    found = judge(5, ("lifelines", "statsmodels", "R"))(raw)
    complete = set(raw) == {str(count) for count in SIZES}
    return Verdict(found.ours, found.peer, found.ratio, bool(found.ok and complete))


def late(quick: bool) -> Raw:
    """Fit rows that enter late."""
    return {"100000": beside(durations(100_000, late=True), turns=1 if quick else TURNS)}


def stratified(quick: bool) -> Raw:
    """Fit rows in strata."""
    return {"100000": beside(durations(100_000, strata=True), turns=1 if quick else TURNS)}


def memory(quick: bool) -> Raw:
    """Fit a million rows in a process that does nothing else, three times."""
    count = 100_000 if quick else 1_000_000
    code = (
        "import psutil; from benchmarks.survival import *; ours(durations(500)); "
        f"data = durations({count}); held = psutil.Process().memory_info().rss; ours(data); "
        "print(rows.peak_memory() - held)"
    )
    above = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parent)
        above.append(int(done.stdout.split()[-1]))
    return {"above": above, "design": count * COLUMNS * 8, "rows": count}


def judge_memory(raw: Raw) -> Verdict:
    """Hold the most memory above the data; what the making of the data left behind counts against it."""
    times = max(raw["above"]) / raw["design"]
    return Verdict(
        f"{max(raw['above']) / 1e6:.0f} MB above the data, {times:.2f} times the design matrix", "", f"{times:.2f}",
        bool(times <= 3 and raw["rows"] == 1_000_000),
    )  # fmt: skip


BASE = ("numpy", "numba", "lifelines", "statsmodels")
EQUAL = "coefficients and errors within 1e-8 of R"
POINTS = (
    Point("cox", "Cox, Efron ties, p=10, whole years, n = 1e4, 1e5, 1e6; statsmodels once at 1e5 and 1e6",
          f"5 times the fastest; {EQUAL}", ties, judge_ties, BASE, FILES, long=True),
    Point("cox_entry", "the same with delayed entry, n = 1e5", f"10 times the fastest; {EQUAL}", late,
          judge(10, ("lifelines", "R")), BASE, FILES, long=True),
    Point("cox_strata", f"the same in {STRATA} strata, n = 1e5", f"10 times the fastest; {EQUAL}", stratified,
          judge(10, ("lifelines", "R")), BASE, FILES, long=True),
    Point("cox_memory", "Cox, p=10, n = 1e6: the most memory above the data", "3 times the design matrix", memory,
          judge_memory, BASE, FILES, long=True),
)  # fmt: skip
EVERY = (*POINTS, *survival_curves.POINTS, *survival_coverage.POINTS, *survival_backtest.POINTS)


if __name__ == "__main__":
    raise SystemExit(rows.main(EVERY, __doc__))
