"""Chapter timeseries/05: parts that are planted are found, shares add up, and no future is known, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from citylib import data

HYBRID = "timeseries/05_hybrid"
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / f"{HYBRID}.ipynb"
TINY = {"source": "synthetic:tiny", "stretch_days": 7, "number": 3, "history": 6, "hidden": 8, "epochs": 3}
OWN = {"stretch_days": 8, "stretches": 3, "number": 2, "history": 3, "hidden": 16, "season": "daily"}
WHOLE = "ARMA + neighbours + net"


def table(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(Path(ran["folder"]) / ran["tables"][name]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(HYBRID, **TINY, device="cpu")
    said, records = " ".join(ran["said"]), ran["records"]
    assert "nothing leaks" in said
    assert "Recursion and library agree." in said
    assert "No figures of others are shown" in said
    scores = table(ran, "scores").set_index("forecast")
    assert records["rmse"]["value"] == scores.loc[WHOLE, "rmse"]
    assert records["rmse"]["baseline"] == scores.loc["persistence", "rmse"]
    shares = table(ran, "contributions").pivot(index="part", columns="counted", values="taken_off")
    taken = 1 - (scores["rmse"] / scores.loc["persistence", "rmse"]) ** 2
    assert shares["mean over all orders"].sum() == pytest.approx(taken[WHOLE], abs=1e-9)
    for part, others in (("ARMA", "neighbours + net"), ("neighbours", "ARMA + net"), ("net", "ARMA + neighbours")):
        assert shares.loc[part, "alone"] == pytest.approx(taken[part], abs=1e-9)
        assert shares.loc[part, "on top of the others"] == pytest.approx(taken[WHOLE] - taken[others], abs=1e-9)
    assert table(ran, "stretches")["used_to"].tolist() == ["train the net"] * 3 + ["choose", "judge"]
    assert {"error_by_step", "contributions"} <= set(ran["figures"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(HYBRID, **TINY, device="cpu")
    assert "net_adds" in [p.get("name") for p in payloads]


def city(bent: bool, seed: int = 1) -> pd.DataFrame:
    """Eight counters that remember an hour: by a line, or by a wave of which a line sees nothing."""
    draw, hours, sensors = np.random.default_rng(seed), 24 * 50, 8
    z = np.zeros((hours, sensors))
    for t in range(1, hours):
        z[t] = (2 * np.cos(1.5 * z[t - 1]) if bent else 0.8 * z[t - 1]) + draw.standard_normal(sensors)
    frame = pd.DataFrame(100 + 10 * z.round(4), columns=[f"c{k}" for k in range(sensors)])
    return frame.assign(time=pd.date_range("2026-01-01", periods=hours, freq="h"))


def written(frame: pd.DataFrame, path: Path) -> str:
    long = frame.melt("time", var_name="sensor")
    number = long["sensor"].str[1:].astype(int)
    long.assign(latitude=52.0, longitude=4 + 0.01 * number).to_csv(path, index=False)
    return f"file:{path}"


@pytest.mark.parametrize("bent", [True, False])
def test_a_bend_needs_the_net_and_a_line_does_not(run_chapter: Callable[..., Any], tmp_path: Path, bent: bool) -> None:
    source = written(city(bent), tmp_path / "city.csv")
    ran = run_chapter(HYBRID, source=source, **OWN, horizon=1, rate=0.02, epochs=60, device="cpu")
    scores = table(ran, "scores").set_index("forecast")["rmse"]
    if bent:
        assert scores[WHOLE] < 13  # 10 is the noise
        assert scores["ARMA + neighbours"] > 16
        assert scores["ARMA + neighbours + linear"] > 16  # the same inputs: it is the layers that bend
        assert ran["records"]["net_adds"]["interval"][0] > 0
        assert "net" in ran["records"]["parts_to_run"]["value"]
    else:
        assert scores["ARMA"] < 10.6
        assert ran["records"]["parts_to_run"]["value"] == "ARMA"


def executed(source: str, until: str) -> dict[str, Any]:
    """Run the chapter's cells in this process, up to one of them; what they leave."""
    names: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
            if cell["id"] == "parameters":
                names |= {"source": source, **OWN, "epochs": 4, "device": "cpu"}
            if cell["id"] == until:
                return names
    raise AssertionError(until)


def test_no_future_is_known(tmp_path: Path) -> None:
    frame = city(bent=True)
    read = executed(written(frame, tmp_path / "read.csv"), "gathered")
    cut, columns = read["stop"], [c for c in frame if c != "time"]
    draw = np.random.default_rng(0)

    shuffled = frame.copy()  # (a) all after the cut shuffled: all that was fitted or chosen is the same, bit for bit
    shuffled.loc[cut:, columns] = draw.permutation(frame.loc[cut:, columns].to_numpy())
    again = executed(written(shuffled, tmp_path / "shuffled.csv"), "gathered")
    assert not np.array_equal(again["values"], read["values"])
    for end in read["arma"]:
        np.testing.assert_array_equal(again["arma"][end].parameters, read["arma"][end].parameters)
    np.testing.assert_array_equal(again["mended"].coefficients, read["mended"].coefficients)
    np.testing.assert_array_equal(again["fit"].coefficients, read["fit"].coefficients)
    for name in ("kind", "order", "best_epoch", "unit"):
        assert again[name] == read[name]
    assert {k: (c.lags, c.penalty) for k, c in again["chosen"].items()} == {
        k: (c.lags, c.penalty) for k, c in read["chosen"].items()
    }
    for name, net in read["nets"].items():
        for one, other in zip(net.state_dict().values(), again["nets"][name].state_dict().values(), strict=True):
            assert torch.equal(one, other)

    moment = read["origins"][60]  # (b) all after an origin shuffled: what is forecast there and before is the same
    later = frame.copy()
    later.loc[moment:, columns] = draw.permutation(frame.loc[moment:, columns].to_numpy())
    again = executed(written(later, tmp_path / "later.csv"), "gathered")
    for name, made in read["of"].items():
        np.testing.assert_allclose(again["of"][name][cut][:61], made[cut][:61], rtol=1e-6, err_msg=name)
        if name != "usual day":
            assert not np.allclose(again["of"][name][cut][61:], made[cut][61:])


def test_what_cannot_be_done_is_said(refused: Callable[..., str]) -> None:
    for given, words in (
        ({"stretch_days": 60}, "must leave a day before the stretches"),
        ({"cut": "2030-01-01"}, "must leave a day before the stretches"),
        ({"graph": "sensors"}, "graph must name a table of weights"),
        ({"block_hours": 300}, "block_hours must fit three times"),
    ):
        assert words in refused(HYBRID, **{**TINY, "device": "cpu", **given})


@pytest.mark.real
@pytest.mark.slow
def test_los_loop(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"variable": "speed_as_published", "measured": "speed", "graph": "adjacency_directed", "device": "cpu"}
    given |= {"stretch_days": 1, "season": "daily", "block_hours": 2}
    ran = run_chapter(HYBRID, source="traffic-metr-la", **given)
    records, scores = ran["records"], table(ran, "scores").set_index("forecast")
    y = data.load("traffic-metr-la").panel("speed_as_published").values
    at = np.arange(1612 + 12, 2016 - 3)
    assert records["origins"]["value"] == len(at) == 389
    missed = np.stack([y[at + h] - y[at - 1] for h in range(3)])
    assert scores.loc["persistence", "rmse"] == pytest.approx(np.sqrt((missed**2).mean()))
    assert scores.loc["persistence", "mae"] == pytest.approx(np.abs(missed).mean())
    assert scores.loc["ridge", "rmse"] == pytest.approx(5.051, rel=0.02)  # as measured elsewhere on these windows
    assert scores.loc["ridge + day", "rmse"] == pytest.approx(4.922, rel=0.02)
    assert scores.loc[WHOLE, "rmse"] < 4.9
    assert scores.loc[WHOLE, "mae"] < 2.8
    assert records["net_adds"]["interval"][0] > 0
    assert "its stored predictions err by 5.126" in " ".join(ran["said"])
    assert "nothing leaks" in " ".join(ran["said"])
