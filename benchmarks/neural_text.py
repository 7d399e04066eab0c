"""Boston's requests as text: perplexities, coding of outcomes, routing; figures only, no text leaves this program.

``python -m benchmarks.neural_text`` shows what was recorded; ``--only outcomes`` (``perplexity``, ``routing``) measures
a part afresh and keeps it in ``citylib/data/kept/boston_text.json``. ``--draw`` prints the numbers of the 200 cases
whose notes were read one by one; the verdicts, without a word of the notes, stand in
``citylib/data/kept/boston_notes_read.json``.

Split by time, by when a note is written for notes, by when a request is opened for requests: learning before
1 September 2015, test from 1 October. September is a gap that nobody uses, between what is learned and what is
tested: nothing is chosen on it. Sizes and rates of the networks and the penalties of the logistic regressions (C = 30
for outcomes, C = 10 for routing) were set by hand before; no search made them, so each contender might do better.
*From scratch* gets the steps of fine-tuning and none of pre-training's: what pre-training buys includes its steps.

Every contender may read all notes of the learning part, whose texts cost nothing: the tokens and the body of the
fine-tuned model come from them, and so do the words and the weights (idf) of TF-IDF. Labels are what is scarce, and all
get the same ones. Every outcome with 20 notes of the learning part takes part, as in the chapter, *enforced* too.
Differences of a part are widened so that all of them hold together with 95 % (Bonferroni).
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from benchmarks import neural_text_verdicts, rows
from benchmarks.rows import Point, Raw, Verdict
from citylib import data, seeds
from citylib.data.recorded import KEPT
from citylib.evaluate import classification, compare
from citylib.neural import losses, note_outcomes, routing, text, train
from citylib.neural.models.language_model import LanguageModel, TextClassifier
from citylib.neural.ngram import KneserNey
from citylib.neural.text_masking import MARKS, Masker

SOURCE = "requests-boston-311"
CHOOSE, TEST = "2015-09-01", "2015-10-01"  # learning ends, test begins
LEFT = 3  # words that a note must keep once its phrases are hidden, to be coded from them
LEAST = 20  # notes of the learning part that an outcome needs to take part
SEED, REPEATS, LABELS = 0, 3, (100, 300, 1000, 3000)
PACKAGES = ("numpy", "pandas", "scikit-learn", "tokenizers", "torch")
FILES = (
    *(f"citylib/neural/{name}.py" for name in (
        "devices", "examples", "layers/attention", "losses", "memory", "models/language_model", "ngram",
        "note_outcomes", "routing", "text", "text_masking", "text_words", "setting", "train")),
    "citylib/data/sources/requests_boston_311.py", "citylib/evaluate/compare.py", "benchmarks/neural_text.py",
)  # fmt: skip
Array = npt.NDArray[Any]


def prepared(table: pd.DataFrame) -> pd.DataFrame:
    """Return closed cases with masked note, its outcome by rule and what is left once phrases are hidden."""
    closed = table[table["closed"].notna() & table["closure_note"].notna()].reset_index(drop=True)
    raw = note_outcomes.after_opening(closed["closure_note"])
    masker = Masker.learn([note for note, early in zip(raw, closed["closed"] < CHOOSE, strict=True) if early])
    notes = pd.DataFrame({"request": closed["request"], "closed": closed["closed"], "note": masker.mask_all(raw)})
    notes["outcome"], notes["hidden"] = note_outcomes.code(notes["note"]), note_outcomes.hide(notes["note"])
    notes["usable"] = np.array(note_outcomes.words_left(notes["hidden"])) >= LEFT
    notes["usable"] &= notes["outcome"] != note_outcomes.UNCODED
    return notes


def drawn(notes: pd.DataFrame, *, seed: int, number: int) -> pd.DataFrame:
    """Return cases for reading: all closed cases in an order drawn by seed, the first that are usable."""
    order = seeds.generator(seed, "read").permutation(len(notes))
    ranked = notes.sort_values("request").iloc[order]
    return ranked[ranked["usable"]].head(number).sort_values("request")


def parts(frame: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """Split by time; the month between learning and test is a gap."""
    when = frame[column]
    inside = {"learn": when < CHOOSE, "gap": (when >= CHOOSE) & (when < TEST), "test": when >= TEST}
    return {name: frame[mask].reset_index(drop=True) for name, mask in inside.items()}


def fewer(split: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return some cases of all weeks, for a quick run."""
    at = {name: np.linspace(0, len(part) - 1, min(1500, len(part))).astype(int) for name, part in split.items()}
    return {name: part.iloc[at[name]].reset_index(drop=True) for name, part in split.items()}


def grown(words: text.Vocabulary, found: text.Texts, *, causal: bool, width: int, epochs: int) -> LanguageModel:
    """Train a language model on texts."""
    length = found.ids.shape[1]
    draw = seeds.torch_generator(SEED, "weights", causal)
    model = LanguageModel(words.size, length, causal=causal, pad=text.PAD, generator=draw, width=width)
    hide = text.masked_token(seeds.torch_generator(SEED, "hide"), share=0.2)
    loss = text.grouped(text.next_token if causal else hide, found.tensor())
    groups = found.groups(1024, generator=seeds.generator(SEED, "groups"))
    order = seeds.torch_generator(SEED, "order")
    train.train(model, loss, (groups,), generator=order, epochs=epochs, batch=1, rate=3e-3, schedule="one-cycle",
                clip=1.0)  # fmt: skip
    return model


def weekly(values: Array, when: pd.Series[Any]) -> Array:
    """Return values as a matrix with a row a week, NaN where a week has fewer."""
    week = when.dt.to_period("W-SUN")
    return pd.DataFrame(pd.Series(values, dtype=float).groupby(week.to_numpy()).agg(list).tolist()).to_numpy()


def told(values: Array, when: pd.Series[Any], other: Array | None = None, *, among: int = 1) -> list[float]:
    """Return a mean (or mean difference) with its interval, one of `among` that hold together; whole weeks drawn."""
    draw = seeds.generator(SEED, "bootstrap")
    if other is None:
        found = compare.block_bootstrap(weekly(values, when), block=1, generator=draw, level=1 - 0.05 / among)
    else:
        one, two = weekly(values, when), weekly(other, when)
        found = compare.paired_bootstrap(one, two, block=1, generator=draw, level=1 - 0.05 / among)
    return [found.estimate, found.low, found.high]


def perplexity(quick: bool) -> Raw:
    """Return how well each model predicts notes of later months, by token, by word and by character."""
    split = parts(prepared(data.load(SOURCE).table("requests")).query("note != ''"), "closed")
    if quick:
        split = fewer(split)
    words = text.Vocabulary.learn(split["learn"]["note"].tolist(), size=2000, marks=MARKS)
    found = {name: words.encode(part["note"].tolist(), length=64) for name, part in split.items()}
    new = ~split["test"]["note"].isin(set(split["learn"]["note"])).to_numpy()
    raw: Raw = {"notes": {name: len(part) for name, part in split.items()}, "new": float(new.mean())}
    raw["tokens"], raw["vocabulary"] = {name: int(one.tokens.sum()) for name, one in found.items()}, words.size
    raw["models"], losses_of = [], {}

    def keep(name: str, spent: float, lost: Array) -> None:
        one = {"model": name, "cpu_seconds": spent, **text.perplexity(lost, found["test"])}
        one["word_new"] = text.perplexity(lost[new], found["test"].part(new))["word"]
        raw["models"].append(one)
        losses_of[name] = lost
        print(one, flush=True)

    for order in (1, 2, 3, 5):

        def count(order: int = order) -> KneserNey:
            return KneserNey.fit(found["learn"].lists(), order=order, size=words.size, start=text.START,
                                 silent=text.SILENT)  # fmt: skip

        spent, model = rows.spent(count)
        keep(f"{order}-gram", spent, model.losses(found["test"].lists()))
    for epochs in (1,) if quick else (1, 5):
        spent, net = rows.spent(lambda n=epochs: grown(words, found["learn"], causal=True, width=64, epochs=n))
        keep(f"causal transformer, {epochs} passes", spent, text.losses(net, found["test"]))
    pairs = [(ours, other) for ours in losses_of for other in losses_of if "gram" in other and "gram" not in ours]
    when = split["test"]["closed"]
    raw["differences"] = [  # in nats a note
        {"model": a, "against": b, "all": told(losses_of[a], when, losses_of[b], among=len(pairs))} for a, b in pairs
    ]
    return raw


def outcomes(quick: bool) -> Raw:
    """Return how well outcomes are coded from what is left of notes, by number of labels and by contender."""
    notes = prepared(data.load(SOURCE).table("requests"))
    notes = notes[notes["usable"]]
    early = notes.loc[notes["closed"] < CHOOSE, "outcome"].value_counts()
    split = parts(notes[notes["outcome"].isin(early[early >= LEAST].index)], "closed")
    labels = (100,) if quick else LABELS
    if quick:
        split = fewer(split)
    words = text.Vocabulary.learn(split["learn"]["hidden"].tolist(), size=1500, marks=[*MARKS, note_outcomes.HIDDEN])
    found = {name: words.encode(part["hidden"].tolist(), length=40) for name, part in split.items()}
    classes, code = np.unique(split["learn"]["outcome"], return_inverse=True)
    test = split["test"]
    new = ~test["hidden"].isin(set(split["learn"]["hidden"])).to_numpy()
    raw: Raw = {"cases": {name: len(part) for name, part in split.items()}, "new": float(new.mean())}
    raw["classes"] = test["outcome"].value_counts().to_dict()
    raw["guess"] = float((test["outcome"] == classes[np.bincount(code).argmax()]).mean())
    spent, body = rows.spent(lambda: grown(words, found["learn"], causal=False, width=64, epochs=1 if quick else 4))
    raw["pre_training_cpu_seconds"], raw["scores"] = spent, []
    raw["idf_cpu_seconds"], form = rows.spent(lambda: weighed(split["learn"]["hidden"]))
    hits: dict[tuple[str, int, int], Array] = {}
    for number, repeat in [(n, r) for n in labels for r in range(1 if quick else REPEATS)]:
        at = seeds.generator(SEED, "labels", number, repeat).choice(len(code), number, replace=False)
        for name, guess in guesses(split, found, at, code, body, words, repeat, form).items():
            spent, said = rows.spent(guess)
            right = (classes[said] == test["outcome"]).to_numpy()
            hits[name, number, repeat] = right
            one = {"contender": name, "labels": number, "repeat": repeat, "accuracy": float(right.mean())}
            one |= {"accuracy_new": float(right[new].mean()), "cpu_seconds": spent}
            one["macro_f1"] = classification.macro_f1(test["outcome"].to_numpy(dtype=str), classes[said].astype(str))
            raw["scores"].append(one)
            print(one, flush=True)
    raw["differences"] = differences(hits, labels, test["closed"], new)
    return raw


def weighed(notes: pd.Series[str]) -> Any:
    """Return TF-IDF whose words and weights are learned from notes; no label enters."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(token_pattern=r"\[?\w+\]?", ngram_range=(1, 2), sublinear_tf=True).fit(notes)


def guesses(
    split: dict[str, pd.DataFrame], found: dict[str, text.Texts], at: Array, code: Array, body: LanguageModel,
    words: text.Vocabulary, repeat: int, form: Any,
) -> dict[str, Callable[[], Array]]:  # fmt: skip
    """Return the contenders, each to be called for its classes of the test cases."""
    from sklearn.linear_model import LogisticRegression

    def linear() -> Array:
        fitted = LogisticRegression(C=30, max_iter=2000).fit(
            form.transform(split["learn"]["hidden"].iloc[at]), code[at]
        )
        return np.asarray(fitted.predict(form.transform(split["test"]["hidden"])))

    def network(start: LanguageModel | None) -> Array:
        draw = seeds.torch_generator(SEED, "head", repeat)
        own = LanguageModel(words.size, body.length, causal=False, pad=text.PAD, generator=draw, width=body.width)
        if start is not None:
            own.load_state_dict(start.state_dict())
        net = TextClassifier(own, int(code.max()) + 1, generator=draw)
        order = seeds.torch_generator(SEED, "batches", repeat)
        steps = {"steps": 150 if len(at) < 1000 else 300, "epochs": 10**6, "schedule": "one-cycle", "clip": 1.0}
        own_rows = (found["learn"].part(at).tensor(), torch.from_numpy(code[at]))
        train.train(net, losses.classifying, own_rows, generator=order, rate=1e-3, batch=32, decay=0.01, **steps)
        return np.asarray(train.predict(net, found["test"].tensor(), batch=512).argmax(dim=1).numpy())

    return {
        "TF-IDF + logistic": linear,
        "fine-tuned": lambda: network(body),
        "from scratch": lambda: network(None),
    }


def differences(
    hits: dict[tuple[str, int, int], Array], labels: tuple[int, ...], when: pd.Series[Any], new: Array
) -> list[dict[str, Any]]:
    """Return fine-tuned minus each other in share of cases right, mean over repeats, weeks drawn, held together."""
    out, among = [], 2 * len(labels) * (len({who for who, _, _ in hits}) - 1)
    for number in labels:
        mean = {
            name: np.mean([right for (who, n, _), right in hits.items() if (who, n) == (name, number)], axis=0)
            for name in {who for who, _, _ in hits}
        }
        for other in sorted(set(mean) - {"fine-tuned"}):
            low = told(mean["fine-tuned"], when, mean[other], among=among)
            late = when[new].reset_index(drop=True)
            some = told(mean["fine-tuned"][new], late, mean[other][new], among=among)
            out.append({"labels": number, "against": other, "all": low, "new": some})
    return out


def routed(quick: bool) -> Raw:
    """Return how well new requests are routed by what they tell when they come in."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    table = data.load(SOURCE).table("requests")
    table = table[["request", "opened", "title", "channel", "district", "department"]].copy()
    table["title"] = routing.titles(table["title"])
    raw: Raw = {"left_out": float((table["title"] == "").mean())}
    table = table[table["title"] != ""].copy()
    masker = Masker.learn(table.loc[table["opened"] < CHOOSE, "title"].tolist(), least=20, last=1.0)
    table["title"] = masker.mask_all(table["title"])  # titles name people, too
    split = parts(table, "opened")
    if quick:
        split = fewer(split)
    told_by = {
        name: routing.requests_as_text(p["title"], channel=p["channel"], place=p["district"], opened=p["opened"])
        for name, p in split.items()
    }
    learn, test = split["learn"], split["test"]
    usual = learn.groupby("title")["department"].agg(lambda d: d.value_counts().index[0])
    most = learn["department"].value_counts().index[0]
    new = ~test["title"].isin(usual.index).to_numpy()
    said: dict[str, Array] = {"lookup of the title": test["title"].map(usual).fillna(most).to_numpy()}
    pattern = r"\[[^\]]*\]|\w+"
    linear = make_pipeline(CountVectorizer(token_pattern=pattern, ngram_range=(1, 2), min_df=5), TfidfTransformer(),
                           LogisticRegression(C=10, max_iter=300))  # fmt: skip
    spent, _ = rows.spent(lambda: linear.fit(told_by["learn"], learn["department"]))
    said["TF-IDF + logistic"] = linear.predict(told_by["test"])
    raw["cpu_seconds"] = {"TF-IDF + logistic": spent}
    spent, said["transformer"] = rows.spent(lambda: routed_by_network(told_by, learn["department"], quick))
    raw["cpu_seconds"]["transformer"] = spent
    raw |= {"cases": len(test), "new_titles": int(new.sum()), "scores": [], "most": most}
    truth = test["department"].to_numpy(dtype=str)
    table_right = (said["lookup of the title"] == truth).astype(float)
    for name, guess in said.items():
        right = (guess == truth).astype(float)
        one = {"contender": name, "all": told(right, test["opened"])}
        one["new"] = told(right[new], test["opened"][new].reset_index(drop=True))
        one["macro_f1"] = classification.macro_f1(truth, guess.astype(str))
        one["all_minus_lookup"] = told(right, test["opened"], table_right, among=len(said) - 1)
        raw["scores"].append(one)
        print(one, flush=True)
    return raw


def routed_by_network(told_by: dict[str, list[str]], department: pd.Series[Any], quick: bool) -> Array:
    """Train the transformer of the outcomes, freshly drawn, on requests and return its departments of the test."""
    marks = sorted(
        {mark for one in told_by["learn"] for mark in one[one.index("[channel") :].replace("] ", "]|").split("|")}
    )
    words = text.Vocabulary.learn(told_by["learn"], size=800, marks=[*MARKS, *marks], least=5)
    found = {name: words.encode(told_by[name], length=24) for name in ("learn", "test")}
    names, code = np.unique(department, return_inverse=True)
    draw = seeds.torch_generator(SEED, "routing")
    body = LanguageModel(words.size, 25, causal=False, pad=text.PAD, generator=draw, width=48)
    net = TextClassifier(body, len(names), generator=draw)
    steps = {"steps": 60 if quick else 900, "epochs": 100, "schedule": "one-cycle", "clip": 1.0}
    train.train(net, losses.classifying, (found["learn"].tensor(), torch.from_numpy(code)),
                generator=seeds.torch_generator(SEED, "routing order"), rate=2e-3, batch=64, **steps)  # fmt: skip
    return np.asarray(names[train.predict(net, found["test"].tensor(), batch=1024).argmax(dim=1).numpy()])


PARTS: dict[str, Callable[[bool], Raw]] = {"perplexity": perplexity, "outcomes": outcomes, "routing": routed}


def runs() -> list[Raw]:
    """Return the parts as they were recorded, each with what it was made of."""
    path = KEPT / "boston_text.json"
    return list(json.loads(path.read_text(encoding="utf-8"))["runs"]) if path.is_file() else []


def kept(name: str) -> Raw:
    """Return a part as it was recorded, and which files have changed since; empty where it was not."""
    found = next((one for one in runs() if one["part"] == name), None)
    return found | {"changed": rows.changed(found.get("files", {}), FILES)} if found else {}


def record(name: str) -> None:
    """Measure a part and keep it beside the others, each with the files, versions and data that it was made of."""
    made: Raw = {"files": rows.digests(FILES), "versions": rows.versions(PACKAGES), "machine": rows.machine()}
    made["data"] = {file.file: file.sha256 for file in data.load(SOURCE).files}
    raw = PARTS[name](False) | {"part": name, "seed": SEED} | made
    found = [one for one in runs() if one["part"] != name] + [raw]
    content: Raw = {"command": "python -m benchmarks.neural_text", "runs": sorted(found, key=lambda one: one["part"])}
    half = KEPT / "boston_text.part"
    content |= {key: made[key] for key in ("versions", "machine")}  # of the latest part
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(KEPT / "boston_text.json")


_JUDGES = {
    "perplexity": neural_text_verdicts.perplexity,
    "outcomes": neural_text_verdicts.outcomes,
    "routing": neural_text_verdicts.routing,
}
_WHAT = {
    "perplexity": "Boston's closure notes of October 2015 to January 2016: how unsure each model is",
    "outcomes": "their outcome (labels by rule, phrases hidden) by number of labels: fine-tuned, from scratch, TF-IDF",
    "routing": "requests of October to December 2015 routed to a department by title, channel, place and time",
}


def _point(name: str, judge: Callable[[Raw], Verdict]) -> Point:
    def measure(quick: bool) -> Raw:
        return PARTS[name](True) if quick else kept(name)

    def judged(raw: Raw) -> Verdict:
        again = f"python -m benchmarks.neural_text --only {name}"
        if not raw:
            return Verdict(f"not recorded: {again}")
        if raw.get("changed"):
            return Verdict(f"recorded before these changed: {', '.join(raw['changed'][:3])}; {again}")
        return judge(raw)

    return Point(f"text_{name}", _WHAT[name], "", measure, judged, PACKAGES, FILES)


POINTS = tuple(_point(name, judge) for name, judge in _JUDGES.items())


def main() -> int:
    """Show, measure or draw what the command line asks for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", choices=list(PARTS), help="measure this part afresh and keep it")
    asked.add_argument("--draw", action="store_true", help="print the cases that were read, by number")
    asked.add_argument("--quick", action="store_true", help="measure all parts on few cases, keep nothing")
    given = asked.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if given.draw:
        print("\n".join(drawn(prepared(data.load(SOURCE).table("requests")), seed=SEED, number=200)["request"]))
        return 0
    if given.only and not given.quick:
        record(given.only)
    chosen = [point for point in POINTS if given.only in (None, point.name.removeprefix("text_"))]
    rows.show(rows.measured(point, quick=given.quick) for point in chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
