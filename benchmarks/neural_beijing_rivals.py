"""Rivals of the networks on the same windows: repeating the last reading or day, and gradient boosting.

LightGBM gets the same history: past readings of the station at chosen lags, means and extremes of it, weather as the
network has it, clock; one model a step ahead, absolute loss.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

LAGS = (0, 1, 2, 3, 5, 8, 11, 17, 23, 35, 47, 71, 119, 167)
SPANS = (6, 24, 72, 168)
BOOST = {"n_estimators": 120, "learning_rate": 0.08, "num_leaves": 31, "colsample_bytree": 0.6, "n_jobs": 1}
POOL = 25  # of the others' windows every so many-th is learned from: they overlap all but an hour


def rival_errors(here: Any, draws: tuple[str, ...], *, share: float, seed: int, day: int = 24) -> dict[str, np.ndarray]:
    """Return absolute errors of the simple rules and, for the draws named, of gradient boosting, each (B, H).

    A day has `day` steps.
    """
    history = here.sequences.history
    x_BT, _, _ = here.sequences.take(*here.test)
    past, truth = x_BT[:, :history].numpy() * here.unit, x_BT[:, history:].numpy() * here.unit
    filled = _forward(past)
    out = {
        "persistence": np.abs(np.repeat(filled[:, -1:], truth.shape[1], axis=1) - truth),
        "same hour yesterday": np.abs(filled[:, history - day : history - day + truth.shape[1]] - truth),
    }
    if not draws:
        return out
    fresh = features(here, here.test)
    pool = tuple(tensor[::POOL] for tensor in here.world.windows(here.sequences, here.sources))
    pooled = features(here, pool), targets(here, pool)
    out["LightGBM, others"] = np.abs(boosted(*pooled, fresh, seed) - truth)
    for how in draws:
        few = here.world.labels(here.sequences, here.target, share=share, how=how, seed=seed)
        own = features(here, few), targets(here, few)
        out[f"LightGBM, few | {how}"] = np.abs(boosted(*own, fresh, seed) - truth)
        both = tuple(np.concatenate(pair) for pair in zip(pooled, own, strict=True))
        out[f"LightGBM, others + few | {how}"] = np.abs(boosted(*both, fresh, seed) - truth)
    return out


def features(here: Any, windows: tuple[torch.Tensor, torch.Tensor]) -> np.ndarray:
    """Return what is known of each window at its origin, (B, F)."""
    x_BT, _, c_BPC = here.sequences.take(*windows)
    history = here.sequences.history
    past = x_BT[:, :history].numpy() * here.unit
    filled = _forward(past)
    parts = [filled[:, history - 1 - np.array([lag for lag in LAGS if lag < history])]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a span without a reading is missing, which trees take
        parts += [np.nanmean(past[:, -span:], axis=1, keepdims=True) for span in SPANS if span <= history]
        parts += [np.nanmin(past[:, -24:], axis=1, keepdims=True), np.nanmax(past[:, -24:], axis=1, keepdims=True)]
    first = history // here.sequences.patch
    parts += [c_BPC[:, first, :4].numpy(), c_BPC[:, first - 1, 4:].numpy(), c_BPC[:, first - 2, 4:].numpy()]
    return np.concatenate(parts, axis=1)


def targets(here: Any, windows: tuple[torch.Tensor, torch.Tensor]) -> np.ndarray:
    """Return the readings to be forecast, (B, H)."""
    x_BT, _, _ = here.sequences.take(*windows)
    return np.asarray(x_BT[:, here.sequences.history :].numpy() * here.unit)


def boosted(x: np.ndarray, y_BH: np.ndarray, fresh: np.ndarray, seed: int) -> np.ndarray:
    """Return forecasts by one boosted model a step ahead."""
    import lightgbm

    out = np.empty((len(fresh), y_BH.shape[1]))
    for step in range(y_BH.shape[1]):
        known = ~np.isnan(y_BH[:, step])
        model = lightgbm.LGBMRegressor(objective="l1", random_state=seed, verbose=-1, **BOOST)
        model.fit(x[known], y_BH[known, step])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it misses names of columns
            out[:, step] = model.predict(fresh)
    return out


def _forward(past_BL: np.ndarray) -> np.ndarray:
    """Fill gaps by the last reading; before the first one, by the first."""
    steps = np.arange(past_BL.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(past_BL), -1, steps), axis=1)
    first = np.argmax(~np.isnan(past_BL), axis=1)[:, None]
    return np.take_along_axis(past_BL, np.where(last < 0, first, last), axis=1)
