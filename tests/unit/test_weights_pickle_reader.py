"""A file of tensors is a program: only one that does nothing else is run."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.weights.pickle_reader import MAX_FILE_BYTES, UntrustedPickle, read_tensors
from tests.unit import torch_file as tf

ONES = {"0": np.ones(6, np.float32)}


def one(view: bytes, arrays: dict[str, np.ndarray] = ONES) -> bytes:  # type: ignore[type-arg]
    return tf.whole(tf.state({"w": view}), arrays)


def test_tensors_come_out_as_they_went_in() -> None:
    rng = np.random.default_rng(1)
    tensors = {"a.weight": rng.random((2, 3, 1, 1), np.float32), "a.bias": rng.random(5, np.float32)}
    found = read_tensors(tf.honest(tensors))
    assert found.keys() == tensors.keys()
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


def test_a_batch_counter_is_left_out() -> None:
    counter = tf.tensor("0", (1,), storage=tf.named("torch", "LongStorage"))
    data = tf.whole(tf.state({"w": counter}), {"0": np.zeros(2, np.float32)})
    data = data[:-16] + struct.pack("<qq", 1, 7)
    assert read_tensors(data) == {}


def test_a_program_in_the_file_is_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    call = tf.named("os", "mkdir") + b"(" + tf.text(str(witness)) + b"tR"
    with pytest.raises(UntrustedPickle, match=r"os\.mkdir"):
        read_tensors(one(call))
    assert not witness.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (os.name, "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("collections", "OrderedDict.fromkeys"),
        ("torch.os", "FloatStorage"),
    ],
)
def test_only_exact_names_are_known(module: str, name: str) -> None:
    with pytest.raises(UntrustedPickle, match="not allowed"):
        read_tensors(one(tf.named(module, name)))


@pytest.mark.parametrize(
    "opcodes",
    [
        tf.text("os") + tf.text("system") + b"\x93",  # STACK_GLOBAL: a name that no list of globals would show
        b"\x82\x01",  # EXT1
        b"(" + tf.named("collections", "OrderedDict") + b"o",  # OBJ
        b"(icollections\nOrderedDict\n",  # INST
        b"P0\n",  # PERSID
    ],
    ids=["stack_global", "ext1", "obj", "inst", "persid"],
)
def test_other_ways_to_a_name_are_refused(opcodes: bytes) -> None:
    with pytest.raises(UntrustedPickle):
        read_tensors(one(opcodes))


@pytest.mark.parametrize(
    "view",
    [
        tf.tensor("0", (7,), values=6),
        tf.tensor("0", (6,), offset=1),
        tf.tensor("0", (6,), offset=-1),
        tf.tensor("0", (6, 1_000_000), values=6),
        tf.tensor("0", (2, 3), stride=(0, 0)),
        tf.tensor("0", (2, 3), stride=(3,)),
        tf.tensor("0", (-2, -3), values=6),
        tf.tensor("0", (6,), values=2_000_000_000),
        tf.tensor("0", (6,), values=0),
        tf.tensor("1", (6,)),
        tf.text("no tensor"),
        tf.named("torch", "FloatStorage") + b")R",
        tf.named("torch._utils", "_rebuild_tensor_v2") + b")R",
        b"(" + tf.text("module") + b"tQ",
    ],
)
def test_sizes_that_do_not_add_up_are_refused(view: bytes) -> None:
    with pytest.raises(UntrustedPickle):
        read_tensors(one(view))


def test_a_memo_index_cannot_claim_gigabytes() -> None:
    with pytest.raises(UntrustedPickle, match="memo"):
        read_tensors(one(tf.text("x") + b"r\xff\xff\xff\x7f"))


def test_a_member_that_shadows_a_method_is_never_called() -> None:
    shadow = b"}" + tf.text("items") + tf.text("x") + b"s" + b"b"
    data = tf.whole(tf.state({"w": tf.tensor("0", (6,))}, after=shadow), ONES)
    assert list(read_tensors(data)) == ["w"]


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(UntrustedPickle, match="finite"):
        read_tensors(one(tf.tensor("0", (6,)), {"0": np.full(6, np.nan, np.float32)}))


def test_what_is_cut_off_or_added_is_refused() -> None:
    data = tf.honest({"w": np.ones(6, np.float32)})
    for length in range(0, len(data), 7):
        with pytest.raises(UntrustedPickle):
            read_tensors(data[:length])
    with pytest.raises(UntrustedPickle, match="after the last"):
        read_tensors(data + b"\0")


def test_another_magic_number_or_too_long_a_file_is_refused() -> None:
    with pytest.raises(UntrustedPickle, match="legacy"):
        read_tensors(tf.whole(tf.state({"w": tf.tensor("0", (6,))}), ONES, magic=1))
    with pytest.raises(UntrustedPickle, match="more than"):
        read_tensors(b"\0" * (MAX_FILE_BYTES + 1))


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(UntrustedPickle):
        read_tensors(data)


@given(st.integers(0, 100_000), st.integers(0, 255))
def test_one_changed_byte_gives_tensors_or_a_refusal_and_nothing_else(at: int, value: int) -> None:
    data = bytearray(tf.honest({"w": np.ones(6, np.float32)}))
    data[at % len(data)] = value
    with contextlib.suppress(UntrustedPickle):
        read_tensors(bytes(data))
