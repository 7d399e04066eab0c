"""What the written pages say: code that runs, commands that exist, works that are cited, all in their form."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import typer
from pybtex.database import parse_file

from citylib.cli.app import app
from tests.book.conftest import ROOT

BOOK = ROOT / "book"
PAGES = sorted(p.relative_to(BOOK).as_posix() for p in BOOK.rglob("*.md"))


def fenced(page: str, language: str) -> list[str]:
    """Return the blocks of one language on a page."""
    text = (BOOK / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


@pytest.mark.parametrize("page", [p for p in PAGES if fenced(p, "pycon")])
def test_code_on_a_page_runs_and_gives_what_it_shows(page: str) -> None:
    blocks = fenced(page, "pycon")
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page, page, 0)
    runner = doctest.DocTestRunner()
    said: list[str] = []
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
    assert runner.tries > 5


def test_commands_on_the_pages_exist() -> None:
    group = typer.main.get_command(app)
    lines = [line for page in PAGES for block in fenced(page, "bash") for line in block.splitlines()]
    commands = [line.split("#")[0].split() for line in lines if "citylib " in line]
    named = [words[words.index("citylib") + 1 :] for words in commands if "citylib" in words]
    assert len(named) > 8
    for words in named:
        command, context = group, typer.Context(group)
        for word in words:
            if not hasattr(command, "commands"):
                break
            command = command.get_command(context, word)
            assert command is not None, words
        options = {name for parameter in command.params for name in parameter.opts}
        assert {w for w in words if w.startswith("-")} <= options, words


def test_references_are_given_once_and_cited_ones_exist() -> None:
    keys = list(parse_file(BOOK / "references.bib").entries)  # refuses what the book's build refuses, and repeats
    written = re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text(encoding="utf-8"), re.M)
    assert sorted(written) == sorted(keys)
    texts = [p.read_text(encoding="utf-8") for p in [*BOOK.rglob("*.md"), *(ROOT / "notebooks").rglob("*.ipynb")]]
    cited = {
        key.strip() for t in texts for keys_ in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", t) for key in keys_.split(",")
    }
    assert cited <= set(keys), cited - set(keys)


def test_nothing_on_the_pages_names_this_machine() -> None:
    for path in [p for p in BOOK.rglob("*") if p.suffix in {".md", ".yml", ".toml", ".css", ".js", ".bib"}]:
        text = path.read_text(encoding="utf-8")
        assert str(ROOT) not in text, path
        assert not re.search(r"/root/|/home/\w|/Users/\w", text), path


def test_every_asset_is_ours_and_small() -> None:
    for path in (BOOK / "assets").iterdir():
        assert path.stat().st_size < 40_000, path
        assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", path.read_text(encoding="utf-8")), Path(path)
