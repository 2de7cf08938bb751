"""Lints every QML file with the types that our Python registers; any warning is a failure.

qmllint knows a Python type only from a .qmltypes file, so one is made anew for each run, in the ignored /.qmllint.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import PySide6

ROOT = Path(__file__).resolve().parent.parent
QML_DIR = ROOT / "ui" / "screen" / "qml"
TYPES_DIR = ROOT / ".qmllint"
MODULE = "Kiosk.ViewModels"
QMLDIR = f"module {MODULE}\ntypeinfo kiosk.qmltypes\nimport QtQuick\ndepends QtQuick\n"
FOREIGN = ("core", "gui", "qml", "quick")
"""Qt modules whose types ours are made of."""


def main() -> int:
    """Exit 0 only if qmllint has nothing to say."""
    return lint(sorted(QML_DIR.rglob("*.qml")))


def lint(files: Iterable[Path]) -> int:
    """Return qmllint's exit status for QML files."""
    write_types(TYPES_DIR)
    options = ["-W", "0", "--ignore-settings", "-I", str(TYPES_DIR), "-I", str(QML_DIR)]
    return _run("qmllint", *options, *(str(path.resolve()) for path in files), check=False)


def write_types(folder: Path) -> None:
    """Describe what Python registers for QML, where qmllint looks for a module."""
    home = folder / MODULE.replace(".", "/")
    home.mkdir(parents=True, exist_ok=True)
    sources = [path for path in (ROOT / "ui").rglob("*.py") if "\nQML_IMPORT_NAME" in path.read_text(encoding="utf-8")]
    described = folder / "metatypes.json"
    _run("metaobjectdump", "--quiet", "-o", str(described), *(str(path) for path in sorted(sources)))
    metatypes = Path(PySide6.__file__).parent / "Qt" / "metatypes"
    foreign = ",".join(str(metatypes / f"qt6{name}_metatypes.json") for name in FOREIGN)
    names = ["--import-name", MODULE, "--major-version", "1", "--minor-version", "0", "--foreign-types", foreign]
    outputs = ["--generate-qmltypes", str(home / "kiosk.qmltypes"), "-o", str(folder / "unused.cpp")]
    _run("qmltyperegistrar", *names, *outputs, str(described))
    (home / "qmldir").write_text(QMLDIR, encoding="utf-8")


def _run(tool: str, *arguments: str, check: bool = True) -> int:
    command = [str(Path(sys.executable).with_name(f"pyside6-{tool}")), *arguments]
    return subprocess.run(command, check=check, timeout=120).returncode


if __name__ == "__main__":
    sys.exit(main())
