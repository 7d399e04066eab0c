"""Cities that several tests look at; drawn once."""

from __future__ import annotations

import pytest

from citylib.data.dataset import Dataset
from citylib.data.synthetic import city


@pytest.fixture(scope="session")
def standard() -> Dataset:
    """The city of seed 0 in full size."""
    return city()


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """The city of seed 0 in small."""
    return city(size="tiny")
