"""One run: a notebook with its parameters, in a process of its own, under limits, with a receipt.

The kernel works in an empty folder of its own, so that no notebook can depend on
where it was started; a relative ``file:PATH`` parameter refers to the caller's
folder and is linked into the kernel's. What a run makes is written beside its
place and moved there in one step. A run that fails leaves ``<id>.failed`` with
its receipt, log and notebook, and the last good run stays as it was. Two runners
on one folder take turns, and the second keeps what the first has made.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from citylib.batch import receipt
from citylib.batch.attempt import attempt
from citylib.batch.plan import Plan, PlannedRun
from citylib.batch.receipt import Hashes
from citylib.batch.supervise import Stop
from citylib.batch.turn import turn
from citylib.batch.warm import Warm
from citylib.errors import CellFailedError, LimitError, RunError

__all__ = ["FAILED", "FORCED", "GOOD", "Outcome", "assess", "run_one", "skipped", "why_not"]

GOOD = ("ok", "skipped")
FAILED = ".failed"  # what the folder of a failed run ends in
FORCED = "asked for"  # why a run is made that could have been skipped


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    run : PlannedRun
        Which.
    status : {"ok", "skipped", "failed", "time", "memory", "output", "died", "stopped"}
        A cell raised, a limit was passed, the kernel died, the runner was told to stop.
    seconds : float
        Wall time; 0 for one skipped.
    folder : Path
        Where its receipt lies.
    reason : str
        Why it ran, or why not.
    error : mapping, optional
        ``cell``, ``source``, ``name``, ``message``.
    attempt : int, default 1
        Which try it was.
    """

    run: PlannedRun
    status: str
    seconds: float
    folder: Path
    reason: str = ""
    error: Mapping[str, Any] | None = None
    attempt: int = 1

    @property
    def ok(self) -> bool:
        """Whether its results are there and good."""
        return self.status in GOOD

    def check(self) -> Outcome:
        """Return itself if the run ended well.

        Raises
        ------
        CellFailedError, LimitError, RunError
            It did not; the text has cell, source and error.
        """
        if self.ok:
            return self
        kind = {"failed": CellFailedError, "time": LimitError, "memory": LimitError, "output": LimitError}
        raise kind.get(self.status, RunError)(self.describe())

    def describe(self) -> str:
        """Return what went wrong, for people: cell, source, error, where to read more."""
        error = self.error or {}
        tried = f", tried {self.attempt} times" if self.attempt > 1 else ""
        lines = [f"{self.run.notebook} [{self.run.id}]: {self.status}{tried}"]
        if error.get("cell"):
            lines.append(f"in cell {error['cell']!r}:")
            lines += [f"    {line}" for line in str(error.get("source", "")).splitlines()]
        if error:
            lines.append(f"{error['name']}: {error['message']}")
        return "\n".join([*lines, f"see {self.folder}"] if self.folder.exists() else lines)


def why_not(run: PlannedRun, folder: Path, hashes: Hashes | None = None) -> str | None:
    """Return why a run cannot be skipped, or None.

    Parameters
    ----------
    run : PlannedRun
        Which.
    folder : Path
        Its folder.
    hashes : Hashes, optional
        Shared by the runs of a plan.

    Returns
    -------
    str or None
        See `citylib.batch.receipt.why_not`.
    """
    hashes = hashes or Hashes()
    return receipt.why_not(
        folder,
        notebook_sha256=hashes.of(run.path) or "",
        parameters=run.parameters,
        lock=receipt.lock_of(receipt.root_of(run.path), hashes),
        base=run.base,
        hashes=hashes,
    )


def run_one(
    run: PlannedRun,
    folder: Path,
    *,
    force: bool = False,
    stop: Stop | None = None,
    hashes: Hashes | None = None,
    waiting: Callable[[str], None] | None = None,
    number: int = 1,
    warm: Warm | None = None,
) -> Outcome:
    """Run a notebook, unless its folder already holds what it would make.

    Parameters
    ----------
    run : PlannedRun
        What to run.
    folder : Path
        The run's folder; it need not exist.
    force : bool, default False
        Run it in any case.
    stop : Stop, optional
        Once set, the run is ended and leaves nothing.
    hashes : Hashes, optional
        Shared by the runs of a plan.
    waiting : callable, optional
        Called with who holds the folder, if another runner is at the same run.
    number : int, default 1
        Which try it is; the receipt keeps it.
    warm : Warm, optional
        What its kernel and client are forked from.

    Returns
    -------
    Outcome
        It never raises for what the notebook does.
    """
    hashes = hashes or Hashes()
    reason = FORCED if force else why_not(run, folder, hashes)
    if reason is None:
        return skipped(run, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with turn(folder, stop=stop, waiting=waiting) as ours:
        if ours is False:
            return Outcome(run, "stopped", 0.0, folder, reason)
        if not force and (reason := why_not(run, folder)) is None:  # another runner has made it meanwhile
            return skipped(run, folder)
        if ours:
            _sweep(folder)
        return _run(run, folder, reason, number, lambda staging: attempt(run, staging, hashes, stop, warm))


def _run(
    run: PlannedRun, folder: Path, reason: str, number: int, make: Callable[[Path], dict[str, Any] | None]
) -> Outcome:
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-{os.getpid()}-", dir=folder.parent))
    try:
        content = make(staging)
        if content is None:
            return Outcome(run, "stopped", 0.0, folder, reason)
        good = content["outcome"] == "ok"
        place = folder if good else _of_failure(folder)
        content |= {"attempt": number, "tries": 1 + run.retries}
        content["made"] = receipt.made_files(staging, Hashes())
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (staging / receipt.FILE).write_text(text, encoding="utf-8")
        staging.chmod(0o755)
        _put(staging, place)
        if good:
            _remove(_of_failure(folder))
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Outcome(run, content["outcome"], content["seconds"], place, reason, content["error"], number)


def _of_failure(folder: Path) -> Path:
    return folder.with_name(folder.name + FAILED)


def skipped(run: PlannedRun, folder: Path) -> Outcome:
    """Return the outcome of a run that need not be made; a failure that lies beside it is removed."""
    # What failed in between was made from something else than what the notebook and its inputs are again.
    _remove(_of_failure(folder))
    return Outcome(run, "skipped", 0.0, folder, "unchanged")


def assess(plan: Plan, out: Path, *, force: bool = False) -> list[tuple[PlannedRun, str | None]]:
    """Return each run of a plan with why it must run, or None where it can be skipped.

    Parameters
    ----------
    plan : Plan
        The runs.
    out : Path
        The folder of all plans' runs.
    force : bool, default False
        Whether to run all in any case.
    """
    hashes = Hashes()
    runs = plan.folder(out)
    return [(run, FORCED if force else why_not(run, run.folder(runs), hashes)) for run in plan.runs]


def _put(staging: Path, place: Path) -> None:
    old = place.with_name(f".{place.name}.old-{os.getpid()}")
    if place.exists():
        place.rename(old)
    staging.rename(place)
    _remove(old)


def _remove(place: Path) -> None:
    """Remove what lies at a place, be it a file or a link that somebody has put where a folder should be."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what killed runners left beside the folder, and put back what one of them had moved away."""
    names = os.listdir(folder.parent)  # read once: a grid has a thousand runs side by side
    for place in (folder, _of_failure(folder)):
        for left in (folder.parent / name for name in names if name.startswith(f".{place.name}.old-")):
            if place.exists():
                _remove(left)
            else:
                left.rename(place)
        for left in (folder.parent / name for name in names if name.startswith(f".{place.name}.part-")):
            shutil.rmtree(left, ignore_errors=True)
