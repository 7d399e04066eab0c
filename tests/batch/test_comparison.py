"""`compare` in a plan: what it makes of its runs, and all that may be wrong with it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from citylib.batch import comparison, plan
from citylib.batch.comparison import Comparison
from citylib.errors import ParameterError

BLOCK = '[[run]]\nnotebook = "fam/01_first"\ngrid = {{ horizon = [24, 48] }}\ncompare = {{ {} }}\n'


def load(project: Path, text: str) -> plan.Plan:
    path = project / "city.toml"
    path.write_text(text, encoding="utf-8")
    return plan.load(path)


def test_runs_of_a_block_with_compare_belong_to_it_and_others_keep_their_names(project: Path) -> None:
    text = '[[run]]\nnotebook = "fam/01_first"\nset = { horizon = 12 }\n'
    text += BLOCK.format('by = "horizon", name = "ahead", rank = "mae", best = "low", curves = "by_step"')
    runs = load(project, text).runs
    assert [(r.id, r.comparison and r.comparison.name) for r in runs] == [
        ("default", None),
        ("ahead_horizon-24", "ahead"),
        ("ahead_horizon-48", "ahead"),
    ]
    expected = Comparison("ahead", "Ahead", "horizon", rank="mae", best="low", curves="by_step")
    assert runs[1].comparison == runs[2].comparison == expected


def test_a_block_without_more_than_by_has_names_of_it(project: Path) -> None:
    one = load(project, BLOCK.format('by = "horizon"')).runs[0]
    assert one.comparison == Comparison("horizon", "Horizon", "horizon")
    text = BLOCK.format('by = "horizon"') + 'title = "How far ahead"\n'
    assert load(project, text).runs[0].comparison == Comparison("horizon", "How far ahead", "horizon")


@pytest.mark.parametrize(
    ("given", "varied", "said"),
    [
        ([1], ["a"], ["compare must be a table, got [1]"]),
        ({"by": 3}, ["a"], ["compare.by must be text, got 3"]),
        ({}, ["a"], ["compare.by must name the parameter that differs from run to run"]),
        ({"by": "senser"}, ["sensor"], ["got 'senser'; did you mean 'sensor'?"]),
        ({"by": "a"}, ["a", "b"], ["so that a place has one run; b varies too"]),
        ({"by": "a", "name": "Ä"}, ["a"], ["compare.name must be letters"]),
        ({"by": "a", "best": "lov", "rank": "x"}, ["a"], ["got 'lov'; did you mean 'low'?"]),
        ({"by": "a", "best": "low"}, ["a"], ["compare.best must come with rank"]),
        (
            {"by": "a", "rank": "A b", "curves": "2"},
            ["a"],
            ["compare.rank must be snake_case", "compare.curves must be"],
        ),
        ({"bye": "a", "title": " "}, ["a"], ["got 'bye'; did you mean 'by'?", "compare.title must be text"]),
    ],
)
def test_all_faults_are_told(given: Any, varied: list[str], said: list[str]) -> None:
    found, faults = comparison.read(given, varied)
    assert found is None
    assert len(faults) == len(said)
    for text, fault in zip(said, faults, strict=True):
        assert text in fault


def test_faults_are_told_with_those_of_the_rest_of_the_plan(project: Path) -> None:
    text = BLOCK.format('by = "horizn"') + BLOCK.format('by = "horizon", name = "one"')
    text += BLOCK.format('by = "horizon", name = "one"').replace("48", "0")
    with pytest.raises(ParameterError) as caught:
        load(project, text)
    told = "\n".join(caught.value.faults)
    assert "run 1 (fam/01_first): compare.by must be a parameter that grid or each varies" in told
    assert "run 3 (fam/01_first): compare.name must be another than that of run 2 (fam/01_first): 'one'" in told
    assert "must not be the same run" in told
