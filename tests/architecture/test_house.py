"""The house rules hold in the package, and each is known to catch its breach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import house

PACKAGE = Path(__file__).parents[2] / "citylib"


@pytest.mark.parametrize("rule", house.RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule):
    assert rule(PACKAGE) == []


# Ten breaches, each planted alone in a small package: (file, text, rule that must catch it, words of its message).
PLANTED = {
    "a family imports a sibling": (
        "survival/cox.py",
        "from citylib.timeseries import arima",
        house.import_breaches,
        "survival may not import timeseries",
    ),
    "a model imports plots, for types only": (
        "regression/linear.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from citylib.plots import style",
        house.import_breaches,
        "regression may not import plots",
    ),
    "a model imports data by a relative name": (
        "timeseries/arima.py",
        "from ..data import load",
        house.import_breaches,
        "timeseries may not import data",
    ),
    "the middle imports a family": (
        "panel.py",
        "def f():\n    import citylib.neural.train",
        house.import_breaches,
        "panel may not import neural",
    ),
    "torch outside its owners": ("spatial/weights.py", "import torch", house.import_breaches, "torch belongs to"),
    "matplotlib in a family, imported by name": (
        "survival/curves.py",
        "import importlib\nplt = importlib.import_module('matplotlib.pyplot')",
        house.import_breaches,
        "matplotlib belongs to",
    ),
    "a pickle": ("data/cache.py", "import pickle", house.import_breaches, "pickle belongs to nobody"),
    "a file too long": ("evaluate/splits.py", "x = 1\n" * 401, house.length_breaches, "401 lines"),
    "a function too long": (
        "evaluate/splits.py",
        "def f():\n" + "    x = 1\n" * 61,
        house.length_breaches,
        "f has 61 lines",
    ),
    "a drawer": ("data/utils.py", "x = 1", house.name_breaches, "utils"),
    "a room off the map": ("reports/pages.py", "x = 1", house.room_breaches, "reports"),
    "a file that does not say what it is for": ("checks.py", "x = 1", house.docstring_breaches, "must say"),
    "a public function without a word": (
        "checks.py",
        '"""For x."""\ndef f():\n    return 1',
        house.docstring_breaches,
        "f has no docstring",
    ),
    "an exception of its own": (
        "data/fetch.py",
        "class FetchError(OSError):\n    pass",
        house.exception_breaches,
        "FetchError belongs in errors.py",
    ),
    "a bare ValueError": ("data/fetch.py", "raise ValueError('no')", house.exception_breaches, "raises ValueError"),
    "numpy's global random state": (
        "neural/train.py",
        "import numpy as np\nnp.random.seed(0)",
        house.hidden_state_breaches,
        "np.random.seed",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_breach_is_caught(tmp_path, what):
    name, text, rule, words = PLANTED[what]
    path = tmp_path / "citylib" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    breaches = rule(tmp_path / "citylib")
    assert len(breaches) == 1
    assert words in breaches[0]


def test_the_map_allows_what_it_should(tmp_path):
    path = tmp_path / "citylib" / "allocation" / "learn.py"
    path.parent.mkdir(parents=True)
    path.write_text("import torch\nfrom citylib.neural import train\nfrom citylib import checks\n", encoding="utf-8")
    assert house.import_breaches(tmp_path / "citylib") == []


def test_importing_citylib_is_quick_and_light():
    code = (
        "import sys, time; t = time.perf_counter(); import citylib; s = time.perf_counter() - t;"
        "heavy = {'torch', 'matplotlib', 'dask', 'numpy', 'pandas'} & set(sys.modules);"
        "print(s, sorted(heavy))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    seconds, heavy = zip(*(run.stdout.strip().split(" ", 1) for run in runs), strict=True)
    assert set(heavy) == {"[]"}
    assert min(map(float, seconds)) < 0.05


def test_importing_a_family_or_the_data_room_does_not_load_torch():
    code = (
        "import sys, citylib.data, citylib.panel, citylib.results, citylib.batch, citylib.cli;"
        "print(sorted({'torch', 'matplotlib', 'dask'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
