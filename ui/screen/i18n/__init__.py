"""Every sentence on the screen, by key and language. Only the consent texts stand elsewhere: kiosk/checkin/consent.py.

A language more: a file beside each of English, a row in both tables below, names in ``ethnicities``, both consent
texts, its code in ``ScreenSection.languages``, and the hotel's name in it (``House.name``).
"""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.model import Reason
from ui.screen.i18n import clerk_en, clerk_zh_cn, en, reasons_en, reasons_zh_cn, zh_cn

DEFAULT_LANGUAGE = "zh-CN"

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh-CN": zh_cn.WORDS | reasons_zh_cn.WORDS | clerk_zh_cn.WORDS,
    "en": en.WORDS | reasons_en.WORDS | clerk_en.WORDS,
}

LANGUAGE_NAMES: Mapping[str, str] = {"zh-CN": "中文", "en": "English"}


def say(language: str, key: str, **values: object) -> str:
    """Return the words for ``key``, its ``{names}`` filled in. Raises KeyError for an unknown key."""
    return WORDS[language][key].format(**values)


def referral(language: str, reason: Reason) -> str:
    """Return what happens next, now that a person helps."""
    return WORDS[language].get(f"refer.{reason.value}") or WORDS[language][reason.value]


def resolution(language: str, code: str) -> str:
    """Return what a clerk's decision is called; an unknown code is its own name, so that a clerk is never stuck."""
    return WORDS[language].get(f"resolution.{code}", code)


def todo(language: str, reason: Reason) -> str:
    """Return what a clerk does about ``reason``."""
    words = WORDS[language]
    return words.get(f"todo.{reason.value}") or words[f"todo.{reason.value.partition('.')[0]}"]


def meaning(language: str, code: str) -> str:
    """Return what the kiosk does after a clerk's decision; empty for an unknown code."""
    return WORDS[language].get(f"means.{code}", "")
