"""Builders of MyST: what is shown is what was meant."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.publish import markdown


def test_text_has_no_meaning_left_in_it() -> None:
    assert markdown.text("a*b_c`d`[e](f) <g> $h$ | #i ~j\nk") == (
        "a\\*b\\_c\\`d\\`\\[e\\](f) \\<g\\> \\$h\\$ \\| \\#i \\~j k"
    )


def test_code_is_fenced_by_enough_backticks() -> None:
    assert markdown.code("a ``b`` c") == "``` a ``b`` c ```"
    assert markdown.code("") == "` `"


def test_prose_keeps_balanced_code_only() -> None:
    assert markdown.prose("a `b_c` d_e") == "a `b_c` d\\_e"
    assert markdown.prose("a ` b") == "a \\` b"


def test_a_table_has_head_rows_and_classes() -> None:
    made = markdown.table(["a", "b"], [["1", "2"]], caption="Two", name="two")
    assert made.splitlines()[:5] == ["::::{table} Two", ":class: sortable", ":name: two", "", "| a | b |"]
    with pytest.raises(InputError, match="row must have 2 cells"):
        markdown.table(["a", "b"], [["1"]])


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"value": 0.51234}, "0.512"),
        ({"value": 7, "unit": "breaks"}, "7 breaks"),
        ({"value": "Dongsi"}, "Dongsi"),
        ({"value": True}, "True"),
        ({"value": 1.0, "interval": [0.5, 2.25], "level": 0.9}, "1 (90% interval 0.5 to 2.25)"),
    ],
)
def test_records_in_one_phrase(record: dict[str, object], shown: str) -> None:
    assert markdown.record_text(record) == shown
