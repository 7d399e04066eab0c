"""The house rules as functions: each takes the folder of the package and returns its breaches, a line each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

MIDDLE = {"errors", "checks", "seeds", "panel", "results"}
FAMILIES = {"regression", "timeseries", "spatial", "survival", "neural", "allocation", "evaluate"}

# The one table of who may import whom, besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "checks": {"errors"},
    "seeds": {"errors", "checks"},
    "panel": {"errors", "checks"},
    "results": {"errors", "checks"},
    **{room: set(MIDDLE) for room in FAMILIES | {"data", "plots"}},
    "neural": MIDDLE | {"evaluate"},
    "allocation": MIDDLE | {"evaluate", "neural"},
    "batch": MIDDLE | {"data"},
    "publish": MIDDLE | {"data", "batch", "plots"},
    "cli": MIDDLE | {"data", "batch", "publish", "neural"},
}

# Third parties and the only rooms that may import them; what is not listed is free or not used.
OWNERS: dict[str, set[str]] = {
    "torch": {"neural", "allocation", "seeds"},
    "lightning": {"neural", "allocation"},
    "lightning_fabric": {"neural", "allocation"},
    "transformers": {"neural", "allocation"},
    "tokenizers": {"neural", "allocation"},
    "safetensors": {"neural", "allocation"},
    "matplotlib": {"plots"},
    "cycler": {"plots"},
    "plotly": {"plots"},
    "papermill": {"batch"},
    "nbclient": {"batch"},
    "dask": {"batch"},
    "distributed": {"batch"},
    "jupyter_book": {"publish"},
    "sphinx": {"publish"},
    "docutils": {"publish"},
    "itables": {"publish"},
    "typer": {"cli"},
    "rich": {"cli", "batch"},
    "pooch": {"data"},
    "pandera": {"data"},
    "h5py": {"data"},
    "pyarrow": {"data", "batch", "publish"},
    "onnxruntime": {"neural"},
    "sklearn": set(),
    "lightgbm": set(),
    "geopandas": {"data", "spatial", "plots"},
    "statsmodels": {"regression", "timeseries"},
    "arch": {"timeseries"},
    "lifelines": {"survival"},
    "libpysal": {"spatial"},
    "spreg": {"spatial"},
    "cvxpy": {"allocation"},
    "simpy": {"allocation"},
    "libsumo": {"allocation"},
    "numba": FAMILIES,
    "pickle": set(),
    "dill": set(),
    "cloudpickle": set(),
}

BANNED_NAMES = {"utils", "helpers", "common", "misc", "base", "core", "tools"}
MAX_FILE, MAX_FUNCTION = 400, 60


def files(package: Path) -> list[Path]:
    """Return the package's Python files, sorted."""
    return sorted(p for p in package.rglob("*.py") if "__pycache__" not in p.parts)


def room_of(package: Path, path: Path) -> str:
    """Return the room a file belongs to: its folder below the package, or its own name in the middle."""
    relative = path.relative_to(package)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(tree: ast.AST, module: str = "") -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every import in a file, those for type checking included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(module.split(".")[: -node.level]) if node.level else ""
            name = ".".join(filter(None, [above, node.module or ""]))
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            yield from ((node.lineno, str(a.value)) for a in node.args[:1] if isinstance(a, ast.Constant))


def import_breaches(package: Path) -> list[str]:
    """Imports that the map or the owners' table does not allow."""
    breaches = []
    for path in files(package):
        room = room_of(package, path)
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for line, name in imports(_tree(path), module):
            where = f"{path.relative_to(package)}:{line}"
            parts = name.split(".")
            if parts[0] == package.name:
                target = parts[1] if len(parts) > 1 else ""
                known = target in MAY_IMPORT
                if room == "__init__" and known:
                    breaches.append(f"{where}: the package itself may import nothing of its own, imports {target}")
                elif known and target != room and target not in MAY_IMPORT.get(room, set()):
                    breaches.append(f"{where}: {room} may not import {target}")
            elif parts[0] in OWNERS and room not in OWNERS[parts[0]]:
                breaches.append(f"{where}: {parts[0]} belongs to {sorted(OWNERS[parts[0]]) or 'nobody'}, not to {room}")
    return breaches


def room_breaches(package: Path) -> list[str]:
    """Rooms that the map does not know."""
    rooms = {room_of(package, path) for path in files(package)} - {"__init__", "__main__"}
    return [f"{room}: not on the map of rooms" for room in sorted(rooms - set(MAY_IMPORT))]


def length_breaches(package: Path) -> list[str]:
    """Files and functions that are too long (compiled kernels are exempt)."""
    breaches = []
    for path in files(package):
        relative = path.relative_to(package)
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE:
            breaches.append(f"{relative}: {lines} lines, at most {MAX_FILE}")
        for node in ast.walk(_tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not _compiled(node):
                size = _code_lines(node)
                if size > MAX_FUNCTION:
                    breaches.append(f"{relative}:{node.lineno}: {node.name} has {size} lines, at most {MAX_FUNCTION}")
    return breaches


def name_breaches(package: Path) -> list[str]:
    """Modules and folders whose name says nothing."""
    names = {p: p.stem for p in files(package)} | {p.parent: p.parent.name for p in files(package)}
    return [f"{p.name}: a name that says nothing" for p, name in sorted(names.items()) if name in BANNED_NAMES]


def docstring_breaches(package: Path) -> list[str]:
    """Files that do not begin by saying what they are for, and public things without a word."""
    breaches = []
    for path in files(package):
        relative, tree = path.relative_to(package), _tree(path)
        if not tree.body and path.name == "__init__.py":
            continue
        if not ast.get_docstring(tree):
            breaches.append(f"{relative}: the first line must say what the file is for")
        for node in tree.body:
            public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                breaches.append(f"{relative}:{node.lineno}: {node.name} has no docstring")
    return breaches


def exception_breaches(package: Path) -> list[str]:
    """Exceptions and warnings defined outside errors.py, and built-in ones raised at users."""
    breaches = []
    builtin = {"ValueError", "TypeError", "KeyError", "RuntimeError", "Exception", "IndexError"}
    for path in files(package):
        if path.name == "errors.py" and path.parent == package:
            continue
        relative = path.relative_to(package)
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                parents = {ast.unparse(base).split(".")[-1] for base in node.bases}
                if any(name.endswith(("Error", "Exception", "Warning")) for name in parents):
                    breaches.append(f"{relative}:{node.lineno}: {node.name} belongs in errors.py")
            elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = ast.unparse(node.exc.func)
                if name in builtin:
                    breaches.append(f"{relative}:{node.lineno}: raises {name}; use one of errors.py")
    return breaches


def hidden_state_breaches(package: Path) -> list[str]:
    """Uses of numpy's or torch's global random state, and `global` statements."""
    breaches = []
    for path in files(package):
        relative = path.relative_to(package)
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Global):
                breaches.append(f"{relative}:{node.lineno}: a global statement")
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                legacy = name.startswith("np.random.") and name.split(".")[-1][0].islower()
                if (legacy and name.split(".")[-1] != "default_rng") or name in ("torch.manual_seed", "random.seed"):
                    breaches.append(f"{relative}:{node.lineno}: {name} uses a global random state; see citylib.seeds")
    return breaches


RULES = (
    import_breaches,
    room_breaches,
    length_breaches,
    name_breaches,
    docstring_breaches,
    exception_breaches,
    hidden_state_breaches,
)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _compiled(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("jit" in ast.unparse(d) for d in node.decorator_list)


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function below its signature and docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
