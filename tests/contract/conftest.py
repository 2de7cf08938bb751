"""What the tests of this room stand on: one sandbox a file, without a fault at the beginning of each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.sandbox.process import SandboxProcess
from tests.contract.sync_kit import Delivery, delivery
from tests.sandbox_kit import Device


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    """The file's sandbox, as the test before left it."""
    with SandboxProcess(latency_ms=0) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    yield running
    running.clear_faults()
    running.open_police()


@pytest.fixture
def device(sandbox: SandboxProcess) -> Iterator[Device]:
    """A kiosk that the police endpoint let in."""
    device = Device(sandbox.info)
    device.log_in()
    with device.session:
        yield device


@pytest.fixture
def line(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Delivery]:
    """An outbox that is being delivered to the sandbox."""
    with delivery(sandbox, tmp_path) as made:
        yield made
