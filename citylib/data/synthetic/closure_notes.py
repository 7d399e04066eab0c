"""Closure notes: what staff write when they close a request, with who is named and how it ended known.

A note begins with the city's formula, goes on with what was done in the words of its department, and often ends with a
signature; some quote a resident or a number to call. How the request ended is planted; the formula does not always tell
it (*Case Resolved*, where nothing was found). The people are made up; their telephone numbers are kept for fiction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from citylib import checks, seeds
from citylib.errors import InputError

__all__ = ["ENDINGS", "NotesTruth", "closure_notes"]

# How a request of each outcome can have ended, and how often.
ENDINGS: dict[str, dict[str, float]] = {
    "resolved": {"done": 0.82, "not found": 0.12, "passed on": 0.06},
    "noted": {"no action": 0.7, "passed on": 0.3},
    "duplicate": {"duplicate": 1.0},
    "invalid": {"invalid": 1.0},
}
_FORMULA = {
    "resolved": "Case Resolved",
    "noted": "Case Noted",
    "duplicate": "Duplicate of Existing Case",
    "invalid": "Case Invalid",
}
# Those who sign; some have names that are words too.
STAFF = (
    *("Michael Sommerfeldt", "Tyra Okonkwo", "Dominic Vasquez", "Anne Leclair", "Victor Jaworski", "Billy Mantell"),
    *("Mark Field", "Rose Hill", "Will Stone", "Grace Young", "June Park", "Pat Marsh", "Olga Petrenko", "Ty Nakamura"),
    *("Kevin O'Dwyer", "Sandra Bellini", "Omar Haddad", "Joanne McTavish", "Ray Woods", "Ines Carvalho"),
)
RESIDENTS = (
    "Alvarez",
    "Brzezinski",
    "Chaudhry",
    "Dufour",
    "Eriksen",
    "Fitzgerald",
    "Gruber",
    "Hinojosa",
    "Ivanov",
    "Joyce",
)
_DONE: dict[str, tuple[str, ...]] = {
    "Roads": ("hole filled with asphalt by our crew", "crew patched the road surface", "road repaired with hot mix"),
    "Lighting": ("replaced lamp and ballast", "repaired cable in the base, light is on", "new photo cell installed"),
    "Waste": ("trash picked up", "collected by the driver on the second round", "bags removed by packer crew"),
    "Water": ("drain cleaned with the jet truck", "leak repaired, valve turned back on", "basin emptied by crew"),
    "Parks": ("tree crew removed the branch", "paint washed off, wall cleaned", "trunk cut and taken away"),
}
_ELSE: dict[str, tuple[str, ...]] = {
    "not found": (
        "inspector went out twice in the morning, nothing found",
        "drove the whole block, no such thing at location",
        "looked on both sides of the street, unable to locate",
        "checked this location again in the evening, it was gone on arrival",
    ),
    "passed on": (
        "this is a matter for the gas company, referred to them",
        "the owner of the building must repair it, private property on a private way is private property",
        "needs a permanent repair, work order written for the spring program",
        "put on the list for next season by the planner",
    ),
    "no action": (
        "thank you for your suggestion, we appreciate the comment",
        "does not meet the standard of the city, no work needed",
        "resident was told about the rules over the phone",
        "condition is within the limits of the program, no action",
    ),
    "duplicate": (
        "the original request is still open and active",
        "same address was called in by a neighbor",
        "see the original for the status",
    ),
    "invalid": ("no address was given", "opened in error by the app", "we need more information on where it is"),
}
_ENDS = ("", ", thanks", ". Thank you", ". Sincerely")


@dataclass(frozen=True)
class NotesTruth:
    """What closure notes are drawn with.

    Parameters
    ----------
    signed : float
        Share of notes that end with a member of staff.
    resident : float
        Share that name a resident.
    contact : float
        Share that give an e-mail address or a telephone number, as often one as the other.
    bare : float
        Share that hold the formula and no more, however the request ended.
    endings : mapping of str to mapping
        For each outcome how a request can have ended and with which share; see `ENDINGS`.
    """

    signed: float = 0.35
    resident: float = 0.06
    contact: float = 0.1
    bare: float = 0.12
    endings: dict[str, dict[str, float]] = field(default_factory=lambda: {k: dict(v) for k, v in ENDINGS.items()})

    def __post_init__(self) -> None:
        for name in ("signed", "resident", "contact", "bare"):
            checks.fraction(name, getattr(self, name), closed=True)
        if set(self.endings) != set(ENDINGS):
            raise InputError("endings", f"be of the outcomes {', '.join(ENDINGS)}", sorted(self.endings))


def closure_notes(seed: int, requests: pd.DataFrame, truth: NotesTruth | None = None) -> pd.DataFrame:
    """Return the notes of the closed requests.

    Parameters
    ----------
    seed : int
        The city's seed.
    requests : pandas.DataFrame
        Table of `citylib.data.synthetic.requests`.
    truth : NotesTruth, optional
        What they are drawn with.

    Returns
    -------
    pandas.DataFrame
        request, closure_note, ended (planted: how it ended), named (planted: every word of the note that belongs to a
        name, an address of e-mail or a telephone number, separated by blanks); in the order of the requests.

    Examples
    --------
    >>> from citylib.data.synthetic import city
    >>> notes = city(0, "tiny").table("closure_notes")
    >>> notes.columns.tolist(), bool(notes["closure_note"].str.startswith("Case Closed").all())
    (['request', 'closure_note', 'ended', 'named'], True)
    """
    t = truth or NotesTruth()
    rng = seeds.generator(seed, "synthetic", "closure_notes")
    closed = requests[requests["closed"].notna()]
    drawn = rng.random((len(closed), 9))
    rows = [
        _note(str(one.outcome), str(one.department), str(one.closed), u.tolist(), t)
        for one, u in zip(closed[["outcome", "department", "closed"]].itertuples(index=False), drawn, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["closure_note", "ended", "named"])
    frame.insert(0, "request", closed["request"].to_numpy())
    return frame


def _note(outcome: str, department: str, closed: str, u: list[float], t: NotesTruth) -> tuple[str, str, str]:
    """Return a note, how the request ended, and who is named; `u` are nine uniform numbers."""
    shares = t.endings[outcome]
    edges = np.cumsum(list(shares.values()))
    ended = list(shares)[int(np.searchsorted(edges[:-1] / edges[-1], u[0], side="right"))]
    opening = "Case Closed" if u[1] < 0.4 else f"Case Closed. Closed date : {closed}.{int(u[1] * 1000):03d}"
    text, named = f"{opening} {_FORMULA[outcome]}", []
    if u[2] >= t.bare:
        said = _pick(_DONE.get(department, _DONE["Roads"]) if ended == "done" else _ELSE[ended], u[3])
        text += f" {said.upper() if u[3] * 97 % 1 < 0.1 else said}"
        if u[4] < t.resident:
            who = _pick(RESIDENTS, u[4] / t.resident)
            text += f". Spoke with {'Mrs.' if u[5] < 0.5 else 'Mr'} {who}"
            named.append(who)
        staff = _pick(STAFF, u[6])
        if u[7] < t.signed:
            way, names = _signature(staff, u[7] / t.signed)
            text += f"{_pick(_ENDS, u[5])}{way}"
            named += names
        if u[8] < t.contact:
            phone = f"617-555-01{int(u[6] * 100):02d}"
            mail = f"{staff.lower().replace(' ', '.').replace(chr(39), '')}@city.example.org"
            text += f" {phone if u[8] < t.contact / 2 else mail}"
            named.append(phone if u[8] < t.contact / 2 else mail)
    return text, ended, " ".join(named)


def _signature(staff: str, u: float) -> tuple[str, list[str]]:
    """Return how somebody signs, and the words of the name in it."""
    first, last = staff.split()
    ways = (
        (f" {first} {last}", [first, last]),
        (f" - {first[0]}. {last}", [last]),
        (f" {last.upper()}", [last.upper()]),
        (f" {first} {last}, senior engineer", [first, last]),
        (f" {first.lower()} / {last.lower()}", [first.lower(), last.lower()]),
        (f" {first}", [first]),
    )
    return ways[int(u * len(ways))]


def _pick(words: tuple[str, ...], at: float) -> str:
    return words[min(int(at * len(words)), len(words) - 1)]
