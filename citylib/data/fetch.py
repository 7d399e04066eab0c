"""Where a registered file comes from: a data folder, the cache, or its public address; always checked by sha256."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import sys
import tempfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from citylib.data import cache
from citylib.data.registry import Source, SourceFile, sources
from citylib.errors import ChecksumError, DownloadError, InputError, SourceMissingError

__all__ = ["Found", "download", "fetch", "find_listed", "folders", "locate"]

TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class Found:
    """A file that was found and holds the registered bytes.

    Parameters
    ----------
    path : Path
        Where it lies.
    origin : {"folder", "cache", "download", "own"}
        How it was found.
    sha256 : str
        Of its bytes as they lie there.
    bytes : int
        Their number.
    """

    path: Path
    origin: str
    sha256: str
    bytes: int


def folders() -> tuple[Path, ...]:
    """Return the folders that ``CITYLIB_DATA`` names, made absolute; several are parted by `os.pathsep`.

    Raises
    ------
    InputError
        One of them is not a folder.
    """
    named = [Path(part).expanduser() for part in os.environ.get("CITYLIB_DATA", "").split(os.pathsep) if part]
    for path in named:
        if not path.is_dir():
            raise InputError("CITYLIB_DATA", "name folders that exist", str(path), f"looked from {Path.cwd()}")
    return tuple(Path(os.path.abspath(path)) for path in named)


def locate(file: SourceFile) -> Found | None:
    """Find a registered file without a download: in the data folders, then in the cache.

    Parameters
    ----------
    file : SourceFile
        The file.

    Returns
    -------
    Found or None
        None: it is in neither. A damaged file in the cache counts as absent, the next download replaces it.

    Raises
    ------
    ChecksumError
        A data folder holds the file with other bytes than the registered ones.
    """
    for folder in folders():
        for path in _candidates(folder, file):
            if path.is_file():
                digest = cache.sha256(path)
                if not _registered(file, path, digest):
                    expected = file.sha256_stored if path.name == file.name else file.sha256_original
                    raise ChecksumError(_mismatch(file, path, expected, digest, "replace or remove it"))
                return Found(path, "folder", digest, path.stat().st_size)
    kept = cache.path(file)
    if file.sha256_original is not None and kept.is_file():
        digest = cache.sha256(kept)
        if digest == file.sha256_original:
            return Found(kept, "cache", digest, kept.stat().st_size)
    return None


def fetch(source: Source, *, progress: bool | None = None) -> dict[str, Found]:
    """Return every file of a set, downloading what neither folder nor cache holds.

    Parameters
    ----------
    source : Source
        The set.
    progress : bool, optional
        Show a bar while downloading; by default when standard error is a terminal.

    Returns
    -------
    dict of str to Found
        By the name of the file.

    Raises
    ------
    SourceMissingError
        A file was rewritten for the data folder, so it has no public address, and no folder holds it.
    ChecksumError, DownloadError
        See `locate` and `download`.
    """
    found = {file.name: locate(file) for file in source.files}
    absent = [file for file in source.files if found[file.name] is None]
    rewritten = [file for file in absent if file.url is None]
    if rewritten:
        looked = ", ".join(map(str, folders())) or "CITYLIB_DATA is not set"
        names = ", ".join(f"{file.key} ({file.stored_form})" for file in rewritten)
        raise SourceMissingError(
            f"source {source.name!r} must be in a data folder: {names} is not published in this form and so cannot be "
            f"downloaded; set CITYLIB_DATA to the folder that holds {source.name} (looked in: {looked})"
        )
    have = {name: at for name, at in found.items() if at is not None}
    have |= {file.name: download(file, progress=progress) for file in absent}
    return {file.name: have[file.name] for file in source.files}


def download(file: SourceFile, *, progress: bool | None = None) -> Found:
    """Download a file from its pinned address into the cache.

    The bytes go to a temporary file beside its place, are checked, and only then moved there in one step.

    Parameters
    ----------
    file : SourceFile
        The file; it must have an address.
    progress : bool, optional
        Show a bar; by default when standard error is a terminal.

    Returns
    -------
    Found

    Raises
    ------
    DownloadError
        No network, an error of the server, or a download that broke off; nothing is kept.
    ChecksumError
        Other bytes than the registered ones; nothing is kept.
    """
    assert file.url is not None, file.key
    target = cache.path(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        try:
            _stream(file.url, part, sys.stderr.isatty() if progress is None else progress)
        except (OSError, ValueError) as error:
            raise DownloadError(
                f"{file.key}: {file.url} could not be downloaded ({_reason(error)}); nothing was kept. "
                f"Try again with a network, or set CITYLIB_DATA to a folder that holds {file.key}"
            ) from error
        digest = cache.sha256(part)
        if digest != file.sha256_original:
            hint = "nothing was kept; set CITYLIB_DATA to a folder that has it"
            raise ChecksumError(_mismatch(file, file.url, file.sha256_original, digest, hint))
        size = part.stat().st_size
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return Found(target, "download", digest, size)


def find_listed(file: str) -> Found | None:
    """Find again a file that a receipt lists.

    Parameters
    ----------
    file : str
        ``set/name`` of a registered file, or the path of an own file.

    Returns
    -------
    Found or None
        None: it is not there any more, or holds other bytes than the registered ones.
    """
    for known in sources():
        for candidate in known.files:
            if candidate.key == file:
                try:
                    return locate(candidate)
                except ChecksumError:
                    return None
    path = Path(file)
    return Found(path, "own", cache.sha256(path), path.stat().st_size) if path.is_file() else None


def _stream(address: str, part: Path, progress: bool) -> None:
    import pooch

    with ExitStack() as answers:  # pooch leaves the connection open when the server says no

        def remember(answer: Any, *_args: Any, **_options: Any) -> None:
            answers.callback(answer.close)

        downloader = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT, hooks={"response": remember})
        downloader(address, str(part), None)


def _candidates(folder: Path, file: SourceFile) -> list[Path]:
    places = [folder / file.source] + ([folder] if folder.name == file.source else [])
    names = dict.fromkeys([file.name, file.original_name])
    return [place / name for place in places for name in names]


def _registered(file: SourceFile, path: Path, digest: str) -> bool:
    if digest in (file.sha256_stored, file.sha256_original):
        return True
    # Compressed anew by someone else: other bytes, the same content.
    return file.stored_form == "gzip" and path.suffix == ".gz" and _inside(path) == file.sha256_original


def _inside(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with gzip.open(path, "rb") as stream:
            while chunk := stream.read(cache.CHUNK):
                digest.update(chunk)
    except (OSError, EOFError, zlib.error):
        return None
    return digest.hexdigest()


def _mismatch(file: SourceFile, where: Path | str, expected: str | None, digest: str, hint: str) -> str:
    return f"{file.key}: {where} must have sha256 {expected}, got {digest}; it was changed or damaged: {hint}"


def _reason(error: BaseException) -> str:
    """Say what lies under an error of the network, without addresses in memory."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    inner = cause if isinstance(cause, BaseException) else error
    text = re.sub(r"<[^>]*>:? ?|HTTPS?Connection(Pool)?\([^)]*\):? ?", "", str(inner))
    return f"{type(inner).__name__}: {text[:200]}" if text else type(inner).__name__
