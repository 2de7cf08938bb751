"""All that a screen's props are derived from."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.checkin.shown import Shown
from ui.screen import i18n


@dataclass(frozen=True, slots=True)
class House:
    """What stays the same from guest to guest."""

    name_zh: str
    name_en: str
    demo: bool
    languages: tuple[str, ...] = ("zh-CN", "en")

    def name(self, language: str) -> str:
        return self.name_zh if language == "zh-CN" else self.name_en


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of the screen: the visit's state, and how this guest likes to read it."""

    shown: Shown
    house: House
    language: str = i18n.DEFAULT_LANGUAGE
    elder: bool = False
    high_contrast: bool = False

    def say(self, key: str, **values: object) -> str:
        return i18n.say(self.language, key, **values)
