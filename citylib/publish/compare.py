"""A comparison as the book sees it: the runs of its places that ended well, and those that did not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citylib.batch import names
from citylib.batch.comparison import Comparison
from citylib.batch.run import FAILED, Outcome
from citylib.errors import BuildError
from citylib.publish import markdown
from citylib.publish.runs import FinishedRun, Planned, finished

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NOT_RUN", "Compared", "Failed", "gather"]

NOT_RUN = "not run"  # the outcome of a place that nothing was ever made of


@dataclass(frozen=True)
class Failed:
    """A place without results.

    Attributes
    ----------
    id : str
        Folder of the run, unique within its notebook.
    place : str
        Which place.
    parameters : mapping
        All that the run was given.
    outcome : str
        How it ended, such as ``"failed"`` or ``"time"``; ``"not run"`` where nothing is there.
    error : mapping
        ``cell``, ``source``, ``name``, ``message``; may be empty.
    seconds : float
        How long it took.
    """

    id: str
    place: str
    parameters: Mapping[str, Any]
    outcome: str
    error: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True)
class Compared:
    """All runs of one comparison.

    Attributes
    ----------
    comparison : Comparison
        What the plan says of it.
    notebook : str
        ``"family/NN_name"``.
    runs : tuple of FinishedRun
        Those that ended well, in the order of the plan; their titles are what the plan calls them.
    failed : tuple of Failed
        The others.
    """

    comparison: Comparison
    notebook: str
    runs: tuple[FinishedRun, ...]
    failed: tuple[Failed, ...]

    @property
    def count(self) -> int:
        """How many places the plan has."""
        return len(self.runs) + len(self.failed)

    @property
    def noun(self) -> str:
        """What its places are called."""
        return markdown.plural(self.comparison.what)

    @property
    def ran(self) -> str:
        """How many places ran, in words: never as if all had."""
        if self.failed or not self.runs:
            return f"{len(self.runs)} of {self.count} {self.noun}"
        return f"all {self.count} {self.noun}" if self.count > 1 else f"one {self.comparison.what}"

    @property
    def lack(self) -> str:
        """What became of the runs of the places without results, in words that follow "their runs"."""
        never = {bad.outcome == NOT_RUN for bad in self.failed}
        return " or ".join(words for words, so in (("failed", False), ("were not made", True)) if so in never)

    @property
    def document(self) -> str:
        """Document name of the page that compares them."""
        return f"compare/{self.comparison.name}"

    @property
    def files(self) -> str:
        """Folder in the book of what that page offers for download."""
        return f"files/compare/{self.comparison.name}"

    def document_of(self, run: FinishedRun) -> str:
        """Return the document name of one run's page.

        Parameters
        ----------
        run : FinishedRun
            One of `runs`.

        Returns
        -------
        str
            Path in the book, without suffix.
        """
        return f"{self.document}/{run.id.removeprefix(f'{self.comparison.name}_')}"

    def place_of(self, run: FinishedRun) -> str:
        """Return which place a run is about, in words."""
        return _word(run.receipt.get("parameters", {}), self.comparison.by)

    def table(self, name: str) -> dict[str, pd.DataFrame]:
        """Return the tables of one name that the runs handed back, by place; places without one are left out.

        Parameters
        ----------
        name : str
            As handed to `citylib.results.table`.

        Returns
        -------
        dict of str to pandas.DataFrame
            In the order of the plan.
        """
        import pandas as pd

        out = {}
        for run in self.runs:
            for entry in run.results.get("tables", ()):
                if entry["name"] == name:
                    out[self.place_of(run)] = pd.read_parquet(run.folder / entry["file"])
        return out

    def captions(self, name: str) -> set[str]:
        """Return what the tables of one name say of themselves."""
        found = (e for run in self.runs for e in run.results.get("tables", ()) if e["name"] == name)
        return {str(entry.get("caption", "")) for entry in found}


def gather(planned: Iterable[Planned], runs_dir: Path, ended: Iterable[Outcome] = ()) -> tuple[Compared, ...]:
    """Read the comparisons of a plan back from the folder of its runs.

    Parameters
    ----------
    planned : iterable of Planned
        The runs of the plan, in order; those of no comparison are passed over.
    runs_dir : pathlib.Path
        The folder of the plan's runs.
    ended : iterable of Outcome, optional
        How runs of the plan have just ended. Of one that did not end well nothing in its folder is shown: where the
        runner could not carry it out at all, what lies there is an earlier run's.

    Returns
    -------
    tuple of Compared
        In the order of the plan.

    Raises
    ------
    BuildError
        A run that ended well lacks a file, or two places have the same words.
    """
    bad = {(o.run.notebook, o.run.id): o for o in ended if not o.ok}
    groups: dict[Comparison, list[Planned]] = {}
    for run in planned:
        if run.comparison is not None:
            groups.setdefault(run.comparison, []).append(run)
    return tuple(_compared(comparison, runs, runs_dir, bad) for comparison, runs in groups.items())


def _compared(
    comparison: Comparison, planned: list[Planned], runs_dir: Path, ended: Mapping[tuple[str, str], Outcome]
) -> Compared:
    good, bad = [], []
    places: dict[str, str] = {}
    for run in planned:
        place = _word(run.parameters, comparison.by)
        if place in places:
            raise BuildError(f"{comparison.name}: {places[place]} and {run.id} are both called {place!r}")
        places[place] = run.id
        folder = runs_dir / run.notebook / run.id
        beside = folder.with_name(folder.name + FAILED)
        if (outcome := ended.get((run.notebook, run.id))) is not None:
            bad.append(_ended(run, place, outcome))
        elif beside.is_dir() or not folder.is_dir():
            bad.append(_failed(run, place, beside))
        else:
            good.append(finished(run, runs_dir, place if run.title is None else None))
    return Compared(comparison, planned[0].notebook, tuple(good), tuple(bad))


def _ended(run: Planned, place: str, outcome: Outcome) -> Failed:
    how = NOT_RUN if outcome.status == "stopped" else outcome.status
    return Failed(run.id, place, dict(run.parameters), how, dict(outcome.error or {}), outcome.seconds)


def _failed(run: Planned, place: str, folder: Path) -> Failed:
    """Read what a failed run left; what cannot be read is said, for a page about failures must not fail by one."""
    try:
        content = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
        outcome, error = str(content["outcome"]), dict(content.get("error") or {})
        seconds = float(content.get("seconds") or 0)
    except FileNotFoundError:
        outcome, error, seconds = NOT_RUN, {}, 0.0
    except (OSError, ValueError, KeyError, TypeError) as fault:
        outcome, seconds = "unknown", 0.0
        error = {"name": "its receipt", "message": f"cannot be read ({fault})"}
    return Failed(run.id, place, dict(run.parameters), outcome, error, seconds)


def _word(parameters: Mapping[str, Any], by: str) -> str:
    value = parameters.get(by)
    return ", ".join(map(str, value)) if isinstance(value, list) else names.word(value)
