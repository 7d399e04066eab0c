"""Water mains of Kitchener and their breaks (infra-water-mains-kitchener): inventory of 2023, break log from 1997.

Traps, all measured here and handled or said: a seventh of the linked breaks happened before their main was
laid (they belong to the pipe it replaced, and the log gives the replacement's year and material); removed mains
are not in the inventory, so the end of a pipe's life is not observed and breaks are recurrent events; breaks
are recorded from 1997 only, so a pipe laid before enters late and its first break is unknown; half of the
dates of laying are placeholders, 1 January or 1 June: use the year; some breaks carry the day they were
entered; CONDITION_SCORE, CRITICALITY, LINED and CLEANED are as of 2023 and know the breaks (``attrs["snapshot"]``):
they may enter no forecast of earlier years.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading

__all__ = ["RECORDED_FROM", "SNAPSHOT", "read"]

MAINS = "water_mains.csv.gz"
LOG = "water_main_breaks.csv.gz"
RECORDED_FROM = 1997  # first year with more than a few breaks in the log: about 100 a year from here on
ENTRY_DAYS = ("2008-12-01", "2011-12-15")  # 21 and 59 breaks each, against 9 on the next fullest day: days of entry
SNAPSHOT = ("status", "criticality", "condition_score", "lined", "lined_on", "lined_material", "cleaned", "undersized")

_ASSETS = {  # ours: theirs
    "asset": "WATMAINID",
    "material": "MATERIAL",
    "status": "STATUS",
    "pressure_zone": "PRESSURE_ZONE",
    "category": "CATEGORY",
    "ownership": "OWNERSHIP",
    "acquisition": "ACQUISITION",
    "road_segment": "ROADSEGMENTID",
    "lined": "LINED",
    "lined_material": "LINED_MATERIAL",
    "undersized": "UNDERSIZED",
    "oversized": "OVERSIZED",
    "shallow": "SHALLOW_MAIN",
    "bridge": "BRIDGE_MAIN",
    "cleaned": "CLEANED",
    "diameter_mm": "PIPE_SIZE",
    "length_m": "Shape__Length",
    "criticality": "CRITICALITY",
    "condition_score": "CONDITION_SCORE",
    "installed": "INSTALLATION_DATE",
    "lined_on": "LINED_DATE",
}
_FLAGS = ("lined", "undersized", "oversized", "shallow", "bridge", "cleaned")
_BREAKS = {
    "incident": "WATBREAKINCIDENTID",
    "asset": "ASSETID",
    "kind": "BREAK_TYPE",
    "status": "STATUS",
    "nature": "BREAK_NATURE",
    "cause": "BREAK_APPARENT_CAUSE",
    "repair": "REPAIR_TYPE",
    "log_material": "ASSET_MATERIAL",
    "asset_exists": "ASSET_EXISTS",
    "log_diameter_mm": "ASSET_SIZE",
    "log_year_installed": "ASSET_YEAR_INSTALLED",
    "longitude": "X",
    "latitude": "Y",
    "date": "INCIDENT_DATE",
}
_CODES = {"diameter_mm": "0", "criticality": "-1", "condition_score": "-1"}
_STAMP = "%Y/%m/%d %H:%M:%S+00"  # the zone is a fiction of the export: local midnights are written as 00:00


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the inventory and the breaks that can be laid to its mains.

    Parameters
    ----------
    paths : mapping of str to Path
        ``water_mains.csv.gz`` and ``water_main_breaks.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Tables ``assets`` (asset, installed [date; trust the year], installed_year, material, diameter_mm,
        length_m, ...), ``breaks`` (asset, date [day], year, nature, cause, ..., entry_day, same_day) of mains in the
        inventory and after their laying, and ``breaks_unused`` with the others and the ``reason``. ``attrs`` of the
        tables: snapshot (columns that know the future), recorded_from and recorded_until (years of the log).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, or an asset occurs twice.
    """
    assets, asset_faults = _assets(reading.find(paths, MAINS))
    breaks, unused, break_faults = _breaks(reading.find(paths, LOG), assets)
    assets.attrs["snapshot"] = list(SNAPSHOT)
    for table in (breaks, unused):
        table.attrs["recorded_from"] = RECORDED_FROM
        table.attrs["recorded_until"] = int(table["year"].max()) if len(table) else RECORDED_FROM
    return Dataset(
        name="infra-water-mains-kitchener",
        title="Water mains of Kitchener and their breaks",
        kind="assets",
        tables={"assets": assets, "breaks": breaks, "breaks_unused": unused},
        faults=(*asset_faults, *break_faults),
    )


def _assets(path: Path) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Return the inventory, typed, and its faults."""
    numbers = ("diameter_mm", "length_m", "criticality", "condition_score")
    dates = ("installed", "lined_on")
    raw = reading.read_csv(
        path,
        text=[c for k, c in _ASSETS.items() if k not in numbers + dates],
        numbers=[_ASSETS[k] for k in numbers],
        times={_ASSETS[k]: _STAMP for k in dates},
        optional=True,
    )
    table = raw.rename(columns={theirs: ours for ours, theirs in _ASSETS.items()})[list(_ASSETS)]
    if table["asset"].duplicated().any() or table["asset"].isna().any():
        again = table.loc[table["asset"].duplicated() | table["asset"].isna(), "asset"]
        raise reading.refuse(path.name, f"column 'WATMAINID' must be there and unique, got {again.iloc[0]!r} again")
    for column in dates:
        table[column] = table[column].dt.normalize()
    for column in _FLAGS:
        table[column] = table[column].isin(["Y", "YES"])
    day = table["installed"].dt
    holder = (day.day == 1) & day.month.isin([1, 6])
    after = list(table.columns).index("installed") + 1
    table.insert(after, "installed_year", day.year.astype("Int64"))
    table.insert(after + 1, "installed_placeholder", holder.to_numpy())
    epoch = table["lined_on"].dt.year == 1970
    unknown = {
        "diameter_mm": table["diameter_mm"] <= 0,
        "criticality": table["criticality"] < 0,
        "condition_score": table["condition_score"] < 0,
    }
    for column, bad in unknown.items():
        table.loc[bad, column] = np.nan
    table.loc[epoch, "lined_on"] = pd.NaT
    return table, _asset_faults(table, unknown, epoch, holder)


def _asset_faults(table: pd.DataFrame, unknown: Mapping[str, Any], epoch: Any, holder: Any) -> tuple[Fault, ...]:
    rows = len(table)
    known = int(table["installed"].notna().sum())
    out = [
        *reading.fault(
            "installed-missing", "The date of laying is not known", rows - known, rows, "reported", "assets.installed"
        ),
        *reading.fault(
            "installed-placeholder",
            "The date of laying is 1 January or 1 June, which stands for a year: trust the year only",
            holder.sum(),
            known,
            "reported",
            "assets.installed",
        ),
        *reading.fault(
            "not-active",
            "Mains not in service yet at the snapshot (status COMPLETE)",
            (table["status"] != "ACTIVE").sum(),
            rows,
            "reported",
            "assets.status",
        ),
        *reading.fault(
            "survivors-only",
            "The inventory holds only mains in the ground in 2023: those removed are not in it, so no life ends in it",
            rows,
            rows,
            "reported",
            "assets",
        ),
        *reading.fault(
            "snapshot",
            f"As of 2023, and they know the breaks before: no forecast of earlier years may use {', '.join(SNAPSHOT)}",
            rows,
            rows,
            "reported",
            "assets",
        ),
        *reading.fault(
            "lined-epoch",
            "The date of lining is 1970-01-02, which stands for none",
            epoch.sum(),
            table["lined"].sum(),
            "masked",
            "assets.lined_on",
        ),
    ]
    for column, bad in unknown.items():
        out += reading.fault(
            "unknown-code", f"{_CODES[column]} stands for not known", bad.sum(), rows, "masked", f"assets.{column}"
        )
    return tuple(out)


def _breaks(path: Path, assets: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Fault, ...]]:
    """Return the breaks that can be used, the others with the reason, and the faults."""
    numbers = ("log_diameter_mm", "log_year_installed", "longitude", "latitude")
    raw = reading.read_csv(
        path,
        text=[c for k, c in _BREAKS.items() if k not in (*numbers, "date")],
        numbers=[_BREAKS[k] for k in numbers],
        times={_BREAKS["date"]: _STAMP},
    )
    table = raw.rename(columns={theirs: ours for ours, theirs in _BREAKS.items()})[list(_BREAKS)]
    table["date"] = table["date"].dt.normalize()
    table.insert(len(_BREAKS), "year", table["date"].dt.year)
    table["asset_exists"] = table["asset_exists"] == "Y"
    unknown_material = table["log_material"] == "XXX"
    table.loc[unknown_material, "log_material"] = None
    table["entry_day"] = table["date"].isin(pd.to_datetime(list(ENTRY_DAYS)))
    table["same_day"] = table.duplicated(["asset", "date"]) & table["asset"].isin(assets["asset"])
    laid = table["asset"].map(assets.set_index("asset")["installed"])
    linked = table["asset"].isin(assets["asset"])
    earlier = linked & (table["year"] < laid.dt.year)
    same_year = linked & ~earlier & (table["date"] < laid) & ~table["asset_exists"]
    reasons = np.select(
        [~linked, earlier, same_year],
        ["main not in the inventory", "before the year of laying", "before the day of laying, in its year"],
        default="",
    )
    table = table.sort_values(["date", "incident"], kind="stable")
    reason = pd.Series(reasons, index=laid.index).reindex(table.index)
    unused = table[reason != ""].assign(reason=reason[reason != ""])
    breaks = table[reason == ""]
    faults = (
        *_link_faults(table, linked, earlier, same_year, laid),
        *_log_faults(table, breaks, unknown_material),
    )
    return breaks.reset_index(drop=True), unused.reset_index(drop=True), faults


def _link_faults(table: pd.DataFrame, linked: Any, earlier: Any, same_year: Any, laid: Any) -> tuple[Fault, ...]:
    rows, links = len(table), int(linked.sum())
    ahead = linked & (table["year"] <= 2015) & (laid.dt.year > 2015)
    return (
        *reading.fault(
            "break-unlinked", "The broken main is not in the inventory", rows - links, rows, "dropped", "breaks.asset"
        ),
        *reading.fault(
            "break-before-laying",
            "The break is earlier than the year its main was laid: it belongs to the pipe that main replaced",
            earlier.sum(),
            links,
            "dropped",
            "breaks.date",
        ),
        *reading.fault(
            "break-before-laying-same-year",
            "The break is earlier than the day its main was laid, in the same year; the log says its pipe is gone",
            same_year.sum(),
            links,
            "dropped",
            "breaks.date",
        ),
        *reading.fault(
            "break-to-2015-of-later-pipe",
            "Of these, breaks up to 2015 whose main was laid after 2015: a forecast made in 2015 would know the future",
            ahead.sum(),
            links,
            "dropped",
            "breaks.asset",
        ),
        *reading.fault(
            "break-of-undated-main",
            "The day its main was laid is not known, so nor is whether the break is the main's own or an earlier one's",
            (linked & laid.isna()).sum(),
            links,
            "reported",
            "breaks.asset",
        ),
        *reading.fault(
            "asset-gone",
            "The log says that the broken pipe is gone; its material and year are those of the pipe that replaced it",
            (~table["asset_exists"]).sum(),
            rows,
            "reported",
            "breaks.asset_exists",
        ),
    )


def _log_faults(table: pd.DataFrame, breaks: pd.DataFrame, unknown_material: Any) -> tuple[Fault, ...]:
    rows = len(table)
    first = f"Breaks logged before {RECORDED_FROM}, when recording began: what broke earlier is not known"
    return (
        *reading.fault(
            "before-recording", first, (table["year"] < RECORDED_FROM).sum(), rows, "reported", "breaks.date"
        ),
        *reading.fault(
            "entry-day",
            f"Breaks dated {' or '.join(ENTRY_DAYS)}, probably the day they were entered",
            table["entry_day"].sum(),
            rows,
            "reported",
            "breaks.date",
        ),
        *reading.fault(
            "service-line",
            "Breaks of a service line, not of a main",
            (table["kind"] == "SERVICE").sum(),
            rows,
            "reported",
            "breaks.kind",
        ),
        *reading.fault(
            "cancelled",
            "The incident was cancelled; some were repaired all the same",
            (table["status"] == "CANCELLED").sum(),
            rows,
            "reported",
            "breaks.status",
        ),
        *reading.fault(
            "same-main-same-day",
            "A second record of the same main on the same day, among those used",
            breaks["same_day"].sum(),
            len(breaks),
            "reported",
            "breaks.date",
        ),
        *reading.fault(
            "log-year-missing",
            "The log gives no year of laying",
            table["log_year_installed"].isna().sum(),
            rows,
            "reported",
            "breaks.log_year_installed",
        ),
        *reading.fault(
            "unknown-code", "XXX stands for not known", unknown_material.sum(), rows, "masked", "breaks.log_material"
        ),
    )
