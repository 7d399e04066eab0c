"""The table and the tests agree, and the survey counts what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.survey import count
from tests.faults.table import CELLS, FAULTS

HERE = Path(__file__).parent


def case(name: str, inside: str = "") -> str:
    return f'<testcase name="t"><properties><property name="fault" value="{name}"/></properties>{inside}</testcase>'


def test_every_row_says_what_happens_and_what_must_hold_and_has_a_test():
    assert len(FAULTS) >= 20
    named = {name for path in HERE.glob("test_*.py") for name in re.findall(r'fault\("([\w-]+)"\)', path.read_text())}
    assert named | CELLS.keys() == FAULTS.keys()
    for name, row in FAULTS.items():
        assert re.fullmatch(r"[a-z][a-z-]+", name)
        assert row.what
        assert row.holds
    for row in CELLS.values():
        assert row.ends
        assert bool(row.says) == (row.ends[0] != "ok")


@pytest.mark.parametrize(
    ("cases", "survived", "failed", "skipped"),
    [
        ([], 0, set(FAULTS), set()),
        ([case(name) for name in FAULTS], len(FAULTS), set(), set()),
        ([case(name) for name in FAULTS] + [case("segfault", "<failure/>")], len(FAULTS) - 1, {"segfault"}, set()),
        ([case(n, "<error/>" if n == "daemon" else "") for n in FAULTS], len(FAULTS) - 1, {"daemon"}, set()),
        (
            [case(n, '<skipped message="no mount"/>' if n == "disk-full" else "") for n in FAULTS],
            len(FAULTS) - 1,
            set(),
            {"disk-full"},
        ),
    ],
)
def test_a_fault_is_survived_if_its_tests_have_run_and_passed(cases, survived, failed, skipped):
    found = count(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    assert (found["faults"], found["survived"], found["tests"]) == (len(FAULTS), survived, len(cases))
    assert (set(found["failed"]), set(found["skipped"])) == (failed, skipped)
    assert found["ok"] is (survived == len(FAULTS))


def test_a_test_that_fails_and_is_about_no_one_fault_counts_too():
    cases = [case(name) for name in FAULTS] + ['<testcase name="left"><failure/></testcase>']
    found = count(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    assert (found["survived"], found["others"], found["ok"]) == (len(FAULTS), ["left"], False)
