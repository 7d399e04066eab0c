"""The command line: ``citylib run | runs | data | book | doctor``."""

from __future__ import annotations

from citylib.cli.app import main

__all__ = ["main"]
