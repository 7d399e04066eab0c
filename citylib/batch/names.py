"""Short readable names of runs, safe as folders and in addresses."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULT", "good", "of_values", "slug", "title", "word"]

DEFAULT = "default"
LONGEST = 72


def good(name: str) -> bool:
    """Return whether `name` may name a folder of runs as it is."""
    return bool(re.fullmatch(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST}}}", name))


def slug(text: str, *, keep: str = "") -> str:
    """Return `text` in small letters, digits and hyphens; marked with a hash where letters were lost.

    Examples
    --------
    >>> slug("PM2.5 at Dongsi"), slug("Zürich")
    ('pm2-5-at-dongsi', 'zurich')
    """
    flat = unicodedata.normalize("NFKD", text)
    lost = any(ord(c) > 127 and not unicodedata.combining(c) for c in flat)
    bare = "".join(c for c in flat.lower() if not unicodedata.combining(c))
    short = re.sub(rf"[^a-z0-9{re.escape(keep)}]+", "-", bare).strip("-")
    if lost or len(short) > LONGEST:
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
        short = f"{short[:40].strip('-')}-{mark}".strip("-")
    return short


def of_values(given: Mapping[str, Any], *, exact: bool = False) -> str:
    """Return a name made of parameter values: text stands for itself, the rest with its name.

    Parameters
    ----------
    given : mapping
        Values by name.
    exact : bool, default False
        Mark with a hash a name that other values could have too.

    Examples
    --------
    >>> of_values({"source": "weather-cities", "horizon": 48, "orders": [2, 1, 2]})
    'weather-cities_horizon-48_orders-2-1-2'
    >>> of_values({"sensor": "S 1"}), of_values({"sensor": "S 1"}, exact=True)
    ('s-1', 's-1-e808cd')
    """
    parts = []
    for name, value in given.items():
        if isinstance(value, str) and slug(value):
            parts.append(slug(value))
        else:
            flat = "-".join(map(word, value)) if isinstance(value, list) else word(value)
            parts.append("-".join(filter(None, [slug(name), slug(flat)])))
    whole = "_".join(parts)
    if len(whole) > LONGEST:
        return slug("-".join(parts) + repr(sorted(given.items(), key=str)))
    if exact and not all(map(_stands_for_itself, given.values())):
        return f"{whole}-{hashlib.sha256(repr(sorted(given.items())).encode()).hexdigest()[:6]}"
    return whole


def _stands_for_itself(value: Any) -> bool:
    if isinstance(value, list):
        return all(_stands_for_itself(item) and "-" not in str(item) for item in value)
    if isinstance(value, float):
        return "e" not in repr(value)  # 1e-16 and 1e+16
    return not isinstance(value, str) or slug(value) == value != "none"


def title(text: Any, values: Mapping[str, Any], varied: Mapping[str, Any]) -> str | None:
    """Return a run's title: ``{name}`` stands for a parameter; without one, what varies is appended.

    Parameters
    ----------
    text : object
        As the plan has it; anything but text is no title.
    values : mapping
        All parameters of the run.
    varied : mapping
        Those that differ between the runs of one block.

    Returns
    -------
    str or None

    Examples
    --------
    >>> title("Speed at {sensor}", {"sensor": "S1"}, {"sensor": "S1"}), title("Speed", {}, {"sensor": "S1"})
    ('Speed at S1', 'Speed: S1')
    """
    if not isinstance(text, str):
        return None
    said = re.sub(r"\{(\w+)\}", lambda m: word(values[m[1]]) if m[1] in values else m[0], text)
    if said == text and varied:
        shown = (word(v) if isinstance(v, str) else f"{n.replace('_', ' ')} {word(v)}" for n, v in varied.items())
        return f"{text}: {', '.join(shown)}"
    return said


def word(value: Any) -> str:
    """Return a parameter's value as a word of a title.

    Examples
    --------
    >>> word(None), word(True), word(-3)
    ('none', 'yes', 'minus 3')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and value < 0:
        return f"minus {-value}"
    return str(value)
