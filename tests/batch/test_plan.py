"""Plans: what they expand to, and all their faults at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from citylib.batch import plan
from citylib.batch.supervise import Limits
from citylib.errors import InputError, NotebookError, ParameterError
from tests.batch.conftest import write_notebook


def written(project: Path, text: str) -> Path:
    path = project / "city.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_run_of_a_notebook_is_called_default(project):
    found = plan.load(written(project, '[[run]]\nnotebook = "fam/01_first"\nset = { horizon = 48 }'))
    (run,) = found.runs
    assert (found.name, run.id, run.notebook, run.title) == ("city", "default", "fam/01_first", None)
    assert dict(run.parameters) == {"horizon": 48, "source": "synthetic"}
    assert run.path == project / "notebooks" / "fam" / "01_first.ipynb"
    assert run.folder(found.folder(project / "out")) == project / "out" / "city" / "fam" / "01_first" / "default"


def test_a_grid_is_crossed_and_named_by_what_varies(project):
    text = """
    name = "grid"
    title = "A grid"
    [[run]]
    notebook = "fam/01_first.ipynb"
    title = "Ahead"
    set = { source = "synthetic:tiny" }
    grid = { horizon = [24, 48] }
    """
    found = plan.load(written(project, text))
    assert (found.name, found.title) == ("grid", "A grid")
    assert [(r.id, r.title) for r in found.runs] == [
        ("horizon-24", "Ahead: horizon 24"),
        ("horizon-48", "Ahead: horizon 48"),
    ]


def test_two_blocks_of_a_notebook_are_named_by_all_they_set(project):
    text = """
    [[run]]
    notebook = "fam/01_first"
    set = { source = "a", horizon = 1 }
    [[run]]
    notebook = "fam/01_first"
    name = "winter"
    grid = { horizon = [1, 2] }
    [[run]]
    notebook = "fam/01_first"
    """
    assert [r.id for r in plan.load(written(project, text)).runs] == [
        "a_horizon-1",
        "winter_horizon-1",
        "winter_horizon-2",
        "default",
    ]


def test_names_that_would_meet_are_told_apart(project):
    text = '[[run]]\nnotebook = "fam/01_first"\ngrid = { source = ["PM 2", "pm-2"] }'
    ids = [r.id for r in plan.load(written(project, text)).runs]
    assert len(set(ids)) == 2
    assert all(i.startswith("pm-2-") for i in ids)


def test_each_sensor_of_the_source_of_each_combination(project, monkeypatch):
    from citylib.batch.expand import Places

    asked = []

    def values(self, parameter, wish, known, given):
        asked.append((parameter.name, wish, given["source"]))
        return [f"{given['source']}1", f"{given['source']}2"]

    monkeypatch.setattr(Places, "values", values)
    write_notebook(
        project / "notebooks" / "fam" / "02_each.ipynb", parameters='source: str = "s"\nsensor: str | None = None'
    )
    text = """
    [[run]]
    notebook = "fam/02_each"
    title = "At {sensor}"
    grid = { source = ["a", "b"] }
    each = { sensor = "sensors" }
    """
    runs = plan.load(written(project, text)).runs
    assert [r.title for r in runs] == ["At a1", "At a2", "At b1", "At b2"]
    assert [r.id for r in runs] == ["a_a1", "a_a2", "b_b1", "b_b2"]
    assert asked == [("sensor", "sensors", "a"), ("sensor", "sensors", "b")]


def test_limits_of_run_stand_above_the_plans_and_the_callers_above_both(project):
    text = """
    limits = { minutes = 5, memory = "1 GiB" }
    [[run]]
    notebook = "fam/01_first"
    limits = { minutes = 0.5 }
    """
    path = written(project, text)
    assert plan.load(path).runs[0].limits == Limits(0.5, 2**30)
    assert plan.load(path, limits={"memory": "64 MiB"}).runs[0].limits == Limits(0.5, 2**26)


def test_retries_of_a_run_stand_above_the_plans(project):
    text = """
    retries = 2
    [[run]]
    notebook = "fam/01_first"
    [[run]]
    notebook = "fam/01_first"
    set = { horizon = 1 }
    retries = 0
    """
    assert [run.retries for run in plan.load(written(project, text)).runs] == [2, 0]
    assert plan.single(project / "notebooks/fam/01_first.ipynb", {}).runs[0].retries == 0


@pytest.mark.parametrize("given", ["-1", "11", "1.5", "true", '"two"'])
def test_retries_must_be_a_number_of_tries(project, given):
    text = f'retries = {given}\n[[run]]\nnotebook = "fam/01_first"\nretries = {given}'
    with pytest.raises(ParameterError, match="2 faults") as refused:
        plan.load(written(project, text))
    assert "run 1 (fam/01_first): retries must be a whole number from 0 to 10" in str(refused.value)


def test_a_date_of_toml_is_a_date(project):
    write_notebook(
        project / "notebooks" / "fam" / "03_date.ipynb", parameters='since: str = "2016-01-01"  # day [date]'
    )
    text = '[[run]]\nnotebook = "fam/03_date"\nset = { since = 2017-02-03 }'
    assert plan.load(written(project, text)).runs[0].parameters == {"since": "2017-02-03"}


FAULTS = {
    "key of plan": ("nam = 'x'\n[[run]]\nnotebook = 'fam/01_first'", "key must be one of: name.*did you mean 'name'"),
    "key of run": ("[[run]]\nnotebok = 'x'\nnotebook = 'fam/01_first'", "did you mean 'notebook'"),
    "name": ("name = 'A b'\n[[run]]\nnotebook = 'fam/01_first'", "name must be letters"),
    "name of run": ("[[run]]\nname = '../x'\nnotebook = 'fam/01_first'", "name must be letters"),
    "empty": ("", r"at least one \[\[run\]\]"),
    "run is no list": ("run = 3", "at least one"),
    "notebook": ("[[run]]\nnotebook = 'fam/01_frist'", "no such notebook; did you mean 'fam/01_first'"),
    "no notebook": ("[[run]]\nname = 'x'", "notebook must be its name"),
    "parameter": ("[[run]]\nnotebook = 'fam/01_first'\nset = { horizn = 3 }", "did you mean 'horizon'"),
    "domain": ("[[run]]\nnotebook = 'fam/01_first'\ngrid = { horizon = [1, 900] }", "horizon must lie in"),
    "set": ("[[run]]\nnotebook = 'fam/01_first'\nset = 3", "set must be a table"),
    "grid": ("[[run]]\nnotebook = 'fam/01_first'\ngrid = { horizon = 3 }", "grid.horizon must be a list"),
    "empty grid": ("[[run]]\nnotebook = 'fam/01_first'\ngrid = { horizon = [] }", "grid.horizon must be a list"),
    "both": ("[[run]]\nnotebook = 'fam/01_first'\nset = { horizon = 3 }\ngrid = { horizon = [3] }", "in one of set"),
    "each": ("[[run]]\nnotebook = 'fam/01_first'\neach = { horizon = 'sensor' }", 'be "sensors" or'),
    "source": ("[[run]]\nnotebook = 'fam/01_first'\nset = { source = 'trafic-i94' }\neach = { horizon = 'sensors' }",
               "did you mean 'traffic-i94'"),
    "limit": ("[[run]]\nnotebook = 'fam/01_first'\nlimits = { minuts = 3 }", "limits must be among minutes"),
    "limit value": ("[[run]]\nnotebook = 'fam/01_first'\nlimits = { memory = 'much' }", "memory must be a size"),
    "limits": ("limits = 3\n[[run]]\nnotebook = 'fam/01_first'", "limits.*must be a table"),
    "same twice": ("[[run]]\nnotebook = 'fam/01_first'\n[[run]]\nnotebook = 'fam/01_first'", "the same run as one of"),
    "same name": ("[[run]]\nname = 'a'\nnotebook = 'fam/01_first'\n[[run]]\nname = 'a'\nnotebook = 'fam/01_first'",
                  "same run"),
    "same but for the name": ("[[run]]\nnotebook = 'fam/01_first'\n[[run]]\nname = 'a'\nnotebook = 'fam/01_first'\n"
                              "set = { horizon = 24 }", "the same run as one of run 1"),
    "broken": ("[[run]", "not valid TOML"),
    "endless number": (f"[[run]]\nnotebook = 'fam/01_first'\nset = {{ horizon = {'1' * 5000} }}", "not valid TOML"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_plan_out_of_form_is_refused(project, case):
    text, rule = FAULTS[case]
    with pytest.raises(ParameterError, match=rule):
        plan.load(written(project, text))


def test_all_faults_of_a_plan_are_told_together(project):
    text = """
    nam = "x"
    [[run]]
    notebook = "fam/01_frist"
    [[run]]
    notebook = "fam/01_first"
    grid = { horizon = [0, 900], souce = ["a", "b"] }
    limits = { memory = "much" }
    [[run]]
    notebook = "fam/01_first"
    set = { horizon = 169 }
    grid = { source = "synthetic" }
    """
    with pytest.raises(ParameterError) as caught:
        plan.load(written(project, text))
    faults = caught.value.faults
    assert len(faults) == 8, faults
    assert sum("souce" in fault for fault in faults) == 1


SEVERAL = {
    "a source that is unknown, in each of two blocks": (
        "set = { source = 'trafic-i94' }\neach = { place = 'sensors' }", "set = { source = 'nope' }\n"
        "each = { place = { column = 'district' } }",
        ["run 1.*did you mean 'traffic-i94'", "run 2.*source must be one of.*'nope'"],
    ),
    "two columns of one block": (
        "each = { place = { column = 'distrct' }, year = { column = 'yaer' } }", "",
        ["each.place.column.*'distrct'; did you mean 'district'", "each.year.column.*'yaer'"],
    ),
    "a column, and what is set beside it": (
        "set = { number = 99, nothing = 1 }\neach = { place = { column = 'x' }, anything = 'sensors' }", "",
        ["each.place.column", "number must lie in", "nothing must be one of", "anything must be one of"],
    ),
    "filters": (
        "each = { place = { column = 'district', where = 'district >' } }",
        "each = { place = { column = 'district', where = 'district > 3' }, year = { column = 'district', "
        "where = 'distrct == 3' } }",
        ["run 1.*each.place.where must compare", "run 2.*each.place.where.*own kind", "column in each.year.where"],
    ),
    "limits": (
        "limits = { minutes = -1, memory = 'much', outpt = 3 }",
        "set = { year = 3 }\nlimits = { output = 'big', minutes = 'x' }",
        ["run 1.*minutes must be more", "run 1.*memory must be a size", "run 1.*'outpt'",
         "run 2.*output must be a size", "run 2.*minutes must be more"],
    ),
    "types": (
        "title = 3\nset = { number = '3', place = 4 }", "set = { number = 1.5, year = true, source = ['a'] }\n"
        "each = { place = 'sensors' }",
        ["run 1.*title must be text", "run 1.*number must be int", "run 1.*place must be str",
         "run 2.*number must be int", "run 2.*year must be int", "run 2.*source must be str"],
    ),
    "the same run, and another fault": (
        "set = { number = 3 }", "grid = { number = [3, 4, 4, 10] }",
        ["run 2.*the same run as one of run 1", "run 2.*the same run as one of run 2", "run 2.*number must lie in"],
    ),
    "tables": (
        "set = 3\ngrid = 4\neach = 5\nlimits = 6\nretries = 'x'\nname = 'A b'\nwhat = 7",
        "grid = { number = [] }\nset = { year = 3 }",
        ["set must be a table", "grid must be a table", "each must be a table", "limits: must be a table",
         "retries must", "name must be letters", "key must be one of.*'what'", "grid.number must be a list"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SEVERAL)
def test_several_faults_in_one_block_or_two_are_told_together(project, case):
    first, second, rules = SEVERAL[case]
    write_notebook(
        project / "notebooks" / "fam" / "05_many.ipynb",
        parameters='source: str = "synthetic:tiny"\nplace: str = ""\nyear: int = 0\nnumber: int = 1  # any [1..9]',
    )
    block = '[[run]]\nnotebook = "fam/05_many"\n'
    with pytest.raises(ParameterError) as caught:
        plan.load(written(project, f"{block}{first}\n" + (f"{block}{second}\n" if second else "")))
    faults = caught.value.faults
    for rule in rules:
        assert any(re.search(rule, fault) for fault in faults), (rule, faults)
    assert len(faults) == len(rules), faults


def test_a_plan_that_is_not_there_is_refused(project):
    with pytest.raises(ParameterError, match="cannot be read"):
        plan.load(project / "nowhere.toml")


def test_a_notebook_out_of_form_is_a_fault_of_the_plan(project):
    write_notebook(project / "notebooks" / "fam" / "04_none.ipynb", parameters=None)
    with pytest.raises(ParameterError, match="no cells tagged"):
        plan.load(written(project, '[[run]]\nnotebook = "fam/04_none"'))


def test_a_notebook_alone_makes_a_plan_of_one(project):
    path = project / "notebooks" / "fam" / "01_first.ipynb"
    assert plan.single(path, {}).runs[0].id == "default"
    made = plan.single(path, {"horizon": 48}, limits={"minutes": 1})
    assert (made.name, made.runs[0].id, made.runs[0].limits.minutes) == ("single", "horizon-48", 1)


@pytest.mark.parametrize("name", ["fam/01_first", "fam/01_first.ipynb", "notebooks/fam/01_first.ipynb"])
def test_a_notebook_is_found_by_name_or_path(project, name):
    assert plan.find_notebook(name, project) == project / "notebooks" / "fam" / "01_first.ipynb"


def test_a_notebook_elsewhere_is_found_by_path(project, monkeypatch):
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")
    path = write_notebook(project / "Mine, all.ipynb")
    assert plan.find_notebook("../Mine, all.ipynb", project / "below") == path
    run = plan.single(Path("../Mine, all.ipynb"), {}).runs[0]
    assert run.notebook.endswith("/mine-all")
    with pytest.raises(NotebookError, match="no such notebook"):
        plan.find_notebook("elsewhere", project)


def test_limits_are_refused_where_they_make_no_sense():
    with pytest.raises(InputError, match="minutes must be more than 0"):
        Limits(minutes=0)


def test_a_plan_kept_elsewhere_runs_the_chapters_of_this_project(project, tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "mine.toml"
    path.write_text('[[run]]\nnotebook = "fam/01_first"\n')
    (run,) = plan.load(path).runs
    assert run.path == project / "notebooks" / "fam" / "01_first.ipynb"


def test_two_notebooks_of_one_name_do_not_share_a_folder(project):
    other = write_notebook(project / "elsewhere" / "fam" / "01_first.ipynb", "x = horizon")
    text = f"[[run]]\nnotebook = 'fam/01_first'\n[[run]]\nnotebook = '{other}'"
    with pytest.raises(ParameterError, match="another notebook's run is kept as fam/01_first/default"):
        plan.load(written(project, text))


def test_values_that_read_alike_make_runs_of_different_names(project):
    path = project / "notebooks" / "fam" / "01_first.ipynb"
    ids = {plan.single(path, {"source": source}).runs[0].id for source in ("Data 1", "data-1", "DATA.1")}
    assert len(ids) == 3
    assert "data-1" in ids
