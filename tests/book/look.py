"""Look at every page of a built book as readers see it: wide and light, on a phone in the dark.

``python -m tests.book.look [--html DIR] [--shots DIR]`` serves the book on loopback, opens each page in Chromium at
1280 px light and 390 px dark, and reports whatever is wrong: console errors, requests that leave the machine, math,
figures or tables that are not drawn, sideways scroll, missing alternative text, links and downloads that lead nowhere.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlparse

from tests.book.browser import Console, chromium, missing, serve, wait_for

__all__ = ["MODES", "Finding", "Mode", "crawl", "html_pages", "links", "search", "sort"]


@dataclass(frozen=True)
class Mode:
    """A way to look: width and height in px, light or dark."""

    name: str
    width: int
    height: int
    dark: bool


MODES = (Mode("wide-light", 1280, 900, False), Mode("phone-dark", 390, 844, True))


@dataclass(frozen=True)
class Finding:
    """Something wrong with a page."""

    page: str
    mode: str
    fault: str

    def __str__(self) -> str:
        return f"{self.page} [{self.mode}]: {self.fault}"


_CHECK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")


def html_pages(html: Path) -> list[str]:
    """Return the pages of a built book, relative to its folder."""
    names = (p.relative_to(html).as_posix() for p in html.rglob("*.html"))
    return sorted(n for n in names if not n.startswith("_static/"))


def crawl(
    html: Path, shots: Path | None = None, pages: Sequence[str] | None = None, modes: Sequence[Mode] = MODES
) -> list[Finding]:
    """Open every page in every mode, a Chromium a mode; return what is wrong, keep a picture of each in `shots`."""
    findings = [Finding(page, "links", fault) for page, fault in links(html)]
    chosen = list(pages) if pages is not None else html_pages(html)
    with serve(html) as base, ThreadPoolExecutor(len(modes)) as pool:
        for found in pool.map(lambda mode: _crawl(base, mode, chosen, shots), modes):
            findings += found
    return findings


def _crawl(base: str, mode: Mode, pages: Sequence[str], shots: Path | None) -> list[Finding]:
    findings = []
    with chromium() as driver:
        console = Console(driver, base)
        _set_mode(driver, mode)
        for page in pages:
            driver.get(base + page)
            faults = driver.execute_async_script(_CHECK, "dark" if mode.dark else "light")
            findings += [Finding(page, mode.name, fault) for fault in [*faults, *console.faults()]]
            if shots is not None:
                name = page.removesuffix(".html").replace("/", "--")
                _picture(driver, mode, shots / mode.name / f"{name}.png")
    return findings


def search(driver: Any, base: str, word: str) -> list[str]:
    """Return the pages that the book's own search finds for `word`."""
    driver.get(f"{base}search.html?q={word}")
    summary = "return (document.querySelector('#search-results .search-summary') || {}).innerText || ''"
    wait_for(lambda: re.search(r"found|did not match", driver.execute_script(summary)), f"the search for {word!r}")
    found = "return [...document.querySelectorAll('#search-results ul.search li a')].map((a) => a.getAttribute('href'))"
    return [urlparse(address).path for address in driver.execute_script(found)]


def sort(driver: Any, address: str, table: str = "table.sortable", column: int = 0) -> tuple[list[str], list[str]]:
    """Click a column head twice; return the column's texts after each click."""
    driver.get(address)
    wait_for(lambda: driver.execute_script(f"return !!document.querySelector('{table}.dataTable')"), "a sortable table")
    head = f"{table} thead th:nth-child({column + 1})"
    cells = f"return [...document.querySelectorAll('{table} tbody td:nth-child({column + 1})')].map((c) => c.innerText)"
    texts = []
    for order in ("ascending", "descending"):
        driver.execute_script(
            "const h = document.querySelector(arguments[0]); (h.querySelector('.dt-column-order') || h).click();", head
        )
        asked = f"return document.querySelector('{head}').getAttribute('aria-sort') === '{order}'"
        wait_for(lambda asked=asked: driver.execute_script(asked), f"the table in {order} order")
        texts.append(driver.execute_script(cells))
    return texts[0], texts[1]


def links(html: Path) -> list[tuple[str, str]]:
    """Return (page, fault) for each address in the book's pages that leads nowhere, and each page nothing leads to."""
    parsed = {page: _Addresses(html / page) for page in html_pages(html)}
    faults, reached = [], {"index.html", "search.html"}
    for page, addresses in parsed.items():
        for address in addresses.found:
            target, fragment = urldefrag(address)
            if urlparse(target).scheme or target.startswith("//"):
                continue
            name = unquote(urlparse(urljoin(f"/{page}", target)).path).lstrip("/") if target else page
            if not (html / name).is_file():
                faults.append((page, f"leads nowhere: {address}"))
            elif fragment and name in parsed and unquote(fragment) not in parsed[name].ids:
                faults.append((page, f"no such place on the page: {address}"))
            elif name != page:
                reached.add(name)
    return faults + [(page, "no page links to it") for page in parsed if page not in reached]


class _Addresses(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = {"top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag names and where it leads."""
        for key, value in attrs:
            if value and key in ("id", "name"):
                self.ids.add(value)
            elif value is not None and (key, tag) in _LEADS:
                self.found.append(value)


_LEADS = {("href", "a"), ("href", "link"), ("src", "img"), ("src", "script")}


def _set_mode(driver: Any, mode: Mode) -> None:
    metrics = {"width": mode.width, "height": mode.height, "deviceScaleFactor": 1, "mobile": mode.width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if mode.dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})


def _picture(driver: Any, mode: Mode, path: Path) -> None:
    """Keep the whole page, in several pictures where it is taller than one may be."""
    tallest = 14_000
    height = driver.execute_script("return document.querySelector('.bd-main, body').scrollHeight") + 60
    path.parent.mkdir(parents=True, exist_ok=True)
    _set_mode(driver, Mode(mode.name, mode.width, max(mode.height, min(height, tallest)), mode.dark))
    for part, top in enumerate(range(0, height, tallest)):
        driver.execute_script("scrollTo({top: arguments[0], behavior: 'instant'})", top)
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {})
        name = path.with_stem(f"{path.stem}-{part + 1}") if part else path
        name.write_bytes(base64.b64decode(shot["data"]))
    _set_mode(driver, mode)


def main(arguments: Sequence[str] | None = None) -> int:
    """Crawl a book; return 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.book.look", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--html", type=Path, default=Path("_build/html"), help="the built book")
    parser.add_argument("--shots", type=Path, help="where pictures of the pages go; without, none are taken")
    parser.add_argument("--page", action="append", help="only this page; may be repeated")
    options = parser.parse_args(arguments)
    reason = missing()
    if reason or not (options.html / "index.html").is_file():
        print(reason or f"no book in {options.html}: make book", file=sys.stderr)
        return 2
    start = time.monotonic()
    findings = crawl(options.html, options.shots, options.page)
    for finding in findings:
        print(finding)
    count = len(options.page or html_pages(options.html))
    took = time.monotonic() - start
    kept = f"; pictures in {options.shots}" if options.shots else ""
    print(f"{count} pages in {len(MODES)} modes: {len(findings)} faults, {took:.0f} s{kept}")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
