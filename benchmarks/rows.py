"""Rows of a benchmark: what was measured, against what, whether its bar holds; and rows kept from an earlier run.

A row that takes long is made by ``--only POINT`` and kept as ``recorded/POINT.json`` with its raw figures and the
sha256 of every file it depends on. A plain run shows it as recorded: its bar is worked out again from the raw
figures, and it is not ok once one of those files has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[1]
RECORDED = Path(__file__).parent / "recorded"
Raw = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Verdict:
    """What raw figures amount to.

    Parameters
    ----------
    ours, peer, ratio : str
        As a reader wants them; empty where there is none.
    ok : bool or None
        Whether the bar holds; None: a report.
    """

    ours: str
    peer: str = ""
    ratio: str = ""
    ok: bool | None = None


@dataclass(frozen=True)
class Point:
    """One point of a benchmark.

    Parameters
    ----------
    name : str
        As ``--only`` names it.
    what : str
        What is measured, one line.
    bar : str
        What must hold; empty: a report.
    measure : callable
        Takes whether to be quick; returns raw figures.
    judge : callable
        Takes raw figures; returns the verdict.
    packages : tuple of str
        Whose versions are printed.
    files : tuple of str
        Globs, relative to the project, of the files that the figures depend on.
    long : bool
        Whether it takes minutes, so that a plain run shows what was recorded.
    """

    name: str
    what: str
    bar: str
    measure: Callable[[bool], Raw]
    judge: Callable[[Raw], Verdict]
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    long: bool = False


@dataclass(frozen=True)
class Row:
    """A point with its verdict, as it is printed and written."""

    point: str
    what: str
    kind: str
    bar: str
    ours: str
    peer: str
    ratio: str
    ok: bool | None
    note: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


def measured(point: Point, *, quick: bool = False) -> Row:
    """Measure a point now."""
    raw = point.measure(quick)
    return _row(point, raw, versions(point.packages), "quick, fewer repeats than the bar asks for" if quick else "")


def record(point: Point, command: str) -> Row:
    """Measure a point and keep it."""
    before = digests(point.files)
    raw = point.measure(False)
    content = {"command": command, "versions": versions(point.packages), "machine": machine(), "raw": raw}
    content["files"] = before
    RECORDED.mkdir(exist_ok=True)
    half = RECORDED / f"{point.name}.part"
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(RECORDED / f"{point.name}.json")
    return _row(point, raw, content["versions"], "")


def recalled(point: Point) -> Row:
    """Show a point as it was recorded; not ok where it wasn't, or where a file it depends on has changed."""
    path = RECORDED / f"{point.name}.json"
    if not path.is_file():
        note = f"not recorded: python -m {caller()} --only {point.name}"
        return Row(point.name, point.what, _kind(point), point.bar, "", "", "", False if point.bar else None, note)
    content = json.loads(path.read_text(encoding="utf-8"))
    other = changed(content["files"], point.files)
    row = _row(point, content["raw"], content["versions"], f"recorded on {content['machine']}")
    if other:
        told = ", ".join(other[:3])
        note = f"recorded before these changed: {told}; python -m {caller()} --only {point.name}"
        return Row(**{**asdict(row), "ok": False if point.bar else None, "note": note})
    return row


def changed(kept: Mapping[str, str], files: Iterable[str]) -> list[str]:
    """Return the files that are other, gone or new since digests were kept."""
    now = digests(files)
    return sorted(name for name in now.keys() | kept.keys() if now.get(name) != kept.get(name))


def show(rows: Iterable[Row]) -> None:
    """Print rows as a table of plain text, with versions below."""
    rows = list(rows)
    head = ("point", "kind", "ours", "best peer", "ratio", "bar", "ok")
    cells = [head, *((r.point, r.kind, r.ours, r.peer, r.ratio, r.bar, _word(r)) for r in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for row in rows:
        words = ", ".join(f"{name} {version}" for name, version in row.versions.items())
        print(f"{row.point}: {row.what}" + (f" [{words}]" if words else "") + (f"; {row.note}" if row.note else ""))


def main(points: Iterable[Point], doc: str | None) -> int:
    """Read the command line of a benchmark, which `doc` describes, and carry it out; return the exit code."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and smaller sizes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")
    parser.add_argument("--only", metavar="POINT", help="measure one point, and record it if it is long")
    given = parser.parse_args()
    return run(points, quick=given.quick, only=given.only, to=given.json)


def run(points: Iterable[Point], *, quick: bool, only: str | None, to: Path | None) -> int:
    """Carry out what the command line asks for; return the exit code: 1 where a bar does not hold."""
    known = {point.name: point for point in points}
    if only is not None and only not in known:
        print(f"--only must be one of: {', '.join(known)}, got {only!r}", file=sys.stderr)
        return 2
    if only is not None and known[only].long and not quick:
        rows = [record(known[only], f"python -m {caller()} --only {only}")]
    elif only is not None:
        rows = [measured(known[only], quick=quick)]
    else:
        rows = [recalled(p) if p.long else measured(p, quick=quick) for p in known.values()]
    show(rows)
    if to is not None:
        to.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return 1 if any(row.ok is False for row in rows) else 0


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return versions of packages, and of Python."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def spent(work: Callable[[], Found]) -> tuple[float, Found]:
    """Return CPU seconds of a call and what it returned; its warnings are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = time.process_time()
        found = work()
        return time.process_time() - before, found


def peak_memory() -> int:
    """Return the most memory this process has held, in bytes; what started it does not count."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the peak memory of a process is read from /proc")


def machine() -> str:
    """Return what the figures were measured on, in words."""
    import psutil

    return f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def caller() -> str:
    """Return the module that runs."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else "benchmarks"


def checked(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command that must end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done


def _row(point: Point, raw: Raw, used: Mapping[str, str], note: str) -> Row:
    verdict = point.judge(raw)
    ok = verdict.ok if point.bar else None
    return Row(
        point.name, point.what, _kind(point), point.bar, verdict.ours, verdict.peer, verdict.ratio, ok, note, used, raw
    )


def _kind(point: Point) -> str:
    return "bar" if point.bar else "report"


def _word(row: Row) -> str:
    return {True: "ok", False: "NOT OK", None: ""}[row.ok]


def digests(globs: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of every file that globs find, by its path in the project."""
    paths = sorted({path for glob in globs for path in ROOT.glob(glob) if path.is_file()})
    return {p.relative_to(ROOT).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}
