"""Plans: which notebooks are run with which parameters, read from TOML and checked before the first kernel starts.

::

    name = "beijing"                                  # default: the file's name
    limits = { minutes = 5 }                          # of every run that has none of its own
    retries = 1                                       # tries after a first one that ended badly; likewise

    [[run]]
    notebook = "timeseries/02_arima"
    title = "PM2.5 at {sensor}"
    set  = { source = "air-beijing-multisite", horizon = 24 }
    grid = { orders = [[1, 0, 1], [2, 1, 2]] }        # crossed
    each = { sensor = "sensors" }                     # every sensor of the source; or of a table's column:
    # each = { district = { column = "district", where = "year >= 2015" } }
    # compare = { by = "sensor", rank = "mae", best = "low" }   # its runs get a part of the book: `comparison`
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from citylib.batch import comparison, names, parameters
from citylib.batch.comparison import Comparison
from citylib.batch.domains import Value
from citylib.batch.expand import Places
from citylib.batch.parameters import Parameter
from citylib.batch.receipt import root_of
from citylib.batch.supervise import Limits
from citylib.errors import CitylibError, NotebookError, ParameterError, nearest

__all__ = ["Plan", "PlannedRun", "find_notebook", "load", "single"]

PLAN_KEYS = ("name", "title", "limits", "retries", "run")
RUN_KEYS = ("notebook", "name", "title", "set", "grid", "each", "compare", "limits", "retries")
MOST_RETRIES = 10
SINGLE = "single"  # name of the plan that one notebook on the command line makes


@dataclass(frozen=True)
class PlannedRun:
    """One run of a plan.

    Parameters
    ----------
    id : str
        Name of its folder, unique within its notebook.
    notebook : str
        ``"family/NN_name"``.
    path : Path
        The notebook's file.
    parameters : mapping
        All, checked, with defaults.
    title : str, optional
        What a reader calls it.
    limits : Limits
        What it may use.
    base : Path
        Folder that relative paths in parameters refer to.
    retries : int
        How often it is tried again when it ends badly.
    comparison : Comparison, optional
        The one its place belongs to; none: a page of the chapter.
    """

    id: str
    notebook: str
    path: Path
    parameters: Mapping[str, Value]
    title: str | None = None
    limits: Limits = field(default_factory=Limits)
    base: Path = field(default_factory=Path.cwd)
    retries: int = 0
    comparison: Comparison | None = None

    def folder(self, runs: Path) -> Path:
        """Return this run's folder below that of the plan's runs."""
        return runs / self.notebook / self.id


@dataclass(frozen=True)
class Plan:
    """A list of runs.

    Parameters
    ----------
    name : str
        Names the folder of its runs.
    runs : tuple of PlannedRun
        In the order of the file.
    title : str, optional
        What a reader calls it.
    """

    name: str
    runs: tuple[PlannedRun, ...]
    title: str | None = None

    def folder(self, out: Path) -> Path:
        """Return the folder of this plan's runs below that of all plans (``_build/runs``)."""
        return out / self.name


@dataclass
class _Reading:
    """A plan being read: what was found so far, and all that is wrong with it."""

    root: Path
    base: Path
    limits: Limits
    retries: int = 0
    faults: list[str] = field(default_factory=list)
    places: Places = field(default_factory=Places)
    declared: dict[Path, list[Parameter]] = field(default_factory=dict)
    compared: dict[str, str] = field(default_factory=dict)

    def fault(self, where: str, text: object) -> None:
        for part in text.faults if isinstance(text, ParameterError) else (text,):
            line = f"{where}: {part}" if where else str(part)
            if line not in self.faults:
                self.faults.append(line)


def load(path: Path, *, limits: Mapping[str, Any] | None = None) -> Plan:
    """Read a plan and check every run of it.

    Parameters
    ----------
    path : Path
        The TOML file.
    limits : mapping, optional
        Limits that stand above those of the file.

    Returns
    -------
    Plan

    Raises
    ------
    ParameterError
        Anything wrong with it, all faults together: broken TOML, unknown keys, notebooks, parameters or sources,
        values outside their domain, the same run twice.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ParameterError(str(path), [f"cannot be read ({fault.strerror})"]) from None
    except (ValueError, RecursionError) as fault:  # broken TOML or UTF-8, a number of 5,000 digits, 1,000 brackets
        raise ParameterError(str(path), [f"is not valid TOML ({fault})"]) from None
    reading = _Reading(root_of(path), Path.cwd(), Limits())
    _known_keys(reading, "", content, PLAN_KEYS)
    reading.limits = _limits(reading, "limits", content.get("limits", {}))
    reading.retries = _retries(reading, "", content)
    name = content.get("name", path.stem)
    if not isinstance(name, str) or not names.good(name):
        reading.fault("", f"name must be letters a to z, digits, - and _, got {name!r}")
    blocks = content.get("run", [])
    if not isinstance(blocks, list) or not blocks or not all(isinstance(b, dict) for b in blocks):
        raise ParameterError(str(path), [*reading.faults, "must have at least one [[run]]"])
    pages = [block for block in blocks if "compare" not in block]  # a comparison names its runs itself
    often = Counter(str(block.get("notebook")).removesuffix(".ipynb") for block in pages)
    runs = [
        run
        for number, block in enumerate(blocks, 1)
        for run in _block(reading, number, block, often[str(block.get("notebook")).removesuffix(".ipynb")] == 1)
    ]
    runs = _with_unique_ids(reading, runs)
    if limits:
        runs = [(where, replace(run, limits=Limits.of(limits, run.limits))) for where, run in runs]
    if reading.faults:
        raise ParameterError(str(path), reading.faults)
    return Plan(name, tuple(run for _, run in runs), content.get("title"))


def single(notebook: Path, given: Mapping[str, Any], *, limits: Mapping[str, Any] | None = None) -> Plan:
    """Return the plan that runs one notebook once.

    Parameters
    ----------
    notebook : Path
        The ``.ipynb`` file.
    given : mapping
        Parameters that are not to have their defaults.
    limits : mapping, optional
        See `Limits.of`.

    Returns
    -------
    Plan
        Named ``single``, with one run.

    Raises
    ------
    NotebookError, ParameterError
        See `citylib.batch.parameters.check`.
    """
    values = parameters.check(notebook, given)
    run = PlannedRun(
        names.of_values({n: values[n] for n in given}, exact=True) or names.DEFAULT,
        _family_name(notebook),
        Path(os.path.abspath(notebook)),
        values,
        limits=Limits.of(limits or {}),
    )
    return Plan(SINGLE, (run,))


def find_notebook(name: str, root: Path) -> Path:
    """Return the notebook that a plan or a command line names.

    Parameters
    ----------
    name : str
        ``"family/NN_name"`` below ``notebooks``, with or without suffix, or a path.
    root : Path
        The project; after it, that of the current folder is searched.

    Raises
    ------
    NotebookError
        There is none; the nearest is offered.
    """
    file = name if name.endswith(".ipynb") else f"{name}.ipynb"
    roots = dict.fromkeys([root, root_of(Path.cwd() / "here")])  # a plan kept elsewhere runs the chapters of here
    for place in (*(r / below for r in roots for below in (f"notebooks/{file}", file)), Path(file)):
        if place.is_file():
            return Path(os.path.abspath(place))
    folders = [r / "notebooks" for r in roots]
    known = [p.relative_to(f).with_suffix("").as_posix() for f in folders for p in sorted(f.rglob("*.ipynb"))]
    close = nearest(file.removesuffix(".ipynb"), known)
    hint = f"; did you mean {close!r}?" if close else ""
    raise NotebookError(f"{name}: no such notebook{hint}")


def _family_name(path: Path) -> str:
    folder = names.slug(Path(os.path.abspath(path)).parent.name) or "notebooks"
    return f"{folder}/{names.slug(path.stem, keep='_') or 'notebook'}"


def _known_keys(reading: _Reading, where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            close = nearest(key, known)
            hint = f"; did you mean {close!r}?" if close else ""
            reading.fault(where, f"key must be one of: {', '.join(known)}, got {key!r}{hint}")
    if not isinstance(table.get("title", ""), str):
        reading.fault(where, f"title must be text, got {table['title']!r}")


def _limits(reading: _Reading, where: str, given: Any) -> Limits:
    if not isinstance(given, dict):
        reading.fault(where, f"must be a table, got {given!r}")
        return reading.limits
    limits = reading.limits
    for name, value in given.items():  # one by one, so that each is told
        try:
            limits = Limits.of({name: value}, limits)
        except CitylibError as fault:
            reading.fault(where, fault)
    return limits


def _retries(reading: _Reading, where: str, table: Mapping[str, Any]) -> int:
    given = table.get("retries", reading.retries)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_RETRIES:
        return given
    reading.fault(where, f"retries must be a whole number from 0 to {MOST_RETRIES}, got {given!r}")
    return reading.retries


def _block(reading: _Reading, number: int, block: dict[str, Any], alone: bool) -> list[tuple[str, PlannedRun]]:
    where = f"run {number} ({block.get('notebook', '?')})"
    _known_keys(reading, where, block, RUN_KEYS)
    tables = _tables(reading, where, block)
    limits = _limits(reading, f"{where}: limits", block.get("limits", {}))
    retries = _retries(reading, where, block)
    compared = _comparison(reading, where, block, tables)
    label = block.get("name", compared.name if compared else None)
    if label is not None and not (isinstance(label, str) and names.good(label)):
        reading.fault(where, f"name must be letters a to z, digits, - and _, got {label!r}")
    if not isinstance(block.get("notebook"), str):
        reading.fault(where, f'notebook must be its name, such as "family/01_name", got {block.get("notebook")!r}')
        return []
    try:
        path = find_notebook(block["notebook"], reading.root)
        if path not in reading.declared:
            reading.declared[path] = parameters.declared(path)
    except CitylibError as fault:
        reading.fault(where, fault)
        return []
    out = []
    for given in _combinations(reading, where, path, tables):
        values, faults = parameters.take_all(reading.declared[path], given)
        for text in faults:
            reading.fault(where, text)
        if faults:
            continue
        varied = {n: v for n, v in given.items() if n not in tables["set"]}
        named = varied if label or alone else given
        parts = [part for part in (label, names.of_values(named)) if part]
        run = PlannedRun("_".join(parts) or names.DEFAULT, _family_name(path), path, values)
        title = names.title(block.get("title"), values, varied)
        out.append(
            (where, replace(run, title=title, limits=limits, retries=retries, base=reading.base, comparison=compared))
        )
    return out


def _comparison(
    reading: _Reading, where: str, block: dict[str, Any], tables: dict[str, dict[str, Any]]
) -> Comparison | None:
    """Return the comparison that a block makes; what is wrong with it is told."""
    if "compare" not in block:
        return None
    found, faults = comparison.read(block["compare"], [*tables["grid"], *tables["each"]], block.get("title"))
    for text in faults:
        reading.fault(where, text)
    if found is not None and found.name in reading.compared:
        reading.fault(
            where, f"compare.name must be another than that of {reading.compared[found.name]}: {found.name!r}"
        )
    elif found is not None:
        reading.compared[found.name] = where
    return found


def _tables(reading: _Reading, where: str, block: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return set, grid and each of a run; what is wrong with one is told, and left out."""
    tables = {key: block.get(key, {}) for key in ("set", "grid", "each")}
    for key, table in tables.items():
        if not isinstance(table, dict):
            reading.fault(where, f"{key} must be a table, got {table!r}")
            tables[key] = {}
    for name, times in sorted(Counter(itertools.chain(*tables.values())).items()):
        if times > 1:
            reading.fault(where, f"{name} must be in one of set, grid and each")
    for name, values in list(tables["grid"].items()):
        if not isinstance(values, list) or not values:
            reading.fault(where, f"grid.{name} must be a list of values, got {values!r}")
            del tables["grid"][name]
    return tables


def _combinations(reading: _Reading, where: str, path: Path, tables: dict[str, Any]) -> list[dict[str, Any]]:
    fixed = {name: _plain(value) for name, value in tables["set"].items()}
    grid = {name: [_plain(value) for value in values] for name, values in tables["grid"].items()}
    known = {parameter.name: parameter for parameter in reading.declared[path]}
    out = []
    for chosen in itertools.product(*grid.values()):
        given = fixed | dict(zip(grid, chosen, strict=True))
        each: dict[str, list[Any]] = {}
        for name, wish in tables["each"].items():
            try:
                each[name] = reading.places.values(known.get(name), wish, known, given)
            except CitylibError as fault:
                reading.fault(where, fault)
        if len(each) < len(tables["each"]):  # what is set and crossed is checked all the same
            first = {name: values[0] for name, values in each.items()}
            for text in parameters.take_all(reading.declared[path], given | first)[1]:
                reading.fault(where, text)
            continue
        out += [given | dict(zip(each, some, strict=True)) for some in itertools.product(*each.values())]
    return out


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _with_unique_ids(reading: _Reading, runs: list[tuple[str, PlannedRun]]) -> list[tuple[str, PlannedRun]]:
    often = Counter((run.notebook, run.id) for _, run in runs)
    out: list[tuple[str, PlannedRun]] = []
    seen: dict[tuple[Path, str], str] = {}
    places: set[tuple[str, str]] = set()
    for where, run in runs:
        made_from = json.dumps(dict(run.parameters), sort_keys=True)
        if often[run.notebook, run.id] > 1:
            run = replace(run, id=f"{run.id}-{hashlib.sha256(made_from.encode()).hexdigest()[:6]}")
        if (run.path, made_from) in seen:
            first = seen[run.path, made_from]
            reading.fault(where, f"must not be the same run as one of {first} (all its parameters are equal)")
        elif (run.notebook, run.id) in places:
            reading.fault(where, f"must have another name: another notebook's run is kept as {run.notebook}/{run.id}")
        else:
            seen[run.path, made_from] = where
            places.add((run.notebook, run.id))
            out.append((where, run))
    return out
