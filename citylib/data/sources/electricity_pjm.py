"""Electricity load of 12 zones of PJM, US East (electricity-pjm): hourly, 1998 to 2018.

Traps: rows are not sorted; stamps are labelled UTC but are local time (Eastern), and name the end of their hour;
the hour repeated in autumn stands twice in the last years and lacks in the earlier ones, the hour skipped in
spring is absent; zones live at different times (NI ends in 2011, PJM_Load, the sum of the others, in 2002, EKPC
begins in 2013), so compare the ten zones of June 2013 to August 2018, by a scaled error; a few loads are
impossible.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import formats, reading
from citylib.panel import Panel

__all__ = ["read"]

FILE = "pjm_est_hourly.parquet"
ZONE = "America/New_York"
IMPLAUSIBLE = 0.5  # of the week's median: nights lie above 0.6 of it in every zone, so half is no load but a fault
_ZONES = ("AEP", "COMED", "DAYTON", "DEOK", "DOM", "DUQ", "EKPC", "FE", "NI", "PJME", "PJMW", "PJM_Load")


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the loads onto an hourly local axis.

    Parameters
    ----------
    paths : mapping of str to Path
        ``pjm_est_hourly.parquet``.

    Returns
    -------
    Dataset
        Panel load [MW], a sensor a zone; times are local and stand at the start of their hour. Table ``zones`` (zone,
        since, until, readings).

    Raises
    ------
    SchemaError
        It is no Parquet file, a zone lacks, or the index holds no times.
    """
    path = reading.find(paths, FILE)
    raw = formats.parquet(path, _ZONES)
    if not isinstance(raw.index, pd.DatetimeIndex):
        raise reading.refuse(path.name, f"its index must hold times, got {raw.index.dtype}")
    labelled = raw.index.tz is not None
    local = raw.index.tz_localize(None) if labelled else raw.index
    backwards = int((np.diff(local.to_numpy()) < np.timedelta64(0)).sum())
    ends = pd.DatetimeIndex(local.to_numpy().astype("datetime64[ns]"), name="time")
    table = raw.set_axis(ends - pd.Timedelta(hours=1), axis=0).sort_index(kind="stable")
    low = _implausible(table)
    believed = table.mask(low)
    repeated = int(table.index.duplicated().sum())
    hours = believed.groupby(level=0).mean() if repeated else believed
    index = pd.date_range(hours.index[0], hours.index[-1], freq="h", name="time")
    panel = Panel(hours.reindex(index).to_numpy(), index.to_numpy(), _ZONES, "MW", variable="load", zone=ZONE)
    return Dataset(
        name="electricity-pjm",
        title="Hourly electricity load of 12 zones of PJM",
        kind="panel",
        panels={"load": panel},
        tables={"zones": _lives(panel)},
        faults=_faults(table, panel, low, backwards, repeated, labelled),
    )


def _implausible(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Flag loads under half of their zone's median of the week."""
    week = (table.index.to_numpy() - table.index.to_numpy()[0]) // np.timedelta64(7, "D")
    median = table.groupby(week).transform("median")
    return np.asarray(table.to_numpy() < IMPLAUSIBLE * median.to_numpy())


def _lives(panel: Panel) -> pd.DataFrame:
    """Return from when to when each zone was metered."""
    rows = []
    for zone, seen in zip(panel.sensors, panel.mask.T, strict=True):
        at = panel.times[seen]
        since, until = (at[0], at[-1]) if len(at) else (np.datetime64("NaT"), np.datetime64("NaT"))
        rows.append({"zone": zone, "since": since, "until": until, "readings": len(at)})
    return pd.DataFrame(rows)


def _faults(
    table: pd.DataFrame, panel: Panel, low: npt.NDArray[np.bool_], backwards: int, repeated: int, labelled: bool
) -> tuple[Fault, ...]:
    rows = len(table)
    seen = panel.mask
    alive = np.maximum.accumulate(seen) & np.maximum.accumulate(seen[::-1])[::-1]
    absent = len(panel.times) - (rows - repeated)
    return (
        *reading.fault("unsorted", "Rows earlier than the row before them; now sorted", backwards, rows, "mended"),
        *reading.fault(
            "wrong-zone",
            "Stamps are labelled UTC and hold Eastern local time; the label is dropped",
            rows * labelled,
            rows,
            "mended",
        ),
        *reading.fault(
            "end-of-hour", "Stamps name the end of their hour; now they name its start", rows, rows, "mended"
        ),
        *reading.fault(
            "repeated-hour",
            "Rows that repeat a stamp, the hour repeated when clocks go back; its mean is kept",
            repeated,
            rows,
            "mended",
        ),
        *reading.fault(
            "absent-hour",
            "Hours of the period not in the file, nearly all at a change of clocks",
            absent,
            len(seen),
            "masked",
        ),
        *reading.fault(
            "gap-in-life",
            "Hours without load within the life of a zone",
            (alive & ~seen).sum(),
            alive.sum(),
            "reported",
            "load",
        ),
        *reading.fault(
            "outside-life", "Hours before a zone was metered or after", (~alive).sum(), alive.size, "reported", "load"
        ),
        *reading.fault(
            "implausible-load",
            f"Loads under {IMPLAUSIBLE:.0%} of their week's median, one of them 0 MW",
            low.sum(),
            table.notna().to_numpy().sum(),
            "masked",
            "load",
        ),
    )
