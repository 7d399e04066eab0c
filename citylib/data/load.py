"""load: one name in, one checked Dataset out, wherever the data come from."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

from citylib import checks
from citylib.data import fetch, registry
from citylib.errors import InputError

if TYPE_CHECKING:
    from citylib.data.dataset import Dataset

__all__ = ["load"]


def load(source: str, *, seed: int = 0, kind: str | None = None) -> Dataset:
    """Read a source of city data by name, checked, with what was wrong in it.

    Parameters
    ----------
    source : str
        A name of the registry (``citylib data list``), ``"synthetic"`` or ``"synthetic:tiny"``, or ``"file:PATH"`` for
        a file of your own in one of the forms of `citylib.data.schema`.
    seed : int, default 0
        Seed of the synthetic city; real data do not depend on it.
    kind : {"panel", "assets", "events", "areas"}, optional
        Form of an own file; by default told from its columns.

    Returns
    -------
    Dataset
        In a notebook one line about it is shown, and the receipt lists its files.

    Raises
    ------
    UnknownNameError
        No such source; the nearest is offered.
    SchemaError
        An own file has faults; all of them are listed, with their rows.
    SourceMissingError, ChecksumError, DownloadError
        The files cannot be had, or are not the registered ones.
    """
    from citylib import results

    if not isinstance(source, str) or not source.strip():
        raise InputError("source", "be the name of a source or file:PATH", source)
    own = source.startswith("file:")
    if kind is not None:
        checks.one_of("kind", kind, registry.KINDS[:4])
        if not own:
            raise InputError("kind", "be left out unless source is file:PATH", kind, f"{source} has its own form")
    if own:
        from citylib.data import own_files

        dataset = own_files.read(source.removeprefix("file:"), kind=kind)
    elif source == "synthetic" or source.startswith("synthetic:"):
        dataset = _synthetic(source, checks.integer("seed", seed, minimum=0))
    else:
        dataset = _registered(registry.source(source))
    files = [{"file": f.file, "sha256": f.sha256, "bytes": f.bytes, "origin": f.origin} for f in dataset.files]
    results.loaded(source, files, summary(dataset))
    return dataset


def summary(dataset: Dataset) -> str:
    """Return one line on what a dataset holds and where it came from."""
    parts = []
    if dataset.panels:
        main = dataset.panel()
        extra = f" and {len(dataset.panels) - 1} more" if len(dataset.panels) > 1 else ""
        steps, places = main.shape
        noun = "sensor" if places == 1 else "sensors"
        span = f", {_minute(main.times[0])} to {_minute(main.times[-1])}" if steps else ""
        parts.append(
            f"{main.variable} [{main.unit}]{extra}, {steps:,} times at {places:,} {noun}{span}, "
            f"{main.missing_share:.1%} missing"
        )
    if dataset.tables:
        parts.append(", ".join(f"{len(table):,} {name}" for name, table in dataset.tables.items()))
    if dataset.faults:
        noun = "kind of fault" if len(dataset.faults) == 1 else "kinds of fault"
        parts.append(f"{len(dataset.faults)} {noun} handled or reported")
    origins = sorted({file.origin for file in dataset.files})
    if origins:
        noun = "file" if len(dataset.files) == 1 else "files"
        parts.append(f"{len(dataset.files)} {noun} ({', '.join(origins)})")
    return f"{dataset.title}: {'; '.join(parts)}."


def _registered(source: registry.Source) -> Dataset:
    from citylib.data.dataset import DataFile

    found = fetch.fetch(source)
    reader = importlib.import_module(f"citylib.data.sources.{source.name.replace('-', '_')}")
    dataset: Dataset = reader.read({name: at.path for name, at in found.items()})
    files = tuple(DataFile(f"{source.name}/{name}", at.sha256, at.bytes, at.origin) for name, at in found.items())
    return replace(dataset, files=files)


def _synthetic(source: str, seed: int) -> Dataset:
    synthetic = importlib.import_module("citylib.data.synthetic")
    _, named, size = source.partition(":")
    dataset: Dataset = synthetic.city(seed=seed, size=size) if named else synthetic.city(seed=seed)
    return dataset


def _minute(time: object) -> str:
    return str(time)[:16].replace("T", " ")
