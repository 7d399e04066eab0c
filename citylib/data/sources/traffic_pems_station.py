"""One freeway detector of California (traffic-pems-station): flow of 5 minutes on weekdays of early 2016.

Two files, as published: a training part to the end of February and a test part from March. Traps: only some
weekdays are in the files, so a step back of 5 minutes may be a Friday; one reading was not observed at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset
from citylib.data.sources import reading
from citylib.panel import Panel

__all__ = ["read"]

_PARTS = {"train": "pems_flow_2016_train.csv.gz", "test": "pems_flow_2016_test.csv.gz"}
_TIME, _FLOW, _SHARE = "5 Minutes", "Lane 1 Flow (Veh/5 Minutes)", "% Observed"
SENSOR = "station"


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read both parts onto one axis, absent days missing.

    Parameters
    ----------
    paths : mapping of str to Path
        ``pems_flow_2016_train.csv.gz`` and ``pems_flow_2016_test.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Panel volume [veh/5 min] of sensor ``"station"``; table ``parts`` (part, since, until, readings).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, or a time repeats.
    """
    frames = {part: _part(reading.find(paths, file)) for part, file in _PARTS.items()}
    both = pd.concat(frames.values()).sort_index()
    if both.index.has_duplicates:
        again = both.index[both.index.duplicated()][0]
        raise reading.refuse(_PARTS["test"], f"its times must not be those of {_PARTS['train']}, got {again}")
    index = pd.date_range(both.index[0], both.index[-1], freq="5min", name="time")
    unseen = both[_SHARE] == 0
    flow = both[_FLOW].mask(unseen).reindex(index).to_numpy()[:, None]
    panel = Panel(flow, index.to_numpy(), (SENSOR,), "veh/5 min", variable="volume", zone="America/Los_Angeles")
    days = pd.DatetimeIndex(both.index).normalize().nunique()
    span = (index[-1].normalize() - index[0].normalize()).days + 1
    weekdays = int(np.busday_count(index[0].date(), index[-1].date() + pd.Timedelta(days=1)))
    rows = [{"part": p, "since": f.index[0], "until": f.index[-1], "readings": len(f)} for p, f in frames.items()]
    return Dataset(
        name="traffic-pems-station",
        title="5-minute flow at one California freeway detector",
        kind="panel",
        panels={"volume": panel},
        tables={"parts": pd.DataFrame(rows)},
        faults=(
            *reading.fault(
                "absent-day",
                f"Weekends, and {weekdays - days} of {weekdays} weekdays, are not in the files (days counted)",
                span - days,
                span,
                "masked",
                "volume",
            ),
            *reading.fault(
                "absent-step",
                "Steps on the days that are there",
                days * 288 - len(both),
                days * 288,
                "masked",
                "volume",
            ),
            *reading.fault(
                "not-observed", "Readings of which 0 % was observed", unseen.sum(), len(both), "masked", "volume"
            ),
            *reading.fault(
                "partly-observed",
                "Readings of which a part was imputed by the publisher",
                ((both[_SHARE] < 100) & ~unseen).sum(),
                len(both),
                "reported",
                "volume",
            ),
        ),
    )


def _part(path: Path) -> pd.DataFrame:
    raw = reading.read_csv(path, numbers=(_FLOW, _SHARE), times={_TIME: "%d/%m/%Y %H:%M"})
    if raw[_TIME].duplicated().any():
        raise reading.refuse(
            path.name, f"column {_TIME!r} must not repeat, got {raw[_TIME][raw[_TIME].duplicated()].iloc[0]}"
        )
    if (raw[_FLOW] < 0).any():
        raise reading.refuse(path.name, f"column {_FLOW!r} must not be negative, got {raw[_FLOW].min():g}")
    return raw.set_index(_TIME)
