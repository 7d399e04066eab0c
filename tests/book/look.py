"""Look at every page of a built book as readers see it: wide and light, on a phone in the dark.

``python -m tests.book.look [--html DIR] [--shots DIR]`` serves the book on loopback, opens each page in Chromium at
1280 px light and 390 px dark, and reports whatever is wrong: console errors, requests that leave the machine, math,
figures or tables that are not drawn, sideways scroll, missing alternative text, links and downloads that lead nowhere.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import time
from collections.abc import Sequence
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


# Runs in the page; resolves to a list of faults once everything had its chance to be drawn.
_CHECK = """
const done = arguments[0];
(async () => {
  const faults = [];
  const seen = (e) => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1; };
  const short = (e) => (e.outerHTML || '').slice(0, 120);
  if (document.readyState !== 'complete') await new Promise((r) => addEventListener('load', r));
  const tries = async (ok) => { for (let i = 0; i < 100 && !ok(); i++) await new Promise((r) => setTimeout(r, 50)); };
  const math = [...document.querySelectorAll('.math')];
  if (math.length) {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise; else faults.push('math: MathJax is not there');
    for (const m of math) if (!m.querySelector('mjx-container svg')) faults.push('math not drawn: ' + short(m));
  }
  for (const m of document.querySelectorAll('mjx-merror, [data-mjx-error]')) faults.push('math in error: ' + m.textContent);
  for (const f of document.querySelectorAll('figure.citylib-figure')) {
    const drawn = [...f.querySelectorAll('svg, img')].filter(seen);
    const live = [...f.querySelectorAll('.citylib-plotly')];
    if (!live.length && drawn.length !== 1) faults.push(drawn.length + ' drawings visible in figure ' + f.dataset.name);
  }
  const plots = [...document.querySelectorAll('.citylib-plotly')];
  await tries(() => plots.every((p) => p.querySelector('.main-svg')));
  for (const p of plots) if (!p.querySelector('.main-svg') || !seen(p.querySelector('.main-svg')))
    faults.push('interactive figure not drawn: ' + short(p));
  for (const i of document.querySelectorAll('img')) {
    if (!(i.getAttribute('alt') || '').trim()) faults.push('image without alt: ' + short(i));
    if (getComputedStyle(i).display !== 'none' && !(i.complete && i.naturalWidth)) faults.push('image broken: ' + short(i));
  }
  for (const s of document.querySelectorAll('main [role=img], figure svg:not([aria-hidden]):not(.main-svg)'))
    if (!s.closest('.citylib-plotly, mjx-container, .svg-inline--fa') && (s.getAttribute('aria-label') || '').trim().length < 10)
      faults.push('figure without aria-label: ' + short(s));
  for (const p of plots) if ((p.getAttribute('aria-label') || '').trim().length < 10)
    faults.push('interactive figure without aria-label: ' + short(p));
  const tables = [...document.querySelectorAll('table.sortable')];
  await tries(() => tables.every((t) => t.classList.contains('dataTable')));
  for (const t of tables) if (!t.classList.contains('dataTable')) faults.push('table not sortable: ' + short(t));
  const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) {
    const over = [...document.querySelectorAll('main *')].filter((e) => {
      if (e.getBoundingClientRect().right <= document.documentElement.clientWidth + 1) return false;
      for (let p = e.parentElement; p; p = p.parentElement)
        if (p !== document.body && getComputedStyle(p).overflowX !== 'visible' && p !== document.documentElement) return false;
      return true;
    });
    faults.push('scrolls sideways by ' + wide + ' px' + (over.length ? ': ' + short(over[0]) : ''));
  }
  const theme = document.documentElement.dataset.theme;
  if (theme !== arguments_theme) faults.push('theme is ' + theme);
  return faults;
})().then(done, (e) => done(['check failed: ' + e]));
"""


def html_pages(html: Path) -> list[str]:
    """Return the pages of a built book, relative to its folder."""
    names = (p.relative_to(html).as_posix() for p in html.rglob("*.html"))
    return sorted(n for n in names if not n.startswith("_static/"))


def crawl(html: Path, shots: Path | None = None, pages: Sequence[str] | None = None) -> list[Finding]:
    """Open every page in every mode; return what is wrong, and keep a picture of each in `shots`."""
    findings = [Finding(page, "links", fault) for page, fault in links(html)]
    chosen = list(pages) if pages is not None else html_pages(html)
    with serve(html) as base, chromium() as driver:
        console = Console(driver, base)
        for mode in MODES:
            _set_mode(driver, mode)
            for page in chosen:
                driver.get(base + page)
                theme = "dark" if mode.dark else "light"
                faults = driver.execute_async_script(_CHECK.replace("arguments_theme", json.dumps(theme)))
                findings += [Finding(page, mode.name, fault) for fault in [*faults, *console.faults()]]
                if shots is not None:
                    _picture(driver, shots / mode.name / (page.removesuffix(".html").replace("/", "--") + ".png"))
    return findings


def search(driver: Any, base: str, word: str) -> list[str]:
    """Return the pages that the book's own search finds for `word`."""
    driver.get(f"{base}search.html?q={word}")
    script = "return [...document.querySelectorAll('#search-results ul.search li a')].map((a) => a.getAttribute('href'))"
    wait_for(lambda: driver.execute_script("return !!document.querySelector('#search-results .search-summary')"), "search")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = driver.execute_script(script)
        summary = driver.execute_script("return document.querySelector('#search-results .search-summary').innerText")
        if found and re.search(r"\d", summary):
            return [urlparse(a).path for a in found]
        time.sleep(0.1)
    return []


def sort(driver: Any, address: str, table: str = "table.sortable", column: int = 0) -> tuple[list[str], list[str]]:
    """Click a column head twice; return the column's texts after each click."""
    driver.get(address)
    wait_for(lambda: driver.execute_script(f"return !!document.querySelector('{table}.dataTable')"), "a sortable table")
    texts = []
    for _ in range(2):
        driver.execute_script(
            "const t = document.querySelector(arguments[0]), h = t.querySelectorAll('thead th')[arguments[1]];"
            "(h.querySelector('.dt-column-order') || h).click();",
            table,
            column,
        )
        read = "return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map((r) => r.cells[arguments[1]].innerText)"
        time.sleep(0.2)
        texts.append(driver.execute_script(read, table, column))
    return texts[0], texts[1]


def links(html: Path) -> list[tuple[str, str]]:
    """Return (page, fault) for each address in the book's pages that leads nowhere, and each page nothing leads to."""
    parsed = {page: _Addresses(html / page) for page in html_pages(html)}
    faults, reached = [], {"index.html", "genindex.html", "search.html"}
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


def _picture(driver: Any, path: Path) -> None:
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 15_000), "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(shot["data"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Crawl a book; return 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.book.look", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--html", type=Path, default=Path("_build/html"), help="the built book")
    parser.add_argument("--shots", type=Path, default=Path("_build/look"), help="where pictures of the pages go")
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
    print(f"{count} pages in {len(MODES)} modes: {len(findings)} faults, {took:.0f} s; pictures in {options.shots}")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
