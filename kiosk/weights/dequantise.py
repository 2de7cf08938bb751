"""Turn a network whose weights are stored as 8-bit blocks into one that holds them as 32-bit floats.

OpenCV 5.0.0 reads such a network (opset 21, ``DequantizeLinear`` with a block size) but fails when it
runs. Each weight is one subtraction and one product of the stored numbers, so the result is exact
and its bytes are the same on every machine.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from kiosk.errors import ContractError

MAX_VALUES = 16_000_000


class NotFoldable(ContractError):
    """The network is not of the one form that is handled here."""


def fold(data: bytes) -> bytes:
    """Return the same network with plain float weights. Raises NotFoldable."""
    model = ModelProto.FromString(data)
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    folded: dict[str, NDArray[np.float32]] = {}
    kept: list[NodeProto] = []
    for node in graph.node:
        match node.op_type:
            case "DequantizeLinear":
                folded[node.output[0]] = _dequantise(node, stored)
            case "Reshape" if node.input[0] in folded:
                shape = numpy_helper.to_array(_stored(node.input[1], stored))
                folded[node.output[0]] = _reshape(folded.pop(node.input[0]), shape)
            case _:
                kept.append(node)
    _rewrite(graph, kept, stored, folded)
    return bytes(model.SerializeToString(deterministic=True))


def _dequantise(node: NodeProto, stored: dict[str, TensorProto]) -> NDArray[np.float32]:
    """Return ``(stored - zero point) · scale``, one scale for each block along the axis."""
    values, scales, zeros = (numpy_helper.to_array(_stored(name, stored)) for name in node.input)
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    if values.dtype != np.int8 or zeros.dtype != np.int8 or scales.dtype != np.float32 or values.size > MAX_VALUES:
        raise NotFoldable(f"{node.output[0]}: not 8-bit blocks with float scales")
    if not 0 <= axis < values.ndim or block < 1 or scales.shape != zeros.shape or scales.ndim != values.ndim:
        raise NotFoldable(f"{node.output[0]}: blocks of {block} along axis {axis} do not fit {values.shape}")
    blocks = math.ceil(values.shape[axis] / block)
    if scales.shape != (*values.shape[:axis], blocks, *values.shape[axis + 1 :]):
        raise NotFoldable(f"{node.output[0]}: {scales.shape} scales for {values.shape} values in blocks of {block}")
    spread = np.arange(values.shape[axis]) // block
    centred = values.astype(np.float32) - np.take(zeros, spread, axis).astype(np.float32)
    weights: NDArray[np.float32] = centred * np.take(scales, spread, axis)
    return weights


def _reshape(values: NDArray[np.float32], shape: NDArray[np.int64]) -> NDArray[np.float32]:
    if (shape <= 0).any() or math.prod(map(int, shape)) != values.size:
        raise NotFoldable(f"{values.shape} cannot take the shape {shape.tolist()}")
    return values.reshape(tuple(map(int, shape)))


def _stored(name: str, stored: dict[str, TensorProto]) -> TensorProto:
    if name not in stored:
        raise NotFoldable(f"{name} is computed, not stored")
    return stored[name]


def _rewrite(
    graph: GraphProto,
    nodes: list[NodeProto],
    stored: dict[str, TensorProto],
    folded: dict[str, NDArray[np.float32]],
) -> None:
    """Leave only what the remaining nodes take; the network's one true input is what nothing stores."""
    taken = {name for node in nodes for name in node.input}
    weights = [tensor for name, tensor in stored.items() if name in taken]
    weights += [
        helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.astype("<f4").tobytes(), raw=True)
        for name, values in folded.items()
        if name in taken
    ]
    inputs = [value for value in graph.input if value.name in taken and value.name not in stored]
    inputs = [value for value in inputs if value.name not in folded]
    if len(inputs) != 1:
        raise NotFoldable(f"{len(inputs)} inputs, not 1")
    for field, values in (("node", nodes), ("initializer", weights), ("input", inputs)):
        graph.ClearField(field)
        getattr(graph, field).extend(values)
    graph.ClearField("value_info")
