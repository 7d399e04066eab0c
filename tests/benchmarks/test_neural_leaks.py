"""The row of the leak tests holds each of them by name: all are there, and one that is missed or skipped fails it."""

from __future__ import annotations

import ast

import pytest

from benchmarks import neural
from benchmarks.rows import ROOT


def test_every_leak_test_is_there() -> None:
    for names in neural.LEAKS.values():
        for name in names:
            path, function = name.split("::")
            tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
            assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


@pytest.mark.parametrize("fault", [{"code": 1}, {"missed": ["a test"]}, {"others": 1}])
def test_one_that_fails_or_is_skipped_fails_the_row(fault: dict[str, object]) -> None:
    whole = {"code": 0, "asked": {"after the cut": 2}, "missed": [], "others": 0}
    assert neural.judge_leaks(whole).ok
    assert not neural.judge_leaks(whole | fault).ok
