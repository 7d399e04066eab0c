"""How Boston's requests ended: the outcome that the fixed phrase at the head of a closure note stands for.

A closure note begins with "Case Closed" and, in seven of ten, "Closed date" with the moment; then comes one of few
phrases that the city's system writes, then free text. Only the phrase is read; the free text is not looked at, for it
names people and streets. Where no phrase follows, how the case ended isn't known, which is an outcome of its own.
The outcome is known when a case is closed, so no forecast made while it is open may use it.
"""

from __future__ import annotations

import pandas as pd

__all__ = ["OPENING", "PHRASES", "UNSPECIFIED", "outcome", "table"]

# What every note begins with, the moment included; whatever separates it from the phrase goes too. A test holds it to
# what `citylib.neural.note_outcomes` takes away of the same notes: rooms that may not import each other.
OPENING = r"^\s*case closed\b\W*(?:closed date\b\s*:?\s*(?:\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?)?)?[\s.:-]*"
UNSPECIFIED = "closed, unspecified"
OTHER = "other"

# Phrase at the head of a note, after the opening; the outcome that it is taken for; what it says. The longest phrase
# that fits counts. Codes of letters with a colon are those of the inspectors of buildings, health and housing.
PHRASES: dict[str, tuple[str, str]] = {
    "": (UNSPECIFIED, "nothing follows but, at most, when it was closed"),
    "case closed": (UNSPECIFIED, "closed, once more or in another system"),
    "case resolved": ("resolved", "the city says that it dealt with it"),
    "case noted": ("noted", "taken note of"),
    "case note ": ("noted", "taken note of"),
    "case invalid": ("invalid", "no case, or one opened in error"),
    "duplicate of existing case": ("duplicate", "reported before"),
    "internal case": ("internal", "work that the city's own staff recorded"),
    "bulk item automation": ("automated", "closed by the system that plans collections"),
    "case referred": ("referred", "handed to somebody outside"),
    "roa:": ("referred", "referred to another agency or division"),
    "adclsd:": ("administrative", "administratively closed"),
    "closed:": ("administrative", "closed, or no permit"),
    "newown:": ("administrative", "closed, new owner"),
    "novio:": ("inspected", "no violation found"),
    "nobase:": ("inspected", "no basis"),
    "noacc:": ("inspected", "closed, no access"),
    "vioiss:": ("inspected", "violation filed"),
    "violfnd:": ("inspected", "violation found"),
    "viocor:": ("inspected", "violation corrected"),
    "corr:": ("inspected", "corrected"),
    "reinsp:": ("inspected", "issues found, to be inspected again"),
    "permis:": ("inspected", "permit issued"),
    "abated:": ("inspected", "abatement issued"),
    "ticket:": ("inspected", "ticket issued"),
    "tfa:": ("inspected", "not let in by the tenant"),
    "tsop:": ("inspected", "work stopped"),
}


def outcome(note: pd.Series[str]) -> pd.Series[str]:
    """Return how each request ended, by the phrase at the head of its closure note.

    Parameters
    ----------
    note : pandas.Series of str
        Closure notes; missing where a request has none.

    Returns
    -------
    pandas.Series of str
        One of the outcomes of `PHRASES`, ``"other"`` where the note begins otherwise, missing where there is no note.

    Examples
    --------
    >>> closed = "Case Closed. Closed date : 2015-01-05 10:00:00.5"
    >>> outcome(pd.Series([closed, closed + " Case Resolved", "Case Closed Case Noted thanks", None])).tolist()
    ['closed, unspecified', 'resolved', 'noted', None]
    """
    said = note.astype(object).str.lower().str.replace(OPENING, "", regex=True)
    found = pd.Series([None] * len(note), index=note.index, dtype=object)
    found[said.notna()] = OTHER
    for phrase in sorted(PHRASES, key=len):
        fits = said.str.startswith(phrase, na=False) if phrase else said.eq("")
        found[fits] = PHRASES[phrase][0]
    return found


def table() -> pd.DataFrame:
    """Return the table of phrases: phrase, outcome, says."""
    rows = [(phrase.strip(": ") or "(nothing)", *told) for phrase, told in PHRASES.items()]
    return pd.DataFrame(rows, columns=["phrase", "outcome", "says"])
