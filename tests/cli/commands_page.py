"""The page of the book that lists every command with its options, made from what ``--help`` is made from.

``python -m tests.cli.commands_page`` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from citylib.cli.app import app
from citylib.publish import markdown

__all__ = ["COMMAND", "PAGE", "commands", "text"]

PAGE = Path(__file__).parents[2] / "book" / "guide" / "commands.md"
COMMAND = "python -m tests.cli.commands_page"
HEAD = """# All commands

What `--help` says of each command. How they go together, with examples, is on
[How to run it every night](operate.md). `--debug` may stand anywhere and shows where in the code an error arose; the
codes that commands end with are [there](operate.md#how-it-ends), too.
"""


def commands() -> Iterator[tuple[str, Any, Any]]:
    """Yield each command, groups before their own: how it is called, itself, and its context."""
    top = typer.main.get_command(app)
    yield from _below(top, top.make_context("citylib", ["doctor"], resilient_parsing=True))


def _below(command: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    yield context.command_path, command, context
    for name, under in getattr(command, "commands", {}).items():
        yield from _below(under, type(context)(under, info_name=name, parent=context))


def text() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(_section(*found) for found in commands())])


def _section(path: str, command: Any, context: Any) -> str:
    lines = [f"## {path}", "", "```text", command.get_usage(context).removeprefix("Usage: "), "```", ""]
    for paragraph in str(command.help or "").strip().split("\n\n"):
        lines += [_prose(paragraph), ""]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":
            lines += [f"`{record[0]}`", f": {_prose(record[1])}", ""]
    under = getattr(command, "commands", {})
    if under:
        links = [f"[`{name}`](#{path.replace(' ', '-')}-{name})" for name in under]
        lines += [f"Commands: {', '.join(links)}.", ""]
    return "\n".join(lines)


def _prose(words: str) -> str:
    """Return words of a help text; options in them are code, for two hyphens would become a dash."""
    return markdown.prose(re.sub(r"(?<!\S)(--[a-z][a-z-]*)", r"`\1`", words))


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
