"""Results that a chapter shows without working them out: they need a package, or minutes, that a reader may not have.

Each is a file of ``citylib/data/kept`` made by a command of the repository; the command, versions and what it was made
of stand in it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from citylib.errors import InputError, UnknownNameError

__all__ = ["KEPT", "recorded"]

KEPT = Path(__file__).parent / "kept"


def recorded(name: str) -> dict[str, Any]:
    """Read a recorded result.

    Parameters
    ----------
    name : str
        Name of a file of ``citylib/data/kept``, without its ending.

    Returns
    -------
    dict
        At least ``command`` (that makes it again), ``versions``, ``machine`` and ``runs``. In a notebook one line about
        it is shown, and the receipt lists the file.

    Raises
    ------
    UnknownNameError
        No such result; the nearest is offered.
    InputError
        The file is not what the command writes.

    Examples
    --------
    >>> recorded("survival_forest")["command"]
    'python -m benchmarks.survival_forest'
    """
    from citylib import results

    known = {path.stem: path for path in sorted(KEPT.glob("*.json"))}
    if name not in known:
        raise UnknownNameError("name", name, list(known))
    content = known[name].read_bytes()
    try:
        found: dict[str, Any] = json.loads(content)
        command, versions = str(found["command"]), dict(found["versions"])
    except (ValueError, KeyError, TypeError):
        raise InputError("name", "be a recorded result that is whole", name, "make it again") from None
    digest = hashlib.sha256(content).hexdigest()
    file = {"file": f"data/kept/{name}.json", "sha256": digest, "bytes": len(content), "origin": "recorded"}
    with_what = ", ".join(f"{package} {version}" for package, version in sorted(versions.items()))
    results.loaded(f"recorded:{name}", [file], f"Recorded by `{command}` with {with_what}.")
    return found
