"""What modules say they export exists, and everything public is documented as numpydoc asks."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import citylib
from tests.architecture import docstrings

MODULES = sorted(m.name for m in pkgutil.walk_packages(citylib.__path__, "citylib."))


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_exports_exists_and_is_sorted(name):
    module = importlib.import_module(name)
    exported = list(getattr(module, "__all__", []))
    assert exported == sorted(exported, key=lambda n: (not n.isupper(), not n[:1].isupper(), n)) or exported == sorted(
        exported
    )
    for item in exported:
        assert hasattr(module, item), f"{name}.__all__ names {item}, which is not there"


def test_docstrings_pass_numpydoc():
    assert [line for name, item in docstrings.public_names() for line in docstrings.breaches_of(name, item)] == []


def test_the_families_named_are_the_folders_there_will_be():
    assert set(citylib.FAMILIES) >= {"regression", "timeseries", "survival", "neural", "evaluate"}
