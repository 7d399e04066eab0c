"""Outcomes are read from the phrase at the head of a closure note, and from nothing behind it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from citylib.data.dataset import Dataset
from citylib.data.sources import closure_phrases


@pytest.mark.parametrize(
    ("note", "outcome"),
    [
        ("Case Closed. Closed date : 2015-01-05 10:07:09.523 Case Resolved", "resolved"),  # the date is no phrase
        ("Case Closed. Closed date : 2015-01-05 10:07:09.0 NOVIO: no violation found", "inspected"),
        ("Case Closed. Closed date : 2015-01-05 Case Noted", "noted"),
        ("Case Closed. Closed date : 2015-01-05 10:07:09.52 :", "closed, unspecified"),
        ("Case Closed. Closed date", "closed, unspecified"),
        ("Case Closed. Closed date : 2015-01-05 10:07:09.523 somebody wrote Case Resolved", "other"),  # no head
        ("Case Closed Case Closed in AVRS", "closed, unspecified"),
        ("Case Closed", "closed, unspecified"),
        (" CASE CLOSED -  ", "closed, unspecified"),
        ("Case Closed Case Resolved Case Invalid", "resolved"),
        ("Case Closed. Case Noted.", "noted"),
        ("Case Closed Case Invalid No case details", "invalid"),
        ("Case Closed Duplicate of Existing Case", "duplicate"),
        ("Case Closed Internal Case Performed by", "internal"),
        ("Case Closed Bulk Item Automation", "automated"),
        ("Case Closed Case Referred to external agency", "referred"),
        ("Case Closed ROA: refer to other agency", "referred"),
        ("Case Closed NOVIO: no violation found", "inspected"),
        ("Case Closed ADCLSD: administratively closed", "administrative"),
        ("Case Closed CLOSED: closed/no permit", "administrative"),
        ("Case Closed Corrected by the owner", "other"),  # a word, not the inspectors' code
        ("Case Closed somebody was there", "other"),
        ("Case Resolved", "resolved"),
        (None, None),
    ],
)
def test_the_head_of_a_note(note: str | None, outcome: str | None) -> None:
    assert closure_phrases.outcome(pd.Series([note], dtype=object)).tolist() == [outcome]


def test_the_longest_phrase_counts() -> None:
    phrases = list(closure_phrases.PHRASES)
    notes = pd.Series([f"Case Closed {phrase} and more" for phrase in phrases if phrase])
    expected = [closure_phrases.PHRASES[phrase][0] for phrase in phrases if phrase]
    assert closure_phrases.outcome(notes).tolist() == expected


def test_the_table_documents_every_phrase() -> None:
    table = closure_phrases.table()
    assert len(table) == len(closure_phrases.PHRASES)
    assert table["phrase"].is_unique
    assert (table["says"].str.len() > 3).all()


def test_no_notes() -> None:
    assert closure_phrases.outcome(pd.Series([], dtype=object)).tolist() == []


@pytest.mark.real
def test_the_real_notes(real: Callable[[str], Dataset]) -> None:
    table = real("requests-boston-311").table("requests")
    counts = table["outcome"].value_counts()
    share = counts / table["closed"].notna().sum()
    assert share["closed, unspecified"] == pytest.approx(0.0186, abs=5e-5)
    assert share["resolved"] == pytest.approx(0.5614, abs=5e-5)
    # counts by eye, from the first words of the notes of closed cases (the phrases as they stand in the file)
    assert counts[["internal", "automated", "duplicate"]].tolist() == [5935, 4823, 3215]
    assert counts["other"] < 10
    assert table.loc[table["closed"].isna(), "outcome"].isna().all()


@pytest.mark.real
def test_the_opening_is_the_one_that_neural_takes_away(real: Callable[[str], Dataset]) -> None:
    from citylib.neural.note_outcomes import after_opening

    notes = real("requests-boston-311").table("requests")["closure_note"].dropna()
    ours = notes.str.replace(closure_phrases.OPENING, "", regex=True, case=False)
    assert ours.tolist() == after_opening(notes)


@pytest.mark.parametrize("stamp", ["", " 2015-01-05 10:07:09.523", " 2015-12-31 23:59:59"])
@pytest.mark.parametrize("rest", ["", " :", " Case Resolved 2015", " NOVIO: no violation", " Lamp out. Case Closed"])
def test_the_opening_is_the_one_that_neural_takes_away_of_made_up_notes(stamp: str, rest: str) -> None:
    from citylib.neural.note_outcomes import after_opening

    note = f"Case Closed. Closed date :{stamp}{rest}" if stamp else f"Case Closed{rest}"
    ours = pd.Series([note]).str.replace(closure_phrases.OPENING, "", regex=True, case=False)
    assert ours.tolist() == after_opening([note])
