"""The process of its own that a run has: papermill runs the notebook, the results are laid out in a folder.

``python -m citylib.batch.child JOB`` reads a job (JSON) and leaves in its
staging folder the executed notebook, results, tables, figures, a log and
``report.json``, from which the runner writes the receipt. The process ends
itself, with everything it started, when the runner that holds its standard
input is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import logging
import os
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, TextIO

from citylib.batch.fork_parent import LINE, SUBREAPER
from citylib.errors import CitylibError, InputError, LimitError, NotebookError

__all__ = ["execute", "main", "prepared", "warm_up"]

ENGINE = "citylib"
STRAYS = 3  # the code that has the runner look for what was started and that nobody looks after any more
# What a run imports on its way, some of it only when it lays results out.
NEEDED = (
    "IPython.paths", "ipykernel.kernelspec", "jupyter_client.asynchronous.client", "papermill.engines",
    "papermill.parameterize", "pyarrow.pandas_compat", "zmq.asyncio", "concurrent.futures.thread", "psutil",
    "citylib.batch.engine", "citylib.batch.provisioner",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run one job; see the file's head."""
    (job_file,) = sys.argv[1:] if arguments is None else arguments
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    job["line"] = int(os.environ.pop(LINE, "-1"))  # the notebook's kernel is not to see it
    _adopt_orphans()
    _take_messages_as_they_are()
    own = [Path(job_file).parent, Path(job["staging"])]
    threading.Thread(target=_end_with_runner, args=(sys.stdin, own), daemon=True).start()
    report = execute(job)
    _end_descendants()
    half = Path(job["report"]).with_suffix(".part")
    half.write_text(json.dumps(report), encoding="utf-8")
    half.rename(job["report"])
    return STRAYS if report["abandoned"] else 0


def warm_up() -> None:
    """Import and prepare what every run needs and none changes, in a process that others are forked from."""
    _leave_grammars_out()
    for name in NEEDED:
        importlib.import_module(name)
    import nbformat
    import pandas as pd
    import pyarrow.parquet as pq
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    from citylib.batch import harvest

    KernelSpecManager().find_kernel_specs()
    KernelProvisionerFactory.instance()  # reads the entry points of all packages
    nbformat.validate(nbformat.v4.new_notebook())  # type: ignore[no-untyped-call]  # compiles the schema
    pq.write_table(harvest.arrow_table({"columns": []}), BytesIO(), compression="zstd")
    pd.to_datetime(pd.Series(["2026-01-01"], dtype=object), format="ISO8601")


def execute(job: dict[str, Any]) -> dict[str, Any]:
    """Run the notebook of a job and lay its results out.

    Parameters
    ----------
    job : dict
        ``notebook`` (the file), ``inject`` (parameters that differ from their defaults), ``staging`` (folder
        for what is kept), ``cwd`` (the kernel's folder), ``events`` (file, a line a cell), ``output_bytes``,
        ``replace`` (texts of this machine and what stands for them); ``line``, if any: the descriptor over which a
        kernel can be forked; ``sockets``, if any: how the files begin through which the kernel is spoken to.

    Returns
    -------
    dict
        ``outcome``, ``error``, ``cells``, ``probed``, ``kernel`` (whether it was forked, and if not why), ``abandoned``
        (whether something may be left that it has started), ``cpu_seconds`` (of this process and the kernel).
    """
    _leave_grammars_out()
    from citylib.batch import engine, harvest

    staging = Path(job["staging"])
    with (
        Path(job["events"]).open("a", encoding="utf-8") as events,
        (staging / "log.txt").open("a", encoding="utf-8", errors="replace") as log,
    ):
        recording = engine.Recording(_lines(events), _writer(log), job["output_bytes"])
        try:
            _papermill(prepared(Path(job["notebook"])), job, recording)
            if recording.notebook is not None:
                harvest.lay_out(recording.notebook, staging, job, complete=recording.outcome == "ok")
        except CitylibError as fault:
            recording.fail(
                "output" if isinstance(fault, LimitError) else "failed", None, type(fault).__name__, str(fault)
            )
        except Exception as fault:
            recording.fail("failed", None, type(fault).__name__, str(fault))
        if recording.error is not None:
            recording.error["message"] = harvest.settled(recording.error["message"], job["replace"])
            log.write(f"{recording.error['name']}: {recording.error['message']}\n")
    return {
        "outcome": recording.outcome,
        "error": recording.error,
        "cells": recording.cells,
        "probed": recording.probed,
        "kernel": recording.kernel,
        "abandoned": recording.abandoned,
        "cpu_seconds": round(time.process_time() + recording.probed.get("cpu_seconds", 0.0), 3),
    }


def prepared(path: Path) -> Any:
    """Return the notebook of a file, valid and with an id on each cell.

    Raises
    ------
    NotebookError
        Not in the notebook format, or two cells share an id.
    """
    import nbformat

    content = json.loads(path.read_text(encoding="utf-8"))
    for index, cell in enumerate(content["cells"]):
        cell.setdefault("id", f"cell-{index}")
    ids = [cell["id"] for cell in content["cells"]]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise NotebookError(f"{path.name}: cells share an id: {', '.join(map(str, twice))}")
    kernel = content.get("metadata", {}).get("kernelspec", {})
    if "name" in kernel:
        kernel.setdefault("display_name", kernel["name"])  # the format asks for it, many tools don't write it
    notebook = nbformat.from_dict(content | {"nbformat_minor": 5})  # type: ignore[no-untyped-call]
    notebook.cells = [_with_lines_joined(cell) for cell in notebook.cells]
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as fault:
        raise NotebookError(f"{path.name}: is not in the notebook format ({str(fault).splitlines()[0]})") from None
    return notebook


def _papermill(notebook: Any, job: dict[str, Any], recording: Any) -> None:
    warnings.simplefilter("ignore")  # of papermill's and its friends' own code; the kernel's are the notebook's
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    import nbformat
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.parameterize import parameterize_notebook

    from citylib.batch.engine import CitylibEngine

    papermill_engines.register(ENGINE, CitylibEngine)
    _known_kernel(notebook)
    # The parts of papermill's execute_notebook that do something here: it reads and writes the notebook as text, too.
    notebook.metadata["papermill"] = nbformat.from_dict({"parameters": {}})  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    if job["inject"]:
        notebook = parameterize_notebook(notebook, job["inject"], engine_name=ENGINE)
    # What failed stands in the recording; an error that a cell was meant to raise is none.
    with contextlib.suppress(DeadKernelError), contextlib.chdir(job["cwd"]):
        papermill_engines.execute_notebook_with_engine(
            ENGINE,
            notebook,
            kernel_name=notebook.metadata["kernelspec"]["name"],
            progress_bar=False,
            recording=recording,
            line=job.get("line", -1),
            sockets=job.get("sockets", ""),
        )
    if recording.notebook is None:
        raise InputError("the notebook", "be run by the engine", "nothing run")


def _leave_grammars_out() -> None:
    """Spare the grammar of international addresses, which takes longer to build than many a notebook to run."""
    # jsonschema imports it if it is there, to check addresses in schemas: that of notebooks has none.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _take_messages_as_they_are() -> None:
    """Spare what is done to each message of the kernel, to no end here."""
    from jupyter_client import session
    from nbformat.v4 import nbbase

    # Each output is held against the schema of notebooks, as all of them are once more when they are laid out; and
    # what looks like a date in a message's head is made one.
    nbbase.validate = lambda node, ref=None: None
    session.extract_dates = lambda obj: obj  # type: ignore[attr-defined]


def _known_kernel(notebook: Any) -> None:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    name = notebook.metadata.get("kernelspec", {}).get("name") or "python3"
    notebook.metadata.setdefault("kernelspec", {"name": name, "language": "python", "display_name": name})
    manager = KernelSpecManager()
    try:
        manager.get_kernel_spec(name)
    except NoSuchKernel:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise NotebookError(f"the kernel {name!r} is not installed here; installed: {known}") from None


def _with_lines_joined(cell: Any) -> Any:
    cell["source"] = "".join(cell["source"])
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    return cell


def _lines(stream: TextIO) -> Callable[[dict[str, Any]], None]:
    def event(what: dict[str, Any]) -> None:
        stream.write(json.dumps(what) + "\n")
        stream.flush()

    return event


def _writer(stream: TextIO) -> Callable[[str], None]:
    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return write


def _end_with_runner(stdin: TextIO, own: list[Path]) -> None:
    stdin.read()  # returns when the runner closes its end, which it does only by dying or when all is over
    _end_descendants()
    for folder in own:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _adopt_orphans() -> None:
    # What a cell starts and lets go becomes this process's child, so that it ends with the run.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def _end_descendants() -> None:
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()


if __name__ == "__main__":
    # Not sys.exit: the thread that waits for the runner must not hold the process.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
