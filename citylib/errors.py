"""Every exception and warning of citylib, drawn as a tree.

::

    CitylibError
    ├── InputError (also ValueError)    an argument breaks a rule
    │   ├── UnknownNameError            a name that is not known; the nearest is offered
    │   ├── ParameterError              parameters of a notebook, all faults together
    │   └── SchemaError                 a data file breaks its schema, all faults together
    ├── DataError                       data cannot be had, or is not what it should be
    │   ├── SourceMissingError          neither folder, cache nor download holds it
    │   ├── ChecksumError               the bytes are not the registered ones
    │   ├── DownloadError               the address did not answer
    │   └── ArchiveError                an archive is broken or reaches outside its folder
    ├── NotebookError                   a notebook is not in the form citylib runs
    ├── RunError                        a run did not end well
    │   ├── CellFailedError             a cell raised
    │   ├── LimitError                  time, memory or output size went over its limit
    │   ├── ReceiptError                a receipt is missing, broken or does not match
    │   └── ForkError                   a process could not be forked from a warm parent
    └── BuildError                      the book could not be built

    CitylibWarning (UserWarning)
    ├── DataQualityWarning              data were masked or dropped; says which and how many
    └── FitWarning                      an estimate is to be read with care; says what to do
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "ArchiveError",
    "BuildError",
    "CellFailedError",
    "ChecksumError",
    "CitylibError",
    "CitylibWarning",
    "DataError",
    "DataQualityWarning",
    "DownloadError",
    "FitWarning",
    "ForkError",
    "InputError",
    "LimitError",
    "NotebookError",
    "ParameterError",
    "ReceiptError",
    "RunError",
    "SchemaError",
    "SourceMissingError",
    "UnknownNameError",
    "nearest",
]


class CitylibError(Exception):
    """Base of all errors that citylib raises on purpose."""


class InputError(CitylibError, ValueError):
    """An argument breaks a rule.

    Parameters
    ----------
    argument : str
        Name of the argument, as the caller wrote it.
    rule : str
        What it must be, a phrase that follows "must".
    value : object
        What it was; shown shortened.
    hint : str, optional
        What to do about it.

    Examples
    --------
    >>> raise InputError("horizon", "be at least 1", 0)
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: horizon must be at least 1, got 0
    """

    def __init__(self, argument: str, rule: str, value: object, hint: str = "") -> None:
        self.argument = argument
        self.rule = rule
        self.value = value
        self.hint = hint
        super().__init__(f"{argument} must {rule}, got {_short(value)}" + (f"; {hint}" if hint else ""))


class UnknownNameError(InputError):
    """A name that is not among the known ones; the nearest is offered.

    Parameters
    ----------
    argument : str
        What was named.
    value : str
        The unknown name.
    known : iterable of str
        The names that would have done.
    """

    def __init__(self, argument: str, value: str, known: Iterable[str]) -> None:
        self.known = tuple(known)
        close = nearest(value, self.known)
        shown = ", ".join(self.known[:12]) + (", ..." if len(self.known) > 12 else "")
        hint = f"did you mean {close!r}?" if close else ""
        super().__init__(argument, f"be one of: {shown}" if shown else "be a known name", value, hint)


class _FaultsError(InputError):
    """Several faults of one thing, reported together."""

    def __init__(self, argument: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        self.argument, self.rule, self.value, self.hint = argument, "be free of faults", len(faults), ""
        noun = "fault" if len(self.faults) == 1 else "faults"
        text = "\n".join(f"  - {fault}" for fault in self.faults)
        ValueError.__init__(self, f"{argument}: {len(self.faults)} {noun}\n{text}")


class ParameterError(_FaultsError):
    """Parameters given to a notebook break its declarations; all faults together.

    Parameters
    ----------
    argument : str
        The notebook or plan they were given to.
    faults : sequence of str
        One line a fault, each with parameter, rule and value.
    """


class SchemaError(_FaultsError):
    """A data file breaks its schema; all faults together, with row numbers.

    Parameters
    ----------
    argument : str
        The file.
    faults : sequence of str
        One line a fault, each with column, rule, value and the first rows.
    """


class DataError(CitylibError):
    """Data cannot be had, or is not what it should be."""


class SourceMissingError(DataError):
    """Neither the data folders, nor the cache, nor a download holds the file."""


class ChecksumError(DataError):
    """The bytes are not the registered ones; nothing was kept."""


class DownloadError(DataError):
    """The address did not answer, or not in time; nothing was kept."""


class ArchiveError(DataError):
    """An archive is broken, or one of its members would land outside its folder."""


class NotebookError(CitylibError):
    """A notebook is not in the form that citylib runs."""


class RunError(CitylibError):
    """A run did not end well."""


class CellFailedError(RunError):
    """A cell of the notebook raised."""


class LimitError(RunError):
    """A run went over its limit of time, memory or output size."""


class ReceiptError(RunError):
    """A receipt is missing, broken, or does not match what it speaks of."""


class ForkError(RunError):
    """A process could not be forked from a warm parent; an ordinary one does as well, only slower."""


class BuildError(CitylibError):
    """The book could not be built."""


class CitylibWarning(UserWarning):
    """Base of all warnings of citylib."""


class DataQualityWarning(CitylibWarning):
    """Data were masked, dropped or filled; the text says which, how many and why."""


class FitWarning(CitylibWarning):
    """An estimate is to be read with care; the text says why and what to do."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `name`, or None if none is close.

    Examples
    --------
    >>> nearest("horizn", ["season", "horizon"])
    'horizon'
    """
    by_lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.55)
    return by_lower[close[0]] if close else None


def _short(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
