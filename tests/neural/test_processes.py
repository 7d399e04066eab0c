"""Two processes under torchrun train as one does; places that are not there are refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks import neural_processes
from benchmarks.rows import ROOT
from citylib.errors import InputError
from citylib.neural import devices


def test_two_gloo_processes_take_the_steps_of_one() -> None:
    raw = neural_processes.measure(quick=True)
    assert neural_processes.judge(raw).ok, neural_processes.judge(raw)


def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    here = devices.place("cpu", precision="64-true")
    assert (here.processes, here.rank, here.device) == (1, 0, torch.device("cpu"))
    assert float(here.sum(torch.ones(()))) == 1
    assert devices.of(nn.Linear(1, 1).double()).fabric.setup(nn.Linear(1, 1)).weight.dtype == torch.float64
    with pytest.raises(InputError, match="model must have weights to train, got 'Identity'"):
        devices.of(nn.Identity())
    with pytest.raises(InputError, match="precision must be one of"):
        devices.place("cpu", precision="8-bit")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="precision must be one the CPU can do, got '16-mixed'; use 'bf16-mixed'"):
        devices.place("cpu", precision="16-mixed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="device must be one that is there, got 'cuda'"):
        devices.place("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(InputError, match="--nproc-per-node must be at most the 1 GPUs, got 2"):
        devices.place("cuda")


def test_a_model_is_trained_on_the_gpu_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    class Fabric:
        def __init__(self, **told: object) -> None:
            asked.update(told)

        def launch(self) -> None:
            pass

    monkeypatch.setattr("lightning_fabric.Fabric", Fabric)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    model = nn.Linear(1, 1)
    weight = SimpleNamespace(dtype=torch.float32, device=torch.device("cuda:1"))
    monkeypatch.setattr(model, "parameters", lambda: iter([weight]))
    assert devices.of(model).precision == "32-true"
    assert (asked["accelerator"], asked["devices"]) == ("cuda", [1])


def test_bf16_trains_on_a_cpu() -> None:
    from citylib import seeds
    from citylib.neural.train import train
    from tests.neural import killed

    told = {"generator": seeds.torch_generator(0), "epochs": 2, "on": devices.place("cpu", precision="bf16-mixed")}
    history = train(killed.model(), killed.square, killed.examples(), **told)  # type: ignore[arg-type]
    assert history.train[1] < history.train[0]


def test_the_file_on_the_page_about_several_gpus_works_as_it_says(tmp_path: Path) -> None:
    page = (ROOT / "book" / "guide" / "several_gpus.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n# (train_city\.py\n.*?)```", page, flags=re.DOTALL)
    (tmp_path / "train_city.py").write_text("# " + script.replace("epochs=20", "epochs=3"), encoding="utf-8")
    place = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train_city.py"]
    done = subprocess.run(words, cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(\d) process\(es\), validation loss 0\.0\d+", done.stdout) == ["2"]
    assert (tmp_path / "model" / "manifest.json").exists()
    assert (tmp_path / "kept" / "manifest.json").exists()
