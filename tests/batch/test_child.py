"""The process of a run, called here in this one so that each way it can end is seen."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from citylib.batch import child, supervise
from citylib.errors import NotebookError
from tests.batch.conftest import code, write_notebook

GOOD = """
from citylib import results
import pandas as pd
print("\\x1b[31mahead", horizon, "\\x1b[0m")
_ = results.record("mae", 1.5 * horizon, unit="veh/h")
_ = results.table("t", pd.DataFrame({"a": [1, 2]}))
"""


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Return a function that runs cells in this process and returns report and staging folder."""
    for name, value in supervise.environment(tmp_path, tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("tmp", "ipython", "jupyter", "staging", "work"):
        (tmp_path / name).mkdir()

    def run(*sources: str, inject=None, output_bytes=2_000_000, sockets="", **more) -> tuple[dict, Path]:
        job = {
            "notebook": str(write_notebook(tmp_path / "n.ipynb", *sources, **more)),
            "inject": inject or {},
            "staging": str(tmp_path / "staging"),
            "cwd": str(tmp_path / "work"),
            "events": str(tmp_path / "events.jsonl"),
            "report": str(tmp_path / "report.json"),
            "output_bytes": output_bytes,
            "replace": {},
            "sockets": sockets,
        }
        before = Path.cwd()
        report = child.execute(job)
        assert Path.cwd() == before
        return report, tmp_path / "staging"

    return run


def test_a_good_run_leaves_all_it_made(execute, tmp_path):
    report, staging = execute(GOOD, "import os; assert os.listdir() == [], os.getcwd()", inject={"horizon": 48})
    assert (report["outcome"], report["error"]) == ("ok", None)
    assert [c["id"] for c in report["cells"]] == ["parameters", "injected-parameters", "cell-0", "cell-1"]
    assert report["probed"]["files"] == ["__init__.py", "checks.py", "errors.py", "results.py"]
    assert {"python", "citylib", "numpy", "pandas"} <= set(report["probed"]["versions"])
    assert report["probed"]["peak_memory_bytes"] > 2**24
    kept = json.loads((staging / "results.json").read_text())
    assert kept["records"][0]["value"] == 72.0
    assert (staging / "tables" / "t.parquet").is_file()
    assert "ahead 48" in (staging / "log.txt").read_text()
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [("seconds" in e, e["cell"]) for e in events[-2:]] == [(False, "cell-1"), (True, "cell-1")]


TRANSPORT = "print(get_ipython().kernel.parent.transport)"


@pytest.mark.skipif(os.name != "posix", reason="needs Unix sockets")
def test_a_kernel_is_spoken_to_through_files_of_its_own(execute, tmp_path):
    folder = Path(tempfile.mkdtemp())
    report, staging = execute(TRANSPORT, sockets=str(folder / "kernel"))
    assert report["outcome"] == "ok"
    assert "\nipc\n" in (staging / "log.txt").read_text()
    assert list(folder.iterdir()) == [], "and leaves none of them"
    folder.rmdir()


def test_where_a_path_is_too_long_for_a_socket_a_port_does(execute, tmp_path):
    report, staging = execute(TRANSPORT, sockets=str(tmp_path / ("far" * 40)))
    assert report["outcome"] == "ok"
    assert "\ntcp\n" in (staging / "log.txt").read_text()


def test_a_cell_that_raises_is_told_with_source_and_error(execute):
    report, staging = execute("x = 1", "def f():\n    return 1 / 0\nf()", "raise SystemError('never reached')")
    assert report["outcome"] == "failed"
    assert report["error"] == {
        "cell": "cell-1",
        "source": "def f():\n    return 1 / 0\nf()",
        "name": "ZeroDivisionError",
        "message": "division by zero",
    }
    assert "ZeroDivisionError" in (staging / "log.txt").read_text()
    assert "\x1b" not in (staging / "log.txt").read_text()
    cells = json.loads((staging / "notebook.ipynb").read_text())["cells"]
    assert [len(c.get("outputs", [])) for c in cells] == [0, 0, 0, 1, 0]
    assert not (staging / "results.json").exists()


def test_leaving_by_sys_exit_is_a_failure(execute):
    report, _ = execute("import sys; sys.exit(0)")
    assert (report["outcome"], report["error"]["name"], report["error"]["cell"]) == ("failed", "SystemExit", "cell-0")


def test_an_error_that_is_meant_is_none(execute, tmp_path):
    path = write_notebook(tmp_path / "meant.ipynb")
    content = json.loads(path.read_text())
    content["cells"].append(code("meant", "1 / 0", tags=["raises-exception"]))
    path.write_text(json.dumps(content))
    (tmp_path / "n.ipynb").unlink(missing_ok=True)
    job = {
        "notebook": str(path), "inject": {}, "staging": str(tmp_path / "staging"), "cwd": str(tmp_path / "work"),
        "events": str(tmp_path / "e"), "output_bytes": 10**6, "replace": {},
    }  # fmt: skip
    assert child.execute(job)["outcome"] == "ok"


def test_what_no_notebook_may_show_is_told(execute, monkeypatch):
    from nbformat.v4 import nbbase

    monkeypatch.setattr(nbbase, "validate", lambda node, ref=None: None)  # as in a process of its own
    report, staging = execute("from IPython.display import display; display({'text/html': 5}, raw=True)")
    assert (report["outcome"], report["error"]["name"]) == ("failed", "NotebookError")
    assert "not in the notebook format: 5 is not valid" in report["error"]["message"]
    assert (staging / "notebook.ipynb").exists()
    assert not (staging / "results.json").exists()


def test_a_kernel_that_dies_is_told(execute):
    report, staging = execute("import os; os._exit(7)")
    assert (report["outcome"], report["error"]["cell"]) == ("died", "cell-0")
    assert "kernel died" in report["error"]["message"]
    assert (staging / "notebook.ipynb").exists()


def test_output_is_bounded(execute):
    report, staging = execute("print('x' * 10_000_000)", output_bytes=200_000)
    assert (report["outcome"], report["error"]["cell"]) == ("output", "cell-0")
    assert "more than 200,000 bytes" in report["error"]["message"]
    assert sum(p.stat().st_size for p in staging.iterdir()) < 200_000


def test_a_name_twice_fails_the_run(execute):
    report, _ = execute("from citylib.results import record\n_ = record('a', 1)\n_ = record('a', 2)")
    assert report["outcome"] == "failed"
    assert "record 'a' must be handed back once" in report["error"]["message"]


def test_a_kernel_that_is_not_installed_is_told(execute):
    report, _ = execute("1", kernelspec={"name": "julia-9", "language": "python"})
    assert report["outcome"] == "failed"
    assert "kernel 'julia-9' is not installed here; installed: " in report["error"]["message"]


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [
        (lambda c: c["cells"].append(dict(c["cells"][0])), "cells share an id: title"),
        (lambda c: c["cells"][0].update(cell_type="poem"), "not in the notebook format"),
    ],
)
def test_a_notebook_out_of_form_is_refused(tmp_path, break_it, rule):
    path = write_notebook(tmp_path / "n.ipynb")
    content = json.loads(path.read_text())
    break_it(content)
    path.write_text(json.dumps(content))
    with pytest.raises(NotebookError, match=rule):
        child.prepared(path)


def test_cells_without_ids_get_the_same_ones_each_time(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb")
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        del cell["id"]
        cell["source"] = cell["source"].splitlines(keepends=True)
    path.write_text(json.dumps(content | {"nbformat_minor": 4}))
    assert [c["id"] for c in child.prepared(path).cells] == ["cell-0", "cell-1"]


def test_the_process_ends_itself_when_its_runner_is_gone(monkeypatch, tmp_path):
    ended = []
    (tmp_path / "staging").mkdir()
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(child, "_end_descendants", lambda: ended.append("descendants"))
    with Path(os.devnull).open() as closed:
        child._end_with_runner(closed, [tmp_path / "staging", tmp_path / "gone already"])
    assert ended == ["descendants", 1]
    assert not (tmp_path / "staging").exists()


def test_main_writes_the_report(tmp_path, monkeypatch):
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"report": str(tmp_path / "report.json"), "staging": str(tmp_path)}))
    monkeypatch.setattr(child, "execute", lambda job: {"outcome": "ok", "abandoned": False})
    monkeypatch.setattr(child, "_end_with_runner", lambda stdin, own: None)
    monkeypatch.setattr(child, "_end_descendants", lambda: None)
    monkeypatch.setattr(child, "_adopt_orphans", lambda: None)
    assert child.main([str(job)]) == 0
    assert json.loads((tmp_path / "report.json").read_text()) == {"outcome": "ok", "abandoned": False}
