"""What the recorded figures of Boston's requests as text say, in the words of the table of benchmarks."""

from __future__ import annotations

import pandas as pd

from benchmarks.rows import Raw, Verdict


def perplexity(raw: Raw) -> Verdict:
    """Say which model is least unsure."""
    found = {one["model"]: one for one in raw.get("models", [])}
    if not found:
        return Verdict("not recorded")
    ours = [f"{n}: {o['word']:.2f} a word, {o['bits_per_character']:.3f} bits a character" for n, o in found.items()]
    gaps = "; ".join("{} - {}: {:+.2f} ({:+.2f} to {:+.2f}) nats a note".format(d["model"], d["against"], *d["all"])
                     for d in raw["differences"])  # fmt: skip
    return Verdict("; ".join(o for o in ours if "gram" not in o), "; ".join(o for o in ours if "gram" in o), gaps)


def outcomes(raw: Raw) -> Verdict:
    """Say what each contender reaches by number of labels."""
    if not raw.get("scores"):
        return Verdict("not recorded")
    mean = pd.DataFrame(raw["scores"]).groupby(["contender", "labels"])["accuracy"].mean().unstack()
    words = {n: ", ".join(f"{v:.1%} with {k}" for k, v in row.items()) for n, row in mean.iterrows()}
    points = [(d["labels"], d["against"], *(100 * end for end in d["all"])) for d in raw["differences"]]
    gaps = "; ".join(f"{n}, {who}: {gap:+.1f} ({low:+.1f} to {high:+.1f})" for n, who, gap, low, high in points)
    peers = "; ".join(f"{n}: {w}" for n, w in words.items() if n != "fine-tuned")
    return Verdict(f"fine-tuned: {words['fine-tuned']}", peers, gaps)


def routing(raw: Raw) -> Verdict:
    """Say what each contender reaches on all requests and on new titles."""
    found = [f"{o['contender']}: {o['all'][0]:.1%}, new titles {o['new'][0]:.1%}" for o in raw.get("scores", [])]
    if not found:
        return Verdict("not recorded")
    apart = [(o["contender"], *(100 * end for end in o["all_minus_lookup"])) for o in raw["scores"][1:]]
    gaps = "; ".join("{} - lookup: {:+.2f} ({:+.2f} to {:+.2f})".format(*one) for one in apart)
    return Verdict(found[-1], "; ".join(found[:-1]), gaps)
