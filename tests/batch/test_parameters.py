"""Parameters cells: what is declared, what is refused before a kernel starts."""

from __future__ import annotations

import json

import pytest

from citylib.batch import parameters
from citylib.errors import NotebookError, ParameterError
from tests.batch.conftest import code, write_notebook

DESIGN = """source: str = "synthetic"   # data source, see `citylib data list`, or file:PATH
sensor: str | None = None   # sensor id; none: the one with the fewest gaps
horizon: int = 24           # steps ahead [1..168]
season: str = "daily"       # season to remove [none | daily | weekly]
since: str = "2016-01-01"   # first day used [date]
orders: list[int] = [2, 1, 2]  # AR, differences, MA [0..5]
seed: int = 0               # random seed [0..]
rate: float = -1e-3
"""


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "n.ipynb", parameters=DESIGN)


def test_the_form_of_the_design_is_read(notebook):
    found = {p.name: p for p in parameters.declared(notebook)}
    assert list(found) == ["source", "sensor", "horizon", "season", "since", "orders", "seed", "rate"]
    assert found["horizon"] == parameters.Parameter("horizon", "int", 24, "steps ahead", "1..168")
    assert found["sensor"] == parameters.Parameter(
        "sensor", "str | None", None, "sensor id; none: the one with the fewest gaps"
    )
    assert found["orders"].type == "list[int]"
    assert (found["rate"].default, found["rate"].help) == (-0.001, "")


def test_a_value_over_several_lines_keeps_the_last_comment(tmp_path):
    path = write_notebook(
        tmp_path / "n.ipynb", parameters="a: list[int] = [\n  1,  # one\n  2,\n]  # two of them [1..2]"
    )
    (only,) = parameters.declared(path)
    assert (only.default, only.help, only.domain) == ([1, 2], "two of them", "1..2")


def test_the_cell_is_never_run(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb", parameters=f"a: str = open({str(tmp_path / 'made')!r}, 'w').name")
    with pytest.raises(ParameterError, match="literal default"):
        parameters.declared(path)
    assert not (tmp_path / "made").exists()


def test_check_returns_all_parameters_typed(notebook):
    values = parameters.check(notebook, {"rate": 2, "season": "weekly"})
    assert values == {
        "source": "synthetic", "sensor": None, "horizon": 24, "season": "weekly", "since": "2016-01-01",
        "orders": [2, 1, 2], "seed": 0, "rate": 2.0,
    }  # fmt: skip
    assert type(values["rate"]) is float


DECLARATIONS = {
    "no type": ("a = 1", "a must have a type"),
    "no default": ("a: int", "a must have a default"),
    "derived": ("b: int = 1\na: int = b + 1", "a must have a literal default"),
    "called": ("a: str = str(1)", "a must have a literal default"),
    "f-string": ("a: str = f'{1}'", "a must have a literal default"),
    "wrong default": ("a: int = 1.5", "default of a must be int"),
    "bool for int": ("a: int = True", "default of a must be int"),
    "tuple": ("a: list[int] = (1, 2)", r"default of a must be list\[int\]"),
    "none": ("a: int = None", "default of a must be int"),
    "infinite": ("a: float = 1e999", "default of a must be finite"),
    "unknown type": ("a: dict = {}", "type of a must be one of str"),
    "outside": ("a: int = 3  # x [4..5]", "default of a must lie in"),
    "no date": ("a: str = 'May'  # x [date]", "default of a must be a date"),
    "unit as domain": ("a: int = 3  # x [mph]", "domain of a must be .*a unit goes before"),
    "import": ("import os", "statement must be a declaration"),
    "call": ("print(1)", "statement must be a declaration"),
    "attribute": ("a.b: int = 1", "statement must be a declaration"),
    "twice": ("a: int = 1\na: int = 2", "a must be declared once"),
    "syntax": ("a: int = ", "line 1: is not Python"),
    "magic": ("%pip install x", "is not Python"),
    "password": ("password: str = 'x'", "password must be no secret"),
    "token": ("city_token: str = 'x'", "city_token must be no secret"),
    "api key": ("api_key: str = 'x'", "api_key must be no secret"),
    "secret": ("SECRET: str = 'x'", "SECRET must be no secret"),
}


@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_declaration_out_of_form_is_refused(tmp_path, case):
    source, rule = DECLARATIONS[case]
    with pytest.raises(ParameterError, match=rule):
        parameters.declared(write_notebook(tmp_path / "n.ipynb", parameters=source))


def test_harmless_words_are_no_secrets(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb", parameters="max_tokens: int = 1\nkeyboard: str = ''\nauthor: str = ''")
    assert len(parameters.declared(path)) == 3


GIVEN = {
    "unknown": ({"horizn": 3}, "horizn must be one of: .*did you mean 'horizon'"),
    "far from any": ({"qqqq": 3}, "qqqq must be one of: source"),
    "text for int": ({"horizon": "48"}, "horizon must be int, got '48'"),
    "bool for int": ({"horizon": True}, "horizon must be int, got True"),
    "float for int": ({"horizon": 48.0}, "horizon must be int"),
    "below": ({"horizon": 0}, r"horizon must lie in \[1..168\], got 0"),
    "above": ({"horizon": 169}, "horizon must lie in"),
    "choice": ({"season": "wekly"}, "season must be one of: none, daily, weekly.*did you mean 'weekly'"),
    "date": ({"since": "2016-13-01"}, "since must be a date"),
    "element": ({"orders": [2, 9, 2]}, "orders must lie in"),
    "element type": ({"orders": [2, "1", 2]}, r"orders must be list\[int\]"),
    "none": ({"horizon": None}, "horizon must be int, got None"),
    "nan": ({"rate": float("nan")}, "rate must be finite"),
    "no file": ({"source": "file:nowhere.csv"}, "source must name a file that exists"),
    "secret": ({"api_token": "x"}, "api_token must be no secret"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_a_given_value_out_of_form_is_refused(notebook, case):
    given, rule = GIVEN[case]
    with pytest.raises(ParameterError, match=rule):
        parameters.check(notebook, given)


def test_all_faults_are_told_together(notebook):
    with pytest.raises(ParameterError) as caught:
        parameters.check(notebook, {"horizn": 3, "horizon": 0, "since": "x", "seed": -1})
    assert len(caught.value.faults) == 4


def test_words_of_a_command_line_are_read_by_type(notebook):
    words = ["horizon=48", "sensor=none", "orders=[1,0,1]", "since=2017-01-01", "season=none", "rate=3"]
    assert parameters.parse(notebook, words) == {
        "horizon": 48, "sensor": None, "orders": [1, 0, 1], "since": "2017-01-01", "season": "none", "rate": 3.0,
    }  # fmt: skip


def test_a_value_may_hold_an_equals_sign(notebook):
    assert parameters.parse(notebook, ["sensor=a=b"]) == {"sensor": "a=b"}


def test_words_out_of_form_are_told_together(notebook):
    with pytest.raises(ParameterError) as caught:
        parameters.parse(notebook, ["horizon", "=3", "hrizon=4", "seed=1", "seed=2", "horizon=x", "horizon=900"])
    text = str(caught.value)
    assert len(caught.value.faults) == 6
    for part in (
        "written name=value",
        "did you mean 'horizon'",
        "seed must be given once",
        "must be int",
        "must lie in",
    ):
        assert part in text


def test_a_file_that_is_there_is_taken(notebook, tmp_path):
    (tmp_path / "own.csv").write_text("time")
    given = {"source": f"file:{tmp_path / 'own.csv'}"}
    assert parameters.check(notebook, given)["source"] == given["source"]


def test_a_notebook_without_parameters_has_none_to_give(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb", parameters="# nothing to choose")
    assert parameters.check(path, {}) == {}
    with pytest.raises(ParameterError, match="this notebook has none"):
        parameters.check(path, {"a": 1})


NOTEBOOKS = {
    "broken JSON": ("{", "not valid JSON"),
    "not UTF-8": (b"\xff\xfe", "not valid JSON"),
    "empty": ("", "not valid JSON"),
    "a list": ("[]", "not a notebook of format 4"),
    "old format": ('{"nbformat": 3, "cells": []}', "not a notebook of format 4"),
    "R": ('{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "written in R"),
    "cells": ('{"nbformat": 4, "cells": [{}]}', "cell without type or source"),
    "no tag": ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": []}]}', "no cells tagged 'parameters'"),
}


@pytest.mark.parametrize("case", NOTEBOOKS)
def test_what_is_no_notebook_is_refused(tmp_path, case):
    content, rule = NOTEBOOKS[case]
    path = tmp_path / "n.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(NotebookError, match=rule):
        parameters.declared(path)


def test_a_notebook_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(NotebookError, match="no such notebook"):
        parameters.declared(tmp_path / "n.ipynb")
    with pytest.raises(NotebookError, match="cannot be read"):
        parameters.declared(tmp_path)


def test_two_tagged_cells_are_refused(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb")
    content = json.loads(path.read_text())
    content["cells"].append(code("more", "a: int = 1", tags=["parameters"]))
    path.write_text(json.dumps(content))
    with pytest.raises(NotebookError, match="has 2 cells tagged"):
        parameters.declared(path)
