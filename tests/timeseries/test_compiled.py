"""Compiled code gives the same bits whether it was compiled just now or read from the cache."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CITYLIB = Path(__file__).parents[2] / "citylib"

FITS = """
import hashlib
import numpy as np
from citylib.timeseries import garch, many
y = np.random.default_rng(0).standard_normal((120, 3)).cumsum(axis=0)
y[40:44, 1] = np.nan
found = [many.fit(y, order=order, starts=2) for order in ((1, 1, 1), (0, 1, 3))]
numbers = [f.parameters for f in found]
for model in (garch.Garch(), garch.Garch(asymmetric=True), garch.Garch(distribution="t")):
    found = garch.fit(np.diff(y[:, ::2], axis=0), starts=1, model=model)
    numbers += [found.parameters, found.standard_errors]
print(hashlib.sha256(b"".join(np.ascontiguousarray(n).tobytes() for n in numbers)).hexdigest())
"""


@pytest.mark.slow
def test_a_cold_cache_and_a_warm_one_give_the_same_bits(tmp_path: Path) -> None:
    kept = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", FITS], env=kept, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert any(tmp_path.rglob("*.nbc")), "the cache was in use"
    assert said[0] == said[1]


def test_nothing_is_compiled_with_fast_mathematics() -> None:
    """Code that may be put in another order is: inlined one way when compiled, another when read from the cache."""
    files = [p for p in CITYLIB.rglob("*.py") if re.search(r"\bfastmath\b", p.read_text(encoding="utf-8"))]
    assert files == []
