"""A checkpoint comes back as it was, and one that does not fit is refused before the model is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from citylib import seeds
from citylib.errors import ChecksumError, InputError, UnknownNameError
from citylib.neural import checkpoint, store

ABOUT = {
    "config": {"hidden": 4, "rates": [0.1, 0.2]},
    "data": {"speeds.csv": "ab" * 32},
    "metrics": {"mae": 2.5},
    "sensors": ("a", "b", "north"),
    "channels": ("flow", "rain"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return checkpoint.save(tmp_path / "model", nn.Linear(2, 3), **ABOUT)  # type: ignore[arg-type]


def test_round_trip(tmp_path: Path) -> None:
    model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    checkpoint.save(tmp_path, model, **ABOUT)  # type: ignore[arg-type]
    found = checkpoint.load(tmp_path, other, **{k: v for k, v in ABOUT.items() if k != "metrics"})  # type: ignore[arg-type]
    assert torch.equal(model.weight, other.weight)
    assert found.metrics == {"mae": 2.5}
    assert found.sensors == ("a", "b", "north")
    assert found.versions["citylib"] == __import__("citylib").__version__
    assert {p.suffix for p in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_saved_again_it_is_replaced_whole(folder: Path) -> None:
    checkpoint.save(folder, nn.Linear(2, 3), **ABOUT)  # type: ignore[arg-type]
    assert len(list(folder.iterdir())) == 2
    checkpoint.load(folder, nn.Linear(2, 3))


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({"config": {"hidden": 5}}, InputError, "config must be that of the checkpoint, hidden = 4, got 5"),
        ({"config": {"depth": 1}}, InputError, "depth = None, got 1"),
        ({"data": {"speeds.csv": "cd" * 32}}, InputError, "data must be that of the checkpoint, speeds.csv"),
        ({"sensors": ["a", "nort"]}, UnknownNameError, "did you mean 'north'"),
        (
            {"sensors": ["a", "north", "b"]},
            InputError,
            "sensors must stand in the order of the fit, 'b' at 1, got 'north'",
        ),
        ({"sensors": ["a", "b"]}, InputError, "sensors must be all 3 of the fit, got \"2, without 'north'\""),
        ({"sensors": ["a", "b", "b"]}, InputError, "sensors must have no duplicates, got 'b'"),
        ({"sensors": ["a", "east"], "any_order": True}, UnknownNameError, "east"),
        ({"channels": ["rain", "flow"]}, InputError, r"channels must be \['flow', 'rain'\], in this order"),
        ({"channels": ["flow"]}, InputError, "in this order"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, told: dict[str, object], error: type, message: str) -> None:
    model = nn.Linear(2, 3)
    before = model.weight.detach().clone()
    with pytest.raises(error, match=message):
        checkpoint.load(folder, model, **told)  # type: ignore[arg-type]
    assert torch.equal(model.weight, before)


def test_a_model_that_treats_all_sensors_alike_takes_them_in_any_order(folder: Path) -> None:
    found = checkpoint.load(folder, nn.Linear(2, 3), sensors=["north", "a"], any_order=True)
    assert found == checkpoint.about(folder)
    assert found.sensors == ("a", "b", "north")


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sensors must have no duplicates, got 'a'"):
        checkpoint.save(tmp_path / "x", nn.Linear(2, 3), config={}, data={}, sensors=["a", "a"])
    with pytest.raises(InputError, match="channels must be named by text, got 1"):
        checkpoint.save(tmp_path / "x", nn.Linear(2, 3), config={}, data={}, channels=[1])  # type: ignore[list-item]
    checkpoint.save(tmp_path / "x", nn.Linear(2, 3), config={}, data={}, channels="flow")
    assert checkpoint.about(tmp_path / "x").channels == ("flow",)
    with pytest.raises(InputError, match="sensors must be left out: the model was fitted on sensors without names"):
        checkpoint.load(tmp_path / "x", nn.Linear(2, 3), sensors=["a"])


def test_another_model_or_shape_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"hold a checkpoint of torch\.nn\.modules\.container\.Sequential"):
        checkpoint.load(folder, nn.Sequential(nn.Linear(2, 3)))
    with pytest.raises(InputError, match=r"weights: bias is \(3,\) there, got \(4,\)"):
        checkpoint.load(folder, nn.Linear(2, 4))
    with pytest.raises(InputError, match=r"weights: bias is \(3,\) there, got 'none'"):
        checkpoint.load(folder, nn.Linear(2, 3, bias=False))


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.pkl", "model.ckpt", "model.bin"])
def test_pickles_are_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="pickles are not opened: they can run any code"):
        checkpoint.load(tmp_path / name, nn.Linear(2, 3))


def test_broken_folders(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        checkpoint.load(tmp_path / "nowhere", nn.Linear(2, 3))
    path = folder / store.MANIFEST
    about = json.loads(path.read_text())
    weights = folder / about["weights"]["file"]
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ChecksumError):
        checkpoint.load(folder, nn.Linear(2, 3))
    weights.unlink()
    with pytest.raises(InputError, match="hold the safetensors its manifest names"):
        checkpoint.load(folder, nn.Linear(2, 3))
    path.write_text(json.dumps(about | {"format": 99}))
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint of format 1, got .*format 99"):
        checkpoint.load(folder, nn.Linear(2, 3))
    path.write_text("[]")
    with pytest.raises(InputError, match="that can be read"):
        checkpoint.load(folder, nn.Linear(2, 3))


def test_a_manifest_cannot_point_outside_its_folder(folder: Path) -> None:
    path = folder / store.MANIFEST
    about = json.loads(path.read_text())
    (folder.parent / "outside.safetensors").write_bytes((folder / about["weights"]["file"]).read_bytes())
    about["weights"]["file"] = "../outside.safetensors"
    path.write_text(json.dumps(about))
    with pytest.raises(InputError, match="hold the safetensors its manifest names"):
        checkpoint.load(folder, nn.Linear(2, 3))


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    model = nn.Linear(2, 3)
    with torch.no_grad():
        model.bias[1] = float("nan")
    with pytest.raises(InputError, match="model must have weights that are all finite, got 'bias'"):
        checkpoint.save(tmp_path / "x", model, config={}, data={})
    assert not (tmp_path / "x").exists()
    with pytest.raises(InputError, match="config must hold what JSON can hold"):
        checkpoint.save(tmp_path / "x", nn.Linear(2, 3), config={"a": object()}, data={})


def test_a_model_of_the_same_shapes_that_computes_otherwise_is_refused(tmp_path: Path) -> None:
    from citylib.neural.models.mlp import MLP
    from citylib.neural.models.patch_transformer import PatchTransformer

    def heads(number: int) -> PatchTransformer:
        return PatchTransformer(4, 6, width=16, heads=number, layers=1, generator=seeds.torch_generator(0))

    def bent(bend: str) -> MLP:
        return MLP((3, 4, 1), generator=seeds.torch_generator(0), bend=bend)

    checkpoint.save(tmp_path / "heads", heads(2), config={}, data={})
    with pytest.raises(
        InputError, match=r"model must be built like the checkpoint's, blocks.0.attention.heads = 2, got 4"
    ):
        checkpoint.load(tmp_path / "heads", heads(4))
    checkpoint.load(tmp_path / "heads", heads(2))
    checkpoint.save(tmp_path / "bend", bent("tanh"), config={}, data={})
    with pytest.raises(InputError, match="model must be built like the checkpoint's, bend = 'tanh', got 'relu'"):
        checkpoint.load(tmp_path / "bend", bent("relu"))
    manifest = tmp_path / "bend" / "manifest.json"
    about = json.loads(manifest.read_text(encoding="utf-8"))
    del about["built"]
    manifest.write_text(json.dumps(about), encoding="utf-8")
    checkpoint.load(tmp_path / "bend", bent("tanh"))  # of a time before they were kept
