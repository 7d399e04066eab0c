"""Own files: from ``file:PATH`` to a checked Dataset, whatever the form."""

from __future__ import annotations

from dataclasses import replace

from citylib import checks
from citylib.data import schema
from citylib.data.dataset import DataFile, Dataset
from citylib.data.own_open import Opened, open_own
from citylib.data.own_table import Raw, read_table
from citylib.errors import InputError

__all__ = ["read"]

OWN_KINDS = ("panel", "assets", "events", "areas")


def read(given: str, *, kind: str | None = None) -> Dataset:
    """Read and check a file of the user's own.

    Parameters
    ----------
    given : str
        Its path: CSV or Parquet (also compressed, or alone in a zip or tar), GeoJSON, HDF5 as METR-LA and PEMS-BAY are
        published, npz as PEMS04 and PEMS08 are.
    kind : {"panel", "assets", "events", "areas"}, optional
        What it holds; by default told from its columns. See `citylib.data.schema.describe`.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        It cannot be read at all.
    SchemaError
        It has faults; all of them are listed, with their rows.
    ArchiveError
        It is an archive that is broken or reaches outside its folder.

    Examples
    --------
    >>> read("readings.xlsx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: file must exist, got 'readings.xlsx'; looked from ...
    """
    if not given.strip():
        raise InputError("source", "name a file after file:", "file:")
    if kind is not None:
        checks.one_of("kind", kind, OWN_KINDS)
    opened = open_own(given)
    dataset, others = _dispatch(opened, kind)
    files = tuple(DataFile(file.given, file.sha256, file.bytes, "own") for file in (opened, *others))
    return replace(dataset, files=files)


def _dispatch(opened: Opened, kind: str | None) -> tuple[Dataset, tuple[Opened, ...]]:
    if opened.ending in (".h5", ".npz"):
        _refuse_kind(opened, kind, "panel")
        from citylib.data import own_arrays

        return own_arrays.read_arrays(opened), ()
    if opened.ending in (".geojson", ".json") or _is_geoparquet(opened):
        _refuse_kind(opened, kind, "areas")
        from citylib.data import own_areas

        return own_areas.read_areas(opened), ()
    raw = read_table(opened)
    return _table(opened, raw, kind or schema.recognise(map(str, raw.frame.columns)))


def _table(opened: Opened, raw: Raw, kind: str) -> tuple[Dataset, tuple[Opened, ...]]:
    if kind == "panel":
        from citylib.data import own_panel

        return own_panel.read_panel(raw, opened.given), ()
    if kind == "assets":
        from citylib.data import own_assets

        return own_assets.read_assets(raw, opened)
    if kind == "events":
        from citylib.data import own_events

        return own_events.read_events(raw, opened.given), ()
    from citylib.data import own_areas

    return own_areas.from_table(raw, opened.given), ()


def _refuse_kind(opened: Opened, kind: str | None, can: str) -> None:
    if kind not in (None, can):
        raise InputError("kind", f"be {can} for a file that ends in {opened.ending}", kind)


def _is_geoparquet(opened: Opened) -> bool:
    if opened.ending != ".parquet":
        return False
    import io

    import pyarrow
    import pyarrow.parquet

    try:
        return b"geo" in (pyarrow.parquet.read_schema(io.BytesIO(opened.data)).metadata or {})
    except (pyarrow.ArrowException, OSError, ValueError):
        return False  # reading the table says what is wrong
