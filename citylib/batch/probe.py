"""What runs inside the kernel, unseen by the notebook: which citylib files it read, on which versions.

The text of this file is sent to the kernel before the first cell; it must need
nothing but the standard library, and leaves no name in the notebook's namespace.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import sys
from typing import Any

__all__ = ["report", "watch"]

# Import name and distribution of the packages that decide numbers.
PACKAGES = {
    "geopandas": "geopandas",
    "lifelines": "lifelines",
    "matplotlib": "matplotlib",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "plotly": "plotly",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "statsmodels": "statsmodels",
    "torch": "torch",
}


def watch() -> str:
    """Note from now on what is imported, and each file opened below the citylib package; return its folder."""
    spec = importlib.util.find_spec("citylib")
    places = list(spec.submodule_search_locations or []) if spec else []
    root = os.path.join(os.path.realpath(places[0]), "") if places else ""
    starts = (root, os.path.join(places[0] if places else "", ""))  # the same folder, perhaps by way of a link
    seen: set[str] = set()

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(starts):
            seen.add(arguments[0])

    if root:
        sys.addaudithook(audit)
    globals().update(root=root, starts=starts, seen=seen, before=frozenset(sys.modules))
    return root


def report() -> str:
    """Return as JSON the citylib files read so far, what else was imported, versions in use and peak memory."""
    root: str = globals().get("root", "")
    seen: set[str] = globals().get("seen", set())
    starts: tuple[str, ...] = globals().get("starts", ())
    modules = [(name, getattr(module, "__file__", None) or "") for name, module in list(sys.modules.items())]
    # Only those that may be of the package have their links followed: that takes longer than many a cell.
    own = [f for name, f in modules if f and (f.startswith(starts) or name.partition(".")[0] == "citylib")]
    files = {os.path.realpath(f) for f in [*own, *seen]} if root else set()
    compiled = f"{os.sep}__pycache__{os.sep}"  # Python's and numba's, made from the others
    kept = sorted(f for f in files if f.startswith(root) and compiled not in f and os.path.isfile(f))
    versions = {"python": platform.python_version()}
    if "citylib" in sys.modules:
        versions["citylib"] = getattr(sys.modules["citylib"], "__version__", "")
    for name, distribution in PACKAGES.items():
        if name in sys.modules:
            versions[distribution] = _version(distribution)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = used[0].ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    relative = [os.path.relpath(f, root).replace(os.sep, "/") for f in kept]
    before: frozenset[str] = globals().get("before", frozenset())
    others = [n for n, m in list(sys.modules.items()) if n not in before and getattr(m, "__spec__", None) is not None]
    return json.dumps(
        {
            "root": root,
            "files": relative,
            "imported": sorted(n for n in others if n.partition(".")[0] != "citylib"),
            "versions": versions,
            "peak_memory_bytes": peak,
            "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in used),
        }
    )


def _version(distribution: str) -> str:
    """Return the version that an installed distribution says it has, without reading the rest of what it says."""
    text = importlib.metadata.distribution(distribution).read_text("METADATA") or ""
    head = text.partition("\n\n")[0].splitlines()
    lines = [line.partition(":")[2].strip() for line in head if line.startswith("Version:")]
    return lines[0] if lines else importlib.metadata.version(distribution)
