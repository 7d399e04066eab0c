"""The page of all commands says what the commands say of themselves."""

from __future__ import annotations

import re

import pytest

from citylib.cli import main
from tests.cli import commands_page


def test_the_page_is_that_of_the_commands_there_are():
    assert commands_page.PAGE.read_text(encoding="utf-8") == commands_page.text(), f"run: {commands_page.COMMAND}"


@pytest.mark.parametrize("path", [path for path, _, _ in commands_page.commands()])
def test_each_option_and_command_that_help_shows_is_on_the_page(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit):
        main([*path.split()[1:], "--help"])
    shown = capsys.readouterr().out
    section = commands_page.text().split(f"## {path}\n")[1].split("\n## ")[0]
    options = set(re.findall(r"--[a-z][a-z-]*", shown)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z][a-z-]*", section))
    under = re.findall(r"^  ([a-z]+) ", shown.partition("\nCommands:\n")[2], flags=re.M)
    assert under == re.findall(r"\[`([a-z]+)`\]\(#", section)
