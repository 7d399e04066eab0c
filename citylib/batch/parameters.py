"""The parameters of a notebook: read from its tagged cell without running it, checked before a kernel starts.

One cell carries the tag ``parameters``; each line of it declares one parameter::

    horizon: int = 24           # steps ahead [1..168]
    season: str = "daily"       # season to remove [none | daily | weekly]

The cell is parsed, never executed: literals only, none derived from another.
All faults are reported together.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citylib.batch.domains import Domain, Kind, Value
from citylib.errors import InputError, NotebookError, ParameterError, nearest

__all__ = ["Parameter", "cells", "check", "declared", "parse", "take_all"]

TAG = "parameters"
SECRETS = {
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "credential",
    "credentials",
    "apikey",
}
SECRET_PAIRS = re.compile(r"(api|access|private|secret|auth)_?key")
FILE = "file:"


@dataclass(frozen=True)
class Parameter:
    """One declared parameter.

    Parameters
    ----------
    name : str
        As declared.
    type : str
        ``"int"``, ``"list[int] | None"``, ...
    default : object
        The literal that it stands for when nothing is given.
    help : str
        The comment without the domain.
    domain : str
        ``"1..168"``, ``"none | daily"``, ``"date"`` or empty.
    """

    name: str
    type: str
    default: Value
    help: str = ""
    domain: str = ""
    kind: Kind = field(default=Kind("str"), repr=False, compare=False)
    within: Domain = field(default=Domain(), repr=False, compare=False)

    def take(self, value: Any) -> Value:
        """Return `value`, typed, if it may be this parameter's.

        Raises
        ------
        InputError
            Wrong type, outside the domain, or a file that is not there; the argument is the parameter.
        """
        try:
            taken = self.kind.take(value)
            self.within.hold(taken)
            _files_exist(taken)
        except InputError as fault:
            raise InputError(self.name, fault.rule, fault.value, fault.hint) from None
        return taken


def cells(notebook: Path) -> list[dict[str, Any]]:
    """Return the cells of a Python notebook file, sources joined to one text.

    Raises
    ------
    NotebookError
        Not there, not JSON, not a notebook of format 4, or of another language.
    """
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookError(f"{notebook}: no such notebook") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise NotebookError(f"{notebook}: is not valid JSON ({fault})") from None
    except OSError as fault:
        raise NotebookError(f"{notebook}: cannot be read ({fault.strerror})") from None
    found = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(found, list) or content.get("nbformat") != 4:
        raise NotebookError(f"{notebook}: is not a notebook of format 4")
    metadata = content.get("metadata", {})
    language = metadata.get("kernelspec", {}).get("language") or metadata.get("language_info", {}).get("name")
    if language not in (None, "python"):
        raise NotebookError(f"{notebook}: is written in {language}; citylib runs Python notebooks")
    if not all(isinstance(cell, dict) and "cell_type" in cell and "source" in cell for cell in found):
        raise NotebookError(f"{notebook}: has a cell without type or source")
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def declared(notebook: Path) -> list[Parameter]:
    """Return the parameters that a notebook declares, in order.

    Parameters
    ----------
    notebook : Path
        The ``.ipynb`` file.

    Returns
    -------
    list of Parameter

    Raises
    ------
    NotebookError
        No cell tagged ``parameters``, or more than one, or not a notebook at all.
    ParameterError
        Declarations that break the form, all faults together.
    """
    tagged = [cell for cell in cells(notebook) if TAG in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        rule = "mark the cell with the defaults" if not tagged else "keep one of them"
        raise NotebookError(f"{notebook}: has {len(tagged) or 'no'} cells tagged {TAG!r}, one is needed; {rule}")
    return _declarations(str(notebook), tagged[0]["source"])


def check(notebook: Path, given: Mapping[str, Any]) -> dict[str, Value]:
    """Return all parameters of a notebook: those given, checked, and the defaults of the others.

    Parameters
    ----------
    notebook : Path
        The ``.ipynb`` file.
    given : mapping
        Values by name, as Python objects; an int does for a float.

    Returns
    -------
    dict
        Every declared parameter with its value, in the order of declaration.

    Raises
    ------
    NotebookError, ParameterError
        As `declared`; unknown names, wrong types, values outside their domain, all together.
    """
    out, faults = take_all(declared(notebook), given)
    if faults:
        raise ParameterError(str(notebook), faults)
    return out


def take_all(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> tuple[dict[str, Value], list[str]]:
    """Return all parameters with their values, and what is wrong with those given, a line a fault."""
    known = {parameter.name: parameter for parameter in parameters}
    faults = [_unknown(name, known) for name in given if name not in known]
    out: dict[str, Value] = {}
    for name, parameter in known.items():
        try:
            out[name] = parameter.take(given.get(name, parameter.default))
        except InputError as fault:
            faults.append(str(fault))
    return out, faults


def parse(notebook: Path, words: Iterable[str]) -> dict[str, Value]:
    """Read ``name=value`` words, as given on a command line, by the declared types.

    Parameters
    ----------
    notebook : Path
        The ``.ipynb`` file.
    words : iterable of str
        Such as ``"horizon=48"``; strings need no quotes, lists are written as in Python, ``none`` is None.

    Returns
    -------
    dict
        The given values by name.

    Raises
    ------
    NotebookError, ParameterError
        As `check`, and words without ``=`` or given twice.
    """
    known = {parameter.name: parameter for parameter in declared(notebook)}
    faults: list[str] = []
    out: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip()
        if not equals or not name:
            faults.append(f"a parameter must be written name=value, got {word!r}")
        elif name in out:
            faults.append(f"{name} must be given once")
        elif name not in known:
            faults.append(_unknown(name, known))
        else:
            try:
                out[name] = known[name].take(known[name].kind.parse(text))
            except InputError as fault:
                faults.append(str(InputError(name, fault.rule, fault.value, fault.hint)))
    if faults:
        raise ParameterError(str(notebook), faults)
    return out


def _declarations(notebook: str, source: str) -> list[Parameter]:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as fault:
        line = getattr(fault, "lineno", None)
        raise ParameterError(notebook, [f"parameters cell, line {line}: is not Python ({fault})"]) from None
    comments = _comments(source)
    faults: list[str] = []
    out: dict[str, Parameter] = {}
    for statement in body:
        try:
            parameter = _declaration(statement, comments.get(statement.end_lineno or 0, ""))
            if parameter.name in out:
                raise InputError(parameter.name, "be declared once", "a second declaration")
            out[parameter.name] = parameter
        except InputError as fault:
            faults.append(f"parameters cell, line {statement.lineno}: {fault}")
    if faults:
        raise ParameterError(notebook, faults)
    return list(out.values())


def _declaration(statement: ast.stmt, comment: str) -> Parameter:
    form = "be a declaration `name: type = literal  # help [domain]`"
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=None):
            raise InputError(name, "have a default", "none")
        case ast.Assign(targets=[ast.Name(id=name)]):
            raise InputError(name, "have a type, " + form[3:], ast.unparse(statement))
        case _:
            raise InputError("the statement", form, ast.unparse(statement))
    if _secret(name):
        raise InputError(name, "be no secret: parameters are written into the executed notebook", name)
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError):
        raise InputError(name, "have a literal default, derived from nothing", ast.unparse(value)) from None
    inside = re.search(r"\[([^\[\]]*)\]\s*$", comment)
    try:
        kind = Kind.of(annotation)
        within = Domain.of(inside.group(1), kind) if inside else Domain()
        default = kind.take(literal)
        within.hold(default)
    except InputError as fault:
        part = "default" if fault.argument == "value" else fault.argument
        raise InputError(f"the {part} of {name}", fault.rule, fault.value, fault.hint) from None
    helped = comment[: inside.start()] if inside else comment
    return Parameter(name, str(kind), default, helped.strip(), within.text, kind, within)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("#").strip() for t in tokens if t.type == tokenize.COMMENT}


def _secret(name: str) -> bool:
    words = name.lower().split("_")
    return bool(SECRETS.intersection(words) or SECRET_PAIRS.search(name.lower()))


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    if _secret(name):
        return f"{name} must be no secret: parameters are written into the executed notebook and its receipt"
    close = nearest(name, known)
    hint = f"; did you mean {close!r}?" if close else ""
    return f"{name} must be one of: {', '.join(known) or '(this notebook has none)'}{hint}"


def _files_exist(value: Value) -> None:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item.startswith(FILE) and not Path(item[len(FILE) :]).expanduser().exists():
            raise InputError("value", "name a file that exists", item)
