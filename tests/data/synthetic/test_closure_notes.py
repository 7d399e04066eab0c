"""Notes end as planted, name whom they say they name, and exist for closed requests only."""

from __future__ import annotations

import pandas as pd
import pytest

from citylib.data.synthetic import city
from citylib.data.synthetic.closure_notes import ENDINGS, NotesTruth, closure_notes
from citylib.errors import InputError


@pytest.fixture(scope="module")
def asked() -> pd.DataFrame:
    return city(0, "tiny", requests=6000).table("requests")


@pytest.fixture(scope="module")
def notes(asked: pd.DataFrame) -> pd.DataFrame:
    return closure_notes(0, asked)


def test_every_closed_request_has_one(asked: pd.DataFrame, notes: pd.DataFrame) -> None:
    assert notes["request"].tolist() == asked.loc[asked["closed"].notna(), "request"].tolist()


def test_endings_are_as_planted(asked: pd.DataFrame, notes: pd.DataFrame) -> None:
    outcome = asked.set_index("request")["outcome"].reindex(notes["request"]).to_numpy()
    for name, shares in ENDINGS.items():
        found = notes.loc[outcome == name, "ended"].value_counts(normalize=True)
        for ended, share in shares.items():
            assert found[ended] == pytest.approx(share, abs=0.05)


def test_whoever_is_named_stands_in_the_note(notes: pd.DataFrame) -> None:
    for note, named in notes[["closure_note", "named"]].itertuples(index=False):
        assert all(word in note for word in named.split())
    assert 0.35 < (notes["named"] != "").mean() < 0.5
    assert notes["named"].str.contains("@city.example.org").any()
    assert notes["named"].str.contains("617-555-01").any()


def test_shares_can_be_changed(asked: pd.DataFrame) -> None:
    nobody = closure_notes(0, asked, NotesTruth(signed=0.0, resident=0.0, contact=0.0, bare=0.0))
    assert (nobody["named"] == "").all()
    assert nobody["closure_note"].str.split().str.len().min() > 4


def test_refusals() -> None:
    with pytest.raises(InputError, match="signed"):
        NotesTruth(signed=1.2)
    with pytest.raises(InputError, match="endings"):
        NotesTruth(endings={"resolved": {"done": 1.0}})
