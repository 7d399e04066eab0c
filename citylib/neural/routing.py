"""What a new request tells before anyone has worked on it, as one text: title, channel, place and time of opening.

Nothing else goes in: type, queue, reason and subject are what the department decided, and the closure note is written
weeks later. Even the title may be of the future: staff append to it what they did (*Lamp out///printed*), or write over
it. Known remarks are cut off where staff put them, at the end or after a slash or a dash, and a title that is nothing
but a remark is no title. Citizens' own words stay, *printed* and *issued* in the midst of a sentence among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.neural.text_masking import mask_contacts

__all__ = ["requests_as_text", "titles"]

_LAMP = r"(?:lamp|lp|pole)\s*(?:#|\[number\])"
_WHO = r"(?:contr?[a-z]*ctor\w*|cantractor\w*|mav(?:erick)?|eng(?:ineer(?:s|ing)?)?|btd|john burns|g-?maint)"
_STAMP = (  # what staff write at the end of a title once they have worked on it
    r"(?:\b(?:ep )?(?:re-?)?printed(?: ep)?(?: gas\b.*)?(?: for \w+(?: \w+)?)?"
    rf"|(?:\bre-)?(?:sent|issued) (?:to|ot) {_WHO}(?: queue)?(?: (?:for|to) repairs?)?|\b(?-i:SENT|ISSUED))"
)
_KNOWN = (
    r"(?:(?:(?:re-?|not )?printed|(?:re-?)?sent|issued|reinspect|(?:un)?confirmed|(?:case )?sla suspended|waiting on)\b"
    rf"|{_LAMP})"
)
# Two slashes or a tilde are the hand of staff; after one slash or a dash only what is known of them is cut.
_REMARK = re.compile(rf"(?:[/~]{{2,}}|\s~\s|(?:[/~]|\s-+\s|--+)(?=\s*{_KNOWN})).*$", re.IGNORECASE)
_LAST = re.compile(rf"{_STAMP}(?:\W*{_STAMP})*(?:\W*{_LAMP}.*)?\W*$", re.IGNORECASE)
_OVER = re.compile(  # PRINTED in capitals is a stamp put over the title
    r"^\W*(?:(?:EP )?PRINTED\b.*|(?i:printed out and sent)\b.*|EP|(?i:sent|issued)\W*)$|\bEP (?i:printed)\b.*$"
)


def titles(raw: Iterable[str | None]) -> list[str]:
    """Return titles in small letters without the remarks of staff, contacts and numbers masked.

    Parameters
    ----------
    raw : iterable of str or None
        As the file has them, after staff have worked on them.

    Returns
    -------
    list of str
        Empty where there is none, or nothing but a remark.

    Examples
    --------
    >>> titles(["Street Light Outages///sent to contractor", "PRINTED", "Sidewalk Repair (Make Safe)", None])
    ['street light outages', '', 'sidewalk repair (make safe)', '']
    """
    known: dict[str, str] = {}
    found = []
    for title in raw:
        text = title if isinstance(title, str) else ""
        if text not in known:
            bare = mask_contacts(text)
            for remark in (_OVER, _REMARK, _LAST):
                bare = remark.sub("", bare)
            known[text] = re.sub(r"\s+", " ", bare).strip(" .,:;/~-").lower()
        found.append(known[text])
    return found


def requests_as_text(
    titles: Iterable[str], *, channel: Iterable[str | None], place: Iterable[str | None], opened: npt.ArrayLike
) -> list[str]:
    """Return one text a request: its title, then one token each for channel, place, part of the day, day of the week.

    Parameters
    ----------
    titles : iterable of str
        From `titles`.
    channel, place : iterable of str or None
        How it came in, and the district; unknown is a token of its own.
    opened : array_like of datetime64, shape (N,)
        When it was opened, local time; a time that is missing is an hour and a day unknown.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        Columns of different lengths.

    Examples
    --------
    >>> requests_as_text(["lamp out"], channel=["App"], place=[None], opened=["2015-03-02 10:30"])
    ['lamp out [channel app] [place unknown] [hour 9] [day 0]']
    """
    when = pd.DatetimeIndex(pd.to_datetime(pd.Series(np.asarray(opened))))
    said, ways, places = list(titles), list(channel), list(place)
    checks.same_length(opened=when.to_numpy(), titles=said, channel=ways, place=places)
    known = when.notna().tolist()
    hours = [int(h) // 3 * 3 if there else "unknown" for h, there in zip(when.hour, known, strict=True)]
    days = [int(d) if there else "unknown" for d, there in zip(when.dayofweek, known, strict=True)]
    return [
        f"{title} [channel {_word(c)}] [place {_word(p)}] [hour {h}] [day {d}]"
        for title, c, p, h, d in zip(said, ways, places, hours, days, strict=True)
    ]


def _word(value: str | None) -> str:
    return re.sub(r"[^\w ]+", " ", value).strip().lower() if isinstance(value, str) and value.strip() else "unknown"
