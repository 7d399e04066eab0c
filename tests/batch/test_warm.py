"""Forked kernels: the same as started ones, with nothing left of the run before, and given up where they cannot be."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from citylib.batch import receipt, warm
from citylib.batch.run import run_one
from tests.batch.conftest import folders, kernel_of, printed, seated

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd: kernels are started, not forked")

SLOW = pytest.mark.slow  # the table of faults brings the same about

# What a notebook can see of the process it runs in; numbers of processes and paths of the run's own folder apart.
VIEW = """
import gc, json, locale, os, resource, signal, sys, tempfile, threading, warnings, random
import numpy as np, pandas, matplotlib, lifelines, pyarrow
from IPython import get_ipython
ip = get_ipython()
own = os.path.dirname(os.environ["TMPDIR"])
inherited = {"JPY_PARENT_PID", "JPY_SESSION_NAME"}
view = {
    "path": sys.path, "argv": [a.replace(own, "") for a in sys.argv[:1] + sys.argv[3:]],
    "flags": repr(sys.flags), "executable": sys.executable, "orig_argv0": sys.orig_argv[0],
    "environ": {k: v.replace(own, "") for k, v in sorted(os.environ.items()) if k not in inherited},
    "cwd": os.getcwd().replace(own, ""), "listed": os.listdir(),
    "filters": sorted(map(str, warnings.filters)),
    "signals": [str(signal.getsignal(n)) for n in (2, 15, 17, 13)],
    "umask": oct(os.umask(0o22)), "locale": locale.setlocale(locale.LC_ALL), "tz": __import__("time").tzname,
    "tmp": tempfile.gettempdir().replace(own, ""), "leader": os.getpgrp() == os.getpid() == os.getsid(0),
    "stdin": sys.__stdin__.read(), "tty": os.isatty(0), "encoding": [sys.stdout.encoding, sys.getfilesystemencoding()],
    "threads": sorted(type(t).__name__ for t in threading.enumerate()),
    "hash": hash("city"), "gc": [gc.isenabled(), gc.get_threshold()], "main": sys.modules["__main__"].__name__,
    "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_AS)],
    "backend": [matplotlib.rcParams["backend"], matplotlib.get_backend()],
    "rc": {k: str(v) for k, v in matplotlib.rcParams.items()},
    "events": {k: sorted(f.__qualname__ for f in v) for k, v in ip.events.callbacks.items()},
    "user": sorted(k for k in ip.user_ns if not k.startswith("_")),
    "display": sorted(str(k) for k in ip.display_formatter.formatters),
    "descriptors": sorted(t for t in map(os.readlink, [f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")
                          if n != "0" and os.path.exists(f"/proc/self/fd/{n}")])
                          if "/" in t and "anon" not in t and own not in t),
    "options": [pandas.get_option("display.max_rows"), np.get_printoptions()["precision"]],
}
print(json.dumps(view, sort_keys=True))
"""


@pytest.fixture
def twice(planned, project):
    """Return a function that runs cells by a started kernel and then by forked ones; it returns the outcomes."""

    def make(*sources: str, count: int = 2, **more):
        run = planned(*sources, **more)
        outcomes = [run_one(run, run.folder(project / "started"))]
        with seated(run, count) as (parents, runs):
            outcomes += [run_one(r, r.folder(project / "forked"), warm=parents) for r in runs]
            assert parents.faults == []
        return outcomes

    return make


def test_a_forked_kernel_sees_what_a_started_one_sees(twice):
    started, *forked = twice(VIEW, count=3)
    assert [kernel_of(o)["forked"] for o in (started, *forked)] == [False, True, True, True]
    first, *others = (json.loads(printed(o.folder)[0]) for o in (started, *forked))
    for other in others:
        assert {k: (first[k], other[k]) for k in first if first[k] != other[k]} == {}


def test_nothing_is_left_from_one_run_to_the_next(twice):
    plant = """
import builtins, os, sys, tempfile, random, numpy as np, pandas as pd, warnings, signal, threading, gc
looked = [hasattr(builtins, "planted"), "PLANTED" in os.environ, "planted" in sys.modules, hasattr(pd, "planted"),
          hasattr(np, "planted"), os.path.exists("planted"), os.path.exists(tempfile.gettempdir() + "/planted"),
          pd.get_option("display.max_rows") == 7, gc.isenabled(), os.umask(0o22) == 0o77, "planted" in globals(),
          signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN, sys.getrecursionlimit() == 777, "/planted" in sys.path]
print(looked)
print("drawn", random.random(), np.random.random(), np.random.default_rng().random(), os.urandom(4).hex())
builtins.planted = os.environ["PLANTED"] = "x"
sys.modules["planted"] = sys
pd.planted = np.planted = planted = 1
for place in (".", tempfile.gettempdir()):
    open(os.path.join(place, "planted"), "w").close()
pd.set_option("display.max_rows", 7); gc.disable(); os.umask(0o77); sys.setrecursionlimit(777)
sys.path.append("/planted")
signal.signal(signal.SIGUSR1, signal.SIG_IGN); random.seed(1); np.random.seed(1)
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
    outcomes = twice(plant, count=3)
    logs = [printed(o.folder) for o in outcomes]
    looked = [next(line for line in log if line.startswith("[")) for log in logs]
    assert looked == [str([False] * 8 + [True] + [False] * 5)] * 4
    drawn = [word for log in logs for line in log if line.startswith("drawn") for word in line.split()[1:]]
    assert len(set(drawn)) == len(drawn), "two runs drew the same random numbers"


def test_what_programs_print_stays_with_the_cell_that_started_them(twice):
    sources = [f"import os, subprocess; os.write(1, b'written {i};'); os.system('echo system {i}');" for i in range(12)]
    _, *forked = twice(*sources)  # a started kernel waits for no thread that reads it: it may be late
    for outcome in forked:
        content = json.loads((outcome.folder / "notebook.ipynb").read_text(encoding="utf-8"))
        given = [cell["outputs"] for cell in content["cells"] if cell.get("outputs")]
        shown = ["".join("".join(output.get("text", "")) for output in outputs) for outputs in given]
        assert len(shown) == 12
        for i, text in enumerate(shown):
            assert f"written {i};" in text
            assert f"system {i}\n" in text


def test_what_is_printed_is_waited_for_where_another_thread_is_about_to_send_it(twice):
    slow = """
import sys, threading, time
thread = sys.stdout.pub_thread
send = thread.send_multipart
def late(*message, **more):
    if threading.current_thread() is thread.thread:
        time.sleep(0.3)
        thread.schedule(lambda: time.sleep(0.3))
    send(*message, **more)
thread.send_multipart = late
print("sent after 0.2 s, which takes 0.3 and more")
time.sleep(0.35)
"""
    for outcome in twice(slow, "print('the next')"):
        assert printed(outcome.folder) == ["sent after 0.2 s, which takes 0.3 and more", "the next"]


def test_what_programs_print_is_taken_without_waiting_for_a_thread(twice):
    sources = [f"import os, sys; sys.setswitchinterval(1000)\nos.write(1, b'written {i}\\n')" for i in range(60)]
    _, *forked = twice(*sources)
    for outcome in forked:
        assert [line.partition("'")[0] for line in printed(outcome.folder)] == [f"written {i}" for i in range(60)]


def test_processes_that_a_cell_forks_end_while_a_program_prints(twice):
    source = """
import multiprocessing, subprocess, sys
talk = "import time\\nwhile True: print('a line of a program', flush=True); time.sleep(0.0002)"
chatty = subprocess.Popen([sys.executable, "-c", talk], stdout=1)
context = multiprocessing.get_context("fork")
children = [context.Process(target=int) for _ in range(60)]
for child in children: child.start()
for child in children: child.join(10)
chatty.kill(); chatty.wait()
hung = [child for child in children if child.is_alive()]
for child in hung: child.kill()
"""
    _, *forked = twice(source, "print(len(hung), 'hung')")
    for outcome in forked:
        assert printed(outcome.folder)[-1] == "0 hung"


def test_what_programs_print_is_the_current_cells_whoever_flushes(twice):
    first = """
import asyncio, os
async def busy():
    for _ in range(200):
        print("", end="", flush=True)
        await asyncio.sleep(0.001)
task = asyncio.ensure_future(busy())
"""
    second = "for i in range(20):\n    os.write(1, b'.')\n    await asyncio.sleep(0.005)"
    _, *forked = twice(first, second)
    for outcome in forked:
        content = json.loads((outcome.folder / "notebook.ipynb").read_text(encoding="utf-8"))
        texts = ["".join("".join(o.get("text", "")) for o in c.get("outputs", [])) for c in content["cells"]]
        assert texts[-1] == "." * 20


def test_cells_are_transformed_as_by_a_started_kernel(twice):
    sources = [
        "seen = []\nget_ipython().input_transformers_cleanup.append(lambda lines: seen.append(len(lines)) or lines)",
        "%precision 3\nanswer = !echo two words\nprint(answer, 1 / 3)",
        "import asyncio\nawait asyncio.sleep(0)\nprint(len(seen))",
    ]
    started, *forked = (printed(o.folder) for o in twice(*sources))
    assert "['two words'] 0.3333333333333333" in started
    assert forked == [started, started]


def test_what_a_run_imports_is_there_for_the_next(planned, project):
    source = "import sys\nprint('fractions' in sys.modules, 'wave' in sys.modules)\nexec('import wave')"
    run = planned(source)
    with seated(run, 3) as (parents, runs):
        outcomes = [run_one(r, r.folder(project / "out"), warm=parents) for r in runs]
    seen = [printed(o.folder)[0].split()[-1] for o in outcomes]
    assert seen == ["False", "True", "True"]
    assert receipt.read(outcomes[2].folder)["citylib"] == [], "no more was read than by a started kernel"


def test_citylib_is_never_in_the_parent(planned, project):
    source = (
        "import sys\nprint([m for m in sys.modules if m.partition('.')[0] == 'citylib'])\n"
        "from citylib import seeds\nimport mine"
    )
    (project / "mine.py").write_text("import sys\nprint('mine is imported')\n")
    run = planned("import sys\nsys.path.append('" + str(project) + "')\n" + source)
    with seated(run, 3) as (parents, runs):
        outcomes = [run_one(r, r.folder(project / "out"), warm=parents) for r in runs]
        assert parents.faults == []
    for outcome in outcomes:
        assert outcome.ok, outcome.describe()
        assert printed(outcome.folder) == ["[]", "mine is imported"]
        read = [c["path"] for c in receipt.read(outcome.folder)["citylib"]]
        assert read == ["__init__.py", "checks.py", "errors.py", "seeds.py"]


def test_nothing_of_a_users_own_packages_is_in_the_parent(planned, project, monkeypatch):
    package = project / "own" / "mypkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import random\ntoken = random.random()\nprint('imported')\n")
    (package / "sub.py").write_text("value = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(project / "own"))
    run = planned("from mypkg import sub\nimport mypkg.sub, mypkg\nprint(mypkg.token)")
    with seated(run, 3) as (parents, runs):
        outcomes = [run_one(r, r.folder(project / "out"), warm=parents) for r in runs]
    assert [kernel_of(o) for o in outcomes] == [{"forked": True}] * 3
    shown = [printed(o.folder) for o in outcomes]
    assert [lines[0] for lines in shown] == ["imported"] * 3
    assert len({lines[1] for lines in shown}) == 3, "one draw for all runs"


ARRAY_API = """import os
os.environ['SCIPY_ARRAY_API'] = '1'
import scipy._lib._array_api as api
print(api.SCIPY_ARRAY_API)"""


def test_what_a_notebook_sets_for_a_library_is_there_when_it_is_imported(planned, project):
    with seated(planned(ARRAY_API), 3) as (parents, runs):
        outcomes = [run_one(r, r.folder(project / "out"), warm=parents) for r in runs]
    assert [kernel_of(o) for o in outcomes] == [{"forked": True}] * 3
    assert [printed(o.folder) for o in outcomes] == [["1"]] * 3


def test_a_parent_that_hangs_holds_nobody_up(planned, project, monkeypatch):
    monkeypatch.setattr(warm, "STARTING", 0.5)
    made = warm.Parent.__init__

    def stopped(self, *arguments):
        made(self, *arguments)
        self._process.send_signal(signal.SIGSTOP)

    monkeypatch.setattr(warm.Parent, "__init__", stopped)
    with seated(planned("x = 1")) as (parents, runs):
        outcomes = [run_one(r, r.folder(project / "out"), warm=parents) for r in runs]
        assert [o.ok for o in outcomes] == [True, True]
        assert any("not answered for 0.5 s" in line for line in parents.faults)
        stop = threading.Event()
        stop.set()
        again = run_one(runs[0], runs[0].folder(project / "out"), force=True, stop=stop, warm=parents)
        assert again.status == "stopped"


LOUD = ("thread", "warning", "print")  # what an installed module does when it is imported


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        ("thread", "thread"),
        ("warning", "warns"),
        ("print", "prints"),
        ("argv", "not as this Python's ipykernel"),
        ("size", "bytes"),
        ("dead", "parent of kernels"),
        ("no pidfd", None),
    ],
)
def test_where_a_kernel_cannot_be_forked_it_is_started(planned, project, monkeypatch, break_it, said):
    site = project / "site"
    site.mkdir()
    (site / "oddly.py").write_text(
        "import threading, warnings\n"
        + ("threading.Thread(target=threading.Event().wait, daemon=True).start()\n" if break_it == "thread" else "")
        + ("warnings.warn('old')\n" if break_it == "warning" else "")
        + ("print('hello')\n" if break_it == "print" else "")
    )
    if break_it in LOUD:  # as if it were installed: only then is it imported beforehand
        monkeypatch.setattr(warm, "parent_text", partial(str, _with_installed(site)))
        monkeypatch.setenv("PYTHONPATH", str(site))
    more = {}
    if break_it == "argv":
        _install_kernel(project, monkeypatch)
        more = {"kernelspec": {"name": "odd", "display_name": "odd", "language": "python"}}
    if break_it == "size":
        monkeypatch.setenv("LARGE", "x" * 120_000)
        monkeypatch.setenv("LARGER", "x" * 120_000)
    if break_it == "no pidfd":
        monkeypatch.delattr(os, "pidfd_open")
    run = planned("import oddly" if break_it in LOUD else "x = 1", **more)
    with seated(run) as (parents, runs):
        if break_it == "dead":
            monkeypatch.setattr(warm.Parent, "__init__", _of_a_dead_process(warm.Parent.__init__))
        outcomes = [run_one(r, r.folder(project / "out"), warm=parents) for r in runs]
        told = parents.faults + [kernel_of(o).get("why", "") for o in outcomes]
    assert [o.ok for o in outcomes] == [True, True], [o.describe() for o in outcomes]
    assert [kernel_of(o)["forked"] for o in outcomes] == [False, False]
    assert said is None or any(said in line for line in told), told
    assert folders(project) == []


def _with_installed(site: Path) -> str:
    """The parent's program, with one more folder taken for one of installed packages."""
    text = warm.parent_text()
    changed = text.replace("places = {", "places = {" + repr(str(site)) + "} | {")
    assert changed != text
    return changed


def _install_kernel(project: Path, monkeypatch) -> None:
    folder = project / "share" / "kernels" / "odd"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-X", "importtime=0", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    argv = [sys.executable, "-B", *argv[3:]]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "odd", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(project / "share"))


def _of_a_dead_process(made):
    def init(self, *arguments):
        made(self, *arguments)
        self._process.kill()
        self._process.wait()

    return init
