"""Whose code it is, as far as the kiosk says so by itself: the doors, the offline resolver, the forms of fields."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import Config, CredentialsSection, KioskSection
from kiosk.errors import ContractError, GatewayUnavailable
from kiosk.identity import fields, region
from kiosk.identity.claim169 import identity_of
from kiosk.identity.resolvers import Resolvers
from kiosk.model import Consent, Identity, Reason, Refusal, ScannedCode
from kiosk.state import StateStore
from tests.unit.claim169_tokens import NOW, PERSON, Issuer, claims_of
from tests.unit.test_portraits import JPEG, picture

WEBP = picture(60, 75, ".webp")
CONSENT = Consent("c-1", "identity", "1", "zh-CN", "0" * 64, NOW)
FACE_CONSENT = replace(CONSENT, purpose="face")
BROKEN, FAULTY, OVERSEAS = (Refusal(r) for r in (Reason.CODE_BROKEN, Reason.IDENTITY_FAULTY, Reason.OVERSEAS))
GUEST = Identity(
    "claim169", "甲·乙", "110101199003070011", date(1990, 3, 7), "1", address="某市某路 1 号"
)  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateStore]:
    store = StateStore(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    own = Issuer()
    folder = tmp_path / "issuers"
    folder.mkdir()
    own.pin(folder)
    return own


def resolvers(tmp_path: Path, state: StateStore, mode: str = "demo", **credentials: Any) -> Resolvers:
    kiosk = KioskSection.model_construct(mode=mode)
    section = CredentialsSection(issuer_keys_dir=tmp_path / "issuers", **credentials)
    return Resolvers(Config.model_construct(kiosk=kiosk, credentials=section), state, lambda: NOW)


def test_a_signed_code_is_resolved_without_any_gateway(issuer: Issuer, tmp_path: Path, state: StateStore) -> None:
    door = resolvers(tmp_path, state)
    code = ScannedCode("claim169", issuer.code())
    assert door.resolve(code, CONSENT, 1) == GUEST
    assert door.resolve(code, CONSENT, 2) == GUEST  # it says who, not that they stand here: a face or staff say that
    door.close()


def test_a_forged_code_is_refused_through_the_same_door(tmp_path: Path, issuer: Issuer, state: StateStore) -> None:
    forged = ScannedCode("claim169", Issuer().code())
    assert resolvers(tmp_path, state).resolve(forged, CONSENT, 1) == Refusal(Reason.CODE_FORGED)


def test_production_believes_no_sandbox_issuer(
    tmp_path: Path, issuer: Issuer, state: StateStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        door = resolvers(tmp_path, state, mode="production")
    assert door.resolve(ScannedCode("claim169", issuer.code()), CONSENT, 1) == Refusal(Reason.CODE_FORGED)


@pytest.mark.parametrize("purpose", ["face", ""])
def test_no_code_is_resolved_without_a_consent_to_that(
    purpose: str, tmp_path: Path, issuer: Issuer, state: StateStore
) -> None:
    with pytest.raises(ContractError, match="without a consent"):
        resolvers(tmp_path, state).resolve(ScannedCode("claim169", issuer.code()), replace(CONSENT, purpose=purpose), 1)


def test_a_portrait_needs_a_consent_to_the_face_step(tmp_path: Path, issuer: Issuer, state: StateStore) -> None:
    door = resolvers(tmp_path, state)
    guest = door.resolve(ScannedCode("claim169", issuer.code(claims_of({**PERSON, 16: WEBP}))), CONSENT, 1)
    assert isinstance(guest, Identity)
    with pytest.raises(ContractError, match="without a consent"):
        door.portrait(guest, CONSENT)
    assert door.portrait(guest, FACE_CONSENT) == WEBP
    assert door.portrait(replace(guest, portrait=None), FACE_CONSENT) is None


def test_a_format_that_is_not_configured_has_no_door(tmp_path: Path, issuer: Issuer, state: StateStore) -> None:
    door = resolvers(tmp_path, state, formats=("claim169",))
    with pytest.raises(ContractError, match="suishen"):
        door.resolve(ScannedCode("suishen", b"https://example.invalid/"), CONSENT, 1)


def test_a_gateway_that_is_not_configured_is_unavailable(tmp_path: Path, issuer: Issuer, state: StateStore) -> None:
    door = resolvers(tmp_path, state)
    with pytest.raises(GatewayUnavailable, match="https://"):
        door.resolve(ScannedCode("suishen", b"https://example.invalid/?t=secret"), CONSENT, 1)


# ---- the claim 169 map -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sex", [1, "1", "male", "Male", "M", "男", 9, None, 3, "Others"])
@pytest.mark.parametrize("birth", ["19900307", 19900307, "1990-03-07"])
def test_versions_of_the_specification_are_read_alike(sex: object, birth: object) -> None:
    assert identity_of({**PERSON, 9: sex, 8: birth}) == GUEST


@pytest.mark.parametrize("nationality", ["CHN", "chn", "CN", "156", "中国", None])
def test_a_citizen_is_one_in_every_spelling(nationality: str | None) -> None:
    assert identity_of({**PERSON, 13: nationality}) == GUEST


def test_a_name_may_come_in_parts() -> None:
    whole = {key: value for key, value in PERSON.items() if key != 4}
    assert identity_of({**whole, 5: "Jia", 7: "Yi"}) == replace(GUEST, name="Jia Yi")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({8: "19900308"}, FAULTY),
        ({9: 2}, FAULTY),
        ({1: "110101199003070012"}, FAULTY),
        ({1: 110101199003070011}, FAULTY),
        ({1: None}, FAULTY),
        ({1: "810000199408230021", 8: "19940823", 9: 2}, OVERSEAS),
        ({1: "830000199201300022", 8: "19920130", 9: 2}, OVERSEAS),
        ({8: None}, BROKEN),
        ({8: "19901332"}, BROKEN),
        ({8: True}, BROKEN),
        ({8: b"19900307"}, BROKEN),
        ({4: None}, BROKEN),
        ({4: ""}, BROKEN),
        ({4: "·"}, BROKEN),
        ({4: "甲\n乙"}, BROKEN),
        ({4: "甲" * 61}, BROKEN),
        ({4: ["甲"]}, BROKEN),
        ({13: 7}, BROKEN),
        ({13: "everywhere"}, BROKEN),
    ],
)
def test_what_must_agree_must_agree(changed: dict[int, object], expected: Refusal) -> None:
    assert identity_of({**PERSON, **changed}) == expected


def test_a_guest_from_abroad_has_no_number_of_ours() -> None:
    abroad = identity_of({**PERSON, 1: "X1234567", 13: "fra"})
    assert isinstance(abroad, Identity)
    assert (abroad.nationality, abroad.id_number, abroad.sex) == ("FRA", "", "1")


@pytest.mark.parametrize("where", [{16: JPEG}, {16: JPEG, 17: 99}, {62: [{0: JPEG, 1: 0}]}, {62: {0: JPEG}}])
def test_a_photo_is_found_whatever_the_map_calls_it(where: dict[int, Any]) -> None:
    assert identity_of({**PERSON, **where}) == replace(GUEST, portrait=JPEG)


@pytest.mark.parametrize(
    "where", [{16: b"no picture"}, {16: "text"}, {62: []}, {62: [1]}, {62: 7}, {16: picture(20, 20)}]
)
def test_a_photo_that_is_none_costs_the_face_step_only(where: dict[int, Any]) -> None:
    assert identity_of({**PERSON, **where}) == GUEST


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=20),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.integers(), st.integers(), max_size=2),
)  # fmt: skip


@given(st.dictionaries(st.integers(0, 70), VALUES, max_size=12))
def test_no_map_makes_it_raise(claim: dict[object, object]) -> None:
    assert isinstance(identity_of({**PERSON, **claim}), Identity | Refusal)


def test_an_identity_is_silent_about_the_person() -> None:
    shown = repr(identity_of({**PERSON, 16: JPEG}))
    assert not any(secret in shown for secret in ("甲", "1990", "某市", "JFIF"))


# ---- region and forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("province", "accepted", "expected"),
    [
        ("31", ("31", "33", "34"), True),
        ("44", ("31", "33", "34"), False),
        ("44", "all", True),
        (None, ("31",), True),
        ("31", (), False),
    ],
)
def test_the_household_decides_the_region(province: str | None, accepted: Any, expected: bool) -> None:
    assert region.is_accepted(province, accepted) is expected


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (fields.name, ["甲", "Anne-Marie O'Neill", "阿依·买"], ["", " ", "·", "甲\t乙", "甲\u202e", 1, None, "x" * 61]),
        (
            fields.id_number,
            ["110101199003070011"],
            ["11010119900307001", "11010119900307001Y", 110101199003070011, None],
        ),
        (fields.province, ["31"], ["3", "310", "03", "a1", 31, None, "３１"]),
        (fields.ethnicity, ["01", "56"], ["00", "57", "1", "汉", 1, None]),
        (fields.secret, ["aZ09._-~+/=", "x" * 2048], ["", "a b", "x" * 2049, "é", "a\n", None, 5]),
        (fields.address, ["某市某路 1 号", "路" * 70], ["", "路" * 71, "a\nb", {}]),
    ],
)
def test_a_field_without_its_form_is_none(form: Any, good: list[object], bad: list[object]) -> None:
    assert [form(value) for value in good] == good
    assert [form(value) for value in bad] == [None] * len(bad)


def test_a_number_is_stored_with_a_capital_x() -> None:
    assert fields.id_number(" 11010519491231002x ") == "11010519491231002X"
