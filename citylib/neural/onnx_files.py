"""A `SensorMLP` as an ONNX file, in 32-bit numbers or in 8 bits, and run by ONNX Runtime on one thread.

The graph is written node by node, so that a file holds nothing but the model. With 8 bits a weight is a whole number
from -127 to 127 times a scale for each unit (for each number of an embedding). What enters a layer is 8 bits
too, from 0 to 255 between ends seen on training examples, so that the sums are those of whole numbers.

Legend: B examples, F numbers that describe one, D numbers in a layer, H steps ahead.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from citylib import checks
from citylib.errors import InputError
from citylib.neural.models.sensor_mlp import SensorMLP

__all__ = ["Runner", "eight_bits", "plain"]

FloatArray = npt.NDArray[np.float32]
OPSET = 21


def plain(model: SensorMLP) -> bytes:
    """Return the network as an ONNX file in 32-bit numbers.

    Parameters
    ----------
    model : SensorMLP
        Trained.

    Returns
    -------
    bytes
        With inputs x (B, F), sensor (B,), slot (B,) and output y (B, H).

    Examples
    --------
    >>> from citylib import seeds
    >>> model = SensorMLP(20, 5, 24, 3, hidden=(8,), generator=seeds.torch_generator(0))
    >>> inputs = torch.rand(7, 20), torch.arange(7) % 5, torch.arange(7)
    >>> bool(np.allclose(Runner(plain(model))(*inputs), model(*inputs).detach(), atol=1e-6))
    True
    """
    graph = _Graph()
    for name, table in (("sensor", model.sensor), ("slot", model.slot)):
        graph.node("Gather", graph.hold(f"{name}_table", _numbers(table.weight)), name, to=f"{name}_said")
    graph.node("Concat", "x", "sensor_said", "slot_said", to="said", axis=1)
    for k, layer in enumerate(model.linears):
        weight, bias = graph.hold(f"w{k}", _numbers(layer.weight).T), graph.hold(f"b{k}", _numbers(layer.bias))
        graph.layer(k, _entering(k), weight, bias, last=layer is model.head)
    return graph.file(model)


def eight_bits(model: SensorMLP, inputs: Sequence[torch.Tensor], *, tail: float = 1e-4) -> bytes:
    """Return the network as an ONNX file in 8 bits.

    Parameters
    ----------
    model : SensorMLP
        Trained.
    inputs : sequence of torch.Tensor
        x_BF, sensor_B, slot_B of training examples, between whose ends the 256 steps are laid.
    tail : float, default 1e-4
        Share of the numbers beyond each end; they are cut to it. Wider ends make the steps coarser.

    Returns
    -------
    bytes
        As `plain` does, with a fourth of the weight.

    References
    ----------
    Jacob, B. et al. (2018). Quantization and training of neural networks for efficient integer-arithmetic-only
    inference. CVPR 2018, 2704-2713.
    """
    tail = checks.fraction("tail", tail, closed=True)
    graph = _Graph()
    for name, table in (("sensor", model.sensor), ("slot", model.slot)):
        whole, scale = _whole(_numbers(table.weight))
        parts = graph.hold(f"{name}_table", whole), graph.hold(f"{name}_scale", scale)
        graph.node("Gather", parts[0], name, to=f"{name}_whole")
        graph.node("DequantizeLinear", f"{name}_whole", parts[1], to=f"{name}_said", axis=1)
    graph.node("Concat", "x", "sensor_said", "slot_said", to="said", axis=1)
    with torch.no_grad():
        ends = [_ends(_numbers(h_BD), tail) for h_BD in model.states(*inputs)]
    for k, (layer, (low, high)) in enumerate(zip(model.linears, ends, strict=True)):
        step = np.float32((high - low) / 255 or 1.0)
        zero = np.uint8(np.clip(np.rint(-low / step), 0, 255))
        whole, scale = _whole(_numbers(layer.weight).T)
        grid = graph.hold(f"step{k}", step), graph.hold(f"zero{k}", zero)
        graph.node("QuantizeLinear", _entering(k), *grid, to=f"in{k}_whole")
        graph.node("DequantizeLinear", f"in{k}_whole", *grid, to=f"in{k}")
        graph.back(f"w{k}", whole, scale, axis=1)
        bias = np.rint(_numbers(layer.bias) / (scale * step)).astype(np.int32)
        graph.back(f"b{k}", bias, (scale * step).astype(np.float32), axis=0)
        graph.layer(k, f"in{k}", f"w{k}", f"b{k}", last=layer is model.head)
    return graph.file(model)


class Runner:
    """An ONNX file of this module, run by ONNX Runtime on one thread of the CPU.

    Parameters
    ----------
    content : bytes or path
        The file, or where it is.
    batch : int, default 8192
        Examples at once.

    Raises
    ------
    InputError
        A file that is not of this module.
    """

    def __init__(self, content: bytes | str | os.PathLike[str], *, batch: int = 8192) -> None:
        self.batch = checks.integer("batch", batch, minimum=1)
        content = content if isinstance(content, bytes) else Path(content).read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # processors without VNNI cut sums of 8 bits that overflow 16, without a word; this adds them in full
        options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            found = [one.name for one in self.session.get_inputs()]
        except Exception as reason:
            raise InputError("content", "be an ONNX file", f"{len(content)} bytes", str(reason).split(":")[0]) from None
        if found != ["x", "sensor", "slot"]:
            raise InputError("content", "have the inputs x, sensor and slot", found)

    def __call__(self, *inputs: Any) -> FloatArray:
        """Return the forecasts, shape (B, H), for x_BF, sensor_B and slot_B."""
        arrays = [np.asarray(one) for one in inputs]
        parts = [self.run(*(a[k : k + self.batch] for a in arrays)) for k in range(0, len(arrays[0]), self.batch)]
        return np.concatenate(parts)

    def run(self, x_BF: FloatArray, sensor_B: npt.NDArray[np.int64], slot_B: npt.NDArray[np.int64]) -> FloatArray:
        """Return the forecasts of one batch as it is: what is timed."""
        told: FloatArray = self.session.run(None, {"x": x_BF, "sensor": sensor_B, "slot": slot_B})[0]
        return told


class _Graph:
    """Nodes and numbers of a file that is being written."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.held: list[onnx.TensorProto] = []

    def hold(self, name: str, numbers: npt.NDArray[Any] | np.generic) -> str:
        self.held.append(numpy_helper.from_array(np.asarray(numbers, order="C"), name))
        return name

    def node(self, what: str, *of: str, to: str, **more: Any) -> None:
        self.nodes.append(helper.make_node(what, list(of), [to], **more))

    def back(self, name: str, whole: npt.NDArray[Any], scale: FloatArray, *, axis: int) -> None:
        """Whole numbers times their scale; ONNX Runtime sums them as whole numbers only where zeros are named."""
        zero = self.hold(f"{name}_zero", np.zeros(scale.shape, whole.dtype))
        parts = self.hold(f"{name}_whole", whole), self.hold(f"{name}_scale", scale), zero
        self.node("DequantizeLinear", *parts, to=name, axis=axis)

    def layer(self, k: int, entering: str, weight: str, bias: str, *, last: bool) -> None:
        self.node("Gemm", entering, weight, bias, to="y" if last else f"sum{k}")
        if not last:
            self.node("Relu", f"sum{k}", to=f"h{k}")

    def file(self, model: SensorMLP) -> bytes:
        given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", model.inputs])]
        given += [helper.make_tensor_value_info(name, TensorProto.INT64, ["B"]) for name in ("sensor", "slot")]
        out = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", int(model.head.out_features)])]
        graph = helper.make_graph(self.nodes, "sensor_mlp", given, out, self.held)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(made)
        content: bytes = made.SerializeToString(deterministic=True)
        return content


def _entering(k: int) -> str:
    return f"h{k - 1}" if k else "said"


def _numbers(tensor: torch.Tensor) -> FloatArray:
    return tensor.detach().cpu().numpy().astype(np.float32)


def _whole(table: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Return whole numbers from -127 to 127 and a scale for each column."""
    largest = np.abs(table).max(axis=0)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return np.clip(np.rint(table / scale), -127, 127).astype(np.int8), scale


def _ends(numbers: FloatArray, tail: float) -> tuple[float, float]:
    """Return between which ends the numbers lie, zero among them."""
    low, high = np.quantile(numbers, [tail, 1 - tail])
    return min(float(low), 0.0), max(float(high), 0.0)
