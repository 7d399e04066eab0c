"""Receipts: what a run was made from, and whether it would come out the same today.

A run is done, and is skipped, when a good receipt exists with the same notebook,
parameters and lock, and every data and citylib file it lists, and every file it
made, still has its sha256.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citylib.errors import CitylibError, ReceiptError

__all__ = [
    "CHANGED",
    "Hashes",
    "changes",
    "key_of",
    "lock_of",
    "made_files",
    "package_folder",
    "read",
    "root_of",
    "why_not",
]

SCHEMA = 1
FILE = "receipt.json"
CHANGED = "changed while the run was under way"
LOCK = "requirements.lock"
NOT_MADE = (FILE, "log.txt")


@dataclass
class Hashes:
    """Hashes (sha256) of files, each read once as long as its size and time stay the same."""

    kept: dict[tuple[str, int, int], str] = field(default_factory=dict)
    listed: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def of(self, path: Path) -> str | None:
        """Return the sha256 of a file's bytes, or None if it is not there."""
        try:
            status = path.stat()
            mark = (str(path), status.st_size, status.st_mtime_ns)
            if mark not in self.kept:
                with path.open("rb") as stream:
                    self.kept[mark] = hashlib.file_digest(stream, "sha256").hexdigest()
        except (OSError, ValueError):  # a receipt that was edited may list what is no name of a file
            return None
        return self.kept[mark]

    def of_data(self, file: str, origin: str, base: Path) -> str | None:
        """Return the sha256 of a data file as `citylib.data.load` would find it now, or None."""
        if origin == "own":
            return self.of(base / Path(file).expanduser())
        if origin == "recorded":
            return self.of(package_folder() / file)
        mark = (file, str(base))
        if mark not in self.listed:
            from citylib.data import fetch

            try:
                found = fetch.find_listed(file)
            except (CitylibError, OSError):  # other bytes, no such data folder, a file that may not be read
                found = None
            self.listed[mark] = found.sha256 if found else None
        return self.listed[mark]


def root_of(path: Path) -> Path:
    """Return the project a file belongs to: the nearest folder above with a lock or ``pyproject.toml``.

    Without one it is the current folder, if the file is below it, else the file's own.
    """
    for folder in path.absolute().parents:
        if any((folder / mark).is_file() for mark in (LOCK, "pyproject.toml")):
            return folder
    return Path.cwd() if path.absolute().is_relative_to(Path.cwd()) else path.absolute().parent


def lock_of(root: Path, hashes: Hashes) -> str:
    """Return the sha256 of the project's lock; without one, of the list of what is installed."""
    found = hashes.of(root / LOCK)
    if found is not None:
        return found
    mark = ("installed", str(root))
    if mark not in hashes.listed:
        lines = sorted({f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions()})
        hashes.listed[mark] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return hashes.listed[mark] or ""


def package_folder() -> Path:
    """Return the folder of the citylib package."""
    spec = importlib.util.find_spec("citylib")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]).resolve()


def key_of(content: Mapping[str, Any]) -> str:
    """Return the sha256 that stands for all a run was made from.

    Parameters
    ----------
    content : mapping
        A receipt, or its keys notebook, parameters, lock, data, citylib.
    """
    made_from = {
        "notebook": content["notebook"]["sha256"],
        "parameters": content["parameters"],
        "lock": content["lock"],
        "data": sorted([d["file"], d["sha256"]] for d in content["data"]),
        "citylib": sorted([c["path"], c["sha256"]] for c in content["citylib"]),
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def made_files(folder: Path, hashes: Hashes) -> list[dict[str, Any]]:
    """Return name, sha256 and bytes of each file a run made, sorted; the log and the receipt apart."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).as_posix() not in NOT_MADE)
    return [
        {"file": p.relative_to(folder).as_posix(), "sha256": hashes.of(p), "bytes": p.stat().st_size} for p in files
    ]


def read(folder: Path) -> dict[str, Any]:
    """Return the receipt of a run's folder.

    Raises
    ------
    ReceiptError
        None there, not JSON, or not of this form.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReceiptError(f"{folder}: has no {FILE}") from None
    except (OSError, ValueError, RecursionError) as fault:
        raise ReceiptError(f"{path}: cannot be read ({fault})") from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ReceiptError(f"{path}: is no receipt of form {SCHEMA}")
    return content


def why_not(
    folder: Path,
    *,
    notebook_sha256: str,
    parameters: Mapping[str, Any],
    lock: str,
    base: Path,
    hashes: Hashes | None = None,
) -> str | None:
    """Return why a run cannot be skipped, or None if its folder holds what it would make.

    Parameters
    ----------
    folder : Path
        The run's folder.
    notebook_sha256 : str
        Of the notebook as it is now.
    parameters : mapping
        All, with defaults.
    lock : str
        See `lock_of`.
    base : Path
        Folder that paths of own files are relative to.
    hashes : Hashes, optional
        Shared by the checks of a plan, so that a file is read once.

    Returns
    -------
    str or None
        Such as ``"citylib/timeseries/arima.py changed"``.
    """
    hashes = hashes or Hashes()
    if not folder.is_dir():
        return "never run"
    try:
        content = read(folder)
        first = next(_differences(content, folder, notebook_sha256, parameters, lock, base, hashes), None)
    except ReceiptError as fault:
        return str(fault)
    except (KeyError, TypeError, AttributeError):
        return "its receipt lacks something"
    return first


def changes(
    content: Mapping[str, Any], folder: Path, *, root: Path, base: Path, hashes: Hashes | None = None
) -> list[str]:
    """Return all that is no longer as a receipt says: inputs, lock, and the files of the run, each hashed anew.

    Parameters
    ----------
    content : mapping
        The receipt.
    folder : Path
        The run's folder.
    root : Path
        The project that the notebook's path is relative to.
    base : Path
        Folder that paths of own files are relative to.
    hashes : Hashes, optional
        Shared by several calls.

    Returns
    -------
    list of str
        A line a change; empty if nothing changed.
    """
    hashes = hashes or Hashes()
    told: list[str] = []
    try:
        for change in _changes(content, folder, root, base, hashes):
            told.append(change)  # one by one: what was found stays found if the receipt breaks off
    except (KeyError, TypeError, AttributeError):
        told.append("its receipt lacks something")
    return told


def _changes(content: Mapping[str, Any], folder: Path, root: Path, base: Path, hashes: Hashes) -> Iterator[str]:
    now = hashes.of(root / content["notebook"]["path"])
    if now is None:
        yield f"the notebook {content['notebook']['path']} is not in this project"
    elif now != content["notebook"]["sha256"]:
        yield "the notebook changed"
    if content["lock"] != lock_of(root, hashes):
        yield f"{LOCK} changed"
    yield from _inputs(content, base, hashes)
    yield from _made(content, folder, hashes)
    listed = {made["file"] for made in content["made"]} | set(NOT_MADE)
    for path in sorted(p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()):
        if (name := path.relative_to(folder).as_posix()) not in listed:
            yield f"{name} of the run is not in its receipt"


def _differences(
    content: Mapping[str, Any],
    folder: Path,
    notebook_sha256: str,
    parameters: Mapping[str, Any],
    lock: str,
    base: Path,
    hashes: Hashes,
) -> Iterator[str]:
    if content["outcome"] != "ok":
        yield f"last outcome: {content['outcome']}"
    if content["notebook"]["sha256"] != notebook_sha256:
        yield "the notebook changed"
    if json.dumps(content["parameters"], sort_keys=True) != json.dumps(dict(parameters), sort_keys=True):
        before = content["parameters"]
        changed = [n for n in {**before, **parameters} if before.get(n) != parameters.get(n)]
        yield f"parameters changed: {', '.join(changed) or 'their types'}"
    if content["lock"] != lock:
        yield f"{LOCK} changed"
    yield from _inputs(content, base, hashes)
    yield from _made(content, folder, hashes)


def _made(content: Mapping[str, Any], folder: Path, hashes: Hashes) -> Iterator[str]:
    for made in content["made"]:
        if hashes.of(folder / made["file"]) != made["sha256"]:
            yield f"{made['file']} of the run was changed or removed"
    if content["key"] != key_of(content):
        yield "its receipt was edited"


def _inputs(content: Mapping[str, Any], base: Path, hashes: Hashes) -> Iterator[str]:
    package = package_folder()
    for file in content["citylib"]:
        if hashes.of(package / file["path"]) != file["sha256"]:
            yield f"citylib/{file['path']} " + (CHANGED if file["sha256"] == CHANGED else "changed")
    for file in content["data"]:
        if file["origin"] == "embedded":
            continue
        now = hashes.of_data(file["file"], file["origin"], base)
        if now != file["sha256"]:
            yield f"data file {file['file']} " + ("is no longer found" if now is None else "changed")
