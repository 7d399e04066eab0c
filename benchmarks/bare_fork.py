"""The yardstick of a warm run: a process that has imported the same modules forks, and the child executes the cells.

``python bare_fork.py NOTEBOOK NAME=LITERAL COUNT`` prints the CPU seconds of COUNT children as JSON. As the parents
of kernels do, it learns from a first child what the notebook imports besides.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import sys
import time


def main() -> None:
    """Fork once to learn, then to measure."""
    notebook, given, count = sys.argv[1:]
    name, _, value = given.partition("=")
    for module in _preload(notebook):
        _import(module)
    for module in _child(notebook, name, value)["imported"]:
        _import(module)
    print(json.dumps([_child(notebook, name, value)["cpu"] for _ in range(int(count))]))


def _preload(notebook: str) -> list[str]:
    """Ask a process of its own, so that nothing of citylib is imported here."""
    ask = "import json, sys, pathlib; from citylib.batch import preload; "
    ask += "print(json.dumps(preload.of_notebook(pathlib.Path(sys.argv[1]))))"
    with os.popen(f"{sys.executable} -c '{ask}' {notebook}") as answer:
        return list(json.loads(answer.read()))


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except Exception:
        return


def _child(notebook: str, name: str, value: str) -> dict[str, object]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        before = set(sys.modules)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        _execute(notebook, name, value)
        others = [m for m in sys.modules if m not in before and m.partition(".")[0] != "citylib"]
        with os.fdopen(writer, "w") as answer:
            json.dump({"cpu": time.process_time(), "imported": others}, answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return dict(json.loads(text))


def _execute(notebook: str, name: str, value: str) -> None:
    with open(notebook, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    space: dict[str, object] = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
            if "parameters" in cell["metadata"].get("tags", []):
                space[name] = ast.literal_eval(value)


if __name__ == "__main__":
    main()
