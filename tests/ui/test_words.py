"""Words: whole in both languages, short where they are read from a step away, and none that nobody reads."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from kiosk.model import Hint, Reason
from kiosk.staff.resolutions import CODES
from ui.screen import i18n
from ui.screen.i18n import ethnicities

LANGUAGES = ("zh-CN", "en")
VIEWMODELS = Path(i18n.__file__).parents[1] / "viewmodels"
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_both_languages_have_the_same_keys() -> None:
    assert set(i18n.WORDS["zh-CN"]) == set(i18n.WORDS["en"])


def test_both_languages_fill_in_the_same_values() -> None:
    def names(words: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(words) if name}

    for key in i18n.WORDS["zh-CN"]:
        assert names(i18n.WORDS["zh-CN"][key]) == names(i18n.WORDS["en"][key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_for_the_guest_and_for_the_clerk(language: str) -> None:
    words = i18n.WORDS[language]
    for reason in Reason:
        assert words[reason.value], reason
        assert i18n.referral(language, reason), reason
        assert words[f"staff.{reason.value}"], reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hint_has_words(language: str) -> None:
    for hint in Hint:
        assert i18n.say(language, hint.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_resolution_has_a_name(language: str) -> None:
    for code in CODES:
        assert i18n.resolution(language, code) != code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_clerk_reads_what_to_do_and_what_each_decision_means(language: str) -> None:
    for reason in Reason:
        assert i18n.todo(language, reason), reason
    for code in CODES:
        assert i18n.meaning(language, code), code


def test_nobody_is_promised_who_was_not_called() -> None:
    """Nothing rings at the desk: a guest who is told that somebody comes would wait for nobody."""
    for language in LANGUAGES:
        for key, words in i18n.WORDS[language].items():
            assert not re.search(r"马上来|过来|已通知|已请|coming|on the way|the desk knows", words), key


def test_a_heading_is_short() -> None:
    for key, words in i18n.WORDS["zh-CN"].items():
        progress = key.startswith("progress.") and not key.endswith(("_lead", "_slow"))
        if key.endswith(".heading") or progress:
            assert len(words) <= 16, key


def test_what_happens_next_leaves_no_single_sign_on_a_line_of_its_own_in_large_type() -> None:
    """Twenty signs stand in a line there."""
    for reason in Reason:
        assert all(len(line) <= 20 for line in i18n.referral("zh-CN", reason).split("\n")), reason


def test_a_guest_reads_no_code_no_number_and_no_blame() -> None:
    """What a guest reads names no cause that could shame: a forged code or a minor is a clerk's to know."""
    for language in LANGUAGES:
        guest = [i18n.WORDS[language][reason.value] + i18n.referral(language, reason) for reason in Reason]
        for words in guest:
            assert not re.search(r"[A-Z]\d|error|invalid|forged|伪造|假|错误|失败", words), words
    assert "18" not in i18n.referral("zh-CN", Reason.MINOR)
    assert "18" not in i18n.referral("en", Reason.MINOR)


def test_chinese_is_written_in_chinese_and_english_in_english() -> None:
    spoken_to_all = {"demo.banner", "welcome.start_other", "idle.stay_other"}
    for key, words in i18n.WORDS["en"].items():
        if key not in spoken_to_all:
            assert not HAN.search(words), key
    for key, words in i18n.WORDS["zh-CN"].items():
        if key not in {*spoken_to_all, "welcome.offer"} and not key.startswith("month."):
            assert HAN.search(words), key


def test_no_words_are_left_that_nobody_reads() -> None:
    """A key stands in a view-model as it is, or as an f-string that fits it."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in VIEWMODELS.glob("*.py"))
    quoted = re.findall(r'"([a-z_]+(?:\.[a-z_{}.]+)?)"', source)
    patterns = [re.sub(r"\\\{[^}]*\\\}", r"[a-z_0-9.]+", re.escape(text)) for text in quoted if "." in text]
    told = {value.value for kind in (Reason, Hint) for value in kind}
    known = re.compile("|".join(f"(?:sheet\\.)?{pattern}" for pattern in patterns))
    own = re.compile(r"sheet\.[a-z_]+")
    for key in i18n.WORDS["en"]:
        if key.removeprefix("refer.").removeprefix("staff.") in told or key.startswith(("resolution.", "means.")):
            continue
        if key.startswith("todo."):
            assert any(value.startswith(key.removeprefix("todo.")) for value in told), key
            continue
        if own.fullmatch(key):
            assert f'"{key}"' in source or f'say("{key.removeprefix("sheet.")}"' in source, key
            continue
        assert known.fullmatch(key), key


def test_the_standard_has_fifty_six_ethnicities_and_the_list_has_each_once() -> None:
    for language in LANGUAGES:
        rows = ethnicities.rows(language)
        assert {code for code, _ in rows} == {f"{number:02d}" for number in range(1, 57)}
        assert len({name for _, name in rows}) == 56
        assert rows[0][0] == "01"


def test_an_unknown_key_is_no_silent_blank() -> None:
    with pytest.raises(KeyError):
        i18n.say("zh-CN", "welcome.nothing_of_the_kind")
