"""Congestion of los-loop foreseen from pictures, at full size: what chapter neural/05 shows at small size.

The level half an hour ahead, as a share of each sensor's 85th-percentile speed of the training part cut at .9, .75 and
.5; the first four fifths of the week are learned from, of which the last day chooses settings, epochs and
temperatures; the rest judges. Pixels and cases are the same for all. Readings that were filled in before publication
are neither shown nor foreseen; the last column of the report has them back in. A report, wherever it comes out.

The trials are the chapter's: three schedules, then a stronger decay, then dropout, and LightGBM with few and with more
leaves. Where labels are few, settings stay as they were chosen with all labels, for every contender. All differences
that are told hold together with 95 % (Bonferroni).

``python -m benchmarks.neural_congestion --only congestion`` measures it (about ten CPU minutes) and writes
``citylib/data/kept/neural_congestion.json`` for the chapter too.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict

SOURCE, GRAPH = "traffic-metr-la", "adjacency_directed"
SHOWN: dict[str, Any] = {"columns": 12, "ahead": 6}
SIDE, DAY, BLOCK = 4, 288, 24  # sensors on each side; steps of validation; steps in a block: two hours
SEEDS, COUNT, EPOCHS, EVERY, DRAWS = (0, 1, 2), 40_000, 3, 3, 200
FEW, FEW_JUDGE = 2_000, 500  # labels of one day, and of the judging day, where labels are few
FIRST: list[dict[str, Any]] = [
    {"schedule": "constant", "rate": 0.03},
    {"schedule": "cosine", "rate": 0.1},
    {"schedule": "one-cycle", "rate": 0.1},
]
THEN: list[dict[str, Any]] = [{"decay": 5e-3}, {"dropout": 0.3}]
LEAVES = (15, 31)
FAVOURED, RARE = ("LightGBM", "ResNet from scratch", "ResNet pre-trained"), ", rare levels favoured"
PACKAGES = ("torch", "transformers", "lightgbm", "numpy")
FILES = (
    *(f"citylib/neural/{name}.py" for name in (
        "pictures", "picture_masks", "picture_training", "train", "setting", "windows", "models/picture_resnet")),
    *(f"citylib/evaluate/{name}.py" for name in ("multiclass", "score_intervals")),
    "citylib/timeseries/decompose.py", "citylib/data/sources/traffic_metr_la.py", "citylib/seeds.py",
    "benchmarks/neural_congestion.py",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Task:
    """Pictures of one panel, and the cases of each part."""

    pictures: Any
    learned: Any
    judge: Any
    tested: Any
    late: Any  # cases of the last day learned from
    real: Any  # whether what came was measured, for each tested case


def task(variable: str, every: int = 1) -> Task:
    """Return the pictures of a variable, with nothing of the last day before the cut in what is learned from."""
    from citylib import data
    from citylib.neural import pictures
    from citylib.timeseries import decompose

    city = data.load(SOURCE)
    panel, measured = city.panel(variable), city.panel("speed").mask
    steps = len(panel.times)
    cut = int(steps * 0.8)
    split = cut - DAY
    before = np.arange(steps) < split
    share = panel.values / pictures.free_speed(panel.values, learned=np.arange(steps) < cut)
    days = decompose.usual_days(share, panel.times, step=panel.step, season="weekly", known=before)
    usual = days.of_other_days(share, panel.times, known=before)
    usual = np.where(np.isnan(usual), np.nanmean(share[:split], axis=0), usual)
    near = pictures.along(city.table(GRAPH).to_numpy(dtype=float), side=SIDE)
    made = pictures.draw(share, usual, near, learned=before, **SHOWN)
    learned, judge = made.cases(0, split), made.cases(split, cut, reach=0)
    tested = made.cases(cut, steps, reach=0, every=every)
    real = measured[tested.at.numpy() + made.ahead - 1, tested.sensor.numpy()]
    late = learned.pick(np.flatnonzero(learned.at.numpy() >= split - DAY))
    return Task(made, learned, judge, tested, late, real)


def network(of: Task, cases: Any, judge: Any, seed: int, *, start: Any = None, weighted: bool = False,
            epochs: int = EPOCHS, dropout: float = 0.0, **setting: Any) -> tuple[Any, list[float]]:  # fmt: skip
    """Train a network and return it with its losses on the judging cases."""
    from citylib import seeds
    from citylib.neural import picture_training as training
    from citylib.neural import train
    from citylib.neural.models.picture_resnet import PictureResNet

    made = of.pictures
    net = PictureResNet(made.classes, generator=seeds.torch_generator(seed, "weights"), dropout=dropout)
    if start is not None:
        net.body.load_state_dict(start)
    weights = training.level_weights(cases.level, made.classes) if weighted else None
    loss = training.classifying(made, weights=weights)
    history = train.train(
        net, loss, (cases.at, cases.sensor, cases.level), validation=(judge.at, judge.sensor, judge.level),
        generator=seeds.torch_generator(seed, "order"), epochs=epochs, method="sgd", **{"decay": 5e-4} | setting,
    )  # fmt: skip
    return net, list(history.validation)


def pretrained(of: Task, seed: int, count: int) -> Any:
    """Train a body to fill in what is hidden, on pictures without levels, and return its weights."""
    from citylib import seeds
    from citylib.neural import picture_masks as hiding
    from citylib.neural import train
    from citylib.neural.models.picture_resnet import PictureResNet

    net = PictureResNet(of.pictures.classes, generator=seeds.torch_generator(seed, "weights"))
    size = of.pictures.shape[1:]
    model = hiding.Rebuilder(net, *size, generator=seeds.torch_generator(seed, "fill"))
    cases = of.learned.sample(count, seeds.generator(seed, "unlabelled"))
    hidden = hiding.masks(len(cases), *size, generator=seeds.generator(seed, "masks"))
    train.train(
        model, hiding.rebuilding(of.pictures), (cases.at, cases.sensor, hidden), epochs=EPOCHS, rate=0.05,
        generator=seeds.torch_generator(seed, "hidden"), method="sgd", schedule="one-cycle", decay=5e-4,
    )  # fmt: skip
    return net.body.state_dict()


def boosted(of: Task, cases: Any, judge: Any, seed: int, leaves: int, *, weighted: bool = False) -> tuple[Any, float]:
    """Fit LightGBM on the pixels, trees chosen on the judging cases; return it with its loss there."""
    import lightgbm

    from citylib.neural.picture_training import level_weights

    level = cases.level.numpy()
    weight = level_weights(level, of.pictures.classes).numpy()[level] if weighted else None
    asked = {
        "objective": "multiclass", "num_class": of.pictures.classes, "learning_rate": 0.05, "num_leaves": leaves,
        "feature_fraction": 0.3, "bagging_fraction": 0.8, "bagging_freq": 1, "min_data_in_leaf": 50, "verbose": -1,
        "num_threads": 1, "seed": seed, "deterministic": True, "force_row_wise": True,
    }  # fmt: skip
    learned = lightgbm.Dataset(pixels(of, cases), level, weight=weight)
    judged = lightgbm.Dataset(pixels(of, judge), judge.level.numpy(), reference=learned)
    stop = lightgbm.early_stopping(25, verbose=False)
    model = lightgbm.train(asked, learned, 600, valid_sets=[judged], callbacks=[stop])
    return model, float(model.best_score["valid_0"]["multi_logloss"])


def pixels(of: Task, cases: Any) -> Any:
    """Return the pixels of pictures, a row each."""
    return of.pictures.gather(cases.at, cases.sensor).flatten(1).numpy()


def chances(of: Task, model: Any, cases: Any) -> Any:
    """Return the probabilities that a network or LightGBM gives."""
    from citylib.neural.picture_training import probabilities

    if hasattr(model, "best_iteration"):
        parts = np.array_split(np.arange(len(cases)), -(-len(cases) // 10_000))
        return np.concatenate([model.predict(pixels(of, cases.pick(part))) for part in parts])
    return probabilities(model, of.pictures, cases)


def persistent(of: Task) -> tuple[Any, Any]:
    """Return the level that stays, and how often each level followed each in what is learned from."""
    classes = of.pictures.classes
    cell = of.learned.now.numpy() * classes + of.learned.level.numpy()
    table = np.bincount(cell, minlength=classes**2).reshape(classes, classes) + 1.0
    now = of.tested.now.numpy()
    return now, (table / table.sum(axis=1, keepdims=True))[now]


def chosen(of: Task, count: int) -> tuple[dict[str, Any], int, list[dict[str, Any]]]:
    """Choose the setting of the network and the leaves of LightGBM on the judging day."""
    from citylib import seeds

    cases = of.learned.sample(count, seeds.generator(0, "cases"))
    judge = of.judge.sample(5_000, seeds.generator(0, "judge"))
    tried: list[dict[str, Any]] = []
    for setting in FIRST:
        tried.append(setting | {"loss": min(network(of, cases, judge, 0, **setting)[1])})
    best = {k: v for k, v in min(tried, key=lambda one: one["loss"]).items() if k != "loss"}
    for more in THEN:
        tried.append(best | more | {"loss": min(network(of, cases, judge, 0, **best | more)[1])})
    best = {k: v for k, v in min(tried, key=lambda one: one["loss"]).items() if k != "loss"}
    for leaves in LEAVES:
        tried.append({"leaves": leaves, "loss": boosted(of, cases, judge, 0, leaves)[1]})
    return best, min(tried[-len(LEAVES) :], key=lambda one: one["loss"])["leaves"], tried


def contest(of: Task, seed: int, setting: dict[str, Any], leaves: int, count: int, *, brief: bool = False) -> Any:
    """Fit all contenders with one seed; return what came and their probabilities, on judging cases and on the test."""
    from citylib import seeds

    cases = of.learned.sample(count, seeds.generator(seed, "cases"))
    few = of.late.sample(FEW, seeds.generator(seed, "few"))
    judge = of.judge.sample(5_000, seeds.generator(seed, "judge"))
    less = judge.sample(FEW_JUDGE, seeds.generator(seed, "few"))
    fits: dict[str, Any] = {
        "LightGBM": lambda: boosted(of, cases, judge, seed, leaves),
        "ResNet from scratch": lambda: network(of, cases, judge, seed, **setting),
    }
    if not brief:
        start = pretrained(of, seed, count)
        again = cases.balanced(seeds.generator(seed, "balanced"))
        long = {"epochs": max(1, count * EPOCHS // FEW // 2), "patience": 5}  # half the steps that all labels get
        fits |= {
            "ResNet pre-trained": lambda: network(of, cases, judge, seed, start=start, **setting),
            "ResNet, levels weighted": lambda: network(of, cases, judge, seed, weighted=True, **setting),
            "ResNet, levels resampled": lambda: network(of, again, judge, seed, **setting),
            "few labels: LightGBM": lambda: boosted(of, few, less, seed, leaves),
            "few labels: ResNet from scratch": lambda: network(of, few, less, seed, **setting | long),
            "few labels: ResNet pre-trained": lambda: network(of, few, less, seed, start=start, **setting | long),
        }
    found, spent = {}, {}
    for name, fit in fits.items():
        spent[name], (model, _) = rows.spent(fit)
        by = less if name.startswith("few") else judge
        found[name] = by.level.numpy(), chances(of, model, by), chances(of, model, of.tested)
    return found, spent


def measure(quick: bool) -> Raw:
    """Choose, fit with three seeds, and score."""
    warnings.filterwarnings("ignore", module="lightgbm")
    began, count, every = time.process_time(), 3_000 if quick else COUNT, 12 if quick else EVERY
    of = task("speed", every)
    best, leaves, tried = (FIRST[2], 15, []) if quick else chosen(of, count)
    raw: Raw = {"setting": best, "leaves": leaves, "tried": tried, "seeds": list(SEEDS[:1] if quick else SEEDS)}
    raw |= {"count": count, "epochs": EPOCHS, "few": FEW, "block_steps": max(1, BLOCK // every)}
    raw["tested"], raw["levels"] = len(of.tested), np.bincount(of.tested.level).tolist()
    runs, raw["runs"] = {}, []
    for seed in raw["seeds"]:
        found, spent = contest(of, seed, best, leaves, count)
        raw["runs"].append({"seed": seed, "cpu_seconds": spent, "contenders": scored(of, found, runs)})
    raw["table"], raw["compared"] = table(of, runs, raw["block_steps"], 100 if quick else DRAWS, every)
    if not quick:
        filled = task("speed_as_published", every)
        found, _ = contest(filled, 0, best, leaves, count, brief=True)
        raw["as_published"] = scored(filled, found, {})
    raw["cpu_seconds"] = time.process_time() - began
    if not quick:
        kept(raw)
    return raw


def scored(of: Task, found: dict[str, Any], runs: dict[str, Any]) -> dict[str, Any]:
    """Score the contenders of one seed; their `Scored` are added to `runs`."""
    from citylib.evaluate import multiclass

    now, chance = persistent(of)
    truth = of.tested.level.numpy()
    often = np.bincount(of.learned.level.numpy()) / len(of.learned)
    out: dict[str, Any] = {}
    for name, (came, on_judge, on_test) in ({"persistence": (None, None, chance)} | found).items():
        by = 1.0 if came is None else multiclass.temperature(came, on_judge)
        soft = multiclass.tempered(on_test, by)
        one = multiclass.Scored(truth, soft, now) if came is None else multiclass.Scored(truth, soft)
        raw_error = multiclass.Scored(truth, on_test, one.predicted).calibration_error()
        out[name] = one.scores() | {"temperature": by, "calibration_error_before": raw_error}
        out[name] |= {"recall_by_level": one.recall().tolist(), "auc_by_level": one.auc().tolist()}
        out[name]["confusion"] = one.confusion().tolist()
        if name in FAVOURED:
            power = multiclass.lean(came, on_judge, often)
            said = multiclass.favouring(on_test, often, lean=power)
            favoured = multiclass.Scored(truth, soft, said)
            out[name + RARE] = favoured.scores() | {"lean": power, "recall_by_level": favoured.recall().tolist()}
            runs.setdefault(name + RARE, []).append(favoured)
        if not of.real.all():
            real = multiclass.Scored(truth[of.real], soft[of.real], one.predicted[of.real])
            out[name]["macro_f1_measured_only"] = real.macro_f1()
        runs.setdefault(name, []).append(one)
    return out


def compared() -> list[tuple[str, str, str]]:
    """Return what is compared, score by score: against LightGBM, against persistence, pre-trained against drawn."""
    nets = ("ResNet from scratch", "ResNet pre-trained")
    ways = (*nets, "ResNet, levels weighted", "ResNet, levels resampled")
    out = [(name, "LightGBM", score) for name in ways for score in ("macro_f1", "auc")]
    out += [(name + RARE, "LightGBM" + RARE, "macro_f1") for name in nets] + [
        ("LightGBM" + RARE, "LightGBM", "macro_f1")
    ]
    out += [(name, "persistence", "macro_f1") for name in (*ways, "LightGBM", *(k + RARE for k in FAVOURED))]
    out += [(name, "persistence", "auc") for name in FAVOURED]
    few = [f"few labels: {name}" for name in FAVOURED]
    pairs = [(nets[1], nets[0]), (few[2], few[1]), (few[2], few[0])]
    return out + [(one, other, score) for one, other in pairs for score in ("macro_f1", "log_loss")]


def table(
    of: Task, runs: dict[str, Any], block: int, draws: int, every: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return every contender's scores, mean over seeds, over blocks of two hours, and the differences that are told."""
    from citylib import seeds
    from citylib.evaluate import score_intervals

    step = (of.tested.at.numpy() - of.tested.at.numpy().min()) // every
    found = score_intervals.resample(
        runs | {"persistence": runs["persistence"][:1]}, step, block=block, generator=seeds.generator(0, "blocks"),
        draws=draws,
    )  # fmt: skip
    frames = found.alone(), found.apart(compared())
    alone, apart = ([{str(k): v for k, v in row.items()} for row in one.to_dict("records")] for one in frames)
    return alone, apart


def kept(raw: Raw) -> None:
    """Keep what the chapter shows."""
    from citylib.data.recorded import KEPT

    content = {"command": "python -m benchmarks.neural_congestion --only congestion"}
    content |= {"versions": rows.versions(PACKAGES), "machine": rows.machine(), "files": rows.digests(FILES)}
    parts = ("setting", "leaves", "count", "epochs", "few", "seeds", "tested", "table", "compared", "tried",
             "cpu_seconds")  # fmt: skip
    content["runs"] = [{"parameters": {"source": SOURCE, **SHOWN, "side": SIDE}, **{k: raw[k] for k in parts}}]
    half = KEPT / "neural_congestion.part"
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(KEPT / "neural_congestion.json")


def judge(raw: Raw) -> Verdict:
    """Say what came out, whichever way."""
    found = {(row["contender"], row["score"]): row for row in raw["table"]}
    names = list(dict.fromkeys(row["contender"] for row in raw["table"]))
    words = {
        name: f"{name} {found[name, 'macro_f1']['value']:.3f} / {found[name, 'auc']['value']:.3f} / "
        f"{found[name, 'calibration_error']['value']:.3f}"
        for name in names
    }
    ours = "; ".join(text for name, text in words.items() if "ResNet" in name)
    theirs = "; ".join(text for name, text in words.items() if "ResNet" not in name)
    gaps = [
        f"{one['contender']} - {one['against']}: {one['difference']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"
        for one in raw.get("compared", []) if one["score"] == "macro_f1"
    ]  # fmt: skip
    return Verdict(f"macro F1 / AUC / calibration error: {ours}", theirs, f"macro F1, {'; '.join(gaps)}")


POINTS = (
    Point("congestion", "Congestion of los-loop half an hour ahead from pictures, mean of three seeds; temperatures "
          "from validation; blocks of two hours, differences held together to 95 %", "",
          measure, judge, PACKAGES, FILES, long=True),
)  # fmt: skip


def main() -> int:
    """Show the row, or measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pictures, one seed")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", help="measure one point, and keep it if it is long")
    given = parser.parse_args()
    return rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
