"""Mask who is named in a text before anything learns from it: e-mail, telephone, links, numbers, names of people.

Contacts, dates and numbers have a form and are found by it. Names have none. So the question is turned round: a word is
kept only if it is known to be ordinary, and all else is taken for a name. Ordinary is what the notes themselves write
small often enough, and not mostly at the end, where staff sign; formulas and given names are in
`citylib.neural.text_words`. Streets, firms and rare words are masked with the people: that costs little and is safe.
What is missed are names that are ordinary words, where no other name stands beside them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from citylib import checks
from citylib.errors import InputError
from citylib.neural.text_words import BOTH, GIVEN, ORDINARY

__all__ = ["MARKS", "Masker", "mask_contacts"]

MARKS = ("[email]", "[phone]", "[link]", "[date]", "[time]", "[number]", "[name]")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_FORMS = (
    ("[email]", r"[\w.+%'-]+\s?@\s?[\w-]+(?:\.[\w-]+)+"),
    ("[link]", r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|org|gov|net|edu|us)\b(?:/\S*)?"),
    ("[date]", r"\b\d{4}-\d\d?-\d\d?\b|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{1,2}/\d{1,2}\b"),
    ("[date]", rf"\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+(?:19|20)\d\d)?\b"),
    ("[time]", r"\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[ap]\.?m\b\.?)?|\b\d{1,2}\s?[ap]\.?m\b\.?"),
    # +44 20 7946 0958; 617-635-4500, (617) 635 4500, 6176354500; 635-4500; each with an extension
    ("[phone]", r"(?<![\w+])\+\d{1,3}[\s().-]*\d(?:[\s().-]*\d){6,13}\b"),
    ("[phone]", r"(?<![\w#])(?:1[\s.-]?)?\(?[2-9]\d\d\)?[\s./-]{0,2}\d{3}[\s.-]?\d{4}\b(?:\s?(?:x|ext\.?)\s?\d+)?"),
    ("[phone]", r"(?<![\w#-])\d{3}[.-]\d{4}(?![\w-])(?:\s?(?:x|ext\.?)\s?\d+)?|\b(?:x|ext\.?)\s?\d{3,5}\b"),
    ("[number]", r"#?\b[A-Za-z]{0,3}-?\d[\w./-]*\b|#\d+"),  # house, case and cart numbers, codes of vehicles
)
_FORM = re.compile("|".join(f"(?P<f{k}>{form})" for k, (_, form) in enumerate(_FORMS)), re.IGNORECASE)
_MARK_OF = {f"f{k}": mark for k, (mark, _) in enumerate(_FORMS)}
_GIVEN_MARK = re.compile("|".join(re.escape(mark) for mark in MARKS), re.IGNORECASE)
# of what stands in brackets only the marks are whole: a name in brackets is a name
_PIECE = re.compile("|".join(map(re.escape, MARKS)) + r"|[^\W\d_](?:[^\W\d_]|['’](?=[^\W\d_]))*|[^\w\s]|\S")
_ENDS = frozenset('.!?:;-–/,#()"')  # after these a capital says nothing

_JOINS = frozenset("./-–&,")  # between the parts of a name
_SIGNING = frozenset({"thanks", "you", "sincerely", "regards", "by"})  # before a name


def mask_contacts(text: str) -> str:
    """Replace what has a form: addresses of e-mail, telephone numbers, links, dates, times and numbers.

    Marks that a publisher has put already are left as they are.

    Parameters
    ----------
    text : str
        Free text.

    Returns
    -------
    str
        With `MARKS` in their place.

    Raises
    ------
    InputError
        No text, such as NaN where there is no note.

    Examples
    --------
    >>> mask_contacts("Called 617-635-4500 x12 on 3/4/15 at 10:30 am, wrote to j.doe@city.gov about #1371549.")
    'Called [phone] on [date] at [time], wrote to [email] about [number].'
    """
    if not isinstance(text, str):
        raise InputError("text", "be a text; leave out what has none", type(text).__name__)
    parts, at = [], 0
    for mark in _GIVEN_MARK.finditer(text):
        parts += [_FORM.sub(_mark, text[at : mark.start()]), mark.group().lower()]
        at = mark.end()
    return "".join([*parts, _FORM.sub(_mark, text[at:])])


def _mark(found: re.Match[str]) -> str:
    return _MARK_OF[str(found.lastgroup)]


@dataclass(frozen=True)
class Masker:
    """Masks contacts, and every word that is not known to be ordinary; make one by `learn`.

    Parameters
    ----------
    ordinary : frozenset of str
        Words that are kept, in small letters.

    Examples
    --------
    >>> masker = Masker.learn(["the lamp was fixed by our crew", "the crew fixed the lamp again"] * 5)
    >>> masker.mask("Lamp was fixed by Somers, thanks. M. Somers 617-635-4500")
    'lamp was fixed by [name], thanks. [name]. [name] [phone]'
    """

    ordinary: frozenset[str]

    @classmethod
    def learn(cls, texts: Sequence[str], *, least: int = 5, small: float = 0.5, last: float = 0.4) -> Masker:
        """Learn which words are ordinary.

        Parameters
        ----------
        texts : sequence of str
            Notes of the training part.
        least : int, default 5
            Notes in which an ordinary word is written small, at least.
        small : float, default 0.5
            Share of the notes that write it small, of those where a capital would tell (not where a sentence begins,
            not where all is in capitals).
        last : float, default 0.4
            Share of its notes, of those with four words or more, in which it is one of the last two words, at most:
            above, it is taken for a signature.

        Returns
        -------
        Masker

        Raises
        ------
        InputError
            No texts, or a number out of bounds.
        """
        if not len(texts):
            raise InputError("texts", "hold at least one", 0)
        least = checks.integer("least", least, minimum=1)
        small, last = (checks.fraction(n, v, closed=True) for n, v in (("small", small), ("last", last)))
        lower, capital, seen, ending = (Counter[str]() for _ in range(4))
        for text, times in Counter(texts).items():
            pieces = _PIECE.findall(mask_contacts(text))
            words = [p.lower() for p in pieces if p[0].isalpha()]
            _add(lower, {p for p in pieces if p.islower()}, times)
            told = {p.lower() for before, p in zip([".", *pieces], pieces, strict=False) if _telling(before, p)}
            _add(capital, told, times)
            if len(words) >= 4:
                _add(seen, set(words), times)
                _add(ending, set(words[-2:]), times)
        found = {
            word
            for word, count in lower.items()
            if count >= least and count >= small * (count + capital[word]) and ending[word] <= last * seen[word]
        }
        keep = {word for word in found if len(word) > 1 and word not in GIVEN}
        return cls(frozenset(keep | ORDINARY))

    def mask(self, text: str) -> str:
        """Return `text` in small letters, masked."""
        pieces = _PIECE.findall(mask_contacts(text))
        named = [p[0].isalpha() and p.lower() not in self.ordinary for p in pieces]
        unsure = [p[0].isalpha() and not name and p.lower() in BOTH for p, name in zip(pieces, named, strict=True)]
        for k, piece in enumerate(pieces):
            if named[k] or not piece[0].isalpha():
                continue
            capital = piece[0].isupper() and len(piece) > 2 and not piece.isupper()
            begins = k == 0 or pieces[k - 1] in _ENDS
            before, after = _beside(pieces, k, -1), _beside(pieces, k, 1)
            if unsure[k]:
                signed = k == len(pieces) - 1 and before is not None and pieces[before].lower() in _SIGNING
                named[k] = (
                    signed
                    or (capital and not begins)
                    or any(j is not None and (named[j] or unsure[j]) for j in (before, after))
                )
            elif capital and piece.lower() not in ORDINARY:
                named[k] = (k > 0 and named[k - 1]) or (not begins and k + 1 < len(pieces) and named[k + 1])
        return _join("[name]" if name else piece.lower() for name, piece in zip(named, pieces, strict=True))

    def mask_all(self, texts: Iterable[str]) -> list[str]:
        """Return all texts masked; a text that comes again is masked once."""
        known: dict[str, str] = {}
        return [known[t] if t in known else known.setdefault(t, self.mask(t)) for t in texts]

    @staticmethod
    def count(masked: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return for each of `MARKS` how often it stands in masked texts, and in how many of them."""
        times, texts = Counter[str](), Counter[str]()
        for text in masked:
            found = _GIVEN_MARK.findall(text)
            times.update(found)
            texts.update(set(found))
        return {mark: (times[mark], texts[mark]) for mark in MARKS}


def _add(counts: Counter[str], words: Iterable[str], times: int) -> None:
    for word in words:
        counts[word] += times


def _beside(pieces: Sequence[str], k: int, step: int) -> int | None:
    """Return where the word before or after the k-th piece is, over what joins the parts of a name; None if none is."""
    k += step
    while 0 <= k < len(pieces) and pieces[k] in _JOINS:
        k += step
    return k if 0 <= k < len(pieces) and pieces[k][0].isalpha() else None


def _telling(before: str, piece: str) -> bool:
    """Whether the capital of a word says that it is a name: inside a sentence, not in a text of capitals."""
    return piece[0].isupper() and not (len(piece) > 1 and piece.isupper()) and before not in _ENDS


def _join(pieces: Iterable[str]) -> str:
    """Join pieces by single spaces, none before a full stop or comma."""
    return re.sub(r" (?=[.,!?;:)])", "", " ".join(pieces))
