"""Plain fills, by hand and against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.neural.plain_fills import carry, interpolate, same_hour

X = np.arange(12.0)[None]
SEEN = np.array([[0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0]], dtype=bool)


def test_by_hand() -> None:
    assert interpolate(X, SEEN)[0].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8]
    assert carry(X, SEEN)[0].tolist() == [1, 1, 2, 2, 2, 5, 6, 7, 8, 8, 8, 8]
    # Three steps a season: step 0 has step 6 as nearest (3 is hidden), 3 has 6, 4 has 1 before 7, 9 to 11 have 6 to 8.
    assert same_hour(X, SEEN, season=3)[0].tolist() == [6, 1, 2, 6, 1, 5, 6, 7, 8, 6, 7, 8]


@pytest.mark.parametrize("fill", [interpolate, carry, lambda x, s: same_hour(x, s, season=3)])
def test_what_is_hidden_is_not_looked_at(fill) -> None:  # type: ignore[no-untyped-def]
    changed = np.where(SEEN, X, np.nan)
    np.testing.assert_array_equal(fill(changed, SEEN), fill(X, SEEN))
    np.testing.assert_array_equal(fill(X, SEEN)[SEEN], X[SEEN])
    with pytest.raises(InputError, match="leave something to see"):
        fill(X, np.zeros_like(SEEN))
    with pytest.raises(InputError, match="numbers where they are seen"):
        fill(np.full_like(X, np.nan), SEEN)
    with pytest.raises(InputError, match="shape of values"):
        fill(X, SEEN[:, :3])
