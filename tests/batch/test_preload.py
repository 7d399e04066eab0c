"""What a kernel will import, read from notebooks and citylib without running either."""

from __future__ import annotations

import pytest

from citylib.batch import preload
from tests.batch.conftest import write_notebook


def wanted(tmp_path, *sources: str) -> set[str]:
    return set(preload.of_notebook(write_notebook(tmp_path / "n.ipynb", *sources))) - set(preload.KERNEL)


CELL = """%matplotlib inline
import a.b as c, d
from e import f
if x:
    import g
def h():
    from i.j import k
!ls
"""


def test_imports_of_cells_are_found_wherever_they_stand(tmp_path):
    assert wanted(tmp_path, CELL) == {"a.b", "d", "e", "e.f", "g", "i.j", "i.j.k"}


def test_citylib_is_followed_and_never_named(tmp_path):
    found = wanted(tmp_path, "from citylib.survival import kaplan_meier\nfrom citylib.evaluate import compare")
    assert {"numpy", "scipy.stats"} <= found
    assert not [name for name in found if name.startswith("citylib")]
    assert "torch" not in wanted(tmp_path, "from citylib import seeds"), "a function imports it: learned when called"


def test_what_is_no_python_or_no_notebook_imports_nothing(tmp_path):
    assert wanted(tmp_path, "this is (no python") == set()
    (tmp_path / "broken.ipynb").write_text("{")
    assert set(preload.of_notebook(tmp_path / "broken.ipynb")) == set(preload.KERNEL)


SETTING = [
    "import os\nos.environ['A'] = '1'", "os.environ['A'] += 'x'", "environ.update(a='1')", "del os.environ['A']",
    "os.environ.setdefault('A', '1')", "%env A=1", "os.putenv('a', 'b')", "from dotenv import load_dotenv",
]  # fmt: skip
READING = [
    "os.environ['A']", "os.environ.get('A')", "x = os.environ['A'] == 'b'", "f(os.environ['A'], b=1)",
    "environment = 3", "names = {k: v for k, v in os.environ.items()}",
]  # fmt: skip


@pytest.mark.parametrize("source", SETTING)
def test_a_notebook_that_sets_variables_gets_a_bare_parent(tmp_path, source):
    notebook = write_notebook(tmp_path / "n.ipynb", "import scipy", source)
    assert preload.sets_variables(notebook)
    assert set(preload.of_notebook(notebook)) == set(preload.KERNEL)


@pytest.mark.parametrize("source", READING)
def test_reading_variables_is_no_reason(tmp_path, source):
    assert not preload.sets_variables(write_notebook(tmp_path / "n.ipynb", source))
