"""Moran's I of every step: that of each map alone, over the places that were read."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.spatial.moran import moran
from citylib.spatial.moran_over_time import moran_over_time
from citylib.spatial.weights import nearest, row_standardised

DRAW = np.random.default_rng(0)
W = row_standardised(nearest(DRAW.random((20, 2)), number=4, symmetric=True))


def test_it_is_that_of_each_map():
    maps = DRAW.standard_normal((6, 20)).cumsum(axis=1)
    expected = [moran(row, W, generator=DRAW, draws=0).value for row in maps]
    np.testing.assert_allclose(moran_over_time(maps, W), expected, rtol=1e-12)


def test_places_that_were_not_read_do_not_count():
    maps = DRAW.standard_normal((3, 20)) + 40
    maps[0, [2, 5]] = np.nan
    maps[1, 3:] = np.nan  # three places
    maps[2] = 7.0
    kept = ~np.isnan(maps[0])
    z = maps[0][kept] - maps[0][kept].mean()
    inner = W.toarray()[np.ix_(kept, kept)]
    found = moran_over_time(maps, W)
    assert found[0] == pytest.approx(18 / inner.sum() * (z @ inner @ z) / (z @ z), rel=1e-10)
    assert np.isnan(found[1:]).all()


def test_nothing_in_common_has_the_known_mean():
    found = moran_over_time(np.random.default_rng(1).standard_normal((20_000, 20)), W)
    assert found.mean() == pytest.approx(-1 / 19, abs=4 * found.std() / 20_000**0.5)


@pytest.mark.parametrize("bad", [np.ones((3, 3)), np.ones((3, 19)), np.full((3, 20), np.inf)])
def test_what_is_no_map_is_refused(bad):
    with pytest.raises(InputError):
        moran_over_time(bad, W)
