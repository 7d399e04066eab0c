"""The book build: a source tree from finished runs, HTML by Jupyter Book, checked and swapped in whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from citylib.batch.run import Outcome
from citylib.batch.turn import turn
from citylib.data import registry
from citylib.errors import BuildError
from citylib.publish import measured, sizes
from citylib.publish.compare import Compared, gather
from citylib.publish.runs import FinishedRun, Planned, chapters, finished
from citylib.publish.stage import stage

__all__ = ["Built", "build"]

_STAMP = ".citylib-book.json"
_DATE = "1767225600"  # 2026-01-01; Sphinx writes the day of a build into its pages unless it is told another
_TOOLS = ("jupyter-book", "sphinx", "sphinx-book-theme", "pydata-sphinx-theme", "myst-nb", "plotly", "itables")


@dataclass(frozen=True)
class Built:
    """A built book.

    Attributes
    ----------
    index : pathlib.Path
        Its first page.
    pages : int
        HTML pages.
    fresh : bool
        Whether it was rendered now; False: what was there is what would have been made.
    """

    index: Path
    pages: int
    fresh: bool


def build(
    name: str,
    planned: Sequence[Planned],
    runs_dir: Path,
    book: Path,
    out: Path,
    *,
    ended: Sequence[Outcome] = (),
    force: bool = False,
    waiting: Callable[[str], None] | None = None,
) -> Built:
    """Build the book of a plan from its finished runs; two builders of one folder take turns.

    Parameters
    ----------
    name : str
        Name of the plan.
    planned : sequence of Planned
        Its runs, in order.
    runs_dir : pathlib.Path
        Folder of the plan's runs.
    book : pathlib.Path
        Folder of written pages.
    out : pathlib.Path
        Where ``html/`` and ``book-src/`` go, usually ``_build``.
    ended : sequence of Outcome, optional
        How its runs have just ended, so that no place is shown as an earlier run left it; see `compare.gather`.
    force : bool, default False
        Render even where nothing changed.
    waiting : callable, optional
        Called once, with who it is, if someone else is building in the same folder.

    Returns
    -------
    Built
        Where it is.

    Raises
    ------
    BuildError
        A run of a chapter is missing or did not end well; Jupyter Book warned; a page or notebook is too large. The
        book that was there before is left as it was. A run of a comparison that did not end well is told on its page.
    """
    if not planned:
        raise BuildError(f"plan {name!r} has no runs; a book needs one at least")
    runs = [finished(run, runs_dir) for run in planned if run.comparison is None]
    compared = gather(planned, runs_dir, ended)
    sizes.check_notebooks(run.executed for run in [*runs, *(run for found in compared for run in found.runs)])
    out.mkdir(parents=True, exist_ok=True)
    with turn(out / "html", waiting=waiting):
        return _build(name, runs, compared, book, out, force)


def _build(
    name: str, runs: Sequence[FinishedRun], compared: Sequence[Compared], book: Path, out: Path, force: bool
) -> Built:
    source, html = out / "book-src" / name, out / "html"
    inputs = _inputs(name, runs, compared, book, out)
    if not force and _stamped(html).get("inputs") == inputs:  # not even a source tree need be written
        return Built(html / "index.html", len(sizes.check_html(html)), fresh=False)
    stage(book, chapters(runs), name, source, out / "measured", compared)
    key = _key(source)
    stamp = json.dumps({"plan": name, "key": key, "inputs": inputs}) + "\n"
    if not force and _stamped(html).get("key") == key:
        (html / _STAMP).write_text(stamp, encoding="utf-8")
        return Built(html / "index.html", len(sizes.check_html(html)), fresh=False)
    beside = out / "book-new" / name
    if beside.exists():
        shutil.rmtree(beside)
    beside.mkdir(parents=True)
    _render(source, beside)
    made = beside / "_build" / "html"
    pages = sizes.check_html(made)
    (made / _STAMP).write_text(stamp, encoding="utf-8")
    _swap(made, html)
    shutil.rmtree(out / "book-new")
    return Built(html / "index.html", len(pages), fresh=True)


def _inputs(name: str, runs: Sequence[FinishedRun], compared: Sequence[Compared], book: Path, out: Path) -> str:
    """Hash of all that a source tree is made from: what was run, the written pages, the package, the data at hand."""
    whole = [*runs, *(run for found in compared for run in found.runs)]
    plan = [(run.notebook, run.id, run.title) for run in whole]
    failed = [(found.comparison, found.failed) for found in compared]
    sets = [measured.measured(source, out / "measured") for source in registry.sources()]
    digest = _hashed([book, Path(__file__).parents[1], *(run.folder for run in whole)])
    digest.update(repr((name, plan, failed, sets)).encode())
    return digest.hexdigest()


def _key(source: Path) -> str:
    """Hash of all that goes into the HTML: the source tree, this package, the tools' versions."""
    return _hashed([source, Path(__file__).parent]).hexdigest()


def _hashed(roots: Sequence[Path]) -> hashlib._Hash:
    digest = hashlib.sha256(repr([(tool, metadata.version(tool)) for tool in _TOOLS]).encode())
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest


def _stamped(html: Path) -> dict[str, str]:
    try:
        found = json.loads((html / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _render(source: Path, beside: Path) -> None:
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "build", str(source), "--path-output", str(beside)]
    command += ["-W", "-n", "--keep-going", "-q"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _DATE, "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise BuildError(f"jupyter-book ended with {done.returncode}:\n{_complaints(done.stdout + done.stderr)}")


def _complaints(output: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    lines = [line for line in plain.splitlines() if re.search(r"WARNING|ERROR|Error|Exception", line)]
    return "\n".join(dict.fromkeys(lines)) or plain[-4000:]


def _swap(made: Path, html: Path) -> None:
    old = html.with_name("html-old")
    if old.exists():
        shutil.rmtree(old)
    if html.exists():
        html.rename(old)
    made.rename(html)
    if old.exists():
        shutil.rmtree(old)
