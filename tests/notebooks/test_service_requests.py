"""The chapter on service requests runs small, says what it should, and hands no note on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from citylib import data
from citylib.data.synthetic import city

CHAPTER = "neural/06_service_requests"
SMALL = {"notes": 400, "judged": 200, "vocabulary": 300, "width": 16, "passes": 2, "labels": [40], "repeats": 2}
TINY = SMALL | {"source": "synthetic:tiny", "weeks": 3}


def table(ran: Any, name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def no_note(ran: Any, notes: pd.Series[str]) -> None:
    """Hold that no note of more than a formula's length stands in what the run left, executed notebook included."""
    left = "".join(path.read_text(encoding="utf-8") for path in ran["folder"].glob("*.*") if path.suffix != ".parquet")
    left += "".join(table(ran, name).to_string() for name in ran["tables"])
    long = notes[notes.str.len() > 60].unique()
    assert len(long) > 50
    assert not [note for note in long if note in left or note.split(" ", 4)[-1] in left]


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, **TINY)
    perplexity = table(ran, "perplexity").set_index("model")["token"]
    assert perplexity["4-gram"] < perplexity["2-gram"] < perplexity["1-gram"]
    assert ran["records"]["names_missed"]["value"] < 0.05
    assert 0 <= ran["records"]["rule_error"]["value"] < 0.1
    assert set(table(ran, "coding")["contender"]) == {"TF-IDF + logistic", "fine-tuned", "from scratch"}
    routed = table(ran, "routing").set_index("contender")["right"]
    assert routed["TF-IDF + logistic"] > routed["lookup of the title"] > routed["most frequent department"]
    assert ran["records"]["false_alarms"]["value"] < 0.15
    assert {"unsure", "few_labels", "rises_figure"} <= set(ran["figures"])
    no_note(ran, city(0, "tiny").table("closure_notes")["closure_note"])


def test_an_own_file_is_told_nothing_of_boston(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    tables = city(0, "tiny")
    own = tables.table("requests").merge(tables.table("closure_notes")[["request", "closure_note"]], on="request")
    own = own.rename(columns={"request": "id", "text": "title"})
    columns = ["id", "opened", "closed", "category", "department", "channel", "district", "title", "closure_note"]
    own[columns].assign(latitude=52.0, longitude=4.0).to_csv(tmp_path / "own.csv", index=False)
    ran = run_chapter(CHAPTER, **TINY | {"source": f"file:{tmp_path / 'own.csv'}"})
    assert not {"names_missed", "rule_error"} & set(ran["records"])
    said = " ".join(ran["said"])
    assert "How many names slip through is not known here" in said
    assert "How often the rules are wrong is not known here" in said
    no_note(ran, own["closure_note"])


def test_a_source_without_notes_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    times = pd.date_range("2025-03-03", periods=200, freq="h")
    pd.DataFrame({"time": times, "volume": range(200)}).to_csv(tmp_path / "counts.csv", index=False)
    assert "got 'requests'" in refused(CHAPTER, source=f"file:{tmp_path / 'counts.csv'}")


@pytest.mark.parametrize("kind", ["closure_note", "text"])
def test_rises_of_texts_are_refused_for_they_would_be_printed(refused: Callable[..., str], kind: str) -> None:
    assert "kind must be a column of few values" in refused(CHAPTER, **TINY | {"kind": kind})


@pytest.mark.real
@pytest.mark.slow
def test_boston(run_chapter: Callable[..., Any], real_data: Any) -> None:
    given = {"notes": 3000, "judged": 1500, "passes": 1, "labels": [100], "repeats": 2, "width": 16}
    ran = run_chapter(CHAPTER, source="requests-boston-311", cut="2015-10-01", **given)
    routed = table(ran, "routing").set_index("contender")["right"]
    assert routed["lookup of the title"] > 0.9
    assert ran["records"]["rule_error"]["value"] == pytest.approx(0.135)
    no_note(ran, data.load("requests-boston-311").table("requests")["closure_note"].dropna())
