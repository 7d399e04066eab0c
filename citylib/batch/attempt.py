"""One attempt at a run: the job that is handed to a process of its own, and the receipt of what came of it."""

from __future__ import annotations

import datetime as dt
import functools
import glob
import json
import os
import re
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from citylib import __version__
from citylib.batch import parameters, receipt, supervise
from citylib.batch.plan import PlannedRun
from citylib.batch.receipt import Hashes
from citylib.batch.supervise import Limits, Stop, Watched
from citylib.batch.warm import CLIENT, Warm, own_folder
from citylib.errors import CitylibError, NotebookError

__all__ = ["attempt"]

RESULTS = "results.json"
MOST_PRINTED = 2**16  # bytes that are kept of what a run's process has printed itself
NO_NEWS = "Kernel is running over TCP without encryption"  # of each kernel on this machine, to itself


def attempt(
    run: PlannedRun, staging: Path, hashes: Hashes, stop: Stop | None = None, warm: Warm | None = None
) -> dict[str, Any] | None:
    """Run a notebook once and write what it makes into a folder.

    Parameters
    ----------
    run : PlannedRun
        What to run.
    staging : Path
        The folder, empty.
    hashes : Hashes
        Shared by the runs of a plan.
    stop : Stop, optional
        Once set, the run is ended.
    warm : Warm, optional
        What client and kernel are forked from.

    Returns
    -------
    dict or None
        The receipt, but for the files made; None if it was stopped.
    """
    with _scratch() as scratch:
        return _execute(run, staging, scratch, hashes, stop, warm)


def _execute(
    run: PlannedRun, staging: Path, scratch: Path, hashes: Hashes, stop: Stop | None, warm: Warm | None
) -> dict[str, Any] | None:
    started = dt.datetime.now(dt.UTC)
    try:
        job = _job(run, staging, scratch)
    except (CitylibError, OSError) as fault:  # the notebook was right when the plan was read
        here = {f"{scratch / 'input'}{os.sep}": "", str(receipt.root_of(run.path)): "<project>"}
        message = functools.reduce(lambda text, path: text.replace(path, here[path]), here, str(fault))
        return _refused(run, started, hashes, _error(message, type(fault).__name__))
    content = _opening(run, Path(job["notebook"]), hashes)
    before = _package_hashes(hashes)
    env = supervise.environment(scratch, run.base)
    watched = supervise.watch(
        [sys.executable, "-m", CLIENT, str(scratch / "job.json")],
        env=env,
        cwd=scratch,
        log=scratch / "child.log",
        limits=run.limits,
        stop=stop,
        seat=warm.seat(run, env, scratch, stop) if warm is not None else None,
    )
    if watched.verdict == "stopped":
        return None
    report = _report(run, watched, job, scratch)
    package = receipt.package_folder()
    if report["outcome"] == "ok" and os.path.realpath(report["probed"].get("root") or package) != str(package):
        message = "The notebook's kernel has a citylib of its own; install the kernel with the one that runs it."
        report |= {"outcome": "failed", "error": _error(message)}
    staging.mkdir(parents=True, exist_ok=True)  # somebody may have removed it: what went wrong is kept nevertheless
    if report["outcome"] == "ok" and not (staging / RESULTS).is_file():
        report |= {"outcome": "failed", "error": _error("What the run has made was removed while it was under way.")}
    if report["outcome"] != "ok":
        with (staging / "log.txt").open("a", encoding="utf-8") as log:
            log.writelines(_printed(scratch))
    probed = report.get("probed") or {}
    if warm is not None:
        warm.learn(run, env, scratch, probed.get("imported", []))
        if watched.why_started:
            warm.say(f"runs start without a warm client: {watched.why_started}")
            report["kernel"] = {"forked": False, "why": watched.why_started}
        elif why := report.get("kernel", {}).get("why"):
            warm.say(f"a kernel of {run.notebook} was started, not forked: {why}")
    imported = [(name, before.get(name)) for name in probed.get("files", [])]
    content |= {
        "data": _data(Path(job["events"])),
        "citylib": [
            {"path": name, "sha256": digest if hashes.of(package / name) == digest else receipt.CHANGED}
            for name, digest in imported
        ],
        "versions": probed.get("versions") or {"citylib": __version__},
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(watched.seconds, 3),
        "cpu_seconds": report.get("cpu_seconds"),
        "cells": report.get("cells", []),
        "peak_memory_bytes": max(watched.peak_memory_bytes, probed.get("peak_memory_bytes", 0)),
        "outcome": report["outcome"],
        "error": report.get("error"),
        "kernel": report.get("kernel", {}),
    }
    return content | {"key": receipt.key_of(content)}


def _refused(run: PlannedRun, started: dt.datetime, hashes: Hashes, error: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt of a run whose notebook cannot be run any more."""
    content = _opening(run, run.path, hashes) | {
        "data": [],
        "citylib": [],
        "versions": {"citylib": __version__},
        "started": started.isoformat(timespec="seconds"),
        "seconds": 0.0,
        "cpu_seconds": None,
        "cells": [],
        "peak_memory_bytes": 0,
        "outcome": "failed",
        "error": error,
        "kernel": {},
    }
    return content | {"key": receipt.key_of(content)}


def _error(message: str, name: str = "RunError") -> dict[str, Any]:
    return {"cell": None, "source": "", "name": name, "message": message}


def _printed(scratch: Path) -> list[str]:
    """Return the last lines that a run's process has printed itself, if its folder is still there."""
    with suppress(FileNotFoundError), (scratch / "child.log").open("rb") as stream:
        # What programs print that a cell starts is in here as well as in the log, and no limit holds it.
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - MOST_PRINTED))
        lines = stream.read().decode("utf-8", errors="replace").splitlines(keepends=True)
        return [line for line in lines if NO_NEWS not in line]
    return []


def _opening(run: PlannedRun, notebook: Path, hashes: Hashes) -> dict[str, Any]:
    root = receipt.root_of(run.path)
    return {
        "schema": receipt.SCHEMA,
        "notebook": {"path": run.path.relative_to(root).as_posix(), "sha256": hashes.of(notebook)},
        "run": {"id": run.id, "notebook": run.notebook, "title": run.title},
        "parameters": dict(run.parameters),
        "lock": receipt.lock_of(root, hashes),
        "limits": {"minutes": run.limits.minutes, "memory": run.limits.memory, "output": run.limits.output},
    }


def _job(run: PlannedRun, staging: Path, scratch: Path) -> dict[str, Any]:
    copy = scratch / "input" / run.path.name
    copy.parent.mkdir()
    shutil.copyfile(run.path, copy)  # first of all: what is read from here on is what will be run
    defaults = {parameter.name: parameter.default for parameter in parameters.declared(copy)}
    if other := sorted(run.parameters.keys() ^ defaults.keys()):
        raise NotebookError(f"{run.path.name}: its parameters are no longer those of the plan ({', '.join(other)})")
    changed = {n: v for n, v in run.parameters.items() if json.dumps(v) != json.dumps(defaults[n])}
    cwd = _kernel_folder(run, scratch)
    job = {
        "notebook": str(copy),
        "inject": changed,
        "staging": str(staging.absolute()),
        "cwd": str(cwd),
        "events": str(scratch / "events.jsonl"),
        "report": str(scratch / "report.json"),
        "sockets": str(scratch / "kernel") if os.name == "posix" else "",
        "output_bytes": run.limits.output,
        "replace": _stand_ins(run, scratch, cwd),
    }
    (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return job


def _stand_ins(run: PlannedRun, scratch: Path, cwd: Path) -> dict[str, str]:
    """Return the paths of this machine that a notebook may show, with what stands for each."""
    found = {str(run.base): "<here>", str(receipt.root_of(run.path)): "<project>"}
    variables = supervise.environment(scratch, run.base)
    for name in ("CITYLIB_DATA", "CITYLIB_CACHE"):
        found |= dict.fromkeys(variables.get(name, "").split(os.pathsep), f"<{name}>")
    if sys.prefix != sys.base_prefix:
        found[sys.prefix] = "<python>"
    inside = [*site.getsitepackages(), sysconfig.get_path("stdlib"), str(receipt.package_folder().parent), str(cwd)]
    found = dict.fromkeys(inside, "<python>") | found  # a folder by itself; below, what lies in it
    found |= {str(scratch): "<scratch>"} | {f"{folder}{os.sep}": "" for folder in inside}
    home = str(Path.home())
    found |= {f"~{path[len(home) :]}": stands for path, stands in found.items() if path.startswith(f"{home}{os.sep}")}
    found.setdefault(home, "~")
    return {path: stands for path, stands in found.items() if len(path.strip(os.sep)) > 1}


def _kernel_folder(run: PlannedRun, scratch: Path) -> Path:
    values = [v for value in run.parameters.values() for v in (value if isinstance(value, list) else [value])]
    paths = [os.path.normpath(v.removeprefix("file:")) for v in values if isinstance(v, str) and v.startswith("file:")]
    relative = sorted({p for p in paths if not os.path.isabs(p) and not p.startswith("~")})
    ups = max((len(re.findall(r"(?:^|/)\.\.(?=/|$)", p.replace(os.sep, "/"))) for p in relative), default=0)
    cwd = scratch.joinpath("work", *["down"] * ups)
    cwd.mkdir(parents=True)
    for path in relative:
        link, target = Path(os.path.normpath(cwd / path)), (run.base / path).absolute()
        if any(parent.is_symlink() for parent in link.parents):
            continue  # reached through a folder that is linked already
        link.parent.mkdir(parents=True, exist_ok=True)
        for file in [target, *target.parent.glob(f"{glob.escape(target.stem)}_*")]:  # mains.csv, mains_breaks.csv
            if not (link.parent / file.name).is_symlink():
                (link.parent / file.name).symlink_to(file)
    return cwd


def _report(run: PlannedRun, watched: Watched, job: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    events = [event for event in _events(Path(job["events"])) if "cell" in event]
    done = [e for e in events if "seconds" in e]
    under_way = events[-1] if events and "seconds" not in events[-1] else {"cell": None, "source": ""}
    cells = [{"index": e["index"], "id": e["cell"], "seconds": e["seconds"]} for e in done]
    report = Path(job["report"])
    if watched.verdict == "ended" and report.is_file():
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found
    name, message = "LimitError", _over(watched.verdict, run.limits)
    if watched.verdict == "ended":
        from citylib.batch import harvest  # needs pandas, which a runner that skips all does without

        printed = [line.strip() for line in _printed(scratch) if line.strip()]
        last = f": {harvest.settled(printed[-1], job['replace'])}" if printed else ""
        name, message = "RunError", f"The process of the run ended with code {watched.returncode}{last}"
        if not scratch.is_dir():
            message = "The folder that the run works in was removed while it was under way."
    outcome = "died" if watched.verdict == "ended" else watched.verdict
    error = {"cell": under_way["cell"], "source": under_way["source"], "name": name, "message": message}
    return {"outcome": outcome, "error": error, "cells": cells}


def _over(verdict: str, limits: Limits) -> str:
    if verdict == "time":
        return f"The run took longer than its limit of {limits.minutes:g} minutes and was ended."
    return f"The run used more than its limit of {limits.memory:,} bytes of memory and was ended."


def _events(path: Path) -> list[dict[str, Any]]:
    out = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            with suppress(json.JSONDecodeError):  # the last line of a process that was killed
                out.append(json.loads(line))
    return out


def _data(events: Path) -> list[dict[str, Any]]:
    files: dict[tuple[str, str], dict[str, Any]] = {}
    for event in _events(events):
        with suppress(KeyError, TypeError):  # no source, or of a notebook that imitates citylib.results
            source = event["loaded"]["source"]
            files |= {(source, file["file"]): {**file, "source": source} for file in event["loaded"]["files"]}
    return list(files.values())


def _package_hashes(hashes: Hashes) -> dict[str, str | None]:
    package = receipt.package_folder()
    found: dict[str, str | None] = {}
    for folder, below, names in os.walk(package):
        below[:] = [name for name in below if name != "__pycache__"]
        inside = os.path.relpath(folder, package).replace(os.sep, "/")
        place = "" if inside == "." else f"{inside}/"
        found |= {place + name: hashes.of(Path(folder, name)) for name in names}
    return found


@contextmanager
def _scratch() -> Iterator[Path]:
    scratch = own_folder()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
