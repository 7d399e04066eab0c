"""The cache: where downloaded files are kept, in the form they were published in."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from citylib.data.registry import SourceFile

__all__ = ["folder", "path", "sha256"]

CHUNK = 1 << 20


def folder() -> Path:
    """Return the cache folder: ``CITYLIB_CACHE`` if set, else the platform's place for caches.

    It need not exist yet.
    """
    named = os.environ.get("CITYLIB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("citylib"))


def path(file: SourceFile) -> Path:
    """Return where the published form of `file` is kept once downloaded."""
    return folder() / file.source / file.original_name


def sha256(file: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
