"""A finished run as the book sees it: where it lies, what it was given, what it handed back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from citylib.batch.comparison import Comparison
from citylib.errors import BuildError

__all__ = ["Chapter", "FinishedRun", "Pages", "Planned", "chapters", "finished"]


class Planned(Protocol):
    """What the book needs to know of one run of a plan (`citylib.batch.plan.PlannedRun` has it)."""

    @property
    def id(self) -> str:
        """Folder of the run, unique within its notebook."""

    @property
    def notebook(self) -> str:
        """The notebook, as ``"family/NN_name"``."""

    @property
    def title(self) -> str | None:
        """What a reader calls this run; none: its id says it."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """All that the run is given."""

    @property
    def comparison(self) -> Comparison | None:
        """The comparison that its place belongs to; none: it is a page of its chapter."""


@dataclass(frozen=True)
class FinishedRun:
    """One run that ended well.

    Attributes
    ----------
    id : str
        Folder of the run, unique within its notebook.
    notebook : str
        ``"family/NN_name"``.
    title : str
        What a reader calls this run.
    folder : pathlib.Path
        Where ``notebook.ipynb``, ``receipt.json`` and ``results.json`` lie.
    receipt, results : mapping
        The two files, parsed.
    """

    id: str
    notebook: str
    title: str
    folder: Path
    receipt: Mapping[str, Any]
    results: Mapping[str, Any]

    @property
    def executed(self) -> Path:
        """The executed notebook."""
        return self.folder / "notebook.ipynb"

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the data sources the run read, in order, each once."""
        return tuple(dict.fromkeys(str(d["source"]) for d in self.results.get("data", ())))

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """What the run recorded, in order."""
        return tuple(self.results.get("records", ()))


class Pages(Protocol):
    """Runs that have pages in a book: those of a chapter, or those of a comparison."""

    @property
    def notebook(self) -> str:
        """The notebook of them all, as ``"family/NN_name"``."""

    @property
    def runs(self) -> tuple[FinishedRun, ...]:
        """Those that ended well, in order."""

    @property
    def document(self) -> str:
        """Document name of the page that leads to all others."""

    def document_of(self, run: FinishedRun) -> str:
        """Return the document name of one of the runs."""


@dataclass(frozen=True)
class Chapter:
    """A notebook with all its runs: the first is the chapter's page, the others are pages under it.

    Attributes
    ----------
    notebook : str
        ``"family/NN_name"``.
    runs : tuple of FinishedRun
        At least one.
    """

    notebook: str
    runs: tuple[FinishedRun, ...]

    @property
    def family(self) -> str:
        """The folder under ``notebooks/``."""
        return self.notebook.partition("/")[0]

    @property
    def document(self) -> str:
        """Document name of the chapter's page."""
        return f"chapters/{self.notebook}"

    @property
    def comparison(self) -> str:
        """Document name of the page that compares the runs."""
        return f"{self.document}/compare"

    def document_of(self, run: FinishedRun) -> str:
        """Return the document name of one of the runs.

        Parameters
        ----------
        run : FinishedRun
            One of `runs`.

        Returns
        -------
        str
            Path in the book, without suffix.
        """
        return self.document if run.id == self.runs[0].id else f"{self.document}/{run.id}"


def finished(planned: Planned, runs_dir: Path, called: str | None = None) -> FinishedRun:
    """Read one run back from its folder.

    Parameters
    ----------
    planned : Planned
        The run, as the plan has it.
    runs_dir : pathlib.Path
        The folder of the plan's runs.
    called : str, optional
        What a reader calls the run if the plan does not say; by default its id in words.

    Returns
    -------
    FinishedRun
        With receipt and results.

    Raises
    ------
    BuildError
        The run has not been made, was cut short, or did not end well; the failed cell and its error are shown.
    """
    folder = runs_dir / planned.notebook / planned.id
    receipt = _parsed(folder / "receipt.json", planned)
    if receipt.get("outcome") != "ok":
        raise BuildError(_failure(planned, receipt))
    results = _parsed(folder / "results.json", planned)
    if not (folder / "notebook.ipynb").is_file():
        raise BuildError(f"run {planned.notebook} [{planned.id}] has no notebook.ipynb in {folder}; run the plan again")
    title = planned.title or called or planned.id.replace("_", " ").replace("-", " ")
    return FinishedRun(planned.id, planned.notebook, title, folder, receipt, results)


def chapters(runs: Iterable[FinishedRun]) -> tuple[Chapter, ...]:
    """Gather runs by notebook, in the order of the plan.

    Parameters
    ----------
    runs : iterable of FinishedRun
        In the order of the plan.

    Returns
    -------
    tuple of Chapter
        One a notebook, in the order of first appearance.

    Raises
    ------
    BuildError
        Two runs of one notebook share an id.
    """
    by_notebook: dict[str, dict[str, FinishedRun]] = {}
    for run in runs:
        of_notebook = by_notebook.setdefault(run.notebook, {})
        if run.id in of_notebook:
            raise BuildError(f"two runs of {run.notebook} are called {run.id!r}; give one of them another name")
        of_notebook[run.id] = run
    return tuple(Chapter(notebook, tuple(of.values())) for notebook, of in by_notebook.items())


def _parsed(path: Path, planned: Planned) -> dict[str, Any]:
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        where = f"run {planned.notebook} [{planned.id}]"
        raise BuildError(f"{where} has not been made: {path} is not there; run the plan first") from None
    except json.JSONDecodeError as error:
        raise BuildError(f"{path} is not JSON ({error}); run the plan again") from error
    if not isinstance(parsed, dict):
        raise BuildError(f"{path} must hold a JSON object, got {type(parsed).__name__}; run the plan again")
    return parsed


def _failure(planned: Planned, receipt: Mapping[str, Any]) -> str:
    error = receipt.get("error") or {}
    lines = [f"run {planned.notebook} [{planned.id}] ended with outcome {receipt.get('outcome')!r}"]
    if error:
        lines.append(f"cell {error.get('cell') or error.get('cell_id') or '?'}:")
        lines += [f"    {line}" for line in str(error.get("source", "")).splitlines()]
        lines.append(f"{error.get('name', 'error')}: {error.get('message', '')}")
    return "\n".join(lines)
