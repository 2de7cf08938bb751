"""The folder that holds the fetched files, and the only way to a path in it.

A path is handed out only after the file's bytes were hashed in this process. The result is kept until
the file's size or time changes, so that asking twice costs nothing.
"""

from __future__ import annotations

import os
import stat
import tempfile
from enum import StrEnum
from functools import cache
from pathlib import Path

from kiosk.errors import ModelsMissing
from kiosk.weights import digest, manifest
from kiosk.weights.manifest import ModelFile

FINGERPRINT_DIGITS = 16


class State(StrEnum):
    """Of one file in the cache."""

    INSTALLED = "installed"
    ABSENT = "absent"
    DAMAGED = "damaged"


def folder() -> Path:
    """Where the files are: ``$SUIZHU_CACHE``, else ``$XDG_CACHE_HOME/suizhu``, else ``~/.cache/suizhu``."""
    own = os.environ.get("SUIZHU_CACHE")
    if own:
        return Path(own).absolute() / "models"
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared).absolute() if shared else Path.home() / ".cache") / "suizhu" / "models"


def path(name: str) -> Path:
    """Return the verified file of a model. Raises ModelsMissing; KeyError for a name that is not in the manifest."""
    model = models()[name]
    state = state_of(model)
    if state is not State.INSTALLED:
        raise ModelsMissing(f"{name}: {state} in {folder()}; run ./run models install")
    return place_of(model)


@cache
def models() -> dict[str, ModelFile]:
    """Every file of the repository's manifest, by name."""
    return manifest.load()


def place_of(model: ModelFile) -> Path:
    """Where the file belongs, whether it is there or not."""
    return folder() / model.file_name


def state_of(model: ModelFile) -> State:
    """Look at the file itself, and hash it when it changed since the last look."""
    place = place_of(model)
    try:
        info = place.stat()
    except OSError:
        return State.ABSENT
    if not stat.S_ISREG(info.st_mode):
        return State.DAMAGED
    found = _sha256(place, info.st_ino, info.st_size, info.st_mtime_ns)
    return State.INSTALLED if found == model.sha256 else State.DAMAGED


@cache
def _sha256(place: Path, _inode: int, _size_bytes: int, _changed_ns: int) -> str | None:
    """Hash a file, once for each version of it. None when it cannot be read."""
    try:
        return digest.sha256(place.read_bytes())
    except OSError:
        return None


def keep(model: ModelFile, data: bytes) -> None:
    """Put a file into the cache, whole or not at all. Raises HashMismatch, or OSError when the disk refuses."""
    digest.check(model.name, data, model.sha256)
    _write_whole(place_of(model), data)


def stamp() -> Path:
    """The empty file which says, without hashing anything, that all of this manifest was installed.

    ``./run`` looks for the same name: the first digits of the manifest's own hash.
    """
    return folder() / f".installed-{digest.sha256(manifest.MANIFEST.read_bytes())[:FINGERPRINT_DIGITS]}"


def set_stamp() -> None:
    """Say that everything is there."""
    _write_whole(stamp(), b"")


def make_folder() -> Path:
    """Make the cache's folder for its owner alone."""
    own = folder()
    own.mkdir(parents=True, exist_ok=True)
    own.chmod(0o700)
    return own


def _write_whole(place: Path, data: bytes) -> None:
    own = make_folder()
    handle, name = tempfile.mkstemp(prefix=".new-", dir=own)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(data)
            new.flush()
            os.fsync(new.fileno())
            os.fchmod(new.fileno(), 0o644)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
