"""Own assets and their failures: one table of assets, one of breaks, whichever way the file holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from citylib.data import own_check, own_open, schema
from citylib.data.dataset import Dataset, Fault
from citylib.data.own_faults import Faults
from citylib.data.own_open import Opened
from citylib.data.own_table import Raw, is_measured, number, read_table
from citylib.data.own_times import read_dates, year_only

__all__ = ["read_assets"]

FORM = schema.form("assets")
DATES = tuple(c.name for c in FORM.columns if c.dtype == "date")
NUMBERS = tuple(c.name for c in FORM.columns if c.dtype == "number")
BESIDE = (".csv", ".csv.gz", ".parquet")


def read_assets(raw: Raw, opened: Opened) -> tuple[Dataset, tuple[Opened, ...]]:
    """Return assets and breaks of a table of assets, and the file of breaks beside it if there is one.

    Parameters
    ----------
    raw : Raw
        The table.
    opened : Opened
        The file it came from.

    Returns
    -------
    (Dataset, tuple of Opened)
        Tables ``assets`` (asset, installed, removed, observed_from, observed_until, covariates) and ``breaks``
        (asset, date).

    Raises
    ------
    SchemaError
        All faults of both files, with row numbers.
    """
    faults = raw.faults
    for name in ("asset", "installed"):
        if name not in raw.frame.columns:
            faults.missing_column(name, map(str, raw.frame.columns))
    beside = _beside(opened)
    if "failed" in raw.frame.columns and beside is not None:
        faults.say("failures", "stand in one place", f"a column 'failed' and the file {beside.given}")
    if beside is None and not {"failed", "removed"} & set(raw.frame.columns):
        hint = f"add one, or put {_stem(opened.path)}_breaks.csv with columns asset and date beside the file"
        faults.say("columns", "include 'failed' or 'removed'", ", ".join(map(repr, raw.frame.columns[:12])), hint)
    if "asset" not in raw.frame.columns:
        faults.raise_if_any(f"file {opened.given}")
    typed, years = _typed(raw)
    own_check.validate(FORM, typed, faults, measured=_further_numbers(raw))
    own_check.in_order(FORM, typed, faults, years=years)
    fixed = [c for c in typed.columns if c not in ("asset", "failed")]
    _refuse_disagreement(typed, fixed, faults)
    breaks = _own_breaks(typed) if beside is None else _breaks_beside(beside, typed, years, faults)
    faults.raise_if_any(f"file {opened.given}")
    return _dataset(opened, typed, fixed, years, breaks), (() if beside is None else (beside,))


def _typed(raw: Raw) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, faults = raw.frame, raw.faults
    measured = {*NUMBERS, *_further_numbers(raw)}
    typed = pd.DataFrame(index=frame.index)
    years = pd.DataFrame(index=frame.index)
    for name in frame.columns:
        if name in DATES:
            typed[name] = read_dates(frame[name], faults, missing=name != "installed")
            years[name] = year_only(frame[name])
        elif name in measured:
            typed[name] = number(frame[name], faults)
        else:
            typed[name] = frame[name].map(lambda v: str(v).strip(), na_action="ignore").astype(object)
    return typed, years


def _further_numbers(raw: Raw) -> list[str]:
    known = {c.name for c in FORM.columns} | {"material"}
    return [c for c in raw.frame.columns if c not in known and is_measured(raw.frame[c], raw.units.get(c, ""))]


def _refuse_disagreement(typed: pd.DataFrame, fixed: list[str], faults: Faults) -> None:
    groups = typed.groupby("asset", sort=False)
    for name in [c for c in fixed if typed.duplicated("asset").any()]:
        first = typed[name].where(~typed["asset"].duplicated())
        first = first.groupby(typed["asset"], sort=False).transform("first") if groups.ngroups else first
        differs = (typed[name] != first) & ~(typed[name].isna() & first.isna()) & typed["asset"].notna()
        faults.cells(f"column {name!r}", "be the same in every row of an asset", typed.loc[differs, name])


def _own_breaks(typed: pd.DataFrame) -> pd.DataFrame:
    if "failed" not in typed.columns:
        return pd.DataFrame({"asset": pd.Series(dtype=object), "date": pd.Series(dtype="datetime64[ns]")})
    given = typed.loc[typed["failed"].notna(), ["asset", "failed"]]
    return given.rename(columns={"failed": "date"})


def _stem(path: Path) -> str:
    name = path.name
    for ending in (*(e for e in BESIDE), ".zip"):
        name = name.removesuffix(ending)
    return name


def _beside(opened: Opened) -> Opened | None:
    for ending in BESIDE:
        other = opened.path.with_name(f"{_stem(opened.path)}_breaks{ending}")
        if other.is_file():
            return own_open.open_own(str(Path(opened.given).with_name(other.name)))
    return None


def _breaks_beside(opened: Opened, assets: pd.DataFrame, years: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    raw = read_table(opened)
    own = raw.faults
    for name in ("asset", "date"):
        if name not in raw.frame.columns:
            own.missing_column(name, map(str, raw.frame.columns))
    if not own.lines:
        dates = read_dates(raw.frame["date"], own, missing=False)
        breaks = pd.DataFrame({"asset": raw.frame["asset"].str.strip(), "date": dates})
        own.cells("column 'asset'", "have no missing values", breaks.loc[breaks["asset"].isna(), "asset"])
        unknown = breaks["asset"].notna() & ~breaks["asset"].isin(assets["asset"])
        own.cells("column 'asset'", "be an asset of the other file", breaks.loc[unknown, "asset"])
        twice = breaks.duplicated(keep=False) & breaks.notna().all(axis=1)
        told = breaks.loc[twice, "asset"] + ", " + breaks.loc[twice, "date"].dt.strftime("%Y-%m-%d")
        own.cells("columns 'asset' and 'date'", "have no duplicates", told)
        _refuse_outside_life(raw, breaks, assets, years, own)
    faults.lines += [f"{opened.given}: {line}" for line in own.lines]
    return breaks if not own.lines else raw.frame


def _refuse_outside_life(
    raw: Raw, breaks: pd.DataFrame, assets: pd.DataFrame, years: pd.DataFrame, faults: Faults
) -> None:
    life = assets.drop_duplicates("asset").set_index("asset")
    known = years.loc[assets.drop_duplicates("asset").index].set_index(life.index)
    date_year = year_only(raw.frame["date"])
    for name, before in (("installed", True), ("removed", False), ("observed_until", False)):
        if name not in life.columns:
            continue
        limit = breaks["asset"].map(life[name])
        by_year = date_year | breaks["asset"].map(known[name]).eq(True)
        wrong = breaks["date"] < limit if before else breaks["date"] > limit
        wrong &= ~(by_year & (breaks["date"].dt.year == limit.dt.year))
        rule = f"not come {'before' if before else 'after'} {name!r} of the asset"
        faults.cells("column 'date'", rule, breaks.loc[wrong, "date"])


def _dataset(
    opened: Opened, typed: pd.DataFrame, fixed: list[str], years: pd.DataFrame, breaks: pd.DataFrame
) -> Dataset:
    found: list[Fault] = []
    assets = typed.drop_duplicates("asset")[["asset", *fixed]].reset_index(drop=True)
    found += own_check.zero_places(assets)
    found += _settle(assets, breaks)
    breaks = breaks.sort_values(["asset", "date"], kind="stable").reset_index(drop=True)
    last: Any = max(breaks["date"].max(), *(assets[c].max() for c in DATES if c in assets.columns), key=_latest)
    until = assets["observed_until"] if "observed_until" in assets.columns else pd.Series(pd.NaT, index=assets.index)
    assumed = int(until.isna().sum())
    if assumed:
        what = f"The end of observation is not given; the latest date of the file, {last:%Y-%m-%d}, stands for it."
        found.append(Fault("assumed-end", what, assumed, len(assets), "reported", "observed_until"))
    found += _before_observation(assets, breaks)
    assets["observed_until"] = until.fillna(last).astype("datetime64[ns]")
    for name in [c for c in years.columns if c in DATES and years[c].any()]:
        what = "Known to the year only; the first day of the year stands for it."
        found.append(Fault("year-only", what, int(years[name].sum()), len(years), "reported", name))
    for name in [c for c in assets.columns if c not in DATES and assets[c].isna().any()]:
        missing = int(assets[name].isna().sum())
        found.append(Fault("missing-value", "Values are missing.", missing, len(assets), "reported", name))
    tables = {"assets": assets, "breaks": breaks}
    title = f"Own file {opened.given}"
    return Dataset(f"file:{opened.given}", title, "assets", tables=tables, faults=tuple(found))


def _settle(assets: pd.DataFrame, breaks: pd.DataFrame) -> list[Fault]:
    """Put dates known to the year only after what they cannot precede in that year, in place.

    The rows were held in order before, so a date still too early is the first day that stands for its year.
    """
    moved = 0

    def lift(table: pd.DataFrame, name: str, least: pd.Series[Any]) -> int:
        early = (table[name] < least).to_numpy()
        table.loc[early, name] = least[early]
        return int(early.sum())

    moved += lift(breaks, "date", breaks["asset"].map(assets.set_index("asset")["installed"]))
    last = assets["asset"].map(breaks.groupby("asset")["date"].max())
    for name in [c for c in ("removed", "observed_until") if c in assets.columns]:
        moved += lift(assets, name, assets["installed"])
        moved += lift(assets, name, last)
    what = "Dates known to the year only, whose first day lies before what must precede them; that day stands for them."
    return [Fault("year-only-moved", what, moved, len(assets) + len(breaks), "mended")] if moved else []


def _before_observation(assets: pd.DataFrame, breaks: pd.DataFrame) -> list[Fault]:
    if "observed_from" not in assets.columns:
        return []
    early = int((breaks["date"] < breaks["asset"].map(assets.set_index("asset")["observed_from"])).sum())
    what = "Failures before their asset's record begins: known by chance, they may enter no rate."
    return [Fault("before-observation", what, early, len(breaks), "reported", "breaks.date")] if early else []


def _latest(value: Any) -> Any:
    return pd.Timestamp.min if pd.isna(value) else value
