"""Two processes under torchrun train as one does; places that are not there are refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks import neural_processes
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


def test_bf16_trains_on_a_cpu() -> None:
    from citylib import seeds
    from citylib.neural.train import train
    from tests.neural import killed

    told = {"generator": seeds.torch_generator(0), "epochs": 2, "on": devices.place("cpu", precision="bf16-mixed")}
    history = train(killed.model(), killed.square, killed.examples(), **told)  # type: ignore[arg-type]
    assert history.train[1] < history.train[0]
