"""A kernel provisioner that forks each kernel from a clean parent instead of starting an interpreter."""

from __future__ import annotations

__all__: list[str] = []
