"""One seed to as many independent random generators as the work needs; no global state."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from citylib import checks

if TYPE_CHECKING:
    import torch

__all__ = ["generator", "torch_generator", "torch_lent"]


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return a numpy Generator for `seed` and, below it, for each chain of keys.

    Different keys give independent streams, so that drawing one more number in
    one part of a program changes nothing in another.

    Parameters
    ----------
    seed : int
        The run's seed, 0 or more.
    *keys : str or int
        What the numbers are for, such as ``"weather"``.

    Returns
    -------
    numpy.random.Generator
        PCG64, the same on every machine.

    Examples
    --------
    >>> bool(generator(0, "a").integers(1 << 30) == generator(0, "a").integers(1 << 30))
    True
    >>> bool(generator(0, "a").integers(1 << 30) == generator(0, "b").integers(1 << 30))
    False
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, keys)))


def torch_generator(seed: int, *keys: str | int, device: str = "cpu") -> torch.Generator:
    """Return a torch Generator for `seed` and keys, as `generator` does for numpy.

    Parameters
    ----------
    seed : int
        The run's seed, 0 or more.
    *keys : str or int
        What the numbers are for.
    device : str, default "cpu"
        Where the numbers are drawn.

    Returns
    -------
    torch.Generator
        Seeded; the same on every machine for the same device.
    """
    import torch

    state = int(_sequence(seed, keys).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator(device=device).manual_seed(state)


@contextmanager
def torch_lent(number: int, *, device: str = "cpu") -> Iterator[None]:
    """Seed torch's own generator for a block, and give it back as it was.

    For what takes no generator, such as dropout; everything else is handed one of `torch_generator`.

    Parameters
    ----------
    number : int
        The seed, 0 or more.
    device : str, default "cpu"
        Where numbers are drawn, besides the CPU.

    Examples
    --------
    >>> import torch
    >>> def drawn(number):
    ...     with torch_lent(number):
    ...         return float(torch.nn.functional.dropout(torch.ones(50)).sum())
    >>> before = torch.default_generator.get_state()
    >>> drawn(1) == drawn(1), bool((before == torch.default_generator.get_state()).all())
    (True, True)
    """
    import torch

    checks.integer("number", number, minimum=0)
    graphics = [torch.device(device).index or 0] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=graphics):
        torch.default_generator.manual_seed(number)
        for index in graphics:
            torch.cuda.default_generators[index].manual_seed(number)
        yield


def _sequence(seed: int, keys: tuple[str | int, ...]) -> np.random.SeedSequence:
    checks.integer("seed", seed, minimum=0)
    words = [zlib.crc32(str(key).encode()) for key in keys]
    return np.random.SeedSequence(seed, spawn_key=words)
