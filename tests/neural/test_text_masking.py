"""Nobody planted in a note is left in it, whatever way the name, address or number is written."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from citylib.data.synthetic import city
from citylib.errors import InputError
from citylib.neural import note_outcomes
from citylib.neural.text_masking import MARKS, Masker, mask_contacts
from citylib.neural.text_words import GIVEN, ORDINARY

NOTES = [
    "the lamp was out and our crew replaced the ballast there",
    "crew went to the corner but the owner had fixed the field drain already",
] * 6


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail j.doe@city.gov now", "mail [email] now"),
        ("mail J_Doe+311@mail.city.co.uk", "mail [email]"),
        ("call 617-635-4500", "call [phone]"),
        ("call (617) 635-4500 x12", "call [phone]"),
        ("call 617.635.4500", "call [phone]"),
        ("call 6176354500", "call [phone]"),
        ("call 1-617-635-4500", "call [phone]"),
        ("call 635-4500", "call [phone]"),
        ("call +44 20 7946 0958", "call [phone]"),
        ("call ext. 4500", "call [phone]"),
        ("see www.city.gov/a?b=c", "see [link]"),
        ("on 2015-03-04 and 3/4/15 and 3/4", "on [date] and [date] and [date]"),
        ("on March 4th, 2015", "on [date]"),
        ("at 10:30 am, 10:30:59.12", "at [time], [time]"),
        ("case 101001342849 and #39 and td83", "case [number] and [number] and [number]"),
        ("[email] and [phone] stay", "[email] and [phone] stay"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_what_has_a_form(text: str, masked: str) -> None:
    assert mask_contacts(text) == masked


@pytest.mark.parametrize(
    "signed",
    [
        "Lamp replaced. Michael Somers",
        "Lamp replaced - M. Somers",
        "LAMP REPLACED SOMERS",
        "lamp replaced victor / somers / billy",
        "Lamp replaced by Mr. Somers",
        "Lamp replaced, spoke with Somers and O'Dwyer",
        "Lamp replaced. Sincerely Mark Field",
        "lamp replaced. thanks mark / field",
        "Lamp replaced, thank you FIELD",
        "Lamp replaced. Grace",
        "Lamp replaced. Zoë Åkesson",
        "lamp replaced [somers]",
        "lamp replaced by [number] [somers]",
    ],
)
def test_names_in_all_ways_of_writing(signed: str) -> None:
    masked = Masker.learn(NOTES).mask(signed)
    words = set(re.findall(r"[^\W\d_]+", re.sub(r"\[\w+\]", " ", masked)))
    assert words <= {"lamp", "replaced", "by", "mr", "spoke", "with", "and", "sincerely", "thanks", "thank", "you"}
    assert "[name]" in masked


def test_ordinary_words_stay() -> None:
    masker = Masker.learn(NOTES)
    assert masker.mask("Case Resolved Lamp Replaced by our crew") == "case resolved lamp replaced by our crew"
    assert masker.mask("the drain in the field") == "the drain in the field"  # a word, where no name is near


def test_a_signature_is_no_ordinary_word_however_often_it_is_written_small() -> None:
    notes = ["lamp was fixed today mchugh", "the crew fixed a lamp there mchugh"] * 20
    assert "mchugh" not in Masker.learn(notes).ordinary


def test_a_name_in_a_title_is_gone_and_what_many_titles_hold_stays() -> None:
    titles = ["graffiti removal", "loose manhole (utility)"] * 20 + ["graffiti removal somers", "victor removal"] * 3
    masker = Masker.learn(titles, least=20, last=1.0)
    assert masker.mask("graffiti removal somers") == "graffiti removal [name]"
    assert masker.mask("victor removal") == "[name] removal"
    assert masker.mask("loose manhole") == "loose manhole"


def test_the_words_known_beforehand_do_not_contradict_each_other() -> None:
    assert not GIVEN & ORDINARY


def test_planted_people_are_gone() -> None:
    notes = city(0, "standard", sensors=2, stations=1, days=120, mains=10).table("closure_notes")
    raw = note_outcomes.after_opening(notes["closure_note"])
    masked = Masker.learn(raw).mask_all(raw)
    left, planted = 0, 0
    for text, named in zip(masked, notes["named"].str.lower(), strict=True):
        words = set(re.split(r"[\s.,;:/]+", text))
        planted += len(named.split())
        left += sum(word in words for word in named.split())
        assert "@" not in text
        assert "555" not in text
    assert planted > 1000
    assert left / planted < 0.04  # what is left are words of city work: one of the staff is called Park


def test_counts() -> None:
    found = Masker.count(["[name] [name] at [phone]", "[name]", "nobody"])
    assert found["[name]"] == (3, 2)
    assert found["[phone]"] == (1, 1)
    assert set(found) == set(MARKS)


def test_refusals() -> None:
    with pytest.raises(InputError, match="texts"):
        Masker.learn([])
    with pytest.raises(InputError, match="least"):
        Masker.learn(NOTES, least=0)
    with pytest.raises(InputError, match="last"):
        Masker.learn(NOTES, last=2.0)


@pytest.mark.real
def test_the_real_notes(boston: pd.DataFrame) -> None:
    raw = note_outcomes.after_opening(boston["closure_note"].dropna())
    masker = Masker.learn(raw[:40_000])
    masked = masker.mask_all(raw)
    counts = Masker.count(masked)
    assert counts["[name]"][1] > 20_000
    assert counts["[email]"][1] + counts["[phone]"][1] > 3_000
    joined = " ".join(masked)
    assert not re.search(r"\S@\S", joined)
    assert not re.search(r"\d{3}[-. ]\d{4}", joined)
