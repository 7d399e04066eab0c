"""Types and domains of parameters: what is read, what is refused."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.batch.domains import Domain, Kind
from citylib.errors import InputError


def kind(text: str) -> Kind:
    return Kind.of(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    "text",
    ["str", "int", "float", "bool", "list[str]", "list[float]", "int | None", "list[int] | None", "'str | None'"],
)
def test_a_known_type_is_read_and_said_again(text):
    assert str(kind(text)) == text.strip("'")


@pytest.mark.parametrize(
    "text", ["dict", "list", "tuple[int]", "Optional[int]", "int | str", "None | int", "'for'", "int | None | None"]
)
def test_another_type_is_refused(text):
    with pytest.raises(InputError, match="type must be one of"):
        kind(text)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ("str", "a b", "a b"),
        ("str", "none", "none"),
        ("str | None", "None", None),
        ("int", " 48 ", 48),
        ("int", "-3", -3),
        ("float", "3", 3.0),
        ("float", "1e-3", 0.001),
        ("bool", "yes", True),
        ("bool", "False", False),
        ("list[int]", "[2, 1, 2]", [2, 1, 2]),
        ("list[int]", "2,1,2", [2, 1, 2]),
        ("list[int]", "", []),
        ("list[str]", "['a', \"b\"]", ["a", "b"]),
        ("list[str]", '["a"]', ["a"]),
        ("list[str]", "a, b", ["a", "b"]),
        ("list[bool]", "[true, false]", [True, False]),
        ("list[float]", "[1, 2.5]", [1.0, 2.5]),
    ],
)
def test_text_is_read_by_the_declared_type(declared, text, value):
    read = kind(declared).parse(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("declared", "text"),
    [("int", "x"), ("int", "1.5"), ("int", "True"), ("float", "x"), ("bool", "1"), ("list[int]", "[1"),
     ("list[int]", "[1.5]"), ("int", "__import__('os')"), ("float", "1e999")],
)  # fmt: skip
def test_text_of_another_type_is_refused(declared, text):
    with pytest.raises(InputError, match="must be"):
        kind(declared).parse(text)


@given(st.lists(st.integers()) | st.lists(st.text(alphabet="abc", min_size=1)))
def test_a_list_written_as_python_is_read_back(values):
    declared = "list[int]" if all(isinstance(v, int) for v in values) else "list[str]"
    assert kind(declared).parse(repr(values)) == values


@pytest.mark.parametrize(
    ("declared", "domain", "good", "bad"),
    [
        ("int", "1..168", [1, 168], [0, 169]),
        ("int", "0..", [0, 10**9], [-1]),
        ("int", "..5", [5, -9], [6]),
        ("float", "-1e-3 .. 0.5", [-0.001, 0.5], [-0.002, 0.6]),
        ("str", "none | daily | 'a b'", ["none", "a b"], ["dayly", "", "zzzzzz"]),
        ("int", "1 | 2 | 4", [2], [3]),
        ("str", "date", ["2016-02-29"], ["2016-02-30", "2016-2-1", "20160201", ""]),
        ("list[int]", "0..5", [[0, 5], []], [[0, 6]]),
        ("int | None", "1..2", [None, 1], [3]),
    ],
)
def test_a_domain_holds_its_values_and_no_others(declared, domain, good, bad):
    within = Domain.of(domain, kind(declared))
    for value in good:
        within.hold(value)
    for value in bad:
        with pytest.raises(InputError, match="value must"):
            within.hold(value)


def test_a_wrong_choice_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'daily'"):
        Domain.of("none | daily", Kind("str")).hold("dayly")


@pytest.mark.parametrize(
    ("declared", "domain"),
    [("int", "mph"), ("int", "1-5"), ("str", "1..5"), ("int", "date"), ("int", "5..1"), ("int", ".."), ("int", "a | b"),
     ("int", "1e..2"), ("bool", "0..1")],
)  # fmt: skip
def test_what_is_no_domain_is_refused(declared, domain):
    with pytest.raises(InputError, match="domain must"):
        Domain.of(domain, kind(declared))


@pytest.mark.parametrize(
    ("declared", "value"),
    [("int", True), ("int", 1.0), ("float", "1"), ("float", float("nan")), ("str", 1), ("bool", 1),
     ("list[int]", (1, 2)), ("list[int]", [1, None]), ("int", None), ("list[float]", [True])],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(declared, value):
    with pytest.raises(InputError, match="value must be"):
        kind(declared).take(value)


def test_an_int_does_for_a_float():
    taken = kind("list[float]").take([1, 2.5])
    assert taken == [1.0, 2.5]
    assert all(type(t) is float for t in taken)


@pytest.mark.parametrize(("declared", "text"), [("float", "1" * 400), ("int", "(" * 300), ("list[int]", "[" * 3000)])
def test_a_number_beyond_all_bounds_is_refused_like_any_other(declared, text):
    with pytest.raises(InputError, match="value must be"):
        kind(declared).parse(text)
