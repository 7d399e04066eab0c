"""Running notebooks: parameters, plans, runs, receipts, and reading a folder of runs back."""

from __future__ import annotations

__all__: list[str] = []
