"""Beijing's PM2.5 by models of other packages (extra `bench`), each given the PM2.5 of one station and nothing else.

PatchTST and NHITS of neuralforecast learn from the same windows as the network of chapter neural/04, and their rate and
number of steps are chosen by the same half-year. AutoARIMA of statsforecast is fitted once and carried forward.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd

Raw = dict[str, Any]
WEEKS = 12  # that AutoARIMA is fitted on, and sees before each origin
HISTORY, HORIZON = 168, 24
RATES, STEPS, EVERY = (1e-3, 3e-3), 1200, 50
SIZES: dict[str, dict[str, Any]] = {
    "NHITS": {},
    "PatchTST": {"hidden_size": 64, "n_heads": 4, "encoder_layers": 2},  # defaults take minutes a rate on one CPU
}


def filled(series: np.ndarray) -> np.ndarray:
    """Return a series whose gaps hold the same hour of the day before, which is all these packages can use."""
    done = series.copy()
    for row in np.flatnonzero(np.isnan(done)):
        done[row] = done[row - 24]
    return done


def arima(series: np.ndarray, origin_B: np.ndarray) -> np.ndarray:
    """Return forecasts of statsforecast's AutoARIMA, 24 steps from each origin, shape (B, 24)."""
    from statsforecast.models import AutoARIMA

    known, length = filled(series), WEEKS * 7 * 24
    first = int(origin_B[0])
    model = AutoARIMA(season_length=24, approximation=True).fit(known[first - length : first])
    return np.stack([model.forward(known[t - length : t], h=HORIZON)["mean"] for t in origin_B])


def network(name: str, series: np.ndarray, origin_B: np.ndarray, cut: int, choose: int) -> tuple[np.ndarray, Raw]:
    """Return forecasts of one of neuralforecast's networks, shape (B, 24), and what was chosen.

    Rows before `cut` are learned from; those up to `choose` say at which rate and after how many steps to stop.
    """
    known = filled(series)
    tried = []
    for rate in RATES:
        made = _fitted(name, known[:choose], choose - cut, rate, STEPS)
        steps, loss = min(made.models[0].valid_trajectories, key=lambda one: one[1])
        tried.append((loss, rate, int(steps)))
    loss, rate, steps = min(tried)
    made = _fitted(name, known[:choose], choose - cut, rate, steps)
    before = [_long(f"{k:05d}", known[t - HISTORY : t]) for k, t in enumerate(origin_B)]
    told = made.predict(df=pd.concat(before)).sort_values(["unique_id", "ds"])
    return told[name].to_numpy().reshape(len(origin_B), HORIZON), {"rate": rate, "steps": steps, "loss": float(loss)}


def _long(name: str, values: np.ndarray) -> pd.DataFrame:
    hours = pd.date_range("2000-01-01", periods=len(values), freq="h")  # which hour is not told: no calendar is learned
    return pd.DataFrame({"unique_id": name, "ds": hours, "y": values})


def _fitted(name: str, known: np.ndarray, held: int, rate: float, steps: int) -> Any:
    from neuralforecast import NeuralForecast, models

    for chatter in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(chatter).setLevel(logging.ERROR)
    quiet = {
        "enable_progress_bar": False,
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    told = {"max_steps": steps, "learning_rate": rate, "val_check_steps": EVERY, "windows_batch_size": 128}
    told |= {"scaler_type": "standard", "random_seed": 0, "num_lr_decays": 0, "accelerator": "cpu"}
    model = getattr(models, name)(h=HORIZON, input_size=HISTORY, **told, **quiet, **SIZES[name])
    made = NeuralForecast(models=[model], freq="h")
    made.fit(_long("one", known), val_size=held)
    return made
