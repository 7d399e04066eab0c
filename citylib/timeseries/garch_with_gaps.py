"""GARCH for series with missing readings: the way by differences, over the readings that there are.

Where a reading is missing, the square of its shock is replaced by what is expected of it, the conditional variance;
nothing is added to the likelihood. The variance of the first reading after a gap is so exactly the one expected from
all that was read before. After that it is an approximation: what the missing shocks were is not learned from what
follows.
Legend: T time steps, n series, S starts, k parameters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib.timeseries.garch_block import Block
from citylib.timeseries.garch_by_differences import ByDifferences
from citylib.timeseries.garch_model import DECAY, SPAN, Garch

__all__ = ["WithGaps"]

FloatArray = npt.NDArray[np.float64]


class WithGaps(ByDifferences):
    """A few series with missing readings, to be fitted by `climb`.

    Parameters
    ----------
    y_nT : ndarray, shape (n, T)
        Series; NaN where a reading is missing.
    model : Garch
        Which.
    """

    def __init__(self, y_nT: FloatArray, model: Garch) -> None:
        Block.__init__(self, y_nT, model)

    def spread(self, y_nT: FloatArray) -> FloatArray:
        """Return standard deviations (n,) of what was read."""
        return np.asarray(np.nanstd(y_nT, axis=1))

    def means_of(self, y_nT: FloatArray) -> FloatArray:
        """Return means (n,) of what was read."""
        return np.asarray(np.nanmean(y_nT, axis=1))

    def starting(self) -> FloatArray:
        """Return what stands for the variance before the first step, from what was read of 75 steps."""
        square_nT = self.y_nT[:, :SPAN] - (self.means()[:, None] if self.model.mean else 0.0)
        square_nT = square_nT**2
        weight_nT = np.where(np.isnan(square_nT), 0.0, DECAY ** np.arange(square_nT.shape[1]))
        total_n = weight_nT.sum(axis=1)
        mean_n = np.nansum(weight_nT * square_nT, axis=1) / np.where(total_n > 0, total_n, 1.0)
        return np.where(mean_n > 0, mean_n, 1.0)  # of series whose standard deviation is one

    def scores(self, natural_k: FloatArray, width_k: FloatArray, which: int) -> FloatArray:
        """Return a row a reading; see `ByDifferences`."""
        return np.asarray(super().scores(natural_k, width_k, which)[~np.isnan(self.y_nT[which])])
