"""Two runs side by side, or two folders of runs: what they were made from, what came out, what it cost."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from citylib.batch import collect, diff_tables, receipt
from citylib.batch.receipt import Hashes
from citylib.batch.run import FAILED
from citylib.batch.tolerance import Line, Tolerance
from citylib.errors import InputError, ReceiptError

__all__ = ["Comparison", "FolderComparison", "compare", "compare_folders", "folder_of_run"]

LISTS = ("records", "tables", "said", "figures")


@dataclass(frozen=True)
class Comparison:
    """Two runs, side by side.

    Parameters
    ----------
    a, b : Path
        Their folders.
    lines : tuple of Line
        All that was compared, equal or not.
    """

    a: Path
    b: Path
    lines: tuple[Line, ...]

    @property
    def differences(self) -> tuple[Line, ...]:
        """What is not equal; the cost, which never is, apart."""
        return tuple(line for line in self.lines if not line.equal and not line.is_cost)

    @property
    def same_results(self) -> bool:
        """Whether outcome, records, tables, sentences and figures count as equal."""
        return all(line.equal for line in self.lines if line.is_result)


@dataclass(frozen=True)
class FolderComparison:
    """Two folders of runs, run by run.

    Parameters
    ----------
    a, b : Path
        The folders.
    only_a, only_b : tuple of str
        Runs that the other has not, as ``family/NN_name/id``.
    runs : tuple of (str, Comparison)
        Those that both have.
    broken : tuple of str
        What could not be compared, and why.
    """

    a: Path
    b: Path
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    runs: tuple[tuple[str, Comparison], ...]
    broken: tuple[str, ...]

    @property
    def same_results(self) -> bool:
        """Whether both have the same runs, with results that count as equal."""
        return not (self.only_a or self.only_b or self.broken) and all(one.same_results for _, one in self.runs)


def folder_of_run(folder: Path) -> Path | None:
    """Return the folder that holds a run's receipt: itself, or that of its failure beside it; None if neither does."""
    beside = folder.with_name(folder.name + FAILED)
    return next((place for place in (folder, beside) if (place / receipt.FILE).is_file()), None)


def compare(a: Path, b: Path, within: Tolerance | None = None, *, figures: bool = True) -> Comparison:
    """Compare two runs.

    Parameters
    ----------
    a, b : Path
        Their folders; a failed run's will do.
    within : Tolerance, optional
        Of numbers in records and tables.
    figures : bool, default True
        Whether figures are compared, which goes by their bytes.

    Returns
    -------
    Comparison

    Raises
    ------
    ReceiptError
        A receipt or results file is missing, broken or lacks something.
    """
    within = within or Tolerance()
    folders = folder_of_run(a) or a, folder_of_run(b) or b
    receipts = receipt.read(folders[0]), receipt.read(folders[1])
    results = _results(folders[0], receipts[0]), _results(folders[1], receipts[1])
    try:
        lines = [*_outcome(*receipts, within), *_came_out(results, folders, within, figures)]
        lines += [*_made_from(*receipts, within), *_cost(*receipts)]
    except (KeyError, TypeError, AttributeError):
        raise ReceiptError(f"{folders[0]}, {folders[1]}: receipt or results of one of them lack something") from None
    return Comparison(*folders, tuple(lines))


def compare_folders(a: Path, b: Path, within: Tolerance | None = None, *, figures: bool = True) -> FolderComparison:
    """Compare two folders of runs, run by run; of a run that failed since it was good, its failure.

    Parameters
    ----------
    a, b : Path
        Such as a plan's folder below ``_build/runs``, here and of another day.
    within : Tolerance, optional
        Of numbers in records and tables.
    figures : bool, default True
        Whether figures are compared.

    Returns
    -------
    FolderComparison

    Raises
    ------
    ReceiptError
        One of them is no folder.
    InputError
        One of them holds no run.
    """
    broken: list[str] = []
    one, two = _runs(a, broken), _runs(b, broken)
    compared = []
    for name in sorted(one.keys() & two.keys()):
        try:
            compared.append((name, compare(one[name], two[name], within, figures=figures)))
        except ReceiptError as fault:
            broken.append(str(fault))
    only_a = (name for name in sorted(one.keys() - two.keys()) if folder_of_run(b / name) is None)
    only_b = (name for name in sorted(two.keys() - one.keys()) if folder_of_run(a / name) is None)
    return FolderComparison(a, b, tuple(only_a), tuple(only_b), tuple(compared), tuple(broken))


def _runs(folder: Path, broken: list[str]) -> dict[str, Path]:
    runs: dict[str, Path] = {}
    for place, _ in collect.found(folder, broken=lambda fault: broken.append(str(fault))):
        name = place.relative_to(folder).as_posix().removesuffix(FAILED)
        if name not in runs or place.name.endswith(FAILED):
            runs[name] = place
    if not runs and not broken:
        raise InputError("folder", "hold at least one run", str(folder))
    return runs


def _results(folder: Path, content: Mapping[str, Any]) -> dict[str, Any] | None:
    return None if content.get("outcome") != "ok" else collect.results_of(folder)


def _outcome(one: Mapping[str, Any], two: Mapping[str, Any], within: Tolerance) -> Iterator[Line]:
    yield within.line("outcome", "", one["outcome"], two["outcome"])
    errors = [content.get("error") or {} for content in (one, two)]
    for key in ("name", "cell", "message"):
        if any(errors):
            yield within.line("error", key, *(error.get(key) for error in errors))


def _came_out(
    results: tuple[dict[str, Any] | None, dict[str, Any] | None],
    folders: tuple[Path, Path],
    within: Tolerance,
    figures: bool,
) -> Iterator[Line]:
    one, two = results
    if one is None or two is None:
        if one is not two:
            held = [r and ", ".join(f"{len(r.get(key, []))} {key}" for key in LISTS) for r in results]
            yield within.line("result", "all", *held)
        return
    for name, a, b in _paired(one["records"], two["records"]):
        yield from _record(name, a, b, within)
    for name, a, b in _paired(one["tables"], two["tables"]):
        yield from diff_tables.lines(name, a, b, folders, within)
    yield from _said([said["text"] for said in one["said"]], [said["text"] for said in two["said"]])
    for name, a, b in _paired(one["figures"], two["figures"]) if figures else ():
        yield from _figure(name, a, b, folders, within)


def _paired(one: list[Any], two: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, the one's and the other's of entries with a name, in the order of the one."""
    a, b = ({entry["name"]: entry for entry in entries} for entries in (one, two))
    for name in dict.fromkeys([*a, *b]):
        yield name, a.get(name), b.get(name)


def _record(name: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None, within: Tolerance) -> Iterator[Line]:
    if a is None or b is None:
        yield within.line("result", name, a and a["value"], b and b["value"])
        return
    yield within.line("result", name, a["value"], b["value"])
    for at, end in enumerate(("low", "high")):
        if "interval" in a or "interval" in b:
            yield within.line("result", f"{name}: {end}", *(r.get("interval", (None, None))[at] for r in (a, b)))
    for key in ("level", "baseline", "unit"):
        if key in a or key in b:
            yield within.line("result", f"{name}: {key}", a.get(key), b.get(key))


def _said(one: list[str], two: list[str]) -> Iterator[Line]:
    for kind, i, j, k, m in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        for at in range(max(j - i, m - k)):
            a = one[i + at] if i + at < j else None
            b = two[k + at] if k + at < m else None
            note = "" if a and b else f"only in {'A' if a else 'B'}"
            yield Line("said", f"sentence {(i if a else k) + at + 1}", a, b, kind == "equal", note)


def _figure(
    name: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None, folders: tuple[Path, Path], within: Tolerance
) -> Iterator[Line]:
    hashes = Hashes()
    for key in ("file", "dark"):
        files = [(folder, figure[key]) if figure and key in figure else None
                 for folder, figure in zip(folders, (a, b), strict=True)]  # fmt: skip
        if any(files):
            label = name if key == "file" else f"{name}: {key}"
            yield within.line("figure", label, *(file and (hashes.of(file[0] / file[1]) or "gone") for file in files))
    if a is not None and b is not None:
        yield within.line("figure", f"{name}: alternative text", a.get("alt"), b.get("alt"))


def _made_from(one: Mapping[str, Any], two: Mapping[str, Any], within: Tolerance) -> Iterator[Line]:
    yield within.line("notebook", "name", one["run"]["notebook"], two["run"]["notebook"])
    yield within.line("notebook", "sha256", one["notebook"]["sha256"], two["notebook"]["sha256"])
    exact = Tolerance(0)
    yield from _mapped("parameter", one["parameters"], two["parameters"], exact)
    yield from _mapped("limit", one.get("limits") or {}, two.get("limits") or {}, exact)
    yield from _mapped("data", _data(one), _data(two), exact)
    yield from _mapped("version", one["versions"], two["versions"], exact)
    yield within.line("lock", "sha256", one["lock"], two["lock"])
    yield from _mapped("citylib", _citylib(one), _citylib(two), exact)


def _data(content: Mapping[str, Any]) -> dict[str, str]:
    return {f"{file['source']}: {file['file']}": file["sha256"] for file in content["data"]}


def _citylib(content: Mapping[str, Any]) -> dict[str, str]:
    return {file["path"]: file["sha256"] for file in content["citylib"]}


def _mapped(part: str, one: Mapping[str, Any], two: Mapping[str, Any], exact: Tolerance) -> Iterator[Line]:
    for name in dict.fromkeys([*one, *two]):
        line = exact.line(part, name, one.get(name), two.get(name))
        if (name in one) is not (name in two):  # one may have it with no value
            line = Line(part, name, line.a, line.b, False, f"only in {'A' if name in one else 'B'}")
        yield line


def _cost(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[Line]:
    exact = Tolerance(0)
    for key in ("seconds", "cpu_seconds", "peak_memory_bytes", "attempt"):
        if key in one or key in two:
            yield exact.line("cost", key, one.get(key), two.get(key))
