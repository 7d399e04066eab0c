"""A run that is sent away: what travels, how it is told to stop, what that place must have in common with here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from citylib import __version__
from citylib.batch import receipt
from citylib.batch.plan import PlannedRun
from citylib.batch.run import Outcome, run_one
from citylib.errors import RunError

__all__ = ["Errand", "Likeness", "StopFile", "carry_out", "left_behind", "own_name"]

# They decide what a run reads, so they travel with it; the last one Dask sets for its workers.
VARIABLES = ("CITYLIB_DATA", "CITYLIB_CACHE", "MALLOC_TRIM_THRESHOLD_")
GO_ON, STOP = "go on", "stop"
RUNNER = ".runner"  # what the name of a stop file begins with


def own_name(kind: str) -> str:
    """Return a name for a file or folder of this process: what it is, the machine, the process."""
    return f"{kind}-{platform.node()}-{os.getpid()}-"


def left_behind(folder: Path, kind: str) -> list[Path]:
    """Return what processes of this machine that are gone have left in a folder, by what `own_name` begins with."""
    form = re.compile(rf"{re.escape(f'{kind}-{platform.node()}-')}(\d+)-\w+")
    with contextlib.suppress(OSError):
        named = ((name, form.fullmatch(name)) for name in os.listdir(folder))
        return [folder / name for name, found in named if found and not psutil.pid_exists(int(found[1]))]
    return []


@dataclass(frozen=True)
class StopFile:
    """A file that those who carry runs out read from time to time: a `citylib.batch.supervise.Stop` that travels.

    Parameters
    ----------
    path : Path
        The file; it is there while a plan is being run.
    """

    path: Path

    @classmethod
    def beside(cls, runs: Path) -> StopFile:
        """Return a new one in the folder of a plan's runs, absolute."""
        return cls(runs.absolute() / f"{own_name(RUNNER)}{secrets.token_hex(4)}")

    def is_set(self) -> bool:
        """Return whether it says to stop; it is opened anew each time, so that a file system of a network asks."""
        with contextlib.suppress(OSError):
            return self.path.read_text(encoding="utf-8") == STOP
        return False

    def set(self) -> None:
        """Tell all who read it to stop."""
        with contextlib.suppress(OSError):  # the folder was removed: what is under way there ends by itself
            self.path.write_text(STOP, encoding="utf-8")

    @contextmanager
    def laid_down(self) -> Iterator[None]:
        """Have the file there, and remove it when left; those that killed runners left are removed at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for left in left_behind(self.path.parent, RUNNER):
            left.unlink(missing_ok=True)
        self.path.write_text(GO_ON, encoding="utf-8")
        try:
            yield
        finally:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Likeness:
    """What a worker must have in common with the runner for its runs to be those of here.

    Parameters
    ----------
    python, citylib : str
        Versions.
    package : str
        sha256 of all of citylib's files; empty: not compared.
    files : tuple of (str, str)
        Paths with sha256: notebooks, the lock, and a file that was just written beside the runs.
    """

    python: str
    citylib: str
    package: str
    files: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, files: Iterable[Path]) -> Likeness:
        """Return that of this process, with the files as they are now."""
        hashes = receipt.Hashes()
        known = {str(path): hashes.of(path) for path in files}
        return cls(
            platform.python_version(), __version__, _package(), tuple((p, sha) for p, sha in known.items() if sha)
        )

    def faults(self) -> list[str]:
        """Return what this process lacks, a line each; run by a worker."""
        hashes = receipt.Hashes()
        found = []
        if platform.python_version() != self.python:
            found.append(f"has Python {platform.python_version()}, not {self.python}")
        if __version__ != self.citylib:
            found.append(f"has citylib {__version__}, not {self.citylib}")
        elif self.package and _package() != self.package:
            found.append(f"has another citylib {self.citylib}: its files differ")
        for path, sha256 in self.files:
            now = hashes.of(Path(path))
            if now != sha256:
                found.append(f"sees another {path}" if now else f"does not see {path}")
        return found


@dataclass(frozen=True)
class Errand:
    """One run as it is sent to whoever carries it out; everything in it can be pickled.

    Parameters
    ----------
    run : PlannedRun
        What to run, its paths absolute.
    folder : Path
        Its folder, absolute.
    force : bool
        Whether to run it even if it is unchanged.
    number : int
        Which try it is, from 1.
    stop : StopFile
        Says when to stop.
    like : Likeness, optional
        What whoever carries it out must have in common with the sender.
    variables : mapping of str to str
        Of the environment, which decide what a run reads.
    """

    run: PlannedRun
    folder: Path
    force: bool
    number: int
    stop: StopFile
    like: Likeness | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: PlannedRun, folder: Path, *, stop: StopFile, **more: Any) -> Errand:
        """Return a run's errand, with paths made absolute."""
        placed = replace(run, path=run.path.absolute(), base=run.base.absolute())
        variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        return cls(placed, folder.absolute(), stop=stop, variables=variables, **more)


def carry_out(errand: Errand) -> Outcome:
    """Carry an errand out, wherever this is called.

    Parameters
    ----------
    errand : Errand
        The run.

    Returns
    -------
    Outcome

    Raises
    ------
    RunError
        This process is not like the sender's.
    """
    if errand.stop.is_set():
        return Outcome(errand.run, "stopped", 0.0, errand.folder)
    if errand.like is not None:
        if faults := errand.like.faults():  # of a worker that came after the others were asked
            raise RunError(f"The worker on {platform.node()} {'; it '.join(faults)}")
        for name in VARIABLES:  # a worker's process keeps none from an earlier plan
            os.environ.pop(name, None)
        os.environ.update(errand.variables)
    return run_one(errand.run, errand.folder, force=errand.force, number=errand.number, stop=errand.stop)


def _package() -> str:
    folder, hashes = receipt.package_folder(), receipt.Hashes()
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.parent.name != "__pycache__")
    text = "\n".join(f"{path.relative_to(folder).as_posix()} {hashes.of(path)}" for path in files)
    return hashlib.sha256(text.encode()).hexdigest()
