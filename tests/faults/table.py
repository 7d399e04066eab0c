"""The one table of faults: what happens, and what must hold afterwards.

A row with a `cell` is a fault that a notebook's own cell brings about: `tests.faults.cells` runs all of them as one
grid, once with ordinary kernels and once with forked ones, and `test_cells` looks at what came of each. Of every other
row the test that carries ``@fault("its name")`` is the whole story. What holds after every fault: the runner goes on to
the other runs and ends by itself, every run ends with a status and a reason, nothing half written is left or taken for
whole, and no process is left over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

__all__ = ["CELLS", "FAULTS", "Fault", "fault"]

DEAD = r"^DeadKernelError: The kernel died"
# Seconds that a run over time may take. What it counts besides the cell is the start of client and kernel: 2 s on two
# idle cores, 0.2 s where they are forked. Where the machine is so busy that the cell wasn't reached by then, the grid
# gives the run twice as long, and so on (`tests.faults.cells`).
SHORT: Mapping[str, Any] = {"minutes": 3 / 60}
# Client and kernel have 155 MiB (forked) to 200 MiB (started) between them before a cell does anything: less than that
# and every run is over memory.
SMALL: Mapping[str, Any] = {"memory": "320 MiB"}
LITTLE: Mapping[str, Any] = {"output": "100 kB"}
MIME = "application/vnd.citylib.result+json"
# A daemon as books have it: forked twice, in a session of its own, deaf to what it is told.
DAEMON = """import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        open(f"{desk}/{fault}.daemon", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists(f"{desk}/{fault}.daemon"):
    time.sleep(0.01)
"""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Parameters
    ----------
    name : str
        Also the id of its cell.
    what : str
        What happens.
    holds : str
        What must hold afterwards.
    cell : str
        What a notebook does to bring it about; ``size`` is how many bytes it is about, `desk` a folder where helpers
        look for ``<fault>.pid``, `fault` its name.
    ends : tuple of str
        The statuses that a run may end with; mostly one.
    says : str
        A pattern of ``"error name: message"``; nothing for a run that ends well.
    within : bool
        Whether the error names the cell.
    limits : mapping
        Of the run.
    sizes : (int, int)
        Bytes in the quick form and in the full one; 0: there is one form only.
    kernel : bool
        Whether it is brought about both ways in the quick form too, and not by forked kernels only: where it matters
        how a kernel was started, and no other row does the same to it.
    """

    name: str
    what: str
    holds: str
    cell: str = ""
    ends: tuple[str, ...] = ()
    says: str = ""
    within: bool = True
    limits: Mapping[str, Any] = field(default_factory=dict)
    sizes: tuple[int, int] = (0, 0)
    kernel: bool = True


def fault(name: str) -> pytest.MarkDecorator:
    """Return the mark of a test that brings a fault about."""
    assert name in FAULTS, f"no row {name!r} in the table of faults"
    return pytest.mark.fault(name)


_CELLS = (
    Fault("sys-exit", "a cell calls sys.exit", "failed, and the cell is named",
          "import sys\nsys.exit(3)", ("failed",), r"^SystemExit: 3$", kernel=False),
    Fault("os-exit", "a cell calls os._exit", "died, and the cell is named",
          "import os\nos._exit(0)", ("died",), DEAD),
    Fault("kill-self", "a cell kills its own process, as `kill -9 $$` does", "died, and the cell is named",
          "import os\nos.kill(os.getpid(), 9)", ("died",), DEAD, kernel=False),
    Fault("kill-group", "a cell kills its process group", "died, and nobody but the kernel is hit",
          "import os\nos.kill(0, 9)", ("died",), DEAD),
    Fault("kill-parent", "a cell kills the process above it", "died; the kernel ends too, though it never looks up",
          "import ctypes, os\nos.kill(os.getppid(), 9)\nctypes.PyDLL(None).sleep(600)", ("died",), r"(?i)died|code -9"),
    Fault("segfault", "a cell reads from address 0", "died, and the cell is named",
          "import ctypes\nctypes.string_at(0)", ("died",), DEAD, kernel=False),
    Fault("interrupts-itself", "a cell sends itself SIGINT", "failed, and the cell is named",
          "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(600)",
          ("failed",), r"^KeyboardInterrupt", kernel=False),
    Fault("kernel-killed", "somebody kills the kernel", "died, and the cell is named",
          "import time\ntime.sleep(600)", ("died",), DEAD),
    Fault("kernel-killed-growing", "the kernel is killed while it grows, as when memory runs out",
          "died, and the cell is named",
          "import time\nkept = []\nwhile True:\n    kept.append(b'x' * 2**20)\n    time.sleep(0.02)",
          ("died",), DEAD, kernel=False),
    Fault("client-killed", "somebody kills the process that runs the notebook", "died; the kernel, deep in C, ends too",
          "import ctypes\nctypes.PyDLL(None).sleep(600)", ("died",), r"code -9"),
    Fault("stopped", "a cell stops its own process (SIGSTOP)", "over time; a stopped process is ended too",
          "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", ("time",), "longer than its limit", limits=SHORT),
    Fault("hangs-in-c", "a cell calls C that holds the interpreter and doesn't come back", "over time",
          "import ctypes\nctypes.PyDLL(None).sleep(600)", ("time",), "longer than its limit", limits=SHORT),
    Fault("hangs-in-regex", "a cell matches a regular expression for ever", "over time",
          "import re\nre.match('(a+)+$', 'a' * 64 + 'b')",
          ("time",), "longer than its limit", limits=SHORT, kernel=False),
    Fault("over-time", "a cell takes longer than the run may, deaf to interrupts", "over time, and the cell is named",
          "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)",
          ("time",), "longer than its limit of 0", limits=SHORT),
    Fault("over-memory", "a cell takes more memory than the run may", "over memory, and the cell is named",
          "import time\nkept = b'x' * (400 * 2**20)\ntime.sleep(600)",
          ("memory",), "more than its limit of 335,544,320 bytes", limits=SMALL),
    Fault("over-memory-below", "processes that a cell starts take more memory than the run may",
          "over memory: all of a run's processes count",
          "import subprocess, sys\ncode = \"import time; kept = b'x' * (150 * 2**20); time.sleep(600)\"\n"
          "both = [subprocess.Popen([sys.executable, '-c', code], start_new_session=True) for _ in range(2)]\n"
          "both[0].wait()", ("memory",), "more than its limit of 335,544,320 bytes", limits=SMALL, kernel=False),
    Fault("printed", "a cell prints 100 MB", "over output; log and notebook stay small",
          "print('x' * size)", ("output",), "more than 100,000 bytes", limits=LITTLE, sizes=(5 * 10**6, 10**8)),
    Fault("printed-below", "a program that a cell starts fills standard error with 100 MB",
          "over output; log and notebook stay small",
          "import os\nos.system(f\"head -c {size} /dev/zero | tr '\\\\0' x >&2\")\nimport time\ntime.sleep(600)",
          ("output",), "more than 100,000 bytes", limits=LITTLE, sizes=(2 * 10**6, 10**8), kernel=False),
    Fault("raised", "a cell raises with a message of 50 MB", "over output; log and receipt stay small",
          "raise ValueError('x' * size)", ("output",), "more than 100,000 bytes", limits=LITTLE,
          sizes=(5 * 10**6, 5 * 10**7), kernel=False),
    Fault("figure", "a cell shows a figure of 50 MB", "over output; the notebook stays small",
          "from IPython.display import display\ndisplay({'image/png': 'iVBO' * (size // 4)}, raw=True)",
          ("output",), "more than 100,000 bytes", limits=LITTLE, sizes=(5 * 10**6, 5 * 10**7), kernel=False),
    Fault("table", "a cell hands back a table of 50 MB", "over output; tables have a larger share, but bounded",
          "from IPython.display import display\n"
          "column = {'name': 'a', 'dtype': 'str', 'values': ['x' * size]}\n"
          f"display({{'{MIME}': {{'version': 1, 'type': 'table', 'name': 't', 'columns': [column]}}}}, raw=True)",
          ("output",), "more than 100,000 bytes", limits=LITTLE, sizes=(5 * 10**6, 5 * 10**7), kernel=False),
    Fault("closes-all", "a cell closes every file descriptor but the standard three",
          "the run ends badly, within its limits",
          "import os, time\nos.closerange(3, 1024)\ntime.sleep(600)", ("died", "time", "failed"), ".", limits=SHORT),
    Fault("closes-standard", "a cell closes standard input, output and error, and prints",
          "the run goes on: what a notebook shows takes another way",
          "import os\nfor number in range(3):\n    os.close(number)\nprint('still here')", ("ok",)),
    Fault("daemon", "a cell starts a daemon that would outlive it", "the run is good, and the daemon is ended with it",
          DAEMON, ("ok",)),
    Fault("daemon-then-dies", "a cell starts a daemon, and its kernel dies", "died, and the daemon is ended too",
          DAEMON + "os._exit(0)", ("died",), DEAD),
    Fault("daemon-client-killed", "a cell starts a daemon, and the process that runs the notebook is killed",
          "died, and the daemon is ended too",
          DAEMON + "time.sleep(600)", ("died",), r"code -9"),
    Fault("nan-table", "a cell hands back a table with NaN and infinity", "NaN is a gap in the table; infinity fails",
          "import pandas as pd\nfrom citylib.results import table\n"
          "_ = table('t', pd.DataFrame({'a': [1, float('nan')]}))\n"
          "table('u', pd.DataFrame({'a': [1, float('inf')]}))",
          ("failed",), "^InputError: column 'a' must be finite", kernel=False),
    Fault("nan-record", "a cell records a NaN", "failed in that cell, with the rule that it broke",
          "from citylib.results import record\nrecord('x', float('nan'))",
          ("failed",), "^InputError: value must be finite", kernel=False),
    Fault("table-unwritable", "a cell hands back a table that no Parquet file can hold",
          "failed, table and column are named",
          "from IPython.display import display\ncolumn = {'name': 'a', 'dtype': 'int', 'values': [2**70]}\n"
          f"display({{'{MIME}': {{'version': 1, 'type': 'table', 'name': 't', 'columns': [column]}}}}, raw=True)",
          ("failed",), "column 'a' of table 't' must be writable as int", within=False, kernel=False),
    Fault("bytes", "a cell writes bytes that are no text", "the run is good; log and notebook can be read",
          "import os\nos.write(1, bytes(range(256)) * 4)", ("ok",), kernel=False),
    Fault("surrogates", "a cell prints half a character", "the run ends, with a notebook that can be read",
          "print('half \\ud800 a character')", ("ok", "failed"), kernel=False),
    Fault("scratch-removed", "a cell removes the folder that its run works in", "the run ends badly, and says so",
          "import os, shutil\nshutil.rmtree(os.path.dirname(os.environ['TMPDIR']))", ("failed", "died"), ".",
          within=False, kernel=False),
    Fault("staging-removed", "somebody removes what a run has made so far", "failed, and says what is missing",
          "import os, time\nwhile not os.path.exists(f'{desk}/{fault}.done'):\n    time.sleep(0.01)",
          ("failed",), "No such file or directory", within=False, kernel=False),
)  # fmt: skip

_OTHERS = (
    Fault("runner-killed", "the runner is killed by SIGKILL, again and again, at seeded points of a grid",
          "each run is in the results once, none is lost or made again, no half file is taken for whole, and"
          " nothing is left over"),
    Fault("interrupted-once", "Ctrl-C", "what is under way finishes, no more is started; the same command goes on"),
    Fault("interrupted-twice", "Ctrl-C twice", "all under way is ended and leaves nothing; the same command goes on"),
    Fault("terminated", "SIGTERM, or SIGHUP as a terminal closes", "the same as Ctrl-C twice"),
    Fault("unread", "who reads what the runner prints goes away", "no run is lost for that, nothing is left over"),
    Fault("two-runners", "two runners on one folder", "the second waits and names the first; each run is made once"),
    Fault("disk-full", "the disk is full", "what has no room fails and says so, good runs stay; with room it goes on"),
    Fault("temporary-full", "the disk of temporary files is full", "the same"),
    Fault("read-only", "the runs' disk is read-only", "each run fails and says so; what was good is still skipped"),
    Fault("folder-removed", "the folder of all runs is removed while they run",
          "those under way fail and say so, later ones are made; the next call makes the rest"),
    Fault("folder-is-a-file", "a file lies where a run's folder is to be", "the run takes its place, nothing is left"),
    Fault("parent-is-a-file", "a file lies where the folder of a notebook's runs is to be", "failed, and says so"),
    Fault("broken-notebook", "a notebook is not JSON, not a notebook, or declares no parameters",
          "refused before a kernel starts, all faults of the plan together"),
    Fault("broken-cell", "a cell is no Python", "failed, and the cell is named; the plan's other runs are made"),
    Fault("missing-kernel", "a notebook asks for a kernel that isn't installed", "failed, and says which are"),
    Fault("broken-meanwhile", "a notebook is broken, or removed, while the plan runs", "failed, and says so"),
    Fault("changed-meanwhile", "a notebook is changed while the plan runs",
          "each receipt names what was run; the next call makes again what was made from the old one"),
    Fault("data-changed", "a data file is changed", "what has read it is made again, and only that"),
    Fault("citylib-changed", "a file of citylib is changed", "what has imported it is made again, and only that"),
    Fault("citylib-changed-meanwhile", "a file of citylib is changed while a run that has read it is under way",
          "the run is made again by the next call"),
    Fault("lock-changed", "the lock is changed", "all is made again"),
    Fault("clock-set-back", "the clock goes back a day, in runner and kernel, while runs are under way",
          "durations, limits and the time left come out as if it hadn't"),
    Fault("times-in-the-future", "files and receipts have times in the future, or in 1970", "nothing is made again"),
    Fault("long-values", "parameters of 4,000 characters, of other scripts, of what looks like a path",
          "they arrive as given, are in the receipt as given, and name folders that any file system takes"),
    Fault("same-run-twice", "a plan has the same run twice", "refused, naming the first; made by hand: run once"),
    Fault("empty-plan", "a plan without runs", "refused; made by hand: nothing happens"),
    Fault("broken-receipt", "a receipt is cut off or edited", "the run is made again, none beside it; verify tells"),
    Fault("parent-killed", "the process that kernels are forked from is killed, during a run and between runs",
          "runs under way finish, later ones get ordinary kernels, and the runner says so"),
    Fault("client-parent-killed", "the process that clients are forked from is killed",
          "runs go on with ordinary ones, and the runner says so"),
    Fault("dask-worker-killed", "a Dask worker is killed while it carries a run out",
          "the run is tried again, its results are the same, and nothing is left of the first try"),
)  # fmt: skip

CELLS = {row.name: row for row in _CELLS}
FAULTS = {row.name: row for row in (*_CELLS, *_OTHERS)}
