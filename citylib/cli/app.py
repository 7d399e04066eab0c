"""The ``citylib`` command: composes the sub-commands and turns errors into messages.

Nothing heavy is imported before a command needs it, so that ``citylib --help`` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from citylib import __version__
from citylib.cli import book, data, doctor, run, runs
from citylib.errors import CitylibError, InputError

__all__ = ["app", "main"]

DEBUG = "--debug"

app = typer.Typer(
    name="citylib",
    help="Smart-city analytics as notebooks: run them on your city's data, and build the book.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run", help=run.HELP)(run.run)
app.add_typer(runs.runs, name="runs")
app.command("book", help=book.HELP)(book.book)
app.add_typer(data.app, name="data")
app.command("doctor")(doctor.doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"citylib {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option(DEBUG, help="Show where in the code an error arose.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process. ``--debug`` may stand anywhere.

    Raises
    ------
    SystemExit
        Code 0: done; 1: something went wrong on the way; 2: what was asked for makes no sense;
        130: interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app([word for word in given if word != DEBUG], prog_name="citylib")
    except CitylibError as fault:
        if DEBUG in given:
            raise
        print(f"citylib: {fault}", file=sys.stderr)
        raise SystemExit(2 if isinstance(fault, InputError) else 1) from None
    raise SystemExit(0)
