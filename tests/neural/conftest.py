"""What tests of the neural room share."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from citylib import data


@pytest.fixture(scope="session")
def boston(real_data: Path) -> pd.DataFrame:
    """Return the real requests."""
    return data.load("requests-boston-311").table("requests")
