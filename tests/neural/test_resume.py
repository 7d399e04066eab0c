"""A killed training goes on to the same weights, bit for bit; a folder of another training is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from citylib import seeds
from citylib.errors import ChecksumError, FitWarning, InputError
from citylib.neural import store
from citylib.neural.train import History, train
from tests.neural import killed


class Killed(BaseException):
    """Stands for a kill: nothing in the loop may catch it."""


CALLS = {"made": 0, "die_at": 0}  # not in what the loss closes over: that is held against what was kept


def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    CALLS["made"] += model.training
    if CALLS["made"] == CALLS["die_at"]:
        raise Killed
    return killed.square(model, x, y)


def run(folder: Path | None, *, die_at: int = 0, **changed: object) -> tuple[nn.Module, History]:
    CALLS.update(made=0, die_at=die_at)
    setting = killed.SETTING | changed
    model = killed.model()
    history = train(model, loss, killed.examples(), generator=seeds.torch_generator(5), keep=folder, **setting)  # type: ignore[arg-type]
    return model, history


@pytest.mark.parametrize("method", ["adam", "sgd"])
@pytest.mark.parametrize("die_at", [1, 3, 8, 17, 30])
def test_same_weights_bit_for_bit_wherever_it_is_killed(tmp_path: Path, die_at: int, method: str) -> None:
    whole, told = run(None, method=method)
    with pytest.raises(Killed):
        run(tmp_path / "kept", die_at=die_at, method=method)
    again, went = run(tmp_path / "kept", method=method)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))
    assert went == told


def test_killed_twice_and_called_once_more_after_the_end(tmp_path: Path) -> None:
    whole, told = run(None)
    for die_at in (9, 11):
        with pytest.raises(Killed):
            run(tmp_path, die_at=die_at)
    for _ in range(2):
        again, went = run(tmp_path)
        assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))
        assert went == told


def test_nothing_is_trained_after_the_end(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, die_at=1)


def test_stopped_by_patience_stays_stopped(tmp_path: Path) -> None:
    x, y = killed.examples()
    setting = {"validation": (x, -y), "patience": 2, "epochs": 50}
    _, told = run(None, **setting)
    assert told.stopped == "patience"
    with pytest.raises(Killed):
        run(tmp_path, die_at=8, **setting)
    assert run(tmp_path, **setting)[1] == told


def test_a_real_kill(tmp_path: Path) -> None:
    whole = killed.train_it(None)
    words = [sys.executable, "-m", "tests.neural.killed", str(tmp_path / "kept"), str(tmp_path / "weights")]
    place = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KILL_AT": "23"}
    assert subprocess.run(words, env=place, check=False, timeout=120).returncode == -signal.SIGKILL
    assert not (tmp_path / "weights").exists()
    assert (tmp_path / "kept" / store.MANIFEST).exists()
    place.pop("KILL_AT")
    subprocess.run(words, env=place, check=True, timeout=120)
    weights, _ = store.read(tmp_path / "weights")
    assert all(torch.equal(weights[k], v) for k, v in whole.state_dict().items())


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"rate": 0.02}, "rate was 0.03 there and is 0.02 here"),
        ({"batch": 8}, "batch was 10 there and is 8 here"),
        ({"method": "sgd"}, "method was 'adam' there and is 'sgd' here"),
        ({"validation": killed.examples()}, "validation data was None there"),
    ],
)
def test_another_training_is_refused(tmp_path: Path, changed: dict[str, object], what: str) -> None:
    run(tmp_path)
    with pytest.raises(InputError, match=f"keep must hold this training: {what}"):
        run(tmp_path, **changed)


def test_other_data_another_start_and_another_seed_are_refused(tmp_path: Path) -> None:
    x, y = killed.examples()
    told = {"keep": tmp_path, **killed.SETTING}
    train(killed.model(), killed.square, (x, y), generator=seeds.torch_generator(5), **told)  # type: ignore[arg-type]
    for model, data, seed, what in (
        (killed.model(), (x + 1, y), 5, "examples was"),
        (killed.model(1), (x, y), 5, "weights at the start was"),
        (killed.model(), (x, y), 6, "seed of the order was"),
    ):
        with pytest.raises(InputError, match=what):
            train(model, killed.square, data, generator=seeds.torch_generator(seed), **told)  # type: ignore[arg-type]


def test_a_broken_folder_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    path = tmp_path / store.MANIFEST
    about = json.loads(path.read_text())
    (tmp_path / about["weights"]["file"]).write_bytes(b"no")
    with pytest.raises(ChecksumError, match="is not the file its manifest speaks of"):
        run(tmp_path)
    path.write_text("{")
    with pytest.raises(InputError, match=r"hold a manifest\.json that can be read"):
        run(tmp_path)


def test_a_checkpoint_is_no_training(tmp_path: Path) -> None:
    store.write(tmp_path, {"a": torch.zeros(1)}, {"kind": "checkpoint"})
    with pytest.raises(InputError, match="keep must be a folder of a training that began"):
        run(tmp_path)


def test_a_training_that_broke_says_so_each_time(tmp_path: Path) -> None:
    x, y = killed.examples()
    for said in ("the loss is not finite in epoch 1", "ended in step 1, where its loss was not finite; it is not"):
        told = {"keep": tmp_path, "generator": seeds.torch_generator(5), **killed.SETTING}
        with pytest.warns(FitWarning, match=said):
            history = train(killed.model(), killed.square, (x * float("nan"), y), **told)  # type: ignore[arg-type]
        assert history.stopped == "not finite"


def test_what_a_kill_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    for name in (".weights-0123456789abcdef.safetensors.99", ".manifest.json.99"):
        (tmp_path / name).write_bytes(b"half")
    store.write(tmp_path, {"a": torch.zeros(1)}, {"kind": "test"})
    assert sorted(p.name.split("-")[0] for p in tmp_path.iterdir()) == ["manifest.json", "weights"]


def shifted(series: torch.Tensor, delta: float = 1.0):  # type: ignore[no-untyped-def]
    def loss(model: nn.Module, at: torch.Tensor) -> torch.Tensor:
        return delta * killed.square(model, series[at], series[at].sum(dim=1, keepdim=True))

    return loss


def test_another_series_behind_the_same_numbers_of_windows_is_refused(tmp_path: Path) -> None:
    series, _ = killed.examples()
    told = {"keep": tmp_path, **killed.SETTING}
    at = (torch.arange(len(series)),)
    train(killed.model(), shifted(series), at, generator=seeds.torch_generator(5), **told)  # type: ignore[arg-type]
    train(killed.model(), shifted(series.clone()), at, generator=seeds.torch_generator(5), **told)  # type: ignore[arg-type]
    for other in (shifted(series + 1), shifted(series, delta=2.0)):
        with pytest.raises(InputError, match="what the loss closes over was"):
            train(killed.model(), other, at, generator=seeds.torch_generator(5), **told)  # type: ignore[arg-type]


def test_a_model_built_otherwise_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    model = killed.model()
    model[2].p = 0.5
    told = {"keep": tmp_path, **killed.SETTING}
    with pytest.raises(InputError, match="how the model is built was"):
        train(model, loss, killed.examples(), generator=seeds.torch_generator(5), **told)  # type: ignore[arg-type]
    frozen = killed.model()
    frozen[0].requires_grad_(False)
    with pytest.raises(InputError, match="how the model is built was"):
        train(frozen, loss, killed.examples(), generator=seeds.torch_generator(5), **told)  # type: ignore[arg-type]
