"""Runs held against their receipts: every hash computed anew, and what is there, or not, without a word in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from citylib.batch import collect, receipt
from citylib.batch.receipt import Hashes
from citylib.batch.run import FAILED
from citylib.errors import ReceiptError

__all__ = ["Verified", "verify"]

MADE = ("notebook.ipynb", "results.json")  # what tells that a folder is a run's


@dataclass(frozen=True)
class Verified:
    """One run, held against its receipt.

    Parameters
    ----------
    folder : Path
        Where it lies.
    run : str
        ``"family/NN_name [id]"``, or the folder if its receipt does not say.
    changes : tuple of str
        All that is not as the receipt says; none if it is.
    """

    folder: Path
    run: str
    changes: tuple[str, ...]


def verify(folder: Path, *, base: Path | None = None, failed: bool = False) -> Iterator[Verified]:
    """Yield each run below a folder with all that is no longer as its receipt says.

    No hash is taken from anywhere but the bytes: each file is read, once for all runs that list it.

    Parameters
    ----------
    folder : Path
        Of runs, or of one.
    base : Path, optional
        Folder that relative paths of own files start from, which a receipt does not keep; its project is meant where
        the runs lie in none that has their notebook. By default the current folder, or for own files the project
        that the runs lie in if only that has them.
    failed : bool, default False
        Whether to verify what failed runs left too; in any case if `folder` is that of one.

    Raises
    ------
    ReceiptError
        There is no such folder.
    """
    hashes = Hashes()
    failed = failed or folder.name.endswith(FAILED)
    roots = [receipt.root_of(place / "here") for place in (folder, base or Path.cwd())]
    bases = [base] if base is not None else [Path.cwd(), roots[0]]
    broken: list[ReceiptError] = []
    for place, content in collect.found(folder, failed=failed, broken=broken.append):
        root = _first_that_has(roots, [_notebook(content)])
        start = _first_that_has(bases, _own(content))
        changes = receipt.changes(content, place, root=root, base=start, hashes=hashes)
        yield Verified(place, _label(place, content), tuple(changes))
    for fault in broken:
        where, _, what = str(fault).partition(": ")
        yield Verified(Path(where).parent, where, (what,))
    yield from _without_receipt(folder, failed)


def _without_receipt(folder: Path, failed: bool) -> Iterator[Verified]:
    places = {path.parent for name in MADE for path in folder.rglob(name)}
    for place in sorted(places):
        hidden = any(part.startswith(".") for part in place.relative_to(folder).parts)
        if not hidden and not (place / receipt.FILE).exists() and (failed or not place.name.endswith(FAILED)):
            yield Verified(place, str(place), (f"has no {receipt.FILE}",))


def _first_that_has(folders: Sequence[Path], files: Sequence[str]) -> Path:
    return next((f for f in folders if any((f / file).is_file() for file in files)), folders[0])


def _notebook(content: Mapping[str, Any]) -> str:
    notebook = content.get("notebook")
    return str(notebook.get("path", "")) if isinstance(notebook, dict) else ""


def _own(content: Mapping[str, Any]) -> list[str]:
    data = content.get("data")
    files = [file for file in data if isinstance(file, dict)] if isinstance(data, list) else []
    return [str(file.get("file")) for file in files if file.get("origin") == "own"]


def _label(place: Path, content: Mapping[str, Any]) -> str:
    run = content.get("run")
    return (
        f"{run['notebook']} [{run['id']}]" if isinstance(run, dict) and {"notebook", "id"} <= set(run) else str(place)
    )
