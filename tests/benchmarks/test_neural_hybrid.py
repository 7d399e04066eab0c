"""Rows of the hybrid's record: means and ranges over seeds, sources kept apart."""

from __future__ import annotations

from benchmarks import neural_hybrid


def scored(source: str, seed: int, rmse: float) -> dict[str, object]:
    one = dict.fromkeys(("rmse", "mae", "rmse_measured", "mae_measured"), rmse)
    return {"parameters": {"source": source, "seed": seed}, "scores": dict.fromkeys(neural_hybrid.SHOWN, one)}


def test_a_row_is_the_mean_and_the_range_of_a_sources_seeds() -> None:
    runs = [scored("traffic-metr-la", 0, 4.0), scored("traffic-metr-la", 1, 5.0)]
    found = neural_hybrid.report({"runs": [*runs, scored("traffic-scats-boroondara", 0, 16.0)]})
    assert len(found) == 2 * len(neural_hybrid.SHOWN)
    first, last = found[0], found[-1]
    assert (first["point"], first["seeds"], first["rmse"], first["rmse_range"]) == (
        "hybrid los-loop",
        2,
        4.5,
        [4.0, 5.0],
    )
    assert (last["point"], last["seeds"], last["mae"]) == ("hybrid Boroondara", 1, 16.0)
    assert neural_hybrid.report({"runs": []}) == []
