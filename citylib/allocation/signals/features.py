"""What a phase can say for itself: six figures that both the linear index and attention judge it by.

Legend: B runs, J = 16 junctions, P = 4 phases, S = 2 sides, F = 6 features.
"""

from __future__ import annotations

import torch

from citylib.allocation.signals import grid
from citylib.allocation.signals.state import GridState

__all__ = ["FEATURES", "of_phases", "queues"]

FEATURES = ("at the line", "standing behind", "on their way", "on the next block", "at the line, with green", "waited")
_SHARE = (grid.TURNS["through"] + grid.TURNS["right"], grid.TURNS["left"])


def queues(state: GridState) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return vehicles at the line, standing behind, on their way, and on the next block.

    Nobody can see from outside which way a vehicle farther back will turn; it is shared among the lane groups as
    vehicles turn on average.

    Parameters
    ----------
    state : GridState
        The grid.

    Returns
    -------
    tuple of torch.Tensor, shape (B, J, P, S) each
    """
    shape = state.stop_BJPS.shape
    share_P = torch.tensor([_SHARE[p % 2] for p in range(grid.PHASES)])[:, None]
    behind_BJPS = state.halted_BJXS.repeat_interleave(2, dim=2) * share_P
    coming_BJPS = (state.far_BJXS - state.halted_BJXS).clamp(min=0).repeat_interleave(2, dim=2) * share_P
    line_BJXS = state.stop_BJPS.reshape(*shape[:2], grid.AXES, 2, grid.SIDES).sum(dim=3)
    block_BA = (line_BJXS + state.far_BJXS).flatten(1)
    padded = torch.cat([block_BA, torch.zeros(len(block_BA), 1)], dim=1)  # out of the grid there is always room
    to = [torch.tensor(grid.downstream(turn)).flatten() for turn in ("through", "left")]
    ahead = [padded[:, t].reshape(line_BJXS.shape) for t in to]
    ahead_BJPS = torch.stack(ahead, dim=3).flatten(2, 3)
    return state.stop_BJPS, behind_BJPS, coming_BJPS, ahead_BJPS


def of_phases(state: GridState) -> torch.Tensor:
    """Return the features of each phase, of a size around 1.

    What keeps a green going is not that it is green but that there is somebody left to use it: vehicles at the line of
    the phase that has green count once more, with a weight of their own.

    Parameters
    ----------
    state : GridState
        The grid.

    Returns
    -------
    torch.Tensor, shape (B, J, P, 6)
    """
    line, behind, coming, ahead = (part.sum(dim=3) / 10 for part in queues(state))
    green = torch.nn.functional.one_hot(state.phase_BJ, grid.PHASES).to(line.dtype)
    return torch.stack([line, behind, coming, ahead / 4, line * green, state.waited_BJP / 60], dim=-1)
