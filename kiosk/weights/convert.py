"""Convert a fetched file into one that OpenCV runs, in a child process that can do nothing else.

The child is this module run as a program: file on stdin, result on stdout. Before it reads a byte it
gives up opening files and sockets, starting processes, and more than a little memory and time. The
parent trusts nothing it says: the result's hash is pinned.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from kiosk.errors import ContractError
from kiosk.weights.manifest import Conversion

MAX_MEMORY_BYTES = 1024 * 1024 * 1024
MAX_RESULT_BYTES = 64 * 1024 * 1024
MAX_CPU_S = 60
TIMEOUT_S = 120
MAX_COMPLAINT = 500


class ConversionFailed(ContractError):
    """The file could not be converted; the same bytes cannot help."""


def convert(conversion: Conversion, data: bytes) -> bytes:
    """Return the converted file. Blocks up to 2 minutes; raises ConversionFailed.

    The result is not to be used before its hash was checked.
    """
    if conversion == "none":
        return data
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as talk:
        source.write(data)
        source.seek(0)
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-B", "-m", "kiosk.weights.convert", conversion],
                stdin=source,
                stdout=result,
                stderr=talk,
                timeout=TIMEOUT_S,
                env={"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise ConversionFailed(f"{conversion}: not done within {TIMEOUT_S} s") from exc
        if done.returncode != 0:
            talk.seek(0)
            complaint = talk.read().decode("utf-8", "replace").strip()[-MAX_COMPLAINT:]
            raise ConversionFailed(f"{conversion}: the child ended with {done.returncode}: {complaint}")
        result.seek(0)
        return result.read(MAX_RESULT_BYTES)


def give_up_everything() -> None:
    """Forbid this process new files and sockets, children, dumps, and more memory, output and time than needed."""
    for limit, value in (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, MAX_RESULT_BYTES),
        (resource.RLIMIT_CPU, MAX_CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(limit, (value, value))


def child(conversion: str) -> int:
    """Convert stdin to stdout. Everything is imported before the limits are set: afterwards nothing can be opened."""
    from kiosk.weights import dequantise, minifasnet, pickle_reader

    give_up_everything()
    data = sys.stdin.buffer.read()
    try:
        match conversion:
            case "dequantise":
                result = dequantise.fold(data)
            case "minifasnet":
                result = minifasnet.to_onnx(pickle_reader.read_tensors(data))
            case _:
                raise ConversionFailed(f"unknown conversion {conversion!r}")
    except Exception as error:  # the parent needs one line, whatever a hostile file brings about
        os.write(2, f"{type(error).__name__}: {error}".encode())
        return 1
    sys.stdout.buffer.write(result)
    return 0


if __name__ == "__main__":
    sys.exit(child(sys.argv[1]))
