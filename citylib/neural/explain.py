"""Four ways to ask a patch transformer which days of its history a forecast hangs on, with one shape of answer.

Legend: B windows, L steps of history, P patches of the window, G of them in the history, K hours of the forecast asked
for, S steps a patch, C side channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from citylib import checks
from citylib.errors import InputError
from citylib.neural.attention_maps import attention_maps, rollout
from citylib.neural.attribution import Left, by_group, groups_of
from citylib.neural.integrated_gradients import integrated_gradients
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.occlusion import occlusion

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """What each way says of the patches of the history, all of it 0 or more.

    Parameters
    ----------
    scores : dict of str to torch.Tensor, shape (B, G)
        By ``"integrated gradients"``, ``"occlusion"``, ``"attention"`` and ``"attention rollout"``. The first two are
        mean sizes over the steps of the forecast.
    left : callable
        From ``keep_BG`` to the forecast (B, H): what the model says when it may see but some patches.
    gap : float
        Largest breach of completeness of the integrated gradients, as a share of the mean change they explain.
    map_PP : torch.Tensor, shape (P, P)
        Mean attention over windows, layers and heads: how much a patch (row) takes of each other (column).
    """

    scores: dict[str, torch.Tensor]
    left: Left
    gap: float
    map_PP: torch.Tensor


def explain(
    model: PatchTransformer,
    history_BL: torch.Tensor,
    *,
    horizon: int,
    channels_BPC: torch.Tensor | None = None,
    hours: int = 6,
    points: int = 16,
) -> Explanation:
    """Return the scores of every patch of the history for the forecast of a patch.

    Parameters
    ----------
    model : PatchTransformer
        Trained.
    history_BL : torch.Tensor, shape (B, L)
        Complete histories, L a multiple of the model's patch.
    horizon : int
        Steps forecast H, at most a patch.
    channels_BPC : torch.Tensor, shape (B, P, C), optional
        Side channels of the patches of history and horizon. They are never taken away.
    hours : int, default 6
        Steps of the forecast K that integrated gradients are taken of, at most H and evenly spread: each needs a run
        of its own.
    points : int, default 16
        Points on the way of integrated gradients, whose baseline is 0: scale the histories so that this is their mean.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        A history with gaps or of another length, a horizon longer than a patch.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = PatchTransformer(4, 4, width=8, heads=2, layers=1, generator=seeds.torch_generator(0))
    >>> found = explain(model, torch.rand(5, 12), horizon=4, hours=2)
    >>> sorted(found.scores), found.scores["occlusion"].shape
    (['attention', 'attention rollout', 'integrated gradients', 'occlusion'], torch.Size([5, 3]))
    """
    size = model.patch
    horizon = checks.integer("horizon", horizon, minimum=1, maximum=size)
    hours = min(checks.integer("hours", hours, minimum=1), horizon)
    if history_BL.ndim != 2 or not history_BL.shape[1] or history_BL.shape[1] % size:
        raise InputError("history", f"be windows of a multiple of {size} steps", tuple(history_BL.shape))
    if not bool(torch.isfinite(history_BL).all()):
        raise InputError("history", "be complete", f"{int((~torch.isfinite(history_BL)).sum())} NaN or infinite values")
    windows, length = history_BL.shape
    groups = length // size
    group_L = groups_of(length, size)
    seen_BL = torch.ones_like(history_BL, dtype=torch.bool)

    def left(keep_BG: torch.Tensor) -> torch.Tensor:
        return model.forecast(history_BL, keep_BG.to(history_BL.device)[:, group_L], horizon, channels_BPC)

    def at(k: int, x_BL: torch.Tensor) -> torch.Tensor:
        return model.forecast(x_BL, seen_BL, horizon, channels_BPC)[:, k]

    model.eval()
    slopes, gaps, changes = [], [], []
    for k in torch.linspace(0, horizon - 1, hours).round().long().tolist():
        found = integrated_gradients(partial(at, k), history_BL, baseline_BD=torch.zeros_like(history_BL), steps=points)
        slopes.append(by_group(found.score_BD, group_L).abs())
        gaps.append(float(found.gap_B.abs().max()))
        changes.append(float(found.change_B.abs().mean()))
    window_BT, seen_BT = (torch.nn.functional.pad(part, (0, size)) for part in (history_BL, seen_BL))
    maps_BLAPP = attention_maps(model, window_BT, seen_BT, channels_BPC)
    scores = {
        "integrated gradients": torch.stack(slopes).mean(dim=0),
        "occlusion": occlusion(left, examples=windows, groups=groups).abs().mean(dim=2),
        "attention": maps_BLAPP.mean(dim=(1, 2))[:, groups, :groups],
        "attention rollout": rollout(maps_BLAPP)[:, groups, :groups],
    }
    mean_change = sum(changes) / len(changes)
    gap = max(gaps) / mean_change if mean_change > 0 else 0.0
    return Explanation(scores, left, gap, maps_BLAPP.mean(dim=(0, 1, 2)))
