"""Names of runs: short, safe, told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.batch import names


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ({}, ""),
        ({"source": "air-beijing-multisite", "sensor": "Dongsi"}, "air-beijing-multisite_dongsi"),
        ({"min_gaps": 30, "quick": True, "sensor": None}, "min-gaps-30_quick-yes_sensor-none"),
        ({"low": -1.5}, "low-minus-1-5"),
        ({"orders": [2, 1, 2]}, "orders-2-1-2"),
        ({"name": ""}, "name"),
    ],
)
def test_values_make_readable_names(given_, name):
    assert names.of_values(given_) == name


def test_letters_that_are_lost_are_told_apart_by_a_hash():
    assert names.slug("东四") != names.slug("怀柔")
    assert names.good(names.slug("东四"))


@given(st.text(max_size=5000))
def test_any_value_makes_a_safe_name(text):
    name = names.of_values({"sensor": text})
    assert names.good(name)


def test_long_values_that_differ_have_names_that_differ():
    first, second = (names.of_values({"a": "x" * 4000 + end}) for end in "yz")
    assert first != second
    assert len(first) <= names.LONGEST


@pytest.mark.parametrize(
    ("text", "varied", "title"),
    [
        (None, {}, None),
        ("PM2.5", {}, "PM2.5"),
        ("PM2.5 at {sensor}", {"sensor": "Dongsi"}, "PM2.5 at Dongsi"),
        ("PM2.5", {"sensor": "Dongsi", "min_gaps": 3}, "PM2.5: Dongsi, min gaps 3"),
        ("{unknown}", {}, "{unknown}"),
    ],
)
def test_titles_say_what_varies(text, varied, title):
    assert names.title(text, varied, varied) == title


def test_an_exact_name_belongs_to_one_choice_of_values():
    alike = [
        [{"s": "PM2.5"}, {"s": "pm2-5"}, {"s": "PM2 5"}],
        [{"s": None}, {"s": "none"}],
        [{"s": ["a-b"]}, {"s": ["a", "b"]}],
        [{"f": 1e16}, {"f": 1e-16}],
    ]
    for group in alike:
        assert len({names.of_values(given, exact=True) for given in group}) == len(group)
    assert names.of_values({"source": "weather-cities", "n": 48}, exact=True) == "weather-cities_n-48"
