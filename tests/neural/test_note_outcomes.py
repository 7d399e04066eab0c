"""Outcomes are coded by phrases, and no phrase of any rule is left for whoever learns them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from citylib import data
from citylib.data.synthetic import city
from citylib.errors import InputError
from citylib.neural import note_outcomes as rules
from citylib.neural.text_masking import Masker


@pytest.mark.parametrize(
    ("note", "outcome"),
    [
        ("case resolved", "done"),
        ("case noted [number] stickers delivered on [date]", "done"),
        ("case resolved vehicle not at location", "not found"),
        ("case resolved canvassed the area. no needles found", "not found"),
        ("case resolved no other syringes found", "done"),
        ("case noted nothing to prune", "not found"),
        ("duplicate of existing case [number] is still active", "duplicate"),
        ("case noted this request exists already", "duplicate"),
        ("case invalid tree is on private property", "invalid"),
        ("case noted work order was written", "passed on"),
        ("case resolved made safe. will be referred for permanent repair", "done"),
        ("case noted the light will be repaired in the spring", "passed on"),
        ("case noted no work is needed at the time of inspection", "no action"),
        ("case noted", "no action"),
        ("adclsd: administratively closed", "no action"),
        ("vioiss: violation filed", "enforced"),
        ("novio: no violation found / no cause", "not found"),
        ("the weather was fine", rules.UNCODED),
        ("", rules.UNCODED),
    ],
)
def test_code(note: str, outcome: str) -> None:
    assert rules.code([note]) == [outcome]


def test_nothing_of_a_rule_is_left() -> None:
    notes = city(0, "tiny").table("closure_notes")["closure_note"]
    hidden = rules.hide(rules.after_opening(notes))
    assert set(rules.code(hidden)) == {rules.UNCODED}
    assert rules.hide(hidden) == hidden
    assert not any(f"{rules.HIDDEN} {rules.HIDDEN}" in text for text in hidden)


def test_the_opening_goes_whatever_its_form() -> None:
    notes = ["Case Closed. Closed date : 2015-12-29 08:32:59.2 ROA: x", "CASE CLOSED - Case Noted", "Case Closed", "a"]
    assert rules.after_opening(notes) == ["ROA: x", "Case Noted", "", "a"]


def test_a_case_without_a_note_is_refused_and_no_text_is_told() -> None:
    with pytest.raises(InputError, match=r"notes must be texts.*float at 1"):
        rules.after_opening(["Case Closed. Lamp replaced, Somers", float("nan")])  # type: ignore[list-item]
    for of in (rules.code, rules.hide):
        with pytest.raises(InputError, match=r"notes must be texts.*float at 0"):
            of([float("nan")])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"text must be a text.*float"):
        Masker.learn(["lamp replaced", float("nan")])  # type: ignore[list-item]


def test_rules_against_what_was_planted() -> None:
    notes = city(0, "tiny").table("closure_notes")
    coded = pd.Series(rules.code(rules.after_opening(notes["closure_note"])), index=notes.index)
    right = coded == notes["ended"]
    assert 0.9 < right.mean() < 1  # a bare "Case Resolved" does not tell that nothing was found
    bare = notes["closure_note"].str.contains(r"Case Resolved$")
    assert set(coded[bare]) == {"done"}
    assert (notes.loc[bare, "ended"] != "done").any()


def test_the_table_names_every_outcome() -> None:
    assert rules.rules()["outcome"].tolist() == list(rules.OUTCOMES)
    assert (rules.rules()["patterns"] > 0).all()


def test_the_cases_read_are_kept_without_a_word_of_their_notes() -> None:
    kept = data.recorded("boston_notes_read")
    read = kept["runs"][0]["read"]
    assert len(read) == len({one["request"] for one in read}) == 200
    assert {key for one in read for key in one} == {"request", "rule", "read"}
    assert {one["rule"] for one in read} | {one["read"] for one in read} <= set(rules.OUTCOMES)
    assert max(len(word) for word in json.dumps(read).split('"')) < 15


@pytest.mark.real
@pytest.mark.slow
def test_the_rules_still_say_what_they_said_when_the_cases_were_read(boston: pd.DataFrame, tmp_path: Path) -> None:
    from benchmarks import neural_text

    kept = data.recorded("boston_notes_read")["runs"][0]
    drawn = neural_text.drawn(neural_text.prepared(boston), seed=kept["seed"], number=200)
    assert drawn["request"].tolist() == [one["request"] for one in kept["read"]]
    assert drawn["outcome"].tolist() == [one["rule"] for one in kept["read"]]
