"""The Suishen resolver against the sandbox's gateway, over real TLS: who it is, what is refused, what is never kept."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import Config, CredentialsSection, GatewaySection
from kiosk.errors import GatewayNonsense, GatewayUnavailable
from kiosk.identity import portraits
from kiosk.identity.resolvers import Resolvers
from kiosk.model import Consent, Identity, Reason, Refusal, ScannedCode
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.process import SandboxProcess
from kiosk.state import StateStore
from tests.contract.scripted import Scripted

pytestmark = pytest.mark.timeout(90)

CONSENT = Consent("c-identity", "identity", "1", "zh-CN", "1" * 64, datetime.now(UTC))
FACE_CONSENT = Consent("c-face", "face", "1", "zh-CN", "2" * 64, datetime.now(UTC))
LIN = PEOPLE["lin"]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateStore]:
    store = StateStore(tmp_path / "state.db")
    yield store
    store.close()


class Door:
    """Resolvers of a kiosk that talks to the sandbox."""

    def __init__(
        self, sandbox: SandboxProcess, state: StateStore, *, site: dict[str, Any] | None = None, **gateway: Any
    ) -> None:
        info = sandbox.info
        section = GatewaySection(
            url=info.gateway_url,
            ca_file=info.ca_file,
            client_cert_file=info.client_cert_file,
            client_key_file=info.client_key_file,
            **{"timeout_s": 1, **gateway},
        )
        credentials = CredentialsSection(
            suishen_hosts=(info.suishen_host,), issuer_keys_dir=info.issuer_keys_dir, **(site or {})
        )
        self.clock = now
        self.resolvers = Resolvers(Config(gateway=section, credentials=credentials), state, lambda: self.clock())
        self.sandbox = sandbox

    def resolve(self, code: bytes, visit: int = 1) -> Identity | Refusal:
        return self.resolvers.resolve(ScannedCode("suishen", code), CONSENT, visit)

    def reading(self, person: str) -> Identity | Refusal:
        return self.resolve(self.sandbox.issue_suishen(person))


@pytest.fixture
def door(sandbox: SandboxProcess, state: StateStore) -> Iterator[Door]:
    opened = Door(sandbox, state)
    yield opened
    opened.resolvers.close()


def known(key: str) -> Identity:
    """Return all that a kiosk may know of an invented person, but for the one-time ticket."""
    person = PEOPLE[key]
    return Identity(
        "suishen", person.name, person.id_number, person.birth_date, person.sex, "CHN",
        person.ethnicity, person.address, person.household_province,
    )  # fmt: skip


def test_a_code_becomes_a_person_in_three_calls(door: Door) -> None:
    guest = door.reading("shen")
    assert isinstance(guest, Identity)
    assert guest.portrait_ticket
    assert replace(guest, portrait_ticket=None) == known("shen")


def test_place_purpose_and_consent_are_told_to_the_gateway(door: Door) -> None:
    door.reading("lin")
    with sqlite3.connect(door.sandbox.info.run_dir / "gateway.db") as database:
        (row,) = database.execute(
            "SELECT place, purpose, organisation, machine, consent FROM code ORDER BY used_at DESC LIMIT 1"
        ).fetchall()
    database.close()
    assert row == ("hotel-front-desk", "hotel-check-in", "suizhu-demo-hotel", "demo-01", "c-identity")


def test_what_the_reply_lacks_stays_open(door: Door) -> None:
    without_ethnicity, without_address = door.reading("lin"), door.reading("noaddress")
    assert isinstance(without_ethnicity, Identity)
    assert isinstance(without_address, Identity)
    assert without_ethnicity.ethnicity is None
    assert without_address.address is None
    assert without_address.household_province == "33"  # the number begins with 11: people move


@pytest.mark.parametrize(("person", "reason"), [("gd", Reason.OUT_OF_REGION), ("outside", Reason.OUT_OF_REGION)])
def test_the_household_decides_the_region(door: Door, person: str, reason: Reason) -> None:
    assert door.reading(person) == Refusal(reason)


@pytest.mark.parametrize(("accepted", "is_refused"), [("all", False), (("44",), True)])
def test_the_settings_name_the_regions(
    sandbox: SandboxProcess, state: StateStore, accepted: Any, is_refused: bool
) -> None:
    door = Door(sandbox, state, site={"accepted_provinces": accepted})
    assert isinstance(door.reading("gd"), Identity)
    assert (door.reading("shen") == Refusal(Reason.OUT_OF_REGION)) is is_refused
    door.resolvers.close()


def test_a_mark_in_a_reply_ends_in_the_adapter(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="kiosk"):
        marked = door.reading("marked")
    assert isinstance(marked, Identity)
    assert replace(marked, portrait_ticket=None) == known("marked")
    assert caplog.text == ""


def test_a_code_that_was_answered_counts_for_no_other_visit(door: Door, state: StateStore) -> None:
    code = door.sandbox.issue_suishen("lin")
    assert isinstance(door.resolve(code, visit=7), Identity)
    door.sandbox.fault("gateway_timeout")  # so that an answer proves that nobody was asked
    assert door.resolve(code, visit=8) == Refusal(Reason.CODE_REPLAYED)
    another_run = Door(door.sandbox, state)
    assert another_run.resolve(code, visit=8) == Refusal(Reason.CODE_REPLAYED)
    another_run.resolvers.close()


def test_a_replay_is_remembered_for_a_day(door: Door) -> None:
    code = door.sandbox.issue_suishen("lin")
    assert isinstance(door.resolve(code, visit=7), Identity)
    for hours, asked in ((23, False), (25, True)):
        door.clock = lambda hours=hours: now() + timedelta(hours=hours)
        door.sandbox.fault("gateway_error", status=503)
        if asked:
            with pytest.raises(GatewayUnavailable):
                door.resolve(code, visit=9)
        else:
            assert door.resolve(code, visit=9) == Refusal(Reason.CODE_REPLAYED)


def test_the_settings_say_how_long_a_code_is_remembered(sandbox: SandboxProcess, state: StateStore) -> None:
    door = Door(sandbox, state, site={"replay_hours": 2})
    code = door.sandbox.issue_suishen("lin")
    assert isinstance(door.resolve(code, visit=7), Identity)
    door.sandbox.fault("gateway_error", status=503)
    door.clock = lambda: now() + timedelta(hours=3)
    with pytest.raises(GatewayUnavailable):  # asked again, as of a code never seen
        door.resolve(code, visit=9)
    door.resolvers.close()


def test_a_code_that_was_not_answered_may_be_shown_again(door: Door) -> None:
    code = door.sandbox.issue_suishen("lin")
    door.sandbox.fault("gateway_timeout", times=1)
    with pytest.raises(GatewayUnavailable):
        door.resolve(code, visit=7)
    door.sandbox.clear_faults()
    assert isinstance(door.resolve(code, visit=8), Identity)


def test_a_code_that_another_kiosk_read_is_used(door: Door, tmp_path: Path) -> None:
    code = door.sandbox.issue_suishen("lin")
    assert isinstance(door.resolve(code), Identity)
    elsewhere = StateStore(tmp_path / "elsewhere.db")
    other = Door(door.sandbox, elsewhere)
    assert other.resolve(code) == Refusal(Reason.CODE_REPLAYED)
    other.resolvers.close()
    elsewhere.close()


def test_an_unknown_code_is_unknown(door: Door) -> None:
    code = f"https://{door.sandbox.info.suishen_host}/code?t=invented".encode()
    assert door.resolve(code) == Refusal(Reason.CODE_UNKNOWN)


def test_no_trace_of_a_code_is_left_on_the_disk(door: Door, tmp_path: Path) -> None:
    code = door.sandbox.issue_suishen("lin")
    door.resolve(code)
    opaque = code.rpartition(b"=")[2]
    assert all(opaque not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


# ---- the portrait ----------------------------------------------------------------------------------------------------


def test_the_portrait_comes_after_the_face_consent_and_names_it(door: Door) -> None:
    guest = door.reading("lin")
    assert isinstance(guest, Identity)
    picture = door.resolvers.portrait(guest, FACE_CONSENT)
    assert picture is not None
    assert portraits.usable(picture)
    with sqlite3.connect(door.sandbox.info.run_dir / "gateway.db") as database:
        rows = database.execute("SELECT consent, text_sha256 FROM portrait_log WHERE person = 'lin'").fetchall()
    database.close()
    assert rows[-1] == ("c-face", "2" * 64)


def test_a_contract_without_portraits_offers_none(sandbox: SandboxProcess, state: StateStore) -> None:
    door = Door(sandbox, state, portrait=False)
    guest = door.reading("lin")
    assert isinstance(guest, Identity)
    assert guest.portrait_ticket is None
    assert door.resolvers.portrait(guest, FACE_CONSENT) is None
    door.resolvers.close()


def test_a_person_without_a_portrait_has_no_ticket(door: Door) -> None:
    guest = door.reading("noportrait")
    assert isinstance(guest, Identity)
    assert guest.portrait_ticket is None


# ---- a gateway that fails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/codes", "/v1/access-tokens", "/v1/identities"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("gateway_timeout", GatewayUnavailable),
        ("gateway_error", GatewayUnavailable),
        ("gateway_busy", GatewayUnavailable),
        ("gateway_truncated", GatewayUnavailable),
        ("gateway_nonsense", GatewayNonsense),
        ("gateway_gbk", GatewayNonsense),
    ],
)
def test_each_call_may_fail_and_tells_nothing_of_the_guest(
    door: Door, fault: str, path: str, expected: type[Exception]
) -> None:
    code = door.sandbox.issue_suishen("lin")
    door.sandbox.fault(fault, path=path)
    with pytest.raises(expected) as caught:
        door.resolve(code)
    assert path in str(caught.value)
    assert not any(secret in str(caught.value) for secret in (code.decode(), LIN.name, LIN.id_number))


def test_a_gateway_that_drips_is_given_up_in_time(door: Door) -> None:
    door.sandbox.fault("gateway_drip", bytes_per_s=5)
    with pytest.raises(GatewayUnavailable, match="in time"):
        door.reading("lin")


def test_a_gateway_of_another_ca_is_never_told_a_code(sandbox: SandboxProcess, state: StateStore) -> None:
    sandbox.fault("gateway_unknown_ca")
    door = Door(sandbox, state)
    code = sandbox.issue_suishen("lin")
    with pytest.raises(GatewayUnavailable, match="TLS was refused"):
        door.resolve(code)
    sandbox.clear_faults()
    assert isinstance(door.resolve(code), Identity)
    door.resolvers.close()


# ---- replies outside the agreed form ---------------------------------------------------------------------------------

OK: dict[str, dict[str, object]] = {
    "/v1/codes": {"result": "OK", "tokenSNO": "sno"},
    "/v1/access-tokens": {"accessToken": "access", "expiresIn": 60},
    "/v1/identities": {"result": "OK", "name": LIN.name, "idNumber": LIN.id_number, "householdProvince": "31"},
    "/v1/portraits": {"portrait": None},
}


@pytest.fixture
def scripted(tmp_path: Path, state: StateStore) -> Iterator[tuple[Scripted, Resolvers]]:
    script = Scripted(tmp_path / "keys")
    script.replies = json.loads(json.dumps(OK))
    section = GatewaySection(url=script.server.url, timeout_s=1, **script.tls.model_dump())
    resolvers = Resolvers(Config(gateway=section), state, now)
    yield script, resolvers
    resolvers.close()
    script.server.close()


def ask(resolvers: Resolvers, visit: int = 1) -> Identity | Refusal:
    return resolvers.resolve(ScannedCode("suishen", b"https://s.sh.gov.cn/code?t=1"), CONSENT, visit)


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/v1/codes", {"result": "FINE"}),
        ("/v1/codes", {"result": ["OK"]}),
        ("/v1/codes", {"result": None}),
        ("/v1/codes", {"tokenSNO": ""}),
        ("/v1/codes", {"tokenSNO": "a\r\nb"}),
        ("/v1/codes", {"tokenSNO": 7}),
        ("/v1/access-tokens", {"accessToken": None}),
        ("/v1/identities", {"result": "PERHAPS"}),
        ("/v1/identities", {"name": ""}),
        ("/v1/identities", {"name": ["x"]}),
        ("/v1/identities", {"idNumber": "123"}),
        ("/v1/identities", {"idNumber": None}),
        ("/v1/identities", {"householdProvince": "Shanghai"}),
        ("/v1/identities", {"householdProvince": None}),
    ],
)
def test_a_needed_field_without_its_form_is_nonsense(
    scripted: tuple[Scripted, Resolvers], path: str, changed: dict[str, object]
) -> None:
    script, resolvers = scripted
    script.replies[path] |= changed
    with pytest.raises(GatewayNonsense, match=path):
        ask(resolvers)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"result": "UNKNOWN"}, Reason.PERSON_UNKNOWN),
        ({"idNumber": "310199199001010027"}, Reason.IDENTITY_FAULTY),
        ({"idNumber": "810000199408230021"}, Reason.OVERSEAS),
    ],
)
def test_a_person_who_cannot_be_registered_here_is_refused(
    scripted: tuple[Scripted, Resolvers], changed: dict[str, object], reason: Reason
) -> None:
    script, resolvers = scripted
    script.replies["/v1/identities"] |= changed
    assert ask(resolvers) == Refusal(reason)


@pytest.mark.parametrize(
    ("result", "reason"),
    [("EXPIRED", Reason.CODE_EXPIRED), ("USED", Reason.CODE_REPLAYED), ("UNKNOWN", Reason.CODE_UNKNOWN)],
)
def test_a_code_that_the_gateway_refuses_is_answered_all_the_same(
    scripted: tuple[Scripted, Resolvers], result: str, reason: Reason
) -> None:
    script, resolvers = scripted
    script.replies["/v1/codes"] = {"result": result}
    assert ask(resolvers, visit=1) == Refusal(reason)
    assert ask(resolvers, visit=2) == Refusal(Reason.CODE_REPLAYED)
    assert [request.path for request in script.asked] == ["/v1/codes"]


def test_fields_nobody_agreed_on_and_optional_ones_without_form_are_dropped(
    scripted: tuple[Scripted, Resolvers],
) -> None:
    script, resolvers = scripted
    script.replies["/v1/identities"] |= {
        "ethnicity": "99", "address": 5, "portraitTicket": "", "wanted": True, "message": "call 110",
    }  # fmt: skip
    del script.replies["/v1/identities"]["householdProvince"]
    assert ask(resolvers) == Identity("suishen", LIN.name, LIN.id_number, LIN.birth_date, LIN.sex)


@pytest.mark.parametrize("reply", [{}, {"portrait": 1}, {"portrait": "%%"}, {"portrait": "aGVsbG8="}, {"portrait": ""}])
def test_a_portrait_that_is_no_picture_is_nonsense(
    scripted: tuple[Scripted, Resolvers], reply: dict[str, object]
) -> None:
    script, resolvers = scripted
    script.replies["/v1/identities"]["portraitTicket"] = "ticket"
    guest = ask(resolvers)
    assert isinstance(guest, Identity)
    assert resolvers.portrait(guest, FACE_CONSENT) is None
    script.replies["/v1/portraits"] = reply
    with pytest.raises(GatewayNonsense, match="portraits"):
        resolvers.portrait(guest, FACE_CONSENT)
    script.replies["/v1/portraits"] = {"portrait": "A" * 400_000}
    with pytest.raises(GatewayNonsense, match="too large"):
        resolvers.portrait(guest, FACE_CONSENT)
