"""The sandbox's e-ID codes, read by the kiosk with nothing but the issuer's pinned keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.config import Config, CredentialsSection
from kiosk.credentials.recognise import recognise
from kiosk.identity import portraits
from kiosk.identity.resolvers import Resolvers
from kiosk.model import Consent, Identity, Reason, Refusal, ScannedCode
from kiosk.sandbox.credentials import FAULTS
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.process import SandboxProcess
from kiosk.state import StateStore

pytestmark = pytest.mark.timeout(60)

CONSENT = Consent("c-1", "identity", "1", "zh-CN", "0" * 64, datetime.now(UTC))
EXPECTED = {
    "forged": Reason.CODE_FORGED,
    "altered": Reason.CODE_FORGED,
    "wrong_issuer": Reason.CODE_FORGED,
    "unknown_algorithm": Reason.CODE_FORGED,
    "expired": Reason.CODE_EXPIRED,
    "not_yet_valid": Reason.CODE_NOT_YET_VALID,
    "bomb": Reason.CODE_BROKEN,
}


@pytest.fixture
def resolvers(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Resolvers]:
    credentials = CredentialsSection(formats=("claim169",), issuer_keys_dir=sandbox.info.issuer_keys_dir)
    state = StateStore(tmp_path / "state.db")
    yield Resolvers(Config(credentials=credentials), state, lambda: datetime.now(UTC))
    state.close()


def read(resolvers: Resolvers, payload: bytes) -> Identity | Refusal:
    code = recognise(payload, config=CredentialsSection())
    assert isinstance(code, ScannedCode)
    return resolvers.resolve(code, CONSENT, 1)


@pytest.mark.parametrize(("person", "has_portrait"), [("zhou", True), ("qian", False)], ids=["EdDSA", "ES256"])
def test_a_genuine_code_says_who_its_holder_is(
    sandbox: SandboxProcess, resolvers: Resolvers, person: str, has_portrait: bool
) -> None:
    guest, known = read(resolvers, sandbox.issue_claim169(person)), PEOPLE[person]
    assert isinstance(guest, Identity)
    assert (guest.name, guest.id_number, guest.birth_date) == (known.name, known.id_number, known.birth_date)
    assert (guest.sex, guest.address, guest.nationality) == (known.sex, known.address, "CHN")
    assert (guest.ethnicity, guest.household_province) == (None, None)
    assert (guest.portrait is not None and portraits.usable(guest.portrait)) == has_portrait


@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoiled_code_is_refused_for_what_it_is(sandbox: SandboxProcess, resolvers: Resolvers, fault: str) -> None:
    assert read(resolvers, sandbox.issue_claim169("zhou", fault=fault)) == Refusal(EXPECTED[fault])
