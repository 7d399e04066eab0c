"""Training on a GPU: refused with a clear word where there is none; what is measured is held on a CPU."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import neural_gpu, rows
from citylib.neural import devices

SMALL = {
    "history": 48, "horizon": 12, "patch": 6, "width": 8, "check_days": 5, "ratio": 0.5, "shape": "random",
    "tails": 0.5, "test_from": None, "sources": ["synthetic:tiny"], "source": "synthetic:tiny", "variable": None,
    "parts": [0.6, 0.75],
}  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_writes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(neural_gpu, "KEPT", tmp_path / "gpu.json")
    assert neural_gpu.main([]) == neural_gpu.NO_GPU
    assert not list(tmp_path.iterdir())
    words = [sys.executable, "-m", "benchmarks.neural_gpu"]
    done = subprocess.run(words, cwd=rows.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == neural_gpu.NO_GPU != 0
    assert "No CUDA device is there" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_plan_holds_both_chapters_and_what_they_are_built_from() -> None:
    for chapter in neural_gpu.CHAPTERS:
        given = neural_gpu.set_in(chapter)
        assert given["device"] == "cuda"
        assert {"history", "horizon", "patch", "width"} <= set(given)


@pytest.mark.parametrize("work", [neural_gpu.filling, neural_gpu.borrowing])
def test_speed_counts_examples(work: neural_gpu.Callable[..., neural_gpu.Work]) -> None:
    found = neural_gpu.speed(work(SMALL), devices.place("cpu"), 32, steps=3, warm=1)
    assert found["examples_per_second"] == pytest.approx(3 * 32 / found["seconds"])
    assert found["peak_memory_bytes"] is None
    assert all(0 < loss < 10 for loss in found["loss"])


def test_a_pass_that_ends_in_a_smaller_batch_is_not_counted_as_whole_batches() -> None:
    work = neural_gpu.borrowing(SMALL)
    work = dataclasses.replace(work, examples=tuple(part[:50] for part in work.examples))
    for batch, steps, seen in ((32, 5, 50 + 50 + 32), (64, 2, 100), (50, 2, 100)):
        found = neural_gpu.speed(work, devices.place("cpu"), batch, steps=steps, warm=1)
        assert found["examples_per_second"] * found["seconds"] == pytest.approx(seen)
