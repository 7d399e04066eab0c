"""The page of the book on our forecasts beside automatic ones, made from ``recorded/forecasts.json``.

``python -m benchmarks.forecasts_page`` writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from benchmarks import forecasts, rows
from benchmarks.forecasts import BASE, PAIRS
from citylib.publish import markdown

__all__ = ["COMMAND", "PAGE", "RECORD", "proven", "text"]

PAGE = rows.ROOT / "book" / "guide" / "forecasts.md"
RECORD = rows.RECORDED / "forecasts.json"
COMMAND = "python -m benchmarks.forecasts_page"
PEERS = ("AutoARIMA", "AutoETS", "AutoTheta", "MSTL")
HEAD = """# Our forecasts beside automatic ones

The chapters on time series hold their models to simple baselines. A city may also let a library choose a model by
itself. So here the forecasters of the chapter on ARIMA meet the automatic models of
[statsforecast](https://github.com/Nixtla/statsforecast) on real series by the hour, wherever it comes out.
"""


def proven(test: dict[str, Any]) -> int:
    """Return -1 where the first is better by more than luck, 1 where it is worse, 0 where neither is shown.

    As in the chapter, both the test and the interval from blocks of a week have to say so.
    """
    apart = test["p_holm"] < 0.05 and (test["low"] > 0 or test["high"] < 0)
    return (1 if test["difference"] > 0 else -1) if apart else 0


def text(content: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    content : dict
        The record: ``raw``, ``versions``, ``machine``.
    """
    raw = content["raw"]
    parts = [HEAD, _short(raw), _how(content)]
    parts += [_series(raw, name) for name in raw["series"]]
    parts += [_pairs(raw), _cost(raw)]
    return "\n".join(parts)


def _tests(raw: dict[str, Any], kind: str, name: str = "", one: str = "", other: str = "") -> list[dict[str, Any]]:
    """Return the tests of a set, of one series or of one pair."""
    return [
        t for t in raw["tests"]
        if t["set"] == kind and name in ("", t["series"]) and one in ("", t["one"]) and other in ("", t["other"])
    ]  # fmt: skip


def _short(raw: dict[str, Any]) -> str:
    lines = ["## In short", ""]
    for name, entry in raw["series"].items():
        found = forecasts.errors(entry)
        order = sorted(found, key=lambda who: found[who])
        mine = next(who for who in order if who not in (*PEERS, BASE))
        lead = f"**{_capital(name)}.** The lowest error is {_whose(order[0])}"
        lead += f": {_share(found, order[0])} of seasonal naive's." if order[0] != BASE else "."
        if order[0] != mine:
            lead += f" The best of our models is {mine}, at {_share(found, mine)} of seasonal naive's."
        lines.append(f"- {lead} {_against_naive(_tests(raw, 'naive', name))}")
    count = len(raw["series"])
    for one, other in PAIRS:
        tests = _tests(raw, "peer", one=one, other=other)
        lower = sum(t["difference"] < 0 for t in tests)
        better, worse = (sum(proven(t) == sign for t in tests) for sign in (-1, 1))
        told = f"better by more than luck in {_number(better)}, worse by more than luck in {_number(worse)}"
        lines.append(f"- **Our {one} against {other}.** Lower error in {_number(lower)} of {count} series, {told}.")
    return "\n".join([*lines, *filter(None, [_blind(raw)]), ""])


def _against_naive(tests: list[dict[str, Any]]) -> str:
    better, worse, neither = ([t["one"] for t in tests if proven(t) == sign] for sign in (-1, 1, 0))
    told = ["nothing beats seasonal naive by more than luck"]
    if better:
        told = [f"better than seasonal naive by more than luck: {_listed(better)}"]
    told += [f"worse: {_listed(worse)}"] if worse else []
    told += [f"not told apart from it: {_listed(neither)}"] if neither and better else []
    words = "; ".join(told)
    return words[0].upper() + words[1:] + "."


def _how(content: dict[str, Any]) -> str:
    raw = content["raw"]
    days, versions = raw["window"] // 24, content["versions"]
    return f"""## How it was measured

- **The same readings for all.** Everybody chooses and fits once, by the same {days} days before the cut, and
  forecasts the next {raw["horizon"]} hours from {raw["origins"]} origins, {raw["every"]} hours apart, so that
  forecasts start at every hour of the day. Parameters stay; readings from the window's start up to the origin are
  known. Gaps are filled by the last reading of the same hour of the day, because statsforecast takes none; filled
  hours are not scored.
- **Not the same freedom.** statsforecast's models choose themselves, with the library's defaults and a season of a
  day; MSTL is also told of the week, which no other is. Ours have orders fixed beforehand: ARIMA(2,0,1) around a daily
  wave of four harmonics, ARIMA(2,0,1)(0,1,1)\\[24\\], additive exponential smoothing with or without a damped slope,
  and Theta. So their CPU seconds hold no search for orders.
- **Errors** are mean absolute errors. PM2.5 is modelled by its logarithm and scored in its unit.
- **Tests.** From each origin there is one difference of losses, the mean over its {raw["horizon"]} hours. Diebold and
  Mariano's test {{cite}}`diebold1995` has a variance that takes in autocovariances up to lag {raw["lags"]}, with
  Bartlett weights {{cite}}`newey1987`; p-values are raised by Holm's rule {{cite}}`holm1979`, for one series and
  one table at a time. The intervals are from blocks of {raw["block"]} origins, a week. By more than luck: both say so
  at 5 %, as in the chapter.
- **Who measured.** `python -m benchmarks.forecasts --only forecasts` on a machine with {content["machine"]}; Python
  {versions["python"]}, NumPy {versions["numpy"]}, statsforecast {versions["statsforecast"]}. CPU seconds are those of
  one fit and all forecasts; compiled code is loaded before the clock starts.
"""


def _series(raw: dict[str, Any], name: str) -> str:
    entry = raw["series"][name]
    found, tests = forecasts.errors(entry), {t["one"]: t for t in _tests(raw, "naive", name)}
    lines = []
    for who in sorted(found, key=lambda who: found[who]):
        test = tests.get(who)
        lines.append([
            who if who in (*PEERS, BASE) else f"our {who}", markdown.text(_model(who, entry["chosen"][who])),
            markdown.number(found[who], 3), _share(found, who), _seconds(entry["seconds"][who]),
            *(_tested(test) if test else ("", "")),
        ])  # fmt: skip
    head = ["forecaster", "model", f"error [{markdown.text(entry['unit'])}]", "of seasonal naive's", "CPU s"]
    head += ["minus seasonal naive's (95 %)", "p"]
    scored = sum(x is not None for x in entry["losses"][BASE])
    caption = f"{entry['first']} to {entry['last']}, {scored} origins"
    return f"## {_capital(name)}\n\n{markdown.table(head, lines, caption=caption)}"


def _pairs(raw: dict[str, Any]) -> str:
    lines = []
    for test in _tests(raw, "peer"):
        unit = markdown.text(raw["series"][test["series"]]["unit"])
        said = {-1: "ours better", 1: "theirs better", 0: "not shown"}[proven(test)]
        lines.append([_capital(test["series"]), test["one"], test["other"], unit, *_tested(test), said])
    head = ["series", "ours", "theirs", "unit", "ours minus theirs (95 %)", "p", "by more than luck"]
    caption = "Difference of mean absolute errors; below zero: ours is better"
    return f"## Ours against their peers\n\n{markdown.table(head, lines, caption=caption)}"


def _cost(raw: dict[str, Any]) -> str:
    entries = list(raw["series"].values())
    total = {who: sum(entry["seconds"][who] for entry in entries) for who in entries[0]["seconds"]}
    told = ", ".join(f"{who} {_seconds(total[who])}" for who in sorted(total, key=lambda who: -total[who]))
    return f"## What it costs\n\nCPU seconds for all {len(entries)} series: {told}.\n"


def _model(who: str, chosen: str) -> str:
    """Return what was chosen, or is fixed, as a table shows it."""
    if who == "ARIMA":
        return f"ARIMA{chosen} around a daily wave"
    fixed = {"SARIMA": f"ARIMA{chosen}", "Theta": "additive season", BASE: "the day before"}
    return fixed.get(who, f"day and week, then {chosen}" if who == "MSTL" else chosen)


def _blind(raw: dict[str, Any]) -> str:
    """Say where an automatic model chose to do without a season."""
    told = []
    for who, mark in (("AutoARIMA", "[24]"), ("AutoETS", ",N)")):
        chosen = {name: entry["chosen"][who] for name, entry in raw["series"].items()}
        names = [name for name, model in chosen.items() if (mark in model) == (who == "AutoETS")]
        told += [f"{who} chose none for {_with_and(names)}."] if names else []
    return f"- **Without a season of a day.** {' '.join(told)}" if told else ""


def _tested(test: dict[str, Any]) -> tuple[str, str]:
    gap = f"{_signed(test['difference'])} ({_signed(test['low'])} to {_signed(test['high'])})"
    return gap, "<0.001" if test["p_holm"] < 0.001 else f"{test['p_holm']:.3f}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "\u2212" if value < 0 else "") + markdown.number(abs(value), 3)


def _share(found: dict[str, float], who: str) -> str:
    return f"{found[who] / found[BASE]:.2f}"


def _seconds(value: float) -> str:
    return "<0.01" if value < 0.01 else markdown.number(value, 3 if value >= 1 else 2)


def _whose(who: str) -> str:
    return who if who == BASE else f"{who}'s" if who in PEERS else f"that of our {who}"


def _number(count: int) -> str:
    return "none" if count == 0 else str(count)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _with_and(names: list[str]) -> str:
    """Return names of series, short of their cities."""
    short = [name.partition(",")[0] for name in names]
    return " and ".join([*filter(None, [", ".join(short[:-1])]), short[-1]])


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


if __name__ == "__main__":
    PAGE.write_text(text(json.loads(RECORD.read_text(encoding="utf-8"))), encoding="utf-8")
