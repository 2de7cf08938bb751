"""Write the two PAD networks as ONNX graphs from their tensors, without torch.

The networks are MiniFASNetV2 and MiniFASNetV1SE of Minivision's Silent-Face-Anti-Spoofing (Apache-2.0).
Their files hold tensors only; the layers are these, in order, and widths and the places of the
squeeze-and-excitation blocks follow from the tensors that are there:

    80×80 BGR, 0..255
    conv1        3×3 /2          conv2_dw     3×3 depth-wise
    conv_23      bottleneck /2   conv_3       4 residual bottlenecks
    conv_34      bottleneck /2   conv_4       6 residual bottlenecks
    conv_45      bottleneck /2   conv_5       2 residual bottlenecks
    conv_6_sep   1×1             conv_6_dw    5×5 depth-wise, no activation
    linear → bn → prob           three logits; the second is live

Batch normalisation stays a node of its own: the result then holds the very floats of the file, and its
bytes are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from kiosk.errors import ContractError
from kiosk.weights.pickle_reader import Tensors

INPUT_PX = 80
OPSET = 17
IR_VERSION = 8
EPSILON = 1e-5
"""torch's default, which the networks were trained with."""

_RESIDUAL_BLOCKS = {"conv_3": 4, "conv_4": 6, "conv_5": 2}


class WrongTensors(ContractError):
    """The tensors are not those of a MiniFASNet."""


def to_onnx(tensors: Tensors) -> bytes:
    """Return the network as a serialised ONNX model. Raises WrongTensors.

    Every float tensor of the file must be used, once.
    """
    writer = _Writer({name.removeprefix("module."): tensor for name, tensor in tensors.items()})
    flow = writer.conv_block("input", "conv1", stride=2, padding=1)
    flow = writer.conv_block(flow, "conv2_dw", padding=1, depthwise=True)
    for down, residual in (("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5")):
        flow = writer.bottleneck(flow, down, stride=2)
        for block in range(_RESIDUAL_BLOCKS[residual]):
            flow = writer.residual(flow, f"{residual}.model.{block}")
    flow = writer.conv_block(flow, "conv_6_sep")
    flow = writer.conv_block(flow, "conv_6_dw", depthwise=True)
    flow = writer.node("Flatten", [flow], "flat")
    flow = writer.linear(flow, "linear")
    flow = writer.batch_norm(flow, "bn")
    writer.linear(flow, "prob", output="logits")
    return writer.model()


class _Writer:
    """Collects nodes in order, and the tensors they take."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._nodes: list[NodeProto] = []
        self._initializers: list[TensorProto] = []
        self._used: set[str] = set()

    def node(self, kind: str, inputs: list[str], output: str, **attributes: float | Sequence[int]) -> str:
        node = helper.make_node(kind, inputs, [output], name=output)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        self._nodes.append(node)
        return output

    def conv_block(self, flow: str, name: str, *, stride: int = 1, padding: int = 0, depthwise: bool = False) -> str:
        """Convolution, normalisation, and the activation where the file has one."""
        flow = self.conv(flow, f"{name}.conv", stride=stride, padding=padding, depthwise=depthwise)
        flow = self.batch_norm(flow, f"{name}.bn")
        slope = f"{name}.prelu.weight"
        if slope not in self._tensors:
            return flow
        return self.node("PRelu", [flow, self._take(slope, (-1, 1, 1))], f"{name}.prelu")

    def conv(self, flow: str, name: str, *, stride: int = 1, padding: int = 0, depthwise: bool = False) -> str:
        weight = self._get(f"{name}.weight")
        if weight.ndim != 4:
            raise WrongTensors(f"{name}.weight has {weight.ndim} axes, not 4")
        return self.node(
            "Conv",
            [flow, self._take(f"{name}.weight")],
            name,
            kernel_shape=weight.shape[2:],
            strides=[stride, stride],
            pads=[padding] * 4,
            group=weight.shape[0] if depthwise else 1,
        )

    def batch_norm(self, flow: str, name: str) -> str:
        inputs = [self._take(f"{name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        return self.node("BatchNormalization", [flow, *inputs], name, epsilon=EPSILON)

    def linear(self, flow: str, name: str, output: str | None = None) -> str:
        return self.node("Gemm", [flow, self._take(f"{name}.weight")], output or name, transB=1)

    def bottleneck(self, flow: str, name: str, stride: int = 1) -> str:
        """Widen by 1×1, filter each channel by 3×3, narrow by 1×1."""
        flow = self.conv_block(flow, f"{name}.conv")
        flow = self.conv_block(flow, f"{name}.conv_dw", stride=stride, padding=1, depthwise=True)
        return self.conv_block(flow, f"{name}.project")

    def residual(self, flow: str, name: str) -> str:
        inner = self.bottleneck(flow, name)
        if f"{name}.se_module.fc1.weight" in self._tensors:
            inner = self._squeeze(inner, f"{name}.se_module")
        return self.node("Add", [flow, inner], f"{name}.sum")

    def _squeeze(self, flow: str, name: str) -> str:
        """Scale each channel by a gate computed from all channels' means."""
        gate = self.node("GlobalAveragePool", [flow], f"{name}.mean")
        gate = self.batch_norm(self.conv(gate, f"{name}.fc1"), f"{name}.bn1")
        gate = self.node("Relu", [gate], f"{name}.relu")
        gate = self.batch_norm(self.conv(gate, f"{name}.fc2"), f"{name}.bn2")
        gate = self.node("Sigmoid", [gate], f"{name}.gate")
        return self.node("Mul", [flow, gate], f"{name}.scaled")

    def model(self) -> bytes:
        if unused := self._tensors.keys() - self._used:
            raise WrongTensors(f"{len(unused)} tensors have no place in the network, {min(unused)} among them")
        graph: GraphProto = helper.make_graph(
            self._nodes,
            "minifasnet",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, INPUT_PX, INPUT_PX])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
            self._initializers,
        )
        model: ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        return bytes(model.SerializeToString(deterministic=True))

    def _get(self, name: str) -> NDArray[np.float32]:
        if name not in self._tensors:
            raise WrongTensors(f"{name} is missing")
        return self._tensors[name]

    def _take(self, name: str, shape: tuple[int, ...] | None = None) -> str:
        tensor = self._get(name)
        if name in self._used:
            raise WrongTensors(f"{name} is used twice")
        self._used.add(name)
        tensor = tensor if shape is None else tensor.reshape(shape)
        raw = np.ascontiguousarray(tensor, "<f4").tobytes()
        self._initializers.append(helper.make_tensor(name, TensorProto.FLOAT, tensor.shape, raw, raw=True))
        return name
