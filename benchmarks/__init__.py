"""Measurements beside peers: ``python -m benchmarks.FAMILY [--quick] [--json FILE] [--only POINT]``, one thread."""

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")  # before anybody imports numpy
