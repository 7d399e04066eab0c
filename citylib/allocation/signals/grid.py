"""The street grid of `grid4-v1`: sixteen junctions, their approaches, and the four phases that share the green.

Junctions count from the south-west, row by row: junction = 4 row + column, rows from 0 in the south, columns from 0 in
the west. Legend: J = 16 junctions, X = 2 axes (north-south, east-west), S = 2 sides of an axis (north, south; east,
west), P = 4 phases (phase 2 x + k serves axis x; k = 0 through and right, k = 1 left).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "ALL_RED",
    "AXES",
    "BAY",
    "BLOCK",
    "CHANGE",
    "JUNCTIONS",
    "PHASES",
    "PHASE_NAMES",
    "SIDES",
    "SIDE_NAMES",
    "SIZE",
    "TURNS",
    "YELLOW",
    "approach",
    "downstream",
    "entries",
    "exit_side",
    "name",
    "neighbour",
]

IntArray = npt.NDArray[np.int64]
SIZE, BLOCK, BAY = 4, 300, 60  # junctions a side; metres of a block and of the left-turn lane
JUNCTIONS, PHASES, AXES, SIDES = SIZE * SIZE, 4, 2, 2
YELLOW, ALL_RED = 3, 2  # seconds
CHANGE = YELLOW + ALL_RED
PHASE_NAMES = ("north-south through", "north-south left", "east-west through", "east-west left")
SIDE_NAMES = ("north", "east", "south", "west")  # where a vehicle comes from
TURNS = {"left": 0.14, "through": 0.74, "right": 0.12}
_PLACE = ((0, 0), (1, 0), (0, 1), (1, 1))  # axis and side of north, east, south, west


def name(junction: int) -> str:
    """Return the junction's name, column by letter and row by number.

    Examples
    --------
    >>> name(0), name(6)
    ('A0', 'C1')
    """
    return "ABCD"[junction % SIZE] + str(junction // SIZE)


def neighbour(junction: int, side: int) -> int | None:
    """Return the junction on a side (0 north, 1 east, 2 south, 3 west); None: the grid ends there.

    Examples
    --------
    >>> neighbour(0, 0), neighbour(0, 2)
    (4, None)
    """
    row, column = divmod(junction, SIZE)
    row += (1, 0, -1, 0)[side]
    column += (0, 1, 0, -1)[side]
    return row * SIZE + column if 0 <= row < SIZE and 0 <= column < SIZE else None


def exit_side(side: int, turn: str) -> int:
    """Return the side on which a vehicle leaves a junction that it enters from `side`; traffic drives on the right.

    Examples
    --------
    >>> [SIDE_NAMES[exit_side(0, turn)] for turn in ("left", "through", "right")]
    ['east', 'south', 'west']
    """
    return (side + {"left": 1, "through": 2, "right": 3}[turn]) % 4


def approach(junction: int, side: int) -> int:
    """Return the place of an approach in an array of shape (J, X, S), flattened."""
    axis, of_axis = _PLACE[side]
    return (junction * AXES + axis) * SIDES + of_axis


def downstream(turn: str) -> IntArray:
    """Return for each approach (J, X, S) the approach that a turn leads to, flattened; -1: it leaves the grid.

    Examples
    --------
    >>> int(downstream("through")[4, 0, 0]) == approach(0, 0)
    True
    """
    found = np.full(JUNCTIONS * AXES * SIDES, -1)
    for junction in range(JUNCTIONS):
        for side in range(4):
            out = exit_side(side, turn)
            after = neighbour(junction, out)
            if after is not None:
                found[approach(junction, side)] = approach(after, (out + 2) % 4)
    return found.reshape(JUNCTIONS, AXES, SIDES)


def entries() -> list[tuple[int, int]]:
    """Return (junction, side) of the 16 entries: west by row, east by row, south by column, north by column.

    Examples
    --------
    >>> len(entries()), entries()[0]
    (16, (0, 3))
    """
    count = range(SIZE)
    west, east = [(SIZE * r, 3) for r in count], [(SIZE * r + SIZE - 1, 1) for r in count]
    return west + east + [(c, 2) for c in count] + [(SIZE * (SIZE - 1) + c, 0) for c in count]
