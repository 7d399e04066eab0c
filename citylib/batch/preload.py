"""Which third-party modules a notebook's kernel will import, read from its cells and from citylib; nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from citylib.batch import parameters
from citylib.batch.receipt import package_folder
from citylib.errors import NotebookError

__all__ = ["KERNEL", "of_notebook", "sets_variables"]

PACKAGE = "citylib"
# Reading one (os.environ["X"], os.environ.get) is no change; anything else may be.
SETS = re.compile(
    r"environ\s*(\[[^\]]*\]\s*[^\s=,)\]}]?=(?!=)|\.\s*(update|setdefault|pop|popitem|clear|__setitem__))"
    r"|del\s+[\w.]*environ|\b(putenv|unsetenv)\b|^\s*%(env|set_env)\b|load_dotenv",
    re.MULTILINE,
)
# What an ipykernel itself needs; some of it only when the first cell runs.
KERNEL = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.iostream", "ipykernel.heartbeat",
    "ipykernel.control", "ipykernel.displayhook", "ipykernel.debugger", "IPython.core.interactiveshell",
    "IPython.core.completerlib", "IPython.core.logger", "IPython.core.oinspect", "IPython.core.magics",
    "IPython.core.debugger", "IPython.extensions.storemagic",
    "zmq.eventloop.zmqstream", "tornado.ioloop", "tornado.queues", "tornado.platform.asyncio", "psutil", "jedi",
    "sqlite3", "faulthandler", "encodings.idna", "encodings.latin_1",
)  # fmt: skip


def of_notebook(notebook: Path) -> tuple[str, ...]:
    """Return the names of the modules that a notebook may import, citylib's apart, with those of the kernel itself.

    Parameters
    ----------
    notebook : Path
        The ``.ipynb`` file.

    Returns
    -------
    tuple of str
        Sorted. Some may be no modules but names in one (``from scipy import stats``): who imports them finds out.
        Those of the kernel alone, if the notebook sets variables: libraries read them when they are imported.
    """
    sources = _sources(notebook)
    if sets_variables(notebook):
        return tuple(sorted(KERNEL))
    wanted, seen = set(KERNEL), set[str]()
    queue = [name for source in sources for name in _imports(source, "")]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        if name.partition(".")[0] != PACKAGE:
            wanted.add(name)
            continue
        for module, file in _files(name):
            queue += _imports(file.read_text(encoding="utf-8"), module, lazy=False)
    return tuple(sorted(wanted))


def sets_variables(notebook: Path) -> bool:
    """Return whether a notebook changes variables of the environment, or may do so.

    Parameters
    ----------
    notebook : Path
        The ``.ipynb`` file.
    """
    return any(SETS.search(source) for source in _sources(notebook))


def _sources(notebook: Path) -> list[str]:
    try:
        return [cell["source"] for cell in parameters.cells(notebook) if cell["cell_type"] == "code"]
    except NotebookError:
        return []


def _imports(source: str, module: str, *, lazy: bool = True) -> Iterator[str]:
    """Yield what a text of Python imports, inside functions only if `lazy`; what is no Python is passed over."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # magics and shell lines of a notebook
        kept = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
        try:
            tree = ast.parse("\n".join(kept))
        except SyntaxError:
            return
    for node in _reached(tree, lazy):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            name = ".".join([*above, node.module] if node.module else above)
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names if alias.name != "*")


def _reached(tree: ast.AST, lazy: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not lazy:
            continue  # what a function imports is learned when a run has called it
        yield node
        yield from _reached(node, lazy)


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """Yield module name and file of a citylib module and of the packages above it."""
    parts = name.split(".")[1:]
    place = package_folder()
    for i in range(len(parts) + 1):
        below = place.joinpath(*parts[:i])
        module = ".".join([PACKAGE, *parts[:i]])
        if (below / "__init__.py").is_file():
            yield f"{module}.__init__", below / "__init__.py"
        elif below.with_suffix(".py").is_file():
            yield module, below.with_suffix(".py")
