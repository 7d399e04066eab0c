"""The registry: which public data sets citylib knows, where each file is published, what is wrong with it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from citylib.errors import UnknownNameError

__all__ = ["KINDS", "Source", "SourceFile", "parse", "source", "sources"]

KINDS = ("panel", "assets", "events", "areas", "graph")
RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class SourceFile:
    """One file of a public data set.

    Parameters
    ----------
    source : str
        Name of the set it belongs to.
    name : str
        Its name in a data folder, without the set's.
    url : str or None
        Address of the published file at its pinned commit; None where the file was rewritten and so comes from a
        folder only.
    sha256_original, bytes_original : str or None, int or None
        Of the published file; None where it was joined from many.
    sha256_stored, bytes_stored : str, int
        Of the file in a data folder.
    rows : int
        Rows of data in it.
    stored_form : str
        ``"unchanged"``, ``"gzip"`` (the published bytes, compressed), or how it was rewritten.
    notes : str
        Units and form.
    repo, commit, path : str
        Where it is published: GitHub repository, commit and path in it.
    """

    source: str
    name: str
    url: str | None
    sha256_original: str | None
    bytes_original: int | None
    sha256_stored: str
    bytes_stored: int
    rows: int
    stored_form: str
    notes: str
    repo: str
    commit: str
    path: str

    @property
    def key(self) -> str:
        """Name of the file with its set's, as receipts list it."""
        return f"{self.source}/{self.name}"

    @property
    def original_name(self) -> str:
        """Name of the published form in the cache: without ``.gz`` where only the stored form is compressed."""
        return self.name.removesuffix(".gz") if self.stored_form == "gzip" else self.name


@dataclass(frozen=True)
class Source:
    """One public data set.

    Parameters
    ----------
    name : str
        Its name, as ``data.load`` takes it; the name of its folder too.
    title, description : str
        For people.
    kind : {"panel", "assets", "events", "areas", "graph"}
        The leading form of what it holds.
    period : str
        What it covers in time.
    meant_for : str
        The methods it serves.
    licence_stated : str
        What the repository itself states.
    licence_publisher : str
        What the publisher is said to state; unverified.
    traps : tuple of str
        What is wrong with it, or easily done wrong.
    files : tuple of SourceFile
        Its files.
    """

    name: str
    title: str
    description: str
    kind: str
    period: str
    meant_for: str
    licence_stated: str
    licence_publisher: str
    traps: tuple[str, ...]
    files: tuple[SourceFile, ...]

    @property
    def downloadable(self) -> bool:
        """Whether every file can be had from its public address."""
        return all(file.url is not None for file in self.files)

    @property
    def bytes_stored(self) -> int:
        """Size of the set in a data folder."""
        return sum(file.bytes_stored for file in self.files)


def sources() -> tuple[Source, ...]:
    """Return every registered set, those the chapters use first.

    Examples
    --------
    >>> [s.name for s in sources()][:2]
    ['traffic-i94', 'air-beijing-multisite']
    """
    return _registered()


def source(name: str) -> Source:
    """Return the registered set `name`.

    Raises
    ------
    UnknownNameError
        No such set; the nearest is offered.

    Examples
    --------
    >>> source("trafic-i94")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    citylib.errors.UnknownNameError: source must be one of: traffic-i94, air-beijing-multisite, ...
    """
    for known in _registered():
        if known.name == name:
            return known
    raise UnknownNameError("source", name, [*(s.name for s in _registered()), "synthetic", "file:PATH"])


def parse(text: str) -> tuple[Source, ...]:
    """Read a registry in the form of ``registry.toml``.

    Parameters
    ----------
    text : str
        TOML: a table a set, in it an array of tables ``files``.

    Returns
    -------
    tuple of Source
    """
    return tuple(_source(name, table) for name, table in tomllib.loads(text).items())


@cache
def _registered() -> tuple[Source, ...]:
    return parse(resources.files("citylib.data").joinpath("registry.toml").read_text(encoding="utf-8"))


def _source(name: str, table: dict[str, Any]) -> Source:
    inherited = {key: table[key] for key in ("repo", "commit") if key in table}
    return Source(
        name=name,
        title=table["title"],
        description=table["description"],
        kind=table["kind"],
        period=table["period"],
        meant_for=table["meant_for"],
        licence_stated=table["licence_stated"],
        licence_publisher=table["licence_publisher"],
        traps=tuple(table["traps"]),
        files=tuple(_file(name, inherited | file) for file in table["files"]),
    )


def _file(source_name: str, table: dict[str, Any]) -> SourceFile:
    repo, commit, path = table["repo"], table["commit"], table["path"]
    address = f"{RAW}/{quote(repo)}/{commit}/{quote(path)}" if table.get("downloadable", True) else None
    return SourceFile(
        source=source_name,
        name=table["name"],
        url=address,
        sha256_original=table.get("sha256"),
        bytes_original=table.get("bytes"),
        sha256_stored=table["sha256_stored"] if "sha256_stored" in table else table["sha256"],
        bytes_stored=table["bytes_stored"] if "bytes_stored" in table else table["bytes"],
        rows=table["rows"],
        stored_form=table["stored"],
        notes=table["notes"],
        repo=repo,
        commit=commit,
        path=path,
    )
