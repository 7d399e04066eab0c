"""Networks made small: pruning keeps what is heard, eight bits keep the forecast, files hold the same network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import compress, onnx_files
from citylib.neural.models.sensor_mlp import SensorMLP
from citylib.neural.sensor_forecast import huber
from citylib.neural.train import predict, train

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def told(count: int = 400) -> Inputs:
    draw = seeds.torch_generator(5)
    return torch.randn(count, 6, generator=draw), torch.arange(count) % 4, torch.arange(count) % 24


def network(hidden: tuple[int, ...] = (24, 12)) -> SensorMLP:
    """A network that was taught something, so that its head is not zero."""
    model = SensorMLP(6, 4, 24, 3, hidden=hidden, embedding=2, generator=seeds.torch_generator(0))
    x_BF, sensor_B, slot_B = told()
    y_BH = torch.stack([x_BF[:, 0] * x_BF[:, 1], x_BF[:, 2].abs(), sensor_B.float()], dim=1)
    order = seeds.torch_generator(1)
    train(model, huber(5.0), (x_BF, sensor_B, slot_B, y_BH), generator=order, epochs=60, batch=100)
    return model


MODEL, INPUTS = network(), told()
SAID = predict(MODEL, *INPUTS)


def test_units_that_nobody_hears_or_that_never_change_are_pruned_for_nothing() -> None:
    model = SensorMLP(6, 4, 24, 3, hidden=(5, 4), embedding=2, generator=seeds.torch_generator(2))
    with torch.no_grad():
        torch.nn.init.normal_(model.head.weight, generator=seeds.torch_generator(3))
        model.linears[1].weight[:, 1] = 0  # nobody hears unit 1 of the first layer
        model.linears[0].weight[3] = 0  # unit 3 never changes
        model.linears[0].bias[3] = 0.7
        model.head.weight[:, 2] = 0
    first, second = compress.importance(model, INPUTS)
    assert (first.argsort()[:2].sort().values.tolist(), second.argmin()) == ([1, 3], 2)
    small = compress.pruned(model, (3, 3), INPUTS)
    np.testing.assert_allclose(predict(small, *INPUTS), predict(model, *INPUTS), atol=1e-6)
    assert small.multiply_adds == 10 * 3 + 3 * 3 + 3 * 3


def test_pruning_changes_little_where_little_goes_and_leaves_the_network_alone() -> None:
    before = {name: value.clone() for name, value in MODEL.state_dict().items()}
    small = compress.pruned(MODEL, (20, 11), INPUTS)
    off = (predict(small, *INPUTS) - SAID).std() / SAID.std()
    worst = (predict(compress.pruned(MODEL, (2, 2), INPUTS), *INPUTS) - SAID).std() / SAID.std()
    assert float(off) < 0.25 < float(worst)
    assert all(torch.equal(before[name], value) for name, value in MODEL.state_dict().items())


def test_a_student_comes_close_to_its_teacher() -> None:
    small = compress.student(MODEL, (8,), generator=seeds.torch_generator(4))
    assert torch.equal(small.sensor.weight, MODEL.sensor.weight)
    examples = compress.taught(MODEL, (*INPUTS, torch.zeros(400, 3)))
    assert torch.equal(examples[4], SAID)
    train(
        small, compress.distilling(5.0, share=1.0), examples, generator=seeds.torch_generator(6), epochs=80, batch=100
    )
    assert float((predict(small, *INPUTS) - SAID).std() / SAID.std()) < 0.35


def test_the_file_holds_the_network(tmp_path: Path) -> None:
    content = onnx_files.plain(MODEL)
    assert content == onnx_files.plain(MODEL)
    (tmp_path / "model.onnx").write_bytes(content)
    runner = onnx_files.Runner(tmp_path / "model.onnx", batch=150)
    np.testing.assert_allclose(runner(*INPUTS), SAID, atol=1e-5)
    assert 4 * MODEL.parameters_held < len(content) < 4 * MODEL.parameters_held + 1500


def test_eight_bits_keep_the_forecast_in_a_fraction_of_the_bytes() -> None:
    big = SensorMLP(60, 200, 288, 3, generator=seeds.torch_generator(0))
    inputs = torch.randn(300, 60, generator=seeds.torch_generator(1)), torch.arange(300) % 200, torch.arange(300) % 288
    with torch.no_grad():
        big.head.weight.normal_(generator=seeds.torch_generator(2))
    small = onnx_files.eight_bits(big, inputs)
    said = predict(big, *inputs).numpy()
    assert float((onnx_files.Runner(small)(*inputs) - said).std() / said.std()) < 0.02
    assert len(onnx_files.plain(big)) / len(small) > 3.5


def test_eight_bits_of_one_example_do_not_depend_on_the_others() -> None:
    runner = onnx_files.Runner(onnx_files.eight_bits(MODEL, INPUTS))
    alone = np.concatenate([runner(*(one[k : k + 1] for one in INPUTS)) for k in range(20)])
    np.testing.assert_allclose(alone, runner(*(one[:20] for one in INPUTS)), atol=1e-5)  # but for the last rounding


def test_memory_counts_weights_and_two_layers() -> None:
    assert compress.memory(MODEL, 10) == 4 * (MODEL.parameters_held + 10 * (24 + 12))
    assert compress.memory(MODEL, 10, bits=8) * 4 == compress.memory(MODEL, 10)


def test_refusals() -> None:
    with pytest.raises(InputError, match="keep must name the units of 2 hidden layers"):
        compress.pruned(MODEL, (3,), INPUTS)
    with pytest.raises(InputError, match="keep must be at most 24"):
        compress.pruned(MODEL, (25, 3), INPUTS)
    with pytest.raises(InputError, match="content must be an ONNX file"):
        onnx_files.Runner(b"no file of this kind")
    with pytest.raises(InputError, match="share must"):
        compress.distilling(1.0, share=1.5)
