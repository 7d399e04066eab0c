"""A run's log, read to its end or followed while the run goes on: through its renames and retries, to how it ended.

A runner writes into ``.<id>.part-<process>-<any>/log.txt`` beside the run's folder and
renames that to ``<id>``, or ``<id>.failed``, at the end; a retry begins another. The
follower holds the open file through the rename, and asks the lock beside the folder
whether its runner is still there.
"""

from __future__ import annotations

import codecs
import glob
import itertools
import os
import platform
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from citylib.batch import receipt
from citylib.batch.run import FAILED
from citylib.errors import ReceiptError

__all__ = ["LOG", "Piece", "follow", "latest", "tail", "text_of"]

LOG = "log.txt"
POLL = 0.2  # seconds between two looks
CHUNK = 1 << 20
WRITER = re.compile(r"\.part-(\d+)-")
HOLDER = re.compile(r"process (\d+) on (.*)")  # what `citylib.batch.turn` writes into a lock

Mark = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """A piece of what a follower is told.

    Parameters
    ----------
    kind : {"log", "note", "end"}
        Of the log; a word of the follower's own; how the run ended, which is the last.
    text : str
        A log's as it stands there, new lines included; else one sentence.
    ok : bool or None
        Whether the run ended well; only at the end.
    """

    kind: str
    text: str
    ok: bool | None = None


def latest(folder: Path) -> Path | None:
    """Return the folder whose log tells most of a run: the one under way, else the one it ended in last, or None.

    Parameters
    ----------
    folder : Path
        The run's; that of a failed run (``<id>.failed``) stands for itself.
    """
    if folder.name.endswith(FAILED) and folder.is_dir():
        return folder
    return _under_way(_place(folder)) or _ended(_place(folder))


def text_of(folder: Path) -> Iterator[str]:
    """Yield the log in a folder, some at a time; nothing if there is none."""
    with suppress(FileNotFoundError), (folder / LOG).open("rb") as stream:
        yield from _text(stream, final=True)


def tail(folder: Path, lines: int = 20) -> list[str]:
    """Return the last lines of the log in a folder."""
    with suppress(OSError), (folder / LOG).open("rb") as stream:
        stream.seek(max(0, (folder / LOG).stat().st_size - CHUNK))
        return stream.read().decode("utf-8", errors="replace").splitlines()[-lines:]
    return []


def follow(folder: Path, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[Piece]:
    """Yield a run's log as it is written, until the run has ended.

    A run that has ended already is told as a whole; one that has not begun is waited for.

    Parameters
    ----------
    folder : Path
        The run's.
    sleep : callable, optional
        Waits for so many seconds.

    Yields
    ------
    Piece
        The last is of kind ``"end"``.

    Raises
    ------
    ReceiptError
        The folder is not a run's, or the one above it is not there, so that no run can begin in it.
    """
    place = _place(folder)
    if not place.parent.is_dir():
        raise ReceiptError(f"{folder}: no such run, and no folder {place.parent} for it to begin in")
    if place.is_dir() and not any((place / name).is_file() for name in (LOG, receipt.FILE)):
        raise ReceiptError(f"{folder}: is not the folder of a run")
    before, staging, last = _marks(place), _under_way(place), Piece("end", "")
    if staging is None:
        if ended := _ended(place):
            yield from _whole(ended)
            yield _how_it_ended(ended)
            return
        yield Piece("note", f"waiting for {place} to begin")
    for count in itertools.count(1):
        ended = None
        while staging is None and (ended := _fresh(place, before)) is None:
            sleep(POLL)
            staging = _under_way(place)
        if count > 1:
            yield Piece("note", f"{last.text}; attempt {count}")
        if staging is not None:
            ended = yield from _attempt(staging, place, before, sleep)
        else:  # it began and ended between two looks
            yield from _whole(ended)
        last = _how_it_ended(ended)
        before |= _marks(place)
        if last.ok or not _goes_on(place, before, _retrier(staging, ended), sleep):
            yield last
            return
        staging = _under_way(place)


def _goes_on(place: Path, before: set[Mark], retrier: int | None, sleep: Callable[[float], None]) -> bool:
    """Wait for the next attempt; return whether there is one: not if nobody holds the run, nor is to try it again."""
    while _under_way(place) is None and _fresh(place, before) is None:
        if not _held(place) and (retrier is None or not psutil.pid_exists(retrier)):
            return _fresh(place, before) is not None
        sleep(POLL)
    return True


def _retrier(staging: Path | None, ended: Path | None) -> int | None:
    """Return the process that is to try a run again, if its receipt says that tries are left."""
    writer = WRITER.search(staging.name) if staging else None
    with suppress(ReceiptError, TypeError):
        content = receipt.read(ended) if ended else {}
        if writer and content.get("attempt", 1) < content.get("tries", 1):
            return int(writer[1])
    return None


def _attempt(
    staging: Path, place: Path, before: set[Mark], sleep: Callable[[float], None]
) -> Generator[Piece, None, Path | None]:
    """Yield the log of one attempt; return the folder it ended in, or None if it left none."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with ExitStack() as opened:
        stream: BinaryIO | None = None
        while True:
            gone = not staging.exists()  # asked before the log is read: what is read then is all of it
            if stream is None:
                with suppress(OSError):
                    stream = opened.enter_context((staging / LOG).open("rb"))
            read = 0
            while stream is not None and (chunk := stream.read(CHUNK)):
                read += len(chunk)
                yield Piece("log", decoder.decode(chunk))
            if gone or (not read and not _lives(staging, place)):
                break
            sleep(POLL)
        if rest := decoder.decode(b"", final=True):
            yield Piece("log", rest)
        ended = _fresh(place, before)
        if ended is not None and not _is_open(ended / LOG, stream):  # of an attempt that was over between two looks
            yield from _whole(ended)
    return ended


def _whole(ended: Path | None) -> Iterator[Piece]:
    if ended is not None:
        yield from (Piece("log", text) for text in text_of(ended))


def _is_open(path: Path, stream: BinaryIO | None) -> bool:
    with suppress(OSError):
        return stream is not None and os.path.samestat(os.fstat(stream.fileno()), path.stat())
    return False


def _how_it_ended(ended: Path | None) -> Piece:
    if ended is None:
        return Piece("end", "ended and left nothing: it was stopped, or its runner was", ok=False)
    try:
        content = receipt.read(ended)
        text = f"{content['outcome']} after {content['seconds']:.1f} s"
        if error := content.get("error"):
            where = f" in cell {error['cell']}" if error.get("cell") else ""
            text += f": {error['name']}{where}: {error['message']}"
    except (ReceiptError, KeyError, TypeError, AttributeError, ValueError) as fault:
        return Piece("end", f"ended, but its receipt cannot be read ({fault})", ok=False)
    return Piece("end", f"{text}; see {ended}", ok=content["outcome"] == "ok")


def _text(stream: BinaryIO, *, final: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := stream.read(CHUNK):
        yield decoder.decode(chunk)
    if final and (rest := decoder.decode(b"", final=True)):
        yield rest


def _place(folder: Path) -> Path:
    return folder.with_name(folder.name.removesuffix(FAILED))


def _places(place: Path) -> tuple[Path, Path]:
    return place.with_name(place.name + FAILED), place


def _ended(place: Path) -> Path | None:
    """Return the folder a run ended in last: its own, or that of its failure."""
    ended = []
    for folder in _places(place):
        with suppress(OSError):
            ended.append(((folder / receipt.FILE).stat().st_mtime_ns, folder))
    return max(ended)[1] if ended else None


def _marks(place: Path) -> set[Mark]:
    return {mark for folder in _places(place) if (mark := _mark(folder)) is not None}


def _mark(folder: Path) -> Mark | None:
    """Return what tells one ended run in a folder from the next: its receipt, and when that was written."""
    with suppress(OSError):
        status = (folder / receipt.FILE).stat()
        return status.st_ino, status.st_mtime_ns
    return None


def _fresh(place: Path, before: set[Mark]) -> Path | None:
    """Return the folder that a run ended in, if that was not there before."""
    ended = _ended(place)
    return ended if ended is not None and _mark(ended) not in before else None


def _under_way(place: Path) -> Path | None:
    """Return the folder that a living runner writes into, the newest of several."""
    found = []
    for staging in place.parent.glob(f".{glob.escape(place.name)}.part-*"):
        with suppress(OSError):
            if _lives(staging, place):
                found.append((staging.stat().st_ctime_ns, staging))
    return max(found)[1] if found else None


def _lives(staging: Path, place: Path) -> bool:
    """Whether the runner that writes into a folder is there; one on another machine is believed to be."""
    writer = WRITER.search(staging.name)
    return _held(place) or (writer is not None and psutil.pid_exists(int(writer[1])))


def _held(place: Path) -> bool:
    with suppress(OSError, UnicodeDecodeError):
        holder = HOLDER.match((place.parent / f".{place.name}.lock").read_text(encoding="utf-8"))
        return holder is not None and (holder[2] != platform.node() or psutil.pid_exists(int(holder[1])))
    return False
