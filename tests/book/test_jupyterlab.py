"""A chapter in a real JupyterLab: an analyst changes the parameters cell, chooses Run All, and reads the results."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from citylib import results
from tests.book.browser import wait_for
from tests.book.conftest import ROOT

CHAPTER = "survival/02_kaplan_meier"
# The cells as JupyterLab holds them: those out of sight are not in the page.
CELLS = """
const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
return cells.filter((c) => c.type === 'code').map((c) => c.executionCount);
"""
# How many drawings of each figure are to be seen, once the first figure is brought into sight.
FIGURES = """
const content = jupyterapp.shell.currentWidget.content;
const shows = (cell) => JSON.stringify(cell.toJSON().outputs || []).includes('only-light');
const drawn = [...content.model.cells].findIndex(shows);
content.scrollToItem(drawn);
return [...content.node.querySelectorAll('.citylib-figure')].map(
  (f) => [...f.querySelectorAll('.only-light, .only-dark')].filter((d) => d.getBoundingClientRect().height > 1).length);
"""


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Serve JupyterLab on a free port of loopback, with settings of its own; yields the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{kind}_DIR": str(folder / f".{kind.lower()}") for kind in ("CONFIG", "DATA", "RUNTIME")}
    settings = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.log_level=ERROR",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ServerApp.root_dir={folder}",
    ]
    with (folder / "jupyterlab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *settings],
            cwd=folder,
            env={**os.environ, **own},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}/"
            wait_for(lambda: server.poll() is not None or _answers(f"{address}api"), "JupyterLab", 60)
            assert server.poll() is None, (folder / "jupyterlab.log").read_text()
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def as_an_analyst_would(folder: Path) -> Path:
    """Copy the chapter and change one word of its parameters cell."""
    path = folder / "chapter.ipynb"
    shutil.copyfile(ROOT / "notebooks" / f"{CHAPTER}.ipynb", path)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", []))
    source = "".join(cell["source"])
    assert '"synthetic"' in source
    cell["source"] = source.replace('"synthetic"', '"synthetic:tiny"', 1)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def click(driver: Any, path: str) -> None:
    """Click what an XPath names, once it can be."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.by import By

    def tried() -> bool:
        try:
            driver.find_element(By.XPATH, path).click()
        except WebDriverException:
            return False
        return True

    wait_for(tried, f"{path} to be clicked")


@pytest.mark.browser
def test_run_all_in_jupyterlab(driver: Any, tmp_path: Path) -> None:
    path = as_an_analyst_would(tmp_path)
    driver.set_window_size(1280, 1000)
    with jupyterlab(tmp_path) as address:
        driver.get(f"{address}lab/tree/chapter.ipynb")
        ready = (
            "const w = window.jupyterapp && jupyterapp.shell.currentWidget, c = w && w.sessionContext;"
            "return !!(c && c.isReady && c.session && c.session.kernel && c.session.kernel.status === 'idle')"
        )
        wait_for(lambda: driver.execute_script(ready), "the notebook and its kernel", 90)
        click(driver, "//li[contains(@class, 'lm-MenuBar-item')][.//*[text()='Run']]")
        click(driver, "//li[@data-command='runmenu:run-all']")
        wait_for(lambda: all(driver.execute_script(CELLS)) and driver.execute_script(ready), "all cells to run", 180)
        driver.execute_async_script("jupyterapp.commands.execute('docmanager:save').then(arguments[0])")
        shown = wait_for(lambda: driver.execute_script(FIGURES), "a figure")
    assert set(shown) == {1}, "of a figure drawn for light and for dark, one is shown"
    saved = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    outputs = [output for cell in saved for output in cell["outputs"]]
    assert [o for o in outputs if o["output_type"] == "error"] == []
    assert {p["type"] for p in results.read(outputs)} >= {"record", "table", "figure", "say", "data"}
