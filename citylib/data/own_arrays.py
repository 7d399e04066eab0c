"""Own arrays: HDF5 as METR-LA and PEMS-BAY are published, npz as PEMS04 and PEMS08 are; neither runs any code.

Axes: T times, N sensors, F variables.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data import schema
from citylib.data.dataset import Dataset, Fault
from citylib.data.own_faults import Faults
from citylib.data.own_open import Opened
from citylib.data.own_panel import finish
from citylib.errors import InputError

__all__ = ["read_arrays"]

# First step of the PEMS sets, which carry no times; every 5 minutes (Song et al. 2020, AAAI, table 1).
STARTS = {"PEMS03": "2018-09-01", "PEMS04": "2018-01-01", "PEMS07": "2017-05-01", "PEMS08": "2016-07-01"}
VARIABLES = (("flow", "veh/5 min"), ("occupancy", "share"), ("speed", "mph"))


def read_arrays(opened: Opened) -> Dataset:
    """Return the panels of an HDF5 or npz file.

    HDF5: one frame in the fixed layout of pandas, times down and detectors across, read
    without pickle; the readings are taken for speeds in mph and zeros for gaps, as their
    publishers do. npz: an array ``data`` (T, N, F) or (T, N); with it ``time`` (T,)
    as datetime64, and if wanted ``sensors`` (N,), ``variables`` (F,), ``units`` (F,).

    Parameters
    ----------
    opened : Opened
        The file.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        Another layout, pickled content, or not complete.
    SchemaError
        Times that repeat or step back, infinities, negative readings.

    References
    ----------
    .. [1] Li et al. (2018), "Diffusion convolutional recurrent neural network", ICLR.
    .. [2] Song et al. (2020), "Spatial-temporal synchronous graph convolutional networks", AAAI.
    """
    return _hdf(opened) if opened.ending == ".h5" else _npz(opened)


def _hdf(opened: Opened) -> Dataset:
    import h5py

    argument = f"file {opened.given}"
    try:
        with h5py.File(io.BytesIO(opened.data), "r") as store:
            groups = [name for name, item in store.items() if isinstance(item, h5py.Group) and "axis0" in item]
            if len(groups) != 1:
                hint = "write it with DataFrame.to_hdf(..., format='fixed')"
                raise InputError(argument, "hold one frame in the layout of pandas", groups or list(store), hint)
            times, sensors, values = _frame(argument, store[groups[0]])
    except InputError:
        raise
    except (OSError, LookupError, ArithmeticError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise InputError(argument, "be a complete HDF5 file", str(error), "copy it again, it may be cut off") from None
    zero = values == 0
    faults = []
    if zero.any():
        what = "Readings of 0 mean that there is none, as the publishers of METR-LA and PEMS-BAY use them."
        faults.append(Fault("zero-reading", what, int(zero.sum()), values.size, "masked", "speed"))
        values = np.where(zero, np.nan, values)
    return _dataset(opened, times, sensors, {"speed": values}, {"speed": "mph"}, faults)


def _frame(argument: str, group: Any) -> tuple[npt.NDArray[Any], list[str], npt.NDArray[np.float64]]:
    labels, stamps = group["axis0"][()], group["axis1"][()]
    kind = group["axis1"].attrs.get("kind", b"datetime64")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if not kind.startswith("datetime64") or stamps.dtype.kind != "i":
        raise InputError(argument, "have times as the index of its frame", f"{kind} of {stamps.dtype}")
    unit = (re.findall(r"\[(\w+)\]", kind) or ["ns"])[0]
    times = stamps.astype("int64").view(f"datetime64[{unit}]").astype("datetime64[ns]")
    place = {_label(v): n for n, v in enumerate(labels)}
    values = np.full((len(times), len(labels)), np.nan)
    blocks = sorted(name for name in group if re.fullmatch(r"block\d+_values", name))
    for name in blocks:
        block = group[name][()]
        items = [_label(v) for v in group[name.replace("values", "items")][()]]
        if block.dtype.kind not in "fiu":
            raise InputError(argument, "hold numbers only", f"{name} of {block.dtype}, which pandas pickles")
        if block.shape == (len(items), len(times)) != (len(times), len(items)):
            block = block.T
        if block.shape != (len(times), len(items)):
            raise InputError(argument, f"hold {len(times)} times by {len(items)} columns in {name}", block.shape)
        values[:, [place[item] for item in items]] = block
    if not blocks:
        raise InputError(argument, "hold a frame in the fixed layout of pandas", ", ".join(group))
    return times, [_label(v) for v in labels], values


def _label(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _npz(opened: Opened) -> Dataset:
    argument = f"file {opened.given}"
    try:
        with np.load(io.BytesIO(opened.data), allow_pickle=False) as store:
            arrays = {name: store[name] for name in store.files}
    except ValueError as error:
        if "pickle" in str(error).lower():
            hint = "save plain arrays of numbers"
            raise InputError(
                argument, "hold no pickled objects (opening one runs code)", "an object array", hint
            ) from None
        raise InputError(argument, "be a complete npz file", str(error)) from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(argument, "be a complete npz file", str(error), "copy it again, it may be cut off") from None
    if "data" not in arrays:
        raise InputError(argument, "hold an array called data", ", ".join(arrays) or "no arrays")
    data = arrays["data"]
    if data.dtype.kind not in "fiu" or data.ndim not in (2, 3):
        raise InputError(argument, "hold data as numbers (T, N) or (T, N, F)", f"{data.dtype} {data.shape}")
    data_TNF = data.astype("float64").reshape(*data.shape[:2], -1)
    times, faults = _npz_times(argument, opened, arrays, len(data_TNF))
    places, depth = data_TNF.shape[1:]
    sensors = [str(s) for s in arrays.get("sensors", np.arange(places))]
    known = VARIABLES if depth == 3 else VARIABLES[:1] if depth == 1 else ()
    names = [str(v) for v in arrays.get("variables", [n for n, _ in known] or [f"variable_{f}" for f in range(depth)])]
    units = [str(u) for u in arrays.get("units", [u for _, u in known] if "variables" not in arrays else [])]
    for what, given, wanted in (("sensors", sensors, places), ("variables", names, depth)):
        if len(set(given)) != wanted:
            raise InputError(argument, f"name each of {wanted} {what} once", f"{len(set(given))} names")
    values = {name: data_TNF[:, :, f] for f, name in enumerate(names)}
    return _dataset(opened, times, sensors, values, dict(zip(names, units, strict=False)), faults)


def _npz_times(
    argument: str, opened: Opened, arrays: dict[str, npt.NDArray[Any]], steps: int
) -> tuple[npt.NDArray[Any], list[Fault]]:
    if "time" in arrays:
        times = arrays["time"]
        if times.dtype.kind != "M" or times.shape != (steps,):
            raise InputError(argument, f"hold time as {steps} values of datetime64", f"{times.dtype} {times.shape}")
        return times.astype("datetime64[ns]"), []
    name = next((n for n in STARTS if n in opened.path.name.upper()), None)
    if name is None:
        hint = f"only files named {', '.join(STARTS)} are known to have none"
        raise InputError(argument, "hold an array called time (datetime64)", ", ".join(arrays), hint)
    start = np.datetime64(STARTS[name], "ns")
    what = f"The file has no times: it is taken for {name}, which begins on {STARTS[name]}, every 5 minutes."
    return start + np.arange(steps) * np.timedelta64(5, "m"), [
        Fault("inferred-times", what, steps, steps, "reported", "time")
    ]


def _dataset(
    opened: Opened,
    times: npt.NDArray[Any],
    sensors: list[str],
    values: dict[str, npt.NDArray[np.float64]],
    units: dict[str, str],
    found: list[Fault],
) -> Dataset:
    faults = Faults()
    index = pd.RangeIndex(1, len(times) + 1)
    column = pd.Series(times, index=index)
    faults.cells("times", "have no missing values", column[column.isna()])
    faults.cells("times", "have no duplicates", column[column.duplicated(keep=False)])
    faults.cells("times", "increase", column[column.diff() < pd.Timedelta(0)])
    wide = {}
    for name, table_TN in values.items():
        for rule, bad in (
            ("be finite", np.isinf(table_TN)),
            ("be at least 0", (table_TN < 0) & schema.is_count(name, units.get(name, ""))),
        ):
            row, place = np.nonzero(bad)
            faults.cells(f"variable {name!r}", rule, pd.Series(table_TN[row, place], index=row + 1))
        wide[name] = pd.DataFrame(table_TN, index=times, columns=pd.Index(sensors, name="sensor"))
    if not any(np.isfinite(table).any() for table in values.values()):
        faults.say("readings", "include at least one number", "none")
    faults.raise_if_any(f"file {opened.given}")
    return finish(opened.given, wide, {}, units, None, {}, tuple(found))
