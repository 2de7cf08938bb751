"""``./run check``: locks pin every package by hash and name no host; no file names a registry or one machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")
HOSTS = re.compile(r"py[p]i\.o[r]g|pythonho[s]ted|deb\.debia[n]\.org|registry\.npmj[s]|/(?:ro[o]t|wor[k])/")
"""Written so that this file does not match itself."""
LARGEST_BYTES = 1_000_000


def faults_of_lock(name: str, text: str) -> list[str]:
    """Return what is wrong with one lock file."""
    found = [f"{name}: names a URL: {url}" for url in re.findall(r"https?://\S+", text)]
    lines = text.replace("\\\n", " ").splitlines()
    pins = [line for line in lines if line and not line.lstrip().startswith(("#", "--"))]
    found += [f"{name}: not pinned by hash: {line.split()[0]}" for line in pins if "--hash=sha256:" not in line]
    if not pins:
        found.append(f"{name}: pins nothing")
    return found


def tracked() -> list[Path]:
    """Return every file that git knows, or would add; without git (a tarball), every file outside hidden folders."""
    if shutil.which("git") is None:
        return [
            path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.parts[len(ROOT.parts) :])
        ]
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name]


def main() -> int:
    """Print every fault; 0 when there is none."""
    found: list[str] = []
    for name in LOCKS:
        found += faults_of_lock(name, (ROOT / name).read_text(encoding="utf-8"))
    for path in tracked():
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: names {match}" for match in sorted(set(HOSTS.findall(text)))]
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
