"""Signal approaches of Boroondara: detectors told apart, absent days missing, places of zero none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "traffic-scats-boroondara"
FILE = "scats_october_2006.csv.gz"


def test_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    volume, found = dataset.panel(), faults(dataset)
    assert volume.shape == (192, 4)
    assert volume.sensors == (
        "0970 A_RD N of B_RD",
        "4335 C_ST E of D_ST (2)",
        "4335 C_ST E of D_ST (3)",
        "2000 E_RD S of F_RD",
    )
    assert volume.series("0970 A_RD N of B_RD")[[1, 5, 97]].tolist() == [2, 1, 3]
    assert np.isnan(volume.series("2000 E_RD S of F_RD")[:96]).all()
    assert np.isnan(volume.coordinates[3]).all()
    assert found["absent-day"] == (1, 8, "masked")
    assert found["shared-name"] == (4, 7, "mended")
    assert found["no-place"] == (1, 7, "masked")
    assert found["zero-count"] == (14, 7 * 96, "reported")
    assert found["zero-count-by-day"] == (7, 7 * 48, "reported")
    assert dataset.table("sensors")["days"].tolist() == [2, 2, 2, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"2/10/2006", b"1/10/2006", "stand once"),
        (b"1/10/2006,0,2", b"1/10/2006,0,-2", "negative"),
        (b"1/10/2006", b"2006", "be a time"),
        (b"HF VicRoads Internal", b"HF", "must be there"),
    ],
)
def test_broken_files_are_refused(small: Small, old: bytes, new: bytes, message: str) -> None:
    data = FILES[NAME]()[FILE]
    assert old in data
    with pytest.raises(SchemaError, match=message):
        small(NAME, {FILE: data.replace(old, new)})


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    volume, found = dataset.panel(), faults(dataset)
    # 139 names of approaches; one of them is two detectors.
    assert volume.shape == (31 * 96, 140)
    assert dataset.table("sensors").groupby(["scats", "location"]).ngroups == 139
    assert dataset.table("sensors")["scats"].nunique() == 40
    assert np.nanmax(volume.values) == 695
    assert volume.mask.sum() == 4_192 * 96
    assert found["shared-name"][:2] == (62, 4_192)
    assert found["no-place"][0] == 31
    assert found["zero-count"][0] / found["zero-count"][1] == pytest.approx(0.01, abs=5e-4)
    short = dataset.table("sensors").set_index("location")["days"]
    assert (short < 31).sum() == 34
    assert short["CHURCH_ST SW of BARKERS_RD"] == short.min() == 2
