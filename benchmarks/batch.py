"""Running many notebooks: beside papermill and a bare fork, a thousand of them, on Dask, under faults, as pages."""

from __future__ import annotations

import filecmp
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import rows
from benchmarks.rows import ROOT, Point, Raw, Verdict, checked, median
from benchmarks.tiny import write_tiny

BIN = Path(sys.executable).parent
CITYLIB = [sys.executable, "-c", "from citylib.cli import main; main()"]
CHAPTER = "survival/02_kaplan_meier"
LONG_CHAPTER = "neural/02_autoencoder"
WORKERS = 2
THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
RUNNER = ("citylib/batch/*.py", "citylib/cli/run*.py", "citylib/results.py")
NO_NUMBERS = ("receipt.json", "log.txt")


def environment() -> dict[str, str]:
    """Return the variables of both contenders: one thread each, embedded data only."""
    mine = {k: v for k, v in os.environ.items() if k not in ("CITYLIB_DATA", "PYTHONPATH")}
    return mine | THREADS | {"CITYLIB_CACHE": os.devnull}


@contextmanager
def project(plan: str, notebooks: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield a folder with a plan, and with notebooks of the book or one written here."""
    with tempfile.TemporaryDirectory(prefix="citylib-benchmark-") as made:
        folder = Path(made)
        shutil.copy(ROOT / "requirements.lock", folder)
        for name in notebooks:
            (folder / "notebooks" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", folder / "notebooks" / f"{name}.ipynb")
        (folder / "plan.toml").write_text(plan, encoding="utf-8")
        yield folder


def grid(notebook: str, count: int, given: str) -> str:
    """Return a plan that runs a notebook with several seeds."""
    return f'[[run]]\nnotebook = "{notebook}"\nset = {{ {given} }}\ngrid = {{ seed = {list(range(count))} }}\n'


def by_papermill(folder: Path, notebook: str, count: int, given: dict[str, str]) -> float:
    """Return the seconds that papermill takes for several seeds through ``xargs -P``."""
    out = folder / "papermill"
    out.mkdir(exist_ok=True)
    words = " ".join(f"-p {name} {value}" for name, value in given.items())
    source = folder / "notebooks" / f"{notebook}.ipynb"
    call = f"{BIN}/papermill {source} {out}/{{}}.ipynb {words} -p seed {{}} --no-progress-bar > /dev/null 2>&1"
    line = f"seq 0 {count - 1} | xargs -P{WORKERS} -I{{}} sh -c '{call}'"
    began = time.monotonic()
    checked(["sh", "-c", line], cwd=folder, env=environment())
    return time.monotonic() - began


def by_citylib(folder: Path, *options: str, workers: int = WORKERS) -> float:
    """Return the seconds that ``citylib run`` takes for the plan of a folder."""
    command = [*CITYLIB, "run", "plan.toml", "--workers", str(workers), *options]
    began = time.monotonic()
    checked(command, cwd=folder, env=environment())
    return time.monotonic() - began


def same_answers(folder: Path, count: int) -> bool:
    """Whether papermill's notebooks and citylib's runs handed back the same records."""
    found: list[dict[str, str]] = [{}, {}]
    for seed in range(count):
        found[0][str(seed)] = _records(folder / "papermill" / f"{seed}.ipynb")
    for path in folder.glob("_build/runs/**/receipt.json"):
        seed = str(json.loads(path.read_text(encoding="utf-8"))["parameters"]["seed"])
        found[1][seed] = _records(path.parent / "notebook.ipynb")
    return found[0] == found[1]


def _records(path: Path) -> str:
    mime = "application/vnd.citylib.result+json"
    outputs = [o for c in json.loads(path.read_text(encoding="utf-8"))["cells"] for o in c.get("outputs", [])]
    payloads = [o["data"][mime] for o in outputs if mime in o.get("data", {})]
    return json.dumps([p for p in payloads if p["type"] in ("record", "say")], sort_keys=True)


def throughput(chapter: str, count: int, repeats: int, given: dict[str, str]) -> Raw:
    """Measure papermill and citylib in turn."""
    words = ", ".join(f'{name} = "{value}"' for name, value in given.items())
    seconds: dict[str, list[float]] = {"papermill": [], "citylib": []}
    same = True
    for _ in range(repeats):
        with project(grid(chapter, count, words), (chapter,)) as folder:
            seconds["papermill"].append(by_papermill(folder, chapter, count, given))
            seconds["citylib"].append(by_citylib(folder))
            same = same and same_answers(folder, count)
    import_cpu = [_cpu([str(BIN / "papermill"), "--version"]) for _ in range(max(3, repeats))]
    return {"count": count, "seconds": seconds, "same_answers": same, "papermill_import_cpu": import_cpu}


def _cpu(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    checked(command, env=environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def judge_throughput(bar: float | None):
    """Return the judge of a comparison with papermill."""

    def judge(raw: Raw) -> Verdict:
        ours, theirs = (median(raw["seconds"][name]) / raw["count"] for name in ("citylib", "papermill"))
        ratio = median(t / o for t, o in zip(raw["seconds"]["papermill"], raw["seconds"]["citylib"], strict=True))
        told = f"{theirs:.2f} s a run, of them {median(raw['papermill_import_cpu']):.1f} CPU s to import papermill"
        enough = bar is not None and ratio >= bar and raw["same_answers"] and len(raw["seconds"]["citylib"]) >= 5
        return Verdict(f"{ours:.2f} s a run", told, f"{ratio:.2f} times", enough)

    return judge


HOT = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
from citylib.batch import plan
from citylib.batch.run import run_one
from citylib.batch.warm import Warm
from concurrent.futures import ThreadPoolExecutor
made = plan.load(Path("plan.toml"))
runs = made.folder(Path("_build/hot"))
with Warm(made.runs) as parents, ThreadPoolExecutor(2) as pool:
    go = lambda run: run_one(run, run.folder(runs), warm=parents).check()
    list(pool.map(go, made.runs[:2]))
    began = time.monotonic()
    list(pool.map(go, made.runs[2:]))
    print(json.dumps({"seconds": time.monotonic() - began, "count": len(made.runs) - 2}))
"""


def hot(quick: bool) -> Raw:
    """Measure runs whose parents have started, and have learned, before the clock does."""
    out = []
    for _ in range(1 if quick else 5):
        with project(grid(CHAPTER, 6 if quick else 26, 'source = "synthetic:tiny"'), (CHAPTER,)) as folder:
            done = checked([sys.executable, "-c", HOT], cwd=folder, env=environment())
            out.append(json.loads(done.stdout.splitlines()[-1]))
    return {"seconds_per_run": [one["seconds"] / one["count"] for one in out]}


def judge_hot(raw: Raw) -> Verdict:
    """Say what a run takes once servers are hot."""
    return Verdict(f"{median(raw['seconds_per_run']):.2f} s a run")


# --- the price of a warm run ---

BARE = (ROOT / "benchmarks" / "bare_fork.py").as_posix()
MARGINAL = """
import json, resource, sys
from pathlib import Path
import psutil
from citylib.batch import plan, receipt
from citylib.batch.run import run_one
from citylib.batch.warm import Warm
made = plan.load(Path("plan.toml"))
runs, hashes = made.folder(Path("_build/one")), receipt.Hashes()
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
with Warm(made.runs) as parents:
    of_parents = lambda: sum(sum(psutil.Process(p._process.pid).cpu_times()[:2]) for p in parents._parents.values())
    for run in made.runs[:2]:
        run_one(run, run.folder(runs), warm=parents, hashes=hashes).check()
    out = []
    for run in made.runs[2:]:
        before = used() + of_parents()
        outcome = run_one(run, run.folder(runs), warm=parents, hashes=hashes).check()
        own = receipt.read(outcome.folder)
        assert own["kernel"] == {"forked": True}, own["kernel"]
        out.append(used() + of_parents() - before + own["cpu_seconds"])
print(json.dumps(out))
"""


def overhead(quick: bool) -> Raw:
    """Measure the CPU of a warm run, and of a process forked with the same imports that executes the cells."""
    raw: dict[str, list[float]] = {"warm": [], "bare": []}
    for _ in range(1 if quick else 5):
        with project(grid(CHAPTER, 3 if quick else 5, 'source = "synthetic:tiny"'), (CHAPTER,)) as folder:
            warm = checked([sys.executable, "-c", MARGINAL], cwd=folder, env=environment())
            raw["warm"] += json.loads(warm.stdout.splitlines()[-1])
            notebook = str(folder / "notebooks" / f"{CHAPTER}.ipynb")
            bare = checked(
                [sys.executable, BARE, notebook, 'source="synthetic:tiny"', "3"], cwd=folder, env=environment()
            )
            raw["bare"] += json.loads(bare.stdout.splitlines()[-1])
    return raw


def judge_overhead(raw: Raw) -> Verdict:
    """Compare medians of CPU seconds."""
    warm, bare = median(raw["warm"]), median(raw["bare"])
    return Verdict(f"{warm:.2f} CPU s", f"{bare:.2f} CPU s, bare fork", f"{warm - bare:+.2f} s", warm - bare <= 0.5)


# --- a thousand runs ---


def many(quick: bool) -> Raw:
    """Measure the seconds a run of few and of many tiny runs, and the memory of the runner."""
    few, lots = (10, 30) if quick else (100, 1000)
    raw: Raw = {"few": few, "lots": lots, "seconds_few": [], "seconds_lots": [], "memory": []}
    for _ in range(1 if quick else 5):
        for count, key in ((few, "seconds_few"), (lots, "seconds_lots")):
            seconds, memory = _tiny_runs(count)
            raw[key].append(seconds / count)
            raw["memory"].append(memory)
    return raw


def _tiny_runs(count: int) -> tuple[float, int]:
    plan = f'[[run]]\nnotebook = "fam/01_tiny"\ngrid = {{ seed = {list(range(count))} }}\n'
    with project(plan) as folder:
        write_tiny(folder / "notebooks" / "fam" / "01_tiny.ipynb")
        command = [*CITYLIB, "run", "plan.toml", "--workers", str(WORKERS)]
        began = time.monotonic()
        with (folder / "out.txt").open("wb") as out:
            runner = subprocess.Popen(command, cwd=folder, env=environment(), stdout=out, stderr=out)
            _, status, used = os.wait4(runner.pid, 0)
        if status:
            raise SystemExit((folder / "out.txt").read_text(encoding="utf-8")[-2000:])
        seconds = time.monotonic() - began
        assert len(list(folder.glob("_build/runs/plan/fam/01_tiny/*/receipt.json"))) == count
        return seconds, used.ru_maxrss * 1024


def judge_many(raw: Raw) -> Verdict:
    """Hold the seconds a run of many against those of few, and the runner's memory under its limit."""
    few, lots = median(raw["seconds_few"]), median(raw["seconds_lots"])
    memory = max(raw["memory"]) / 1e6
    ours = f"{lots:.2f} s a run of {raw['lots']}, runner {memory:.0f} MB"
    ok = lots <= 1.2 * few and memory < 300 and raw["lots"] == 1000
    return Verdict(ours, f"{few:.2f} s a run of {raw['few']}", f"{lots / few:.2f} times", ok)


def finished(quick: bool) -> Raw:
    """Measure how long checking a finished plan takes: one tiny run made, its receipt kept a thousand times."""
    count = 100 if quick else 1000
    plan = f'[[run]]\nnotebook = "fam/01_tiny"\ngrid = {{ seed = {list(range(count))} }}\n'
    seconds = []
    with project(plan) as folder:
        write_tiny(folder / "notebooks" / "fam" / "01_tiny.ipynb")
        by_citylib(folder, "--only", "*seed-0")
        _multiply(folder / "_build" / "runs" / "plan" / "fam" / "01_tiny", count)
        for _ in range(5):
            command = [*CITYLIB, "run", "plan.toml"]
            began = time.monotonic()
            done = checked(command, cwd=folder, env=environment())
            seconds.append(time.monotonic() - began)
            assert f"{count} skipped" in done.stdout, done.stdout[-500:]
    return {"count": count, "seconds": seconds}


def _multiply(folder: Path, count: int) -> None:
    from citylib.batch import receipt

    first = folder / "seed-0"
    for seed in range(1, count):
        made = folder / f"seed-{seed}"
        shutil.copytree(first, made)
        content = json.loads((made / "receipt.json").read_text(encoding="utf-8"))
        content["parameters"]["seed"] = seed
        content["run"]["id"] = made.name
        content["key"] = receipt.key_of(content)
        (made / "receipt.json").write_text(json.dumps(content), encoding="utf-8")


def judge_finished(raw: Raw) -> Verdict:
    """Hold the median under five seconds."""
    seconds = median(raw["seconds"])
    return Verdict(f"{seconds:.2f} s for {raw['count']} runs", ok=seconds < 5 and raw["count"] == 1000)


# --- the same results, whatever happens, and as pages ---


def on_dask(quick: bool) -> Raw:
    """Run one plan in processes here and on a Dask cluster, and compare every file but receipt and log."""
    count = 2 if quick else 6
    with project(grid(CHAPTER, count, 'source = "synthetic:tiny"'), (CHAPTER,)) as folder:
        by_citylib(folder, "--out", "here")
        by_citylib(folder, "--out", "there", "--dask", "local")
        names = {p.relative_to(folder / d).as_posix() for d in ("here", "there") for p in (folder / d).rglob("*")}
        kept = sorted(n for n in names if not n.endswith(NO_NUMBERS) and not Path(n).name.startswith("."))
        pairs = [(folder / "here" / n, folder / "there" / n) for n in kept]
        files = [(a, b) for a, b in pairs if a.is_file() or b.is_file()]
        differ = [str(a) for a, b in files if not (a.is_file() and b.is_file() and filecmp.cmp(a, b, shallow=False))]
    return {"runs": count, "files": len(files), "differ": len(differ)}


def judge_dask(raw: Raw) -> Verdict:
    """No file may differ."""
    return Verdict(f"{raw['files']} files of {raw['runs']} runs, {raw['differ']} differ", ok=raw["differ"] == 0)


def tests(*arguments: str) -> Raw:
    """Run tests and count how they ended."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), "--no-header", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", last)}
    return {"code": done.returncode, "last": last, **counts}


def judge_tests(raw: Raw) -> Verdict:
    """All must pass, and none be skipped."""
    skipped = f", {raw['skipped']} skipped" if raw.get("skipped") else ""
    ok = raw["code"] == 0 and raw.get("passed", 0) > 0 and not raw.get("skipped")
    return Verdict(f"{raw.get('passed', 0)} passed, {raw.get('failed', 0)} failed{skipped}", ok=ok)


def faults(quick: bool) -> Raw:
    """Run the suite of faults: at its smallest form, or at full size too."""
    from tests.faults.survey import survey

    return survey(full=not quick, workers=3)  # they wait for each other more than they work


def judge_faults(raw: Raw) -> Verdict:
    """Every fault of the table must have been brought about and survived."""
    others = f", {len(raw['others'])} other tests failed" if raw.get("others") else ""
    ok = bool(raw["ok"]) and raw["faults"] >= 20
    return Verdict(f"{raw['survived']} of {raw['faults']} faults survived{others}", ok=ok)


def pages(quick: bool) -> Raw:
    """Open the comparison pages of the tiny book in Chromium."""
    return tests("tests/book/test_comparison.py")


TINY = {"source": "synthetic:tiny"}
PAPERMILL = ("papermill", "citylib", "nbclient", "ipykernel", "jupyter_client")
POINTS = (
    Point("warm", "24 runs of survival/02_kaplan_meier at tiny size, 2 workers, cold start counted: "
          "papermill through xargs -P2 beside citylib run", "4 times the throughput",
          lambda quick: throughput(CHAPTER, 2 if quick else 24, 1 if quick else 5, TINY), judge_throughput(4.0),
          PAPERMILL, (*RUNNER, f"notebooks/{CHAPTER}.ipynb"), long=True),
    Point("hot", "the same with parents that have started and learned", "", hot, judge_hot, PAPERMILL,
          (*RUNNER, f"notebooks/{CHAPTER}.ipynb"), long=True),
    Point("long", "2 runs of neural/02_autoencoder at its defaults, about 30 s each under papermill", "",
          lambda quick: throughput(LONG_CHAPTER, 2, 1 if quick else 5, {"device": "cpu"}), judge_throughput(None),
          (*PAPERMILL, "torch"), (*RUNNER, f"notebooks/{LONG_CHAPTER}.ipynb"), long=True),
    Point("overhead", "CPU of one warm run above a process forked with the same imports that executes the cells",
          "0.5 s", overhead, judge_overhead, PAPERMILL, (*RUNNER, f"notebooks/{CHAPTER}.ipynb"), long=True),
    Point("thousand", "1,000 tiny runs: seconds a run against 100; memory of the runner",
          "within 1.2 times, under 300 MB", many, judge_many, PAPERMILL, RUNNER, long=True),
    Point("finished", "checking a finished plan of 1,000 runs, all skipped", "under 5 s", finished, judge_finished),
    Point("dask", "processes against --dask local", "identical results files", on_dask, judge_dask, ("distributed",)),
    Point("faults", "the suite of faults at full size", "all survived", faults, judge_faults, ("distributed",),
          ("citylib/batch/*.py", "tests/faults/*.py"), long=True),
    Point("pages", "comparison pages in Chromium: console, sorting, maps offline", "0 errors", pages, judge_tests,
          (), ("citylib/publish/*.py", "citylib/plots/*.py", "book/assets/*", "tests/book/*"), long=True),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
