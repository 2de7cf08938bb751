"""The lint itself: quiet about our QML, loud about a slip."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import qmllint

SLIP = """import QtQuick
import Kiosk
import Kiosk.ViewModels

Rectangle {
    required property WelcomeViewModel viewModel

    color: Theme.%s
}
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("colour", "quiet"), [("paper", True), ("papier", False)])
def test_a_property_that_python_does_not_have_is_a_failure(tmp_path: Path, colour: str, *, quiet: bool) -> None:
    file = tmp_path / "Slip.qml"
    file.write_text(SLIP % colour, encoding="utf-8")
    assert (qmllint.lint([file]) == 0) is quiet


def test_every_qml_file_is_in_the_module() -> None:
    folder = qmllint.QML_DIR / "Kiosk"
    listed = (folder / "qmldir").read_text(encoding="utf-8")
    for path in folder.glob("*.qml"):
        assert f" {path.name}" in listed, path.name
