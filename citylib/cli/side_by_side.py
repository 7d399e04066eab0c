"""``citylib runs diff``: two runs, or two folders of runs, side by side on a terminal, in lines, or as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citylib.cli import printed
from citylib.errors import InputError, ReceiptError

if TYPE_CHECKING:
    from rich.console import Console

    from citylib.batch.diff import Comparison, FolderComparison
    from citylib.batch.tolerance import Line

__all__ = ["show"]

SHORT = 60  # characters of a value on a terminal
HASH = 12
HASHED = ("data", "citylib", "lock", "notebook", "figure")


def show(a: Path, b: Path, tolerance: tuple[float, float], *, everything: bool, figures: bool, as_json: bool) -> bool:
    """Compare and print; return whether the results are equal.

    Parameters
    ----------
    a, b : Path
        Folders of two runs, or of many.
    tolerance : (float, float)
        Relative and absolute.
    everything : bool
        Whether to print what is equal, too.
    figures : bool
        Whether to compare figures.
    as_json : bool
        Whether to print JSON.

    Raises
    ------
    InputError
        They cannot be compared: one is no folder of runs, is broken, or only one of them is a single run's.
    """
    from rich.console import Console

    from citylib.batch import diff
    from citylib.batch.tolerance import Tolerance

    within = Tolerance(*tolerance)
    single = [diff.folder_of_run(folder) is not None for folder in (a, b)]
    if single[0] is not single[1]:
        raise InputError("A and B", "be two runs, or two folders of runs", f"{a}, {b}")
    console = Console(highlight=False, markup=False)
    try:
        if single[0]:
            one = diff.compare(a, b, within, figures=figures)
            if as_json:
                printed.as_json(_content(one, everything))
            else:
                _print_run(console, one, everything)
            return one.same_results
        many = diff.compare_folders(a, b, within, figures=figures)
    except ReceiptError as fault:  # code 1 says that results differ, which is not known
        raise InputError("A and B", "be runs with their receipts", f"{a}, {b}", str(fault)) from None
    if as_json:
        printed.as_json(_contents(many, everything))
    else:
        _print_folders(console, many, everything)
    return many.same_results


def _print_run(console: Console, one: Comparison, everything: bool) -> None:
    from rich.table import Table

    table = Table("what", "name", "A", "B", "", box=None, pad_edge=False)
    for line in one.lines:
        if everything or not line.equal:
            short = SHORT if console.is_terminal else None
            cells = (_value(line, line.a, short), _value(line, line.b, short))
            style = ("red" if line.is_result else "yellow") if not (line.equal or line.is_cost) else "dim"
            table.add_row(line.part, line.name, *cells, line.note, style=style)
    if console.is_terminal:
        printed.plain(console, f"A  {one.a}\nB  {one.b}\n")
    printed.table(console, table)
    count = len(one.differences)
    results = "results are equal within tolerance" if one.same_results else "results differ"
    printed.plain(console, f"{results}; {count} {'difference' if count == 1 else 'differences'} in all")


def _print_folders(console: Console, many: FolderComparison, everything: bool) -> None:
    from rich.table import Table

    table = Table("run", "results", "differences", "in what", box=None, pad_edge=False)
    for name, one in many.runs:
        if everything or one.differences:
            kinds = Counter(line.part for line in one.differences)
            words = ", ".join(f"{count} {part}" for part, count in kinds.items())
            result = "equal" if one.same_results else "differ"
            style = None if one.same_results else "red"
            table.add_row(name, result, str(len(one.differences)), words, style=style)
    for names, which in ((many.only_a, "A"), (many.only_b, "B")):
        for name in names:
            table.add_row(name, f"only in {which}", "", "", style="yellow")
    printed.table(console, table)
    for fault in many.broken:
        printed.plain(console, fault)
    equal = sum(one.same_results for _, one in many.runs)
    both = f"{len(many.runs)} runs in both: {equal} with equal results, {len(many.runs) - equal} with others"
    only = f"{len(many.only_a)} only in A, {len(many.only_b)} only in B"
    broken = f", {len(many.broken)} that cannot be read" if many.broken else ""
    printed.plain(console, f"{both}; {only}{broken}")


def _value(line: Line, value: Any, short: int | None) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else repr(value)
    if line.part in HASHED and len(text) == 64:
        text = text[:HASH]
    if line.name == "peak_memory_bytes":
        text = printed.memory(value)
    return text if short is None or len(text) <= short else text[: short - 3] + "..."


def _content(one: Comparison, everything: bool) -> dict[str, Any]:
    lines = [asdict(line) for line in one.lines if everything or not line.equal]
    head = {"a": str(one.a), "b": str(one.b), "same_results": one.same_results}
    return head | {"differences": len(one.differences), "lines": lines}


def _contents(many: FolderComparison, everything: bool) -> dict[str, Any]:
    head = {"a": str(many.a), "b": str(many.b), "same_results": many.same_results}
    head |= {"only_a": list(many.only_a), "only_b": list(many.only_b), "broken": list(many.broken)}
    runs = [{"run": name} | _content(one, everything) for name, one in many.runs if everything or one.differences]
    return head | {"in_both": len(many.runs), "runs": runs}
