"""Read the tensors of a legacy torch file without torch and without trusting it.

Such a file is five pickles (magic number, version, sizes of types, the state dict, the list of
storage keys) and then the raw storages. A pickle is a program; so each one is first read as a list
of instructions, and refused unless every instruction and every global is on an exact list. Only then
is it run, and everything it says about sizes is checked against the bytes that are there.

Runs in a child process with little memory (see ``convert``): this file is one lock of two.
"""

from __future__ import annotations

import io
import math
import pickle  # the reason for all of the above
import pickletools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kiosk.errors import ContractError

Tensors: TypeAlias = dict[str, NDArray[np.float32]]

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_TENSORS = 1_000
MAX_TENSOR_VALUES = 1_000_000

_INSTRUCTIONS = frozenset({
    "PROTO", "STOP", "MARK", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "EMPTY_LIST",
    "SETITEM", "SETITEMS", "APPEND", "APPENDS", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "BINUNICODE",
    "BININT", "BININT1", "BININT2", "LONG1", "NEWTRUE", "NEWFALSE", "NONE", "GLOBAL", "REDUCE", "BINPERSID", "BUILD",
})  # fmt: skip
_STORAGES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class UntrustedPickle(ContractError):
    """The file asks for something a file of tensors does not need, or its sizes do not add up."""


@dataclass(frozen=True, slots=True)
class _StorageType:
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    values: int


@dataclass(frozen=True, slots=True)
class _View:
    """What a tensor is before the storages are read."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]


def read_tensors(data: bytes) -> Tensors:
    """Return the float tensors of a state dict by name. Raises UntrustedPickle."""
    if len(data) > MAX_FILE_BYTES:
        raise UntrustedPickle(f"{len(data)} bytes, more than {MAX_FILE_BYTES}")
    stream = io.BytesIO(data)
    try:
        magic, protocol, sizes, state, keys = [_load_one(stream) for _ in range(5)]
    except UntrustedPickle:
        raise
    except Exception as exc:  # bytes that are no such file may break the unpickler in any way
        raise UntrustedPickle(f"not a legacy torch file: {type(exc).__name__}: {exc}") from exc
    if magic != MAGIC or protocol != PROTOCOL or not isinstance(sizes, dict) or sizes.get("little_endian") is not True:
        raise UntrustedPickle("not a legacy torch file of protocol 1001, little-endian")
    views = _views(state)
    return _fill(views, _read_storages(stream, views, keys))


def _load_one(stream: io.BytesIO) -> object:
    start = stream.tell()
    for instruction, argument, _ in pickletools.genops(stream):
        if instruction.name not in _INSTRUCTIONS:
            raise UntrustedPickle(f"instruction {instruction.name} is not allowed")
        if instruction.name == "GLOBAL":
            _global(*str(argument).split(" ", 1))
        elif instruction.name == "LONG_BINPUT" and (not isinstance(argument, int) or argument > MAX_FILE_BYTES):
            raise UntrustedPickle("memo index out of bounds")  # the memo is an array: it would be as long as that
    return _Reader(io.BytesIO(stream.getvalue()[start : stream.tell()])).load()


def _global(module: str, name: str) -> object:
    """The exact allow-list."""
    match module, name:
        case "collections", "OrderedDict":
            return OrderedDict
        case "torch._utils", "_rebuild_tensor_v2":
            return _rebuild
        case "torch", ("FloatStorage" | "LongStorage") as storage:
            return _StorageType(_STORAGES[storage])
        case _:
            raise UntrustedPickle(f"global {module}.{name} is not allowed")


class _Reader(pickle.Unpickler):
    @override
    def find_class(self, module: str, name: str) -> object:
        return _global(module, name)

    @override
    def persistent_load(self, pid: object) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype), str(key), str(_), int(values), None):
                if not 0 < values <= MAX_TENSOR_VALUES:
                    raise UntrustedPickle(f"a storage of {values} values, more than {MAX_TENSOR_VALUES}")
                return _Storage(key, dtype, values)
            case _:
                raise UntrustedPickle("a persistent id that is no storage")


def _rebuild(storage: object, offset: object, shape: object, stride: object, _grad: object, _hooks: object) -> _View:
    match storage, offset, shape, stride:
        case _Storage(), int(offset), tuple(shape), tuple(stride) if all(type(n) is int and n > 0 for n in shape):
            pass
        case _:
            raise UntrustedPickle("a tensor that is no plain view of a storage")
    dense = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    # The stride along an axis of length 1 is never used, and torch writes anything there.
    if len(stride) != len(shape) or any(s != d for s, d, n in zip(stride, dense, shape, strict=True) if n > 1):
        raise UntrustedPickle("a tensor that is not dense")
    if offset < 0 or offset + math.prod(shape) > storage.values:
        raise UntrustedPickle("a tensor that reaches beyond its storage")
    return _View(storage, offset, shape)


def _views(state: object) -> dict[str, _View]:
    if not isinstance(state, OrderedDict) or not 0 < len(state) <= MAX_TENSORS:
        raise UntrustedPickle("no state dict, or too many tensors")
    for name, view in OrderedDict.items(state):  # BUILD may have given the object a member of that name
        if not isinstance(name, str) or not isinstance(view, _View):
            raise UntrustedPickle("a state dict that holds something else than tensors by name")
    return dict(state)


def _read_storages(stream: io.BytesIO, views: dict[str, _View], keys: object) -> dict[str, NDArray[Any]]:
    declared = {view.storage.key: view.storage for view in views.values()}
    if not isinstance(keys, list) or len(keys) != len(declared) or set(keys) != set(declared):
        raise UntrustedPickle("the storages listed are not the storages used")
    found: dict[str, NDArray[Any]] = {}
    for key in keys:
        storage = declared[key]
        length = int.from_bytes(stream.read(8), "little", signed=True)
        raw = stream.read(storage.values * storage.dtype.itemsize)
        if length != storage.values or len(raw) != storage.values * storage.dtype.itemsize:
            raise UntrustedPickle(f"a storage of {length} values where {storage.values} were declared, or cut off")
        found[key] = np.frombuffer(raw, storage.dtype)
    if stream.read(1):
        raise UntrustedPickle("bytes after the last storage")
    return found


def _fill(views: dict[str, _View], storages: dict[str, NDArray[Any]]) -> Tensors:
    tensors: Tensors = {}
    for name, view in views.items():
        if view.storage.dtype != np.dtype("<f4"):
            continue  # batch counters of the training, of no use here
        values = storages[view.storage.key][view.offset : view.offset + math.prod(view.shape)]
        if not np.isfinite(values).all():
            raise UntrustedPickle(f"{name} holds a value that is not finite")
        tensors[name] = values.reshape(view.shape)
    return tensors
