"""The notebook lint: `python -m tests.architecture.notebooks [FILE ...]` prints each breach, and fails on any."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MAX_LINES = 15
MAX_PARAMETERS = 20  # a list is read line by line
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Other ways to data than citylib.data, and other ways to show a figure than citylib.plots.
FORBIDDEN_CALLS = re.compile(
    r"^(open|eval|exec|input|display|.*\.(read_csv|read_parquet|read_json|read_excel|read_pickle|read_file|fetch_openml|urlopen|loadtxt"
    r"|genfromtxt|savefig|read_text|read_bytes)|np\.load|torch\.load|pickle\..*|requests\..*|plt\..*)$"
)
# Numbers in prose that no run changes: levels of confidence, the calendar, powers of ten.
STEADY = {13, 14, 15, 20, 24, 28, 30, 31, 48, 50, 52, 60, 90, 95, 96, 99, 100, 168, 365, 366, 1000}


def lint(path: Path) -> list[str]:
    """Return the breaches of one notebook, a line each."""
    text = path.read_text(encoding="utf-8")
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        return [f"not valid JSON: {error}"]
    breaches = []
    if text != canonical(notebook):
        breaches.append("not in canonical form (one-space indent, sorted keys, lines as lists, newline at the end)")
    if notebook.get("metadata") != METADATA or (notebook.get("nbformat"), notebook.get("nbformat_minor")) != (4, 5):
        breaches.append("metadata must be the plain Python 3 kernel's, format 4.5")
    cells = notebook.get("cells", [])
    ids = [cell.get("id", "") for cell in cells]
    if len(set(ids)) != len(ids):
        breaches.append("cell ids are not unique")
    breaches += [f"cell {i!r}: an id is a word or two that says what the cell does" for i in ids if _noise(i)]
    tagged = [n for n, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", [])]
    if tagged != [1]:
        breaches.append(f"one cell tagged parameters must stand right after the title, found at {tagged}")
    if not cells or not _source(cells[0]).startswith("# "):
        breaches.append("the first cell must be the title")
    if sum(len(re.findall(r"(?m)^# ", _source(c))) for c in cells if c["cell_type"] == "markdown") != 1:
        breaches.append("there must be one heading of the first level")
    for cell in cells:
        check = _code if cell["cell_type"] == "code" else _prose
        breaches += [f"cell {cell.get('id')!r}: {what}" for what in check(cell)]
    return breaches


def canonical(notebook: dict[str, Any]) -> str:
    """Return the one way to write a notebook."""
    for cell in notebook.get("cells", []):
        if isinstance(cell.get("source"), str):
            cell["source"] = cell["source"].splitlines(keepends=True)
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _code(cell: dict[str, Any]) -> list[str]:
    source = _source(cell)
    breaches = []
    if cell.get("outputs") or cell.get("execution_count") is not None:
        breaches.append("outputs and execution counts stay out of the repository")
    lines = [line for line in source.splitlines() if line.strip()]
    most = MAX_PARAMETERS if "parameters" in cell["metadata"].get("tags", []) else MAX_LINES
    if len(lines) > most:
        breaches.append(f"{len(lines)} lines, at most {most}")
    if re.search(r"(?m)^\s*[%!]", source):
        breaches.append("magics and shell lines run in no plain Python")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [*breaches, f"not Python: {error.msg}"]
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            breaches.append(f"defines {node.name}; functions belong in citylib")
        if isinstance(node, ast.Call) and FORBIDDEN_CALLS.match(ast.unparse(node.func)):
            breaches.append(f"calls {ast.unparse(node.func)}; data come by citylib.data, figures by citylib.plots")
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "pyplot" in ast.unparse(node):
            breaches.append("imports pyplot; figures come by citylib.plots")
    return breaches


def _prose(cell: dict[str, Any]) -> list[str]:
    source = _source(cell)
    breaches = [f"an image without alternative text: {m}" for m in re.findall(r"!\[\s*\]\([^)]*\)", source)]
    if "why_numbers_are_fixed" in cell["metadata"].get("citylib", {}):
        return breaches
    return breaches + [f"the number {n} is typed; a run could change it" for n in typed_numbers(source)]


def typed_numbers(markdown: str) -> list[str]:
    """Return the numbers in prose that look like results.

    Math, code, links, roles, citations and headings' numbering are left out, and
    so are years, small whole numbers and the steady ones (levels, the calendar).
    """
    text = re.sub(r"```.*?```|~~~.*?~~~", " ", markdown, flags=re.S)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", " ", text, flags=re.S)
    text = re.sub(r"\{[\w:-]+\}`[^`]*`|`[^`]*`", " ", text)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>|https?://\S+", " ", text)
    found = []
    for match in re.finditer(r"(?<![\w.,-])(\d[\d,]*(?:\.\d+)?)(?![\w])", text):
        token = match.group(1).rstrip(",")
        value = float(token.replace(",", ""))
        steady = value <= 12 or value in STEADY or 1800 <= value <= 2100
        if "." in token or not steady:
            found.append(token)
    return found


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _noise(cell_id: str) -> bool:
    """Whether an id is machine-made (hexadecimal, too long) or not of letters, digits and hyphens."""
    return bool(re.fullmatch(r"[0-9a-f]{8,}", cell_id)) or not re.fullmatch(r"[a-z][a-z0-9-]{1,40}", cell_id)


def main(arguments: list[str]) -> int:
    """Lint the notebooks named, or all of them."""
    paths = [Path(a) for a in arguments] or sorted((ROOT / "notebooks").rglob("*.ipynb"))
    breaches = [f"{path}: {what}" for path in paths for what in lint(path)]
    print("\n".join(breaches) or f"{len(paths)} notebooks, no breach")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
