"""Write legacy torch files by hand, honest and hostile ones, without torch."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
SIZES = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def simple(value: object) -> bytes:
    return pickle.dumps(value, protocol=2)


def named(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    key: str,
    shape: tuple[int, ...],
    *,
    values: int | None = None,
    stride: tuple[int, ...] | None = None,
    offset: int = 0,
    storage: bytes = named("torch", "FloatStorage"),
) -> bytes:
    """Opcodes of one tensor: a view of the storage called ``key``."""
    count = int(np.prod(shape)) if values is None else values
    dense = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    persistent = b"(" + text("storage") + storage + text(key) + text("cpu") + number(count) + b"Nt" + b"Q"
    ordered = named("collections", "OrderedDict") + b")R"
    view = persistent + number(offset) + numbers(shape) + numbers(dense if stride is None else stride)
    return named("torch._utils", "_rebuild_tensor_v2") + b"(" + view + b"\x89" + ordered + b"t" + b"R"


def state(items: Mapping[str, bytes], after: bytes = b"") -> bytes:
    """The pickle of a state dict; ``after``: opcodes that see it on the stack."""
    pairs = b"".join(text(name) + value for name, value in items.items())
    return b"\x80\x02" + named("collections", "OrderedDict") + b")R(" + pairs + b"u" + after + b"."


def storages(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    return b"".join(struct.pack("<q", array.size) + array.tobytes() for array in arrays.values())


def whole(state_pickle: bytes, arrays: Mapping[str, NDArray[np.float32]], *, magic: int = MAGIC) -> bytes:
    """A file with this state dict and these storages by key."""
    return b"".join((simple(magic), simple(1001), simple(SIZES), state_pickle, simple(list(arrays)), storages(arrays)))


def honest(tensors: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A file as torch itself would write it, one storage for each tensor."""
    keys = {name: str(1000 + number) for number, name in enumerate(tensors)}
    items = {name: tensor(keys[name], value.shape) for name, value in tensors.items()}
    return whole(state(items), {keys[name]: np.ascontiguousarray(value) for name, value in tensors.items()})
