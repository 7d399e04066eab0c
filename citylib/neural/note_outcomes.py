"""Code how a closed case ended by fixed phrases of its closure note, and hide those phrases from whoever learns it.

Staff write one of a few formulas (*Case Resolved*), then what they did. The formula alone misleads: *Case Resolved.
Vehicle not at location* was not done but not found. So rules look for phrases in the whole note, the most telling
first, and the first that fits gives the outcome. Whoever learns the outcome from the note gets it with the phrases of
ALL rules replaced, whichever fitted, or could read the rule off. Rules err: how often is to be measured by reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from citylib.errors import InputError

__all__ = ["HIDDEN", "OUTCOMES", "UNCODED", "after_opening", "code", "hide", "rules", "words_left"]

HIDDEN = "[rule]"
UNCODED = "uncoded"
_OPENING = re.compile(
    r"^\s*case closed\b\W*(?:closed date\s*:?\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)?[\s.:-]*", re.IGNORECASE
)
_VERB = (
    "removed|repaired|replaced|completed?|done|delivered|picked up|collected|fixed|cleaned|cleared|emptied"
    "|installed|made safe|towed|serviced|filled|patched|pruned|painted|swapped|swept|plowed|salted|inspected|re ?set"
    "|restored|reinstalled|straightened|power ?washed|distributed|disposed of|taken away|turned on|re-?lamped"
    "|dropped(?: off)?"
)
_SEEN = "found|there|seen|visible|at (?:this|that|the)? ?(?:location|address|site|spot|time)|on (?:site|scene|arrival)"
# Outcome and the patterns of its phrases, in small letters and in the order in which they are tried.
_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "duplicate",
        (
            r"duplicate(?: of (?:an? |the )?existing case)?\w*",
            r"\bdup\b",
            r"already (?:been )?(?:reported|opened|logged|exists?)",
            r"exists? already",
        ),
    ),
    (
        "invalid",
        (
            r"case invalid",
            r"(?:opened|created|entered|made|sent) in error",
            r"\btest case\b",
            r"no case details",
        ),
    ),
    (
        "enforced",
        (
            r"\bvioiss\b(?:: violation filed)?",
            r"\bviolfnd\b(?:: violation found)?",
            r"violations? (?:was |were )?(?:filed|issued)",
            r"(?:was|were|been|is|are|got|and) (?:ticketed|tagged|cited)",
            r"^case (?:resolved|noted) (?:ticketed|tagged|cited)",
            r"\bpermis\b(?:: permit issued)?",
            r"\bpermit issued",
            r"\breinsp\b(?:: issues found)?",
            r"\btsop\b",
            r"(?:tickets?|citations?|warnings?) (?:was |were )?(?:issued|written)",
            r"(?:issued|wrote) (?:a )?(?:ticket|citation|warning)s?",
        ),
    ),
    ("done", (r"(?:made|make|now) safe",)),
    (
        "not found",
        (
            r"\bnovio\b(?:: no violation found ?/ ?no cause)?",
            r"\bnobase\b(?:: no basis)?",
            r"no basis",
            r"no cause",
            r"\bnoacc\b(?:: closed, ?no access)?",
            r"\btfa\b",
            r"\bno access\b",
            r"unable to (?:locate|find)",
            r"(?:could|can|did|do|does|was|were|is|are)(?: ?not|n['’]?t|nt)(?: \w+)?"
            r" (?:find|locate|see|found|there|observe\w*)",
            rf"\bnot?\b(?! other| work)(?: \w+){{0,3}} (?:{_SEEN})",
            rf"\bnothing\b(?: \w+){{0,2}} (?:{_SEEN}|to)",
            r"\bnothing\b",
            r"no longer (?:there|at|on|in|here|present|visible|an issue|exists?)",
            r"no (?:evidence|sign|trace|violations?|such)\b",
            r"\b(?:already )?gone\b(?: on arrival)?",
            r"\bgoa\b",
            r"(?:vehicle|car) (?:was |has )?(?:been )?(?:moved|gone)",
            r"all clear",
            r"found no\b",
            r"(?:all|both|every\w*)(?: \w+)? (?:\w+ )?(?:ok|working|on)$",
            r"tested ok",
            r"\bunfounded\b",
            r"not an? abandoned",
            r"no (?:problems?|issues?|defects?)\b(?: found)?",
        ),
    ),
    (
        "passed on",
        (
            r"case referred(?: to external agency)?",
            r"\broa\b(?:: refer to other agency ?/ ?division)?",
            r"(?:will be |was |been )?refer+(?:ed|red|ral)?\b (?:to|for)\b",
            r"(?:forwarded|will forward|(?<!move )(?<!moving )(?<!going )forward to)\b",
            r"transfer+ed(?: to)?",
            r"redirected",
            r"(?:sent|submitted|given|handed|passed|assigned|moved?) (?:over )?to\b",
            r"case [a-z ]*sent to\b",
            r"responsib\w+ (?:of|to|by|for)\b",
            r"belong(?:s|ing)? to\b",
            r"\bowned by\b",
            r"(?:on|is|are|be|a) (?:an? )?private(?:ly)? (?:owned|property|way)",
            r"assigned an? (?:inspector|crew|contractor)",
            rf"\bwill be (?:{_VERB})\b",
            r"field sheet",
            r"will (?:add|pass|monitor|investigate|collect|speak|have)\b",
            r"not (?:a )?(?:city|our|dpw|pwd)\b",
            r"(?:will|to|has|have) (?:be|been) (?:scheduled|created|added|placed"
            r"|put|notified)",
            r"(?:scheduled|added|placed|put) (?:for|on|to)\b",
            r"work order",
            r"see case",
            r"new case",
            r"on (?:the|our) list",
        ),
    ),
    (
        "no action",
        (
            r"no (?:action|work|repairs?|response)\b",
            r"\bdenied\b",
            r"in good condition",
            r"\bno\b(?: \w+)? needed",
            r"\bto cancel\b",
            r"(?:do|does|can) ?not (?:provide|have|allow|do)\b",
            r"unable to (?:service|replace|repair|remove|collect)",
            r"not (?:warrant\w*|recommend\w*|eligible|needed|necessary|required|approved|meet|a candidate"
            r"|be (?:pruned|removed))",
            r"(?:work|operat|function)\w* (?:properly|fine|as designed|normally|ok)\b",
        ),
    ),
    (
        "done",
        (
            r"case resolved",
            r"internal case(?: performed by)?(?: highway maintenance crew)?",
            r"bulk item automation",
            r"\bcorr\b(?:: corrected)?",
            r"\bviocor\b(?:: violation corrected)?",
            rf"\b(?:{_VERB})\b",
            r"\ball set\b",
            r"has been resolved",
            r"(?:has|have) been (?:corrected|adjusted|changed|addressed)",
        ),
    ),
    (
        "no action",
        (
            r"case noted?\b",
            r"\badclsd\b(?:: administratively closed)?",
            r"administratively closed",
            r"\bnewown\b",
            r"(?:closed: )?closed ?/ ?no permit",
        ),
    ),
)
_SAYS = {
    "done": "the city says that the work was done",
    "duplicate": "reported before, under another number",
    "enforced": "violation filed; ticket or permit issued; vehicle or thing tagged",
    "invalid": "no case, or opened in error",
    "no action": "noted, answered, refused or closed, without work",
    "not found": "somebody looked: nothing there, no violation, or no access",
    "passed on": "referred to somebody else, or put on a list for later",
}
OUTCOMES = tuple(sorted(_SAYS))
_FOUND = tuple((name, re.compile("|".join(patterns), re.IGNORECASE)) for name, patterns in _RULES)
_ANY = re.compile("|".join(p for _, patterns in _RULES for p in patterns), re.IGNORECASE)
_RUN = re.compile(rf"{re.escape(HIDDEN)}(?:\s*{re.escape(HIDDEN)})+")


def after_opening(notes: Iterable[str]) -> list[str]:
    """Return the notes without what every one begins with: that the case is closed, and when.

    Parameters
    ----------
    notes : iterable of str
        Closure notes as they were written.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        A note that is no text, such as NaN.

    Examples
    --------
    >>> after_opening(["Case Closed. Closed date : 2015-01-05 10:00:00.5 Case Resolved", "Case Closed Case Noted"])
    ['Case Resolved', 'Case Noted']
    """
    return [_OPENING.sub("", note) for note in _texts(notes)]


def code(notes: Iterable[str]) -> list[str]:
    """Return the outcome of each note by the first rule whose phrase is in it.

    Parameters
    ----------
    notes : iterable of str
        Closure notes, best already masked by `citylib.neural.text_masking`.

    Returns
    -------
    list of str
        One of `OUTCOMES`, or `UNCODED` where no phrase of any rule is found.

    Raises
    ------
    InputError
        A note that is no text, such as NaN.

    Examples
    --------
    >>> code(["Case Resolved vehicle not at location", "Case Noted", "Case Resolved", "thanks"])
    ['not found', 'no action', 'done', 'uncoded']
    """
    known: dict[str, str] = {}
    return [known.get(n) or known.setdefault(n, _first(n)) for n in _texts(notes)]


def hide(notes: Iterable[str]) -> list[str]:
    """Return the notes with the phrases of all rules replaced by one mark, so that no rule can be read off.

    Parameters
    ----------
    notes : iterable of str
        Closure notes.

    Returns
    -------
    list of str
        `HIDDEN` for each run of phrases; `code` finds nothing in them.

    Raises
    ------
    InputError
        A note that is no text, such as NaN.

    Examples
    --------
    >>> hide(["case resolved. lamp replaced by crew"])
    ['[rule]. lamp [rule] by crew']
    """
    known: dict[str, str] = {}
    return [known.get(n) or known.setdefault(n, _hidden(n)) for n in _texts(notes)]


def words_left(notes: Iterable[str]) -> list[int]:
    """Return how many words stand in each note outside its marks in brackets.

    Examples
    --------
    >>> words_left(["[rule]. lamp [rule] by crew", "[rule] [date]"])
    [3, 0]
    """
    return [len(re.findall(r"[^\W\d_]+", re.sub(r"\[[a-z]+\]", " ", note))) for note in notes]


def rules() -> pd.DataFrame:
    """Return the outcomes as a table: outcome, says, patterns (how many regular expressions stand for it)."""
    many = {name: sum(len(found) for other, found in _RULES if other == name) for name in OUTCOMES}
    return pd.DataFrame({"outcome": OUTCOMES, "says": [_SAYS[n] for n in OUTCOMES], "patterns": list(many.values())})


def _texts(notes: Iterable[str]) -> list[str]:
    """Return the notes if each is a text; what a note says is told nobody."""
    texts = list(notes)
    for at, note in enumerate(texts):
        if not isinstance(note, str):
            raise InputError("notes", "be texts; leave out cases without one", f"{type(note).__name__} at {at}")
    return texts


def _first(note: str) -> str:
    return next((name for name, form in _FOUND if form.search(note)), UNCODED)


def _hidden(note: str) -> str:
    """Replace phrases until none is left: what stands beside a mark could make a phrase of another rule."""
    before = ""
    while before != note:
        before, note = note, _ANY.sub(HIDDEN, note)
    return _RUN.sub(HIDDEN, note)
