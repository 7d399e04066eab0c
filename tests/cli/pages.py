"""What the pages of the book show of commands and files: fenced blocks by language, and commands as they are given."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml

from citylib.cli.app import app

__all__ = ["ROOT", "blocks", "commands", "parse", "rows"]

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
CALLED = re.compile(r"(?:^|[\s(/=])citylib (.*)")
SHELL = ("bash", "sh", "text", "ini")
TEMPLATE = re.compile(r"\{\{.*?\}\}")  # of Airflow


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of a language on a page."""
    return [text for name, text in FENCE.findall(page) if name == language]


def rows(page: str, head: str) -> list[list[str]]:
    """Return the rows of the table whose first line starts with `head`, each a list of its cells."""
    lines = page.partition(f"\n{head}")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words behind ``citylib`` of each command that a page shows: in blocks and in code."""
    for language, text in FENCE.findall(page):
        if language in SHELL:
            for line in text.replace("\\\n", " ").splitlines():
                yield from _of_line(line)
        elif language == "python":
            yield from _of_python(text)
        elif language == "yaml":
            yield from (found for document in yaml.safe_load_all(text) for found in _of_yaml(document))
    prose = FENCE.sub("", page)
    for line in re.findall(r"^ {4}(\S.*)$", prose, flags=re.M):
        yield from _of_line(line)
    for span in re.findall(r"`([^`\n]+)`", prose):
        if len(span.split()) > 2:  # `citylib run` alone names a command
            yield from _of_line(span)


def _of_line(line: str) -> Iterator[list[str]]:
    line = re.sub(r"\s\d?>+\s*&?\S+", " ", line)
    if (found := CALLED.search(line)) and not line.startswith(("citylib:", "#")):
        lexer = shlex.shlex(found[1], posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        ends = [at for at, word in enumerate(words) if set(word) <= set("();<>|&")]
        yield words[: ends[0] if ends else None]


def _of_python(text: str) -> Iterator[list[str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "citylib " in node.value:
            yield from _of_line(TEMPLATE.sub("x", node.value))
        elif isinstance(node, ast.List) and node.elts and "citylib" in ast.unparse(node.elts[0]):
            yield [item.value if isinstance(item, ast.Constant) else "x" for item in node.elts[1:]]


def _of_yaml(content: Any) -> Iterator[list[str]]:
    if isinstance(content, dict):
        for value in content.values():
            yield from _of_yaml(value)
    elif isinstance(content, list):
        if content and content[0] == "citylib":
            yield content[1:]
        for value in content:
            yield from _of_yaml(value)


def parse(words: list[str]) -> None:
    """Parse a command as `citylib` does and run nothing.

    Raises
    ------
    typer's usage errors
        It is not known, lacks an argument, or has an option that is not known or has a wrong value.
    """
    command = typer.main.get_command(app)
    path, rest = "citylib", list(words)
    while under := getattr(command, "commands", None):
        assert rest, f"{path} needs a command"
        assert rest[0] in under, f"{path} has no command {rest[0]!r}"
        command, path = under[rest[0]], f"{path} {rest.pop(0)}"
    command.make_context(path, rest)
