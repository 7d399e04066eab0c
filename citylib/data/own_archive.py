"""Own files in an archive (zip, tar): one data file inside, read without ever writing it to disk."""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from citylib.errors import ArchiveError, InputError

__all__ = ["ENDINGS", "LIMIT", "is_archive", "single_member"]

ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
LIMIT = 2 << 30  # bytes once unpacked: what a run may take of memory


def is_archive(name: str) -> bool:
    """Return whether a file of this name is an archive.

    Examples
    --------
    >>> is_archive("readings.tar.gz"), is_archive("readings.csv.gz")
    (True, False)
    """
    return name.lower().endswith(ENDINGS)


def single_member(path: Path) -> tuple[str, bytes]:
    """Return name and bytes of the one file in an archive.

    Parameters
    ----------
    path : Path
        A zip or tar file.

    Returns
    -------
    (str, bytes)

    Raises
    ------
    ArchiveError
        Broken; or a member is a link, or would land outside the archive's folder.
    InputError
        It holds no file or several, or one too large.
    """
    try:
        return _from_zip(path) if path.name.lower().endswith(".zip") else _from_tar(path)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise ArchiveError(f"file {path} must be a complete archive, got {type(error).__name__}: {error}") from error
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or compressed in a way Python cannot read
        raise ArchiveError(f"file {path} must be an archive that opens without a password, got {error}") from error


def _from_zip(path: Path) -> tuple[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        for info in infos:
            _refuse_outside(path, info.filename)
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise ArchiveError(f"file {path} must hold plain files, got the link {info.filename!r}")
        sizes = {info.filename: info.file_size for info in infos if not info.is_dir()}
        name = _only(path, sizes)
        return name, archive.read(name)


def _from_tar(path: Path) -> tuple[str, bytes]:
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        for member in members:
            _refuse_outside(path, member.name)
            if not (member.isfile() or member.isdir()):
                raise ArchiveError(f"file {path} must hold plain files, got the link or device {member.name!r}")
        sizes = {member.name: member.size for member in members if member.isfile()}
        name = _only(path, sizes)
        stream = archive.extractfile(name)
        assert stream is not None, name
        content = stream.read()
        while archive.fileobj is not None and archive.fileobj.read(1 << 20):
            pass  # to the end, where a compressed file that was cut off shows
        return name, content


def _refuse_outside(path: Path, member: str) -> None:
    parts = PurePosixPath(member.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", member):
        raise ArchiveError(
            f"file {path} must keep its members inside its own folder, got {member!r}, which would be written outside; "
            "do not unpack it"
        )


def _only(path: Path, sizes: dict[str, int]) -> str:
    plain = [name for name in sizes if not PurePosixPath(name).name.startswith(".") and "__MACOSX" not in name]
    if len(plain) != 1:
        raise InputError(f"file {path}", "hold exactly one data file", ", ".join(plain[:8]) or "none")
    if sizes[plain[0]] > LIMIT:
        raise InputError(f"file {path}", f"unpack to at most {LIMIT >> 30} GiB", f"{sizes[plain[0]]:,} bytes")
    return plain[0]
