"""Explanations of the largest share of budget-v1, held against planted sensitivities and the deletion curve.

``python -m benchmarks.allocation_explain --only explanations`` records it, also for the chapter, in
``citylib/data/kept/allocation_explain.json``. A policy that is done is kept under ``_build`` and not done again.
"""

from __future__ import annotations

import itertools
import json
from functools import partial
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

SEEDS = (0, 1, 2, 3, 4)
CONTEXTS, EPOCHS, JUDGED, ORDERS = 20_000, 8, 200, 32
POLICIES = {"water-filling": "two-stage", "softmax": "decision-focused"}
FILES = (
    "citylib/allocation/explain*.py",
    "citylib/allocation/learn.py",
    "citylib/allocation/policies/attention.py",
    "citylib/allocation/policies/network.py",
    "citylib/allocation/problem.py",
    "citylib/allocation/water_filling*.py",
    "citylib/allocation/policy.py",
    "citylib/neural/train.py",
    "citylib/neural/setting.py",
    "citylib/seeds.py",
    "benchmarks/allocation_explain.py",
)
COMMAND = "python -m benchmarks.allocation_explain --only explanations"
PACKAGES = ("numpy", "numba", "scipy", "torch")


def trained(seed: int, head: str, contexts: int) -> tuple[Any, Any]:
    """Return a policy of attention, and the mean of the features it was trained on."""
    from citylib import seeds
    from citylib.allocation import learn, problem
    from citylib.allocation.policies.attention import SetAttention
    from citylib.allocation.policies.network import Network

    generator = seeds.torch_generator(seed, "explain", head)
    model = Network(SetAttention(Network.inputs(8, head), 32, 4, 2, generator=generator), head)
    parts = {
        p: problem.contexts(n, seed=seed, part=p) for p, n in {"train": contexts, "validation": contexts // 20}.items()
    }
    seen = [learn.examples(c.features_BNF, c.budget_B, c.observed_BN, c.rate_BN) for c in parts.values()]
    learn.fit(model, seen[0], way=POLICIES[head], generator=generator, epochs=EPOCHS, validation=seen[1])
    return model.eval(), parts["train"].features_BNF.mean(axis=(0, 1))


def candidates(model: Any, known: Any, base: Any, of: Any, seed: int) -> dict[str, Any]:
    """Return the scores of every explanation, shape (B, N) each."""
    import torch

    from citylib import seeds
    from citylib.allocation import explain, explain_response, explain_shapley, policy

    given = policy.state(known.features_BNF, known.budget_B)
    found = {f"attention, {w} block" if w != "rollout" else "attention rollout":
             explain.attention(model, given, of, which=w) for w in explain.MAPS}  # fmt: skip
    found["gradient"] = explain.gradient(model, given, of)
    found["gradient x input"] = explain.gradient_times_input(model, given, of)
    found["leave one out"] = explain_shapley.leave_one_out(model, given, of, base)
    draw = seeds.generator(seed, "orders")
    found["Shapley"] = explain_shapley.shapley(model, given, of, base, orders=ORDERS, generator=draw)
    if model.head == "water-filling":
        with torch.no_grad():
            said = [v.double().exp().numpy() for v in model.effects(given.tokens_BNF, given.mask_BN, given.budget_B)]
        answer = explain_response.response(said[0], said[1], known.budget_B, of)
        found["response at the price"] = answer.to_scale_BN
        found["first unit's worth"] = answer.first_unit_BN
    found["random order"] = seeds.generator(seed, "no explanation").random(known.scale_BN.shape)
    return found


def judged(model: Any, base: Any, seed: int, part: str, count: int) -> dict[str, Any]:
    """Return means over instances for each explanation: rank agreement, also beyond the resource itself; deletion."""
    from citylib.allocation import explain_judge, explain_response, policy, problem
    from citylib.allocation.water_filling import fill

    known = problem.contexts(count, seed=seed, part=part)
    given = policy.state(known.features_BNF, known.budget_B)
    of = fill(known.scale_BN, known.rate_BN, known.budget_B).shares.argmax(axis=1)
    truth = np.linalg.norm(explain_response.planted(known, of), axis=2)
    others = np.arange(truth.shape[1]) != of[:, None]
    out: dict[str, Any] = {"regret": float(problem.regret(policy.shares(model, given), known).mean()), "scores": {}}
    scores = candidates(model, known, base, of, seed)
    looked = explain_judge.agreement(scores["attention rollout"], truth)
    for name, said in scores.items():
        rest = [v[others].reshape(count, -1) for v in (said, truth)]
        agree, curve = explain_judge.agreement(said, truth), explain_judge.deletion(model, given, of, said, base)
        out["scores"][name] = {
            "agreement": float(np.nanmean(agree)),
            "agreement_error": float(np.nanstd(agree, ddof=1) / np.sqrt(count)),
            "ahead_of_attention": float(np.nanmean(agree - looked)),
            "ahead_error": float(np.nanstd(agree - looked, ddof=1) / np.sqrt(count)),
            "others": float(np.nanmean(explain_judge.agreement(*rest))),
            "deletion": [float(v) for v in curve.mean(axis=0)],
        }
    return out


def one(seed: int, head: str, quick: bool) -> dict[str, Any]:
    """Train a policy and judge its explanations, on the contexts to choose by and on those to report."""
    import torch

    torch.set_num_threads(1)
    model, base = trained(seed, head, 400 if quick else CONTEXTS)
    count = 10 if quick else JUDGED
    return {part: judged(model, base, seed, part, count) for part in ("choice", "test")}


def measure(quick: bool) -> Raw:
    """Judge each seed, from what is kept where it is done and nothing it is made of has changed."""
    made_of = rows.digests(FILES)
    runs: dict[int, dict[str, Any]] = {seed: {"seed": seed} for seed in SEEDS[: 1 if quick else None]}
    raw: Raw = {"runs": list(runs.values()), "seconds": []}
    for head, seed in itertools.product(POLICIES, runs):
        path = rows.ROOT / "_build" / "allocation_explain" / f"{head}_{seed}.json"
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() and not quick else {}
        if kept.get("files") != made_of:
            seconds, found = rows.spent(partial(one, seed, head, quick))
            kept = {"files": made_of, "seconds": seconds, "found": found}
            if not quick:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(kept), encoding="utf-8")
        runs[seed][head] = kept["found"]
        raw["seconds"].append(kept["seconds"])
    if not quick:
        keep(raw, made_of)
    return raw


def keep(raw: Raw, made_of: dict[str, str]) -> None:
    """Write what the chapter shows."""
    from citylib.data.recorded import KEPT

    content: dict[str, Any] = {"command": COMMAND, "versions": rows.versions(PACKAGES), "machine": rows.machine()}
    content |= {"files": made_of, "runs": summary(raw)}
    half = KEPT / "allocation_explain.part"
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(KEPT / "allocation_explain.json")


def summary(raw: Raw) -> list[dict[str, Any]]:
    """Return a row a seed, policy, part and explanation."""
    out = []
    for run in raw["runs"]:
        for head in POLICIES:
            for part, found in run[head].items():
                for name, scores in found["scores"].items():
                    row = {"seed": run["seed"], "policy": head, "part": part, "explanation": name}
                    out.append(
                        row | {"regret": found["regret"], **scores, "area": float(np.mean(scores["deletion"][1:]))}
                    )
    return out


def best(raw: Raw, head: str = "water-filling") -> str:
    """Return the explanation to recommend: the highest median agreement on the instances to choose by."""
    scores: dict[str, list[float]] = {}
    for row in summary(raw):
        if row["policy"] == head and row["part"] == "choice":
            scores.setdefault(row["explanation"], []).append(row["agreement"])
    return max(scores, key=lambda name: median(scores[name]))


def judge(raw: Raw) -> Verdict:
    """Tell the recommended one and attention beside each other, on both judges."""
    found = [row for row in summary(raw) if row["policy"] == "water-filling" and row["part"] == "test"]
    chosen = best(raw)
    words = []
    for name in dict.fromkeys((chosen, "attention rollout", "attention, last block", "Shapley", "leave one out")):
        mine = [row for row in found if row["explanation"] == name]
        v = [row["agreement"] for row in mine]
        words.append(
            f"{name} {median(v):.2f} ({min(v):.2f} to {max(v):.2f}), deletion {median(row['area'] for row in mine):.4f}"
        )
    return Verdict(f"recommended: {words[0]}", "; ".join(words[1:]))


POINTS = (
    Point(
        "explanations", "rank agreement with planted sensitivities; how far the share moves as what is named is hidden",
        "", measure, judge, PACKAGES, FILES, long=True,
    ),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
