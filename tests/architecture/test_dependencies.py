"""pyproject.toml, requirements.lock and environment.yml name the same packages, and versions that agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "jupyter-client": "jupyter_client"}
PIP_ONLY = {"sphinx-mathjax-offline"}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def lock_lines():
    return (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def lock(lock_lines):
    return {canonicalize_name(r.name): str(r.specifier)[2:] for r in map(Requirement, lock_lines)}


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def wanted(project):
    return [Requirement(r) for r in project["dependencies"] + project["optional-dependencies"]["dev"]]


def test_torch_comes_first_and_every_line_is_a_plain_pin(lock_lines):
    assert lock_lines[0] == "torch==2.13.0"
    odd = [line for line in lock_lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line)]
    assert odd == [], "local versions, index lines, hashes, addresses and paths have no place in the lock"


def test_every_package_is_pinned_once(lock_lines, lock):
    assert len(lock) == len(lock_lines)


def test_the_lock_holds_what_the_project_asks_for(project, lock):
    for need in wanted(project):
        version = lock.get(canonicalize_name(need.name))
        assert version is not None, f"{need.name} is not in requirements.lock"
        assert need.specifier.contains(version), f"{need.name} {version} is outside {need.specifier}"


def test_upper_bounds_have_a_reason_beside_them():
    for line in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        if re.search(r'^\s*"[\w.-]+[^"]*<', line):
            assert "#" in line, f"no reason beside {line.strip()}"


def test_conda_users_get_the_same(project, environment):
    conda = {}
    for entry in environment["dependencies"]:
        if isinstance(entry, str):
            need = Requirement(re.sub(r"(?<![<>=!])=(?!=)", "==", entry))
            conda[need.name] = need.specifier
        else:
            pip = {Requirement(r).name: Requirement(r).specifier for r in entry["pip"] if not r.startswith("-e")}
    for need in wanted(project):
        if need.name in PIP_ONLY:
            assert pip[need.name] == need.specifier
        else:
            assert conda[CONDA_NAMES.get(need.name, need.name)] == need.specifier, need.name
    known = {CONDA_NAMES.get(n.name, n.name) for n in wanted(project)} | {"python", "pip", "setuptools"}
    assert set(conda) <= known
    assert str(conda["python"]) == project["requires-python"]


def test_gpl_is_never_required(project, lock):
    assert "scikit-survival" not in lock
    assert project["optional-dependencies"]["forest"]
