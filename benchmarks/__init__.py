"""Measurements beside peers: ``python -m benchmarks.FAMILY [--quick] [--json FILE] [--only POINT]``."""
