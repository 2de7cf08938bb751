"""The texts a guest agrees to: complete, readable on a kiosk, and provable afterwards."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import product

import pytest

from kiosk.checkin import consent

PURPOSES, LANGUAGES = ("identity", "face"), ("zh-CN", "en")
AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PINNED = {
    ("identity", "zh-CN"): "a03f2db021a5",
    ("identity", "en"): "da48bfe08497",
    ("face", "zh-CN"): "38fccbd88761",
    ("face", "en"): "f60728a827df",
}


def characters(paragraph: str) -> int:
    return sum("一" <= sign <= "鿿" for sign in paragraph)


@pytest.mark.parametrize(("purpose", "language"), list(product(PURPOSES, LANGUAGES)))
def test_the_hash_is_over_exactly_the_text_that_is_shown(purpose: str, language: str) -> None:
    shown = consent.text(purpose, language)
    assert shown.sha256 == hashlib.sha256("\n".join([shown.title, *shown.paragraphs]).encode()).hexdigest()
    assert (shown.purpose, shown.language, shown.version) == (purpose, language, consent.VERSION)


def test_no_two_texts_are_the_same() -> None:
    hashes = {consent.text(purpose, language).sha256 for purpose, language in product(PURPOSES, LANGUAGES)}
    assert len(hashes) == len(PURPOSES) * len(LANGUAGES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_chinese_text_can_be_read_standing_at_a_kiosk(purpose: str) -> None:
    shown = consent.text(purpose, "zh-CN")
    assert len(shown.title) <= 16
    assert len(shown.paragraphs) == 4
    assert max(characters(paragraph) for paragraph in shown.paragraphs) <= 60


def test_the_texts_have_not_changed_under_their_version() -> None:
    """Whoever changes a word gives the text a new VERSION, and puts the new hashes here."""
    assert consent.VERSION == "2026-11-24"
    assert {key: consent.text(*key).sha256[:12] for key in product(PURPOSES, LANGUAGES)} == PINNED


@pytest.mark.parametrize(
    ("purpose", "language", "words"),
    [
        ("identity", "zh-CN", ("自愿", "公安机关", "30 天", "3 年", "前台", "撤回", "身份平台")),
        ("identity", "en", ("free choice", "police", "30 days", "3 years", "desk", "withdraws", "identity service")),
        ("face", "zh-CN", ("自愿", "不是入住条件", "本机", "清除", "复核", "撤回", "14 周岁", "监护人")),
        ("face", "en", ("free choice", "never a condition", "this kiosk only", "wiped", "staff look", "withdraws")),
    ],
)
def test_who_why_how_long_declining_staff_and_withdrawing_are_said(
    purpose: str, language: str, words: tuple[str, ...]
) -> None:
    whole = "\n".join(consent.text(purpose, language).paragraphs)
    assert [word for word in words if word not in whole] == []


def test_a_consent_names_its_text_and_is_one_of_a_kind() -> None:
    first, second = (consent.give("face", "en", AT) for _ in range(2))
    assert first.text_sha256 == consent.text("face", "en").sha256
    assert (first.purpose, first.language, first.version, first.at) == ("face", "en", consent.VERSION, AT)
    assert first.id != second.id


def test_a_text_that_does_not_exist_cannot_be_agreed_to() -> None:
    with pytest.raises(KeyError):
        consent.give("face", "fr", AT)
