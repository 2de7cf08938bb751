"""Conversions give the pinned bytes, and run where they can do no harm."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from kiosk.weights import cache, convert, dequantise, minifasnet
from kiosk.weights.convert import ConversionFailed
from kiosk.weights.minifasnet import WrongTensors
from kiosk.weights.pickle_reader import Tensors
from tests.unit import torch_file

NETS = ("minifasnet_v2", "minifasnet_v1se")


def tensors_of(name: str) -> Tensors:
    """The tensors of a network as its publisher's file names and shapes them."""
    graph = onnx.load(cache.path(name)).graph
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return {
        f"module.{key}": np.array(value.ravel() if "prelu" in key else value, np.float32)
        for key, value in found.items()
    }


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", NETS)
def test_a_legacy_torch_file_becomes_the_pinned_network(name: str) -> None:
    file = torch_file.honest(tensors_of(name))
    result = convert.convert("minifasnet", file)
    assert hashlib.sha256(result).hexdigest() == cache.models()[name].sha256


@pytest.mark.parametrize("name", NETS)
def test_opencv_computes_what_the_graph_says(name: str) -> None:
    data = cache.path(name).read_bytes()
    image = np.random.default_rng(3).random((1, 3, 80, 80), np.float32) * 255
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    net.setInput(image)
    expected = ReferenceEvaluator(onnx.load_from_string(data)).run(None, {"input": image})
    assert isinstance(expected, list)
    np.testing.assert_allclose(net.forward(), expected[0], rtol=1e-3, atol=1e-3)


def test_a_tensor_too_many_or_too_few_is_refused() -> None:
    tensors = tensors_of("minifasnet_v2")
    with pytest.raises(WrongTensors, match="have no place"):
        minifasnet.to_onnx({**tensors, "module.extra.weight": np.ones(1, np.float32)})
    del tensors["module.prob.weight"]
    with pytest.raises(WrongTensors, match=r"prob\.weight is missing"):
        minifasnet.to_onnx(tensors)


def quantised(*, stored_scale: bool = True) -> tuple[bytes, np.ndarray]:  # type: ignore[type-arg]
    """A small network in the form of the published one, and the weights it means."""
    rng = np.random.default_rng(5)
    values = rng.integers(-128, 128, (4, 6), np.int8)
    scales, zeros = rng.random((4, 2), np.float32), rng.integers(-5, 5, (4, 2), np.int8)
    weights = (values.astype(np.float32) - np.repeat(zeros, 3, 1)) * np.repeat(scales, 3, 1)
    arrays = {"w_q": values, "w_z": zeros, "w_shape": np.array([4, 6, 1, 1], np.int64)}
    if stored_scale:
        arrays["w_s"] = scales
    nodes = [
        helper.make_node("DequantizeLinear", ["w_q", "w_s", "w_z"], ["w_d"], axis=1, block_size=3),
        helper.make_node("Reshape", ["w_d", "w_shape"], ["w"]),
        helper.make_node("Conv", ["data", "w"], ["out"], kernel_shape=[1, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 6, 5, 5])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4, 5, 5])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    return model.SerializeToString(), weights.reshape(4, 6, 1, 1)


@pytest.mark.timeout(60)
def test_8_bit_blocks_become_the_floats_they_stand_for() -> None:
    data, weights = quantised()
    folded = onnx.load_from_string(convert.convert("dequantise", data))
    assert [node.op_type for node in folded.graph.node] == ["Conv"]
    assert np.array_equal(numpy_helper.to_array(folded.graph.initializer[0]), weights)
    image = np.random.default_rng(6).random((1, 6, 5, 5), np.float32)
    before = ReferenceEvaluator(onnx.load_from_string(data)).run(None, {"data": image})
    after = ReferenceEvaluator(folded).run(None, {"data": image})
    assert isinstance(before, list)
    assert isinstance(after, list)
    np.testing.assert_allclose(after[0], before[0], rtol=1e-5, atol=1e-4)


def test_a_network_of_another_form_is_refused() -> None:
    with pytest.raises(dequantise.NotFoldable, match="computed"):
        dequantise.fold(quantised(stored_scale=False)[0])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("conversion", ["minifasnet", "dequantise"])
def test_noise_fails_in_the_child_with_one_line(conversion: convert.Conversion) -> None:
    with pytest.raises(ConversionFailed, match="the child ended with 1"):
        convert.convert(conversion, b"\x80\x02no such thing" * 50)


LIMITS = "from kiosk.weights.convert import give_up_everything as g; g();"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("", ""),
        ("open('/dev/null')", "Too many open files"),
        ("socket.socket()", "Too many open files"),
        ("bytearray(2 * 1024**3)", "MemoryError"),
    ],
    ids=["nothing", "file", "socket", "memory"],
)
def test_the_child_can_open_nothing_and_take_little(attempt: str, error: str) -> None:
    code = f"import socket; {LIMITS} {attempt}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (attempt == "")
    assert error in done.stderr


@pytest.mark.timeout(60)
def test_the_child_cannot_fill_the_disk(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        code = f"import sys; {LIMITS} sys.stdout.buffer.write(bytes(70 * 1024**2))"
        subprocess.run([sys.executable, "-c", code], stdout=out, stderr=subprocess.DEVNULL, check=False)
    assert (tmp_path / "out").stat().st_size == convert.MAX_RESULT_BYTES
