"""Seals the kiosk's key in this machine's TPM 2.0 by tpm2-tools: the disk alone does not open it.

The TPM wraps under a primary key that it derives from its own seed and never gives away. The blobs that remain are
useless without this very TPM. The secret passes through pipes only: no file, no argument, no environment.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.errors import OutboxUnavailable

DEFAULT_TCTI = "device:/dev/tpmrm0"
TOOL_S = 20.0
"""A hardware TPM takes up to a second for each step; one that hangs must not hold the start for ever."""
_FREE = ("tpm2_flushcontext", "-t")
_PRIMARY = ("tpm2_createprimary", "-Q", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", "primary.ctx")
_OTHER_TPM = re.compile(r"integrity check failed|\(0x0*1df\)", re.IGNORECASE)
_NO_TPM = re.compile(r"\btcti\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Blobs:
    """What stays outside the TPM of something sealed in it."""

    public: bytes
    private: bytes = field(repr=False)
    """Encrypted by the TPM."""


def seal(secret: bytes, tcti: str = "") -> Blobs:
    """Seal up to 128 bytes. Blocks for some tool calls. Raises OutboxUnavailable saying what to mend."""
    with tempfile.TemporaryDirectory(prefix="suizhu-tpm-") as name:
        tools = _Tools(Path(name), tcti or DEFAULT_TCTI)
        tools.begin()
        tools.run("tpm2_create", "-Q", "-C", "primary.ctx", "-i", "-", "-u", "public", "-r", "private", given=secret)
        return Blobs((tools.folder / "public").read_bytes(), (tools.folder / "private").read_bytes())


def unseal(blobs: Blobs, tcti: str = "") -> bytes:
    """Return what was sealed. Blocks for some tool calls. Raises OutboxUnavailable: no tools, no TPM, another TPM."""
    with tempfile.TemporaryDirectory(prefix="suizhu-tpm-") as name:
        tools = _Tools(Path(name), tcti or DEFAULT_TCTI)
        (tools.folder / "public").write_bytes(blobs.public)
        (tools.folder / "private").write_bytes(blobs.private)
        tools.begin()
        tools.run("tpm2_load", "-Q", "-C", "primary.ctx", "-u", "public", "-r", "private", "-c", "key.ctx")
        return tools.run("tpm2_unseal", "-Q", "-c", "key.ctx")


@dataclass(frozen=True, slots=True)
class _Tools:
    """tpm2-tools in a folder of their own, mode 0700. The contexts they leave there are encrypted by the TPM."""

    folder: Path
    tcti: str

    def begin(self) -> None:
        """Derive the primary key, after freeing what a try that failed may have left loaded."""
        self._run(*_FREE)
        self.run(*_PRIMARY)

    def run(self, tool: str, *arguments: str, given: bytes = b"") -> bytes:
        """Run one tool, then free what it left loaded: without a resource manager a TPM holds three things."""
        told = self._run(tool, *arguments, given=given)
        self._run(*_FREE)
        return told

    def _run(self, tool: str, *arguments: str, given: bytes = b"") -> bytes:
        program = shutil.which(tool)
        if program is None:
            raise OutboxUnavailable(
                f"outbox key: {tool} is missing, and outbox.key_store is tpm. Fix: install the package tpm2-tools"
            )
        try:
            done = subprocess.run(
                [program, "-T", self.tcti, *arguments],
                input=given,
                capture_output=True,
                cwd=self.folder,
                timeout=TOOL_S,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise OutboxUnavailable(
                f"outbox key: the TPM at {self.tcti} did not answer {tool} in {TOOL_S:.0f} s. "
                "Fix: start the machine anew; if that does not help, its TPM is broken"
            ) from exc
        except OSError as exc:
            raise OutboxUnavailable(f"outbox key: {tool} cannot be run: {exc.strerror}") from exc
        if done.returncode:
            raise self._told(tool, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def _told(self, tool: str, said: str) -> OutboxUnavailable:
        if _NO_TPM.search(said):
            return OutboxUnavailable(
                f"outbox key: no TPM answers at {self.tcti}. Fix: switch it on in the firmware, let this user use "
                "/dev/tpmrm0 (group tss), or correct outbox.tpm_tcti. The key is not lost"
            )
        if _OTHER_TPM.search(said):
            return OutboxUnavailable(
                "outbox key: sealed by another TPM, or this one was cleared. Fix: put the disk back into its own "
                "machine; what waits cannot be read anywhere else"
            )
        errors = [line for line in said.splitlines() if line.startswith("ERROR") and "Unable to run" not in line]
        reason = errors[-1].removeprefix("ERROR").lstrip(": ")[:120] if errors else "no reason given"
        return OutboxUnavailable(f"outbox key: {tool} failed: {reason}")
