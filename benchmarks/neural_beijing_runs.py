"""Few labels at a new station: PM2.5 of Beijing, a week in, a day out, each station in turn with 5 % of its windows.

`benchmarks.neural_beijing` records and judges what is run here. A station that is finished is kept, so that a run
that was killed goes on. One date cut holds for all stations: learned from to
2016-02-29; rates and steps are chosen on stations of the other half, whose models have seen none of this half, by their
readings to 2016-08-31; tested to 2017-02-28. Nothing of a target from the cut on is seen but as history of a forecast,
and before it nothing but its 5 % is learned from.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.neural_beijing_rivals import rival_errors
from citylib import data
from citylib.neural.few_labels import Places, Recipe, learn

CUT, CHOOSE, STOP = (np.datetime64(day) for day in ("2016-03-01", "2016-09-01", "2017-03-01"))
SHARE, DRAWS, LONG = 0.05, ("days", "recent", "random"), ("Dongsi", "Huairou")
WEATHER = ("temperature", "pressure", "dew_point", "rain", "wind_speed")
PRETRAIN = tuple(Recipe(600, rate, batch=128) for rate in (1e-3, 3e-3, 1e-2))
TUNE = (Recipe(0, 1e-4), *(Recipe(steps, rate) for steps in (60, 200) for rate in (1e-4, 5e-4)))
SCRATCH = tuple(Recipe(steps, rate) for steps in (50, 200, 800, 2400) for rate in (3e-4, 1e-3, 3e-3))
MASKED = {"masked": {"ratio": 0.5}, "masked, tail too": {"ratio": 0.5, "tail_share": 0.5}}
Raw = dict[str, Any]
_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
_ANGLE = {point: k * np.pi / 8 for k, point in enumerate(_POINTS)}


def places() -> tuple[Places, tuple[str, ...], list[dict[str, str]]]:
    """Return the stations, their names and the files they were read from."""
    city = data.load("air-beijing-multisite")
    panel = city.panel("PM2.5")
    wind = city.categories["wind_direction"]
    angle = wind.apply(lambda column: column.map(_ANGLE)).to_numpy(float)
    speed = city.panel("wind_speed").values
    series = [city.panel(name).values for name in WEATHER] + [speed * np.sin(angle), speed * np.cos(angle)]
    cut = int(np.searchsorted(panel.times, CUT))
    files = [{"file": one.file, "sha256": one.sha256} for one in city.files]
    return Places(panel.values, panel.times, cut, np.stack(series, axis=-1)), panel.sensors, files


class Station:
    """A target with the others beside it, and the windows it is judged by."""

    def __init__(
        self,
        world: Places,
        target: int,
        sources: tuple[int, ...],
        first: np.datetime64,
        last: np.datetime64,
        share: float = SHARE,
    ):
        self.world, self.target, self.sources, self.share = world, target, sources, share
        self.sequences, self.unit = world.sequences(sources)
        span = (int(np.searchsorted(world.times, moment)) for moment in (first, last))
        self.test = self.sequences.examples(*span, sensors=[target], least=world.least)
        self.day = world.times[self.test[0].numpy()].astype("datetime64[D]")

    def pretrained(self, recipe: Recipe, seed: int, mask: dict[str, Any] | None = None) -> Any:
        """Return a model that learned from the others."""
        model = self.world.model(self.sequences, seed=seed)
        learn(model, self.sequences, self.world.windows(self.sequences, self.sources), recipe, seed=seed, mask=mask)
        return model

    def taught(self, start: Any, how: str, recipe: Recipe, seed: int) -> Any:
        """Return a model that went on, from `start` or from scratch, with the few labels of the target."""
        model = self.world.model(self.sequences, seed=seed)
        if start is not None:
            model.load_state_dict(start.state_dict())
        few = self.world.labels(self.sequences, self.target, share=self.share, how=how, seed=seed)
        learn(model, self.sequences, few, recipe, seed=seed)
        return model

    def errors(self, model: Any) -> np.ndarray:
        """Return its absolute errors on the windows it is judged by, (B, H)."""
        return self.world.errors(model, self.sequences, self.unit, self.test)


def choose(world: Places, proxy: int, sources: tuple[int, ...]) -> Raw:
    """Choose recipes where one of the other half is the target, by its readings between the cut and the test."""
    here = Station(world, proxy, sources, CUT, CHOOSE)
    tried: Raw = {}
    models = {}
    for recipe in PRETRAIN:
        models[recipe] = here.pretrained(recipe, 0)
        tried.setdefault("pretrain", []).append({**asdict(recipe), "mae": _mean(here.errors(models[recipe]))})
    start = models[min(PRETRAIN, key=lambda r: tried["pretrain"][PRETRAIN.index(r)]["mae"])]
    for how in DRAWS:
        for name, grid, begin in (("tune", TUNE, start), ("scratch", SCRATCH, None)):
            for recipe in grid:
                found = _mean(here.errors(here.taught(begin, how, recipe, 0)))
                tried.setdefault(f"{name} {how}", []).append({**asdict(recipe), "mae": found})
    return tried


def best(tried: list[Raw], *, steps: int = -1) -> Recipe:
    """Return the recipe of least error, among those of at least so many steps."""
    row = min((one for one in tried if one["steps"] >= steps), key=lambda one: one["mae"])
    return Recipe(**{name: value for name, value in row.items() if name != "mae"})


def contest(world: Places, target: int, tried: Raw, seed: int, *, long: bool) -> Raw:
    """Return the daily losses of every contender on one target; the long one adds draws and contenders."""
    everyone = tuple(range(world.values.shape[1]))
    here = Station(world, target, tuple(k for k in everyone if k != target), CHOOSE, STOP)
    found: dict[str, np.ndarray] = {}
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        before = time.process_time()
        out = work()
        spent[name] = spent.get(name, 0.0) + time.process_time() - before
        return out

    recipe = best(tried["pretrain"])
    start = timed("pretrain", lambda: here.pretrained(recipe, seed))
    found["pre-trained, zero-shot"] = here.errors(start)
    draws = DRAWS if long else DRAWS[:2]
    for how in draws:
        tuned, drawn = best(tried[f"tune {how}"]), best(tried[f"scratch {how}"])
        full = best(tried[f"scratch {how}"], steps=max(one.steps for one in SCRATCH))
        found[f"pre-trained, tuned | {how}"] = here.errors(timed("tune", lambda: here.taught(start, how, tuned, seed)))  # noqa: B023
        found[f"scratch | {how}"] = here.errors(timed("scratch", lambda: here.taught(None, how, drawn, seed)))  # noqa: B023
        model = timed("scratch, all steps", lambda: here.taught(None, how, full, seed))  # noqa: B023
        found[f"scratch, all steps | {how}"] = here.errors(model)
    for name, mask in MASKED.items() if long else ():
        model = timed(name, lambda: here.pretrained(recipe, seed, mask))  # noqa: B023
        found[f"{name}, zero-shot"] = here.errors(model)
        for how in draws:
            on = max((r for r in TUNE if r.steps), key=lambda r: (r.steps, r.rate))
            found[f"{name}, tuned | {how}"] = here.errors(here.taught(model, how, on, seed))
    found |= timed("rivals", lambda: rival_errors(here, draws if long else (), share=SHARE, seed=seed))
    return {"cpu": spent, **daily(here.day, found)}


def record(world: Places, names: tuple[str, ...], folder: Path) -> list[Raw]:
    """Carry out everything that is not yet kept in `folder`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = [tuple(range(0, len(names), 2)), tuple(range(1, len(names), 2))]
    chosen = [
        kept(folder / f"choice-{k}.json", partial(choose, world, halves[1 - k][0], halves[1 - k][1:]))
        for k in (0, 1)  # the stations of half k are judged with what was chosen in the other
    ]
    out: list[Raw] = [{"choice": tried} for tried in chosen]
    jobs = [(name not in LONG or seed > 0, target, seed) for target, name in enumerate(names) for seed in range(3)
            if name in LONG or seed == 0]  # fmt: skip
    for _, target, seed in sorted(jobs, key=lambda job: (job[2], job[0], job[1])):
        name, long = names[target], names[target] in LONG and seed == 0
        path = folder / f"{name}-{seed}.json"
        work = partial(contest, world, target, chosen[target % 2], seed, long=long)
        out.append({"station": name, "seed": seed, **kept(path, work)})
    return out


def daily(day: np.ndarray, found: dict[str, np.ndarray]) -> Raw:
    """Mean loss by the day of the origin, and how many readings it is the mean of."""
    every = np.arange(day.min(), day.max() + np.timedelta64(1, "D"))
    at = (day - every[0]).astype(int)
    known = ~np.isnan(next(iter(found.values())))
    count = np.bincount(at, known.sum(axis=1), len(every))
    losses = {}
    for name, error in found.items():
        if (np.isnan(error) & known).any():
            raise SystemExit(f"{name} is silent where a reading counts")
        total = np.bincount(at, np.where(known, error, 0.0).sum(axis=1), len(every))
        losses[name] = np.round(np.divide(total, count, out=np.zeros(len(every)), where=count > 0), 4).tolist()
    return {"first_day": str(every[0]), "count": count.astype(int).tolist(), "losses": losses}


def _mean(errors: np.ndarray) -> float:
    return float(np.nanmean(errors))


def kept(path: Path, work: Callable[[], Raw]) -> Raw:
    """Return what is kept at `path`, or do the work and keep it."""
    if not path.is_file():
        made = work()
        half = path.with_suffix(".part")
        half.write_text(json.dumps(made), encoding="utf-8")
        half.rename(path)
        print(f"{path.stem} done", file=sys.stderr, flush=True)
    out: Raw = json.loads(path.read_text(encoding="utf-8"))
    return out


def model_size(world: Places) -> int:
    """Return how many numbers the model holds."""
    model = world.model(world.sequences((0,))[0], seed=0)
    return sum(p.numel() for p in model.parameters())
