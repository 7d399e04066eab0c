"""Small registered sets and a loopback server for the tests of data."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from citylib.data.registry import Source, SourceFile

CONTENT = b"time,value\n2024-01-01T00,1\n2024-01-01T01,2\n"


@dataclass
class Server:
    """What the loopback server says to any request."""

    address: str = ""
    body: bytes = CONTENT
    status: int = 200
    promised: int | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No data folder, and an empty cache, whose folder is returned."""
    monkeypatch.delenv("CITYLIB_DATA", raising=False)
    monkeypatch.setenv("CITYLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on the loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    said = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append(self.path)
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(said.body) if said.promised is None else said.promised))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    said.address = f"http://127.0.0.1:{http.server_address[1]}"
    yield said
    http.shutdown()
    thread.join()
    http.server_close()


MakeSource = Callable[..., Source]


@pytest.fixture
def make_source() -> MakeSource:
    """A function that makes a registered set of one file, stored compressed, published plain."""

    def make(address: str | None = "http://127.0.0.1:1", content: bytes = CONTENT, name: str = "tiny-set") -> Source:
        packed = gzip.compress(content, mtime=0)
        file = SourceFile(
            source=name,
            name="readings.csv.gz",
            url=None if address is None else f"{address}/readings.csv",
            sha256_original=hashlib.sha256(content).hexdigest(),
            bytes_original=len(content),
            sha256_stored=hashlib.sha256(packed).hexdigest(),
            bytes_stored=len(packed),
            rows=2,
            stored_form="gzip" if address is not None else "joined from many files",
            notes="",
            repo="some/where",
            commit="0" * 40,
            path="readings.csv",
        )
        return Source(name, "Tiny", "A tiny set", "panel", "one night", "tests", "MIT", "none", ("none",), (file,))

    return make
