"""A fault in the settings, in the words an installer needs to mend it: where, what, what is allowed, what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from kiosk.errors import ConfigError

LONGEST_SHOWN = 60
HIDDEN = "(not shown)"

_SECRET_KEY = re.compile(
    r"(^|[._])(pin|password|passphrase|secret|token|key)$|_key_file$|operators_file$", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"-----BEGIN|\$argon2|://[^/\s]*@")
_PATH = re.compile(r"[^\n]*[/\\][^\n]*|[^\n]*\.(pem|key|crt|toml)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend. ``str`` gives one line."""

    key: str
    """``section.key``, or empty when the file as a whole is at fault."""
    value: str
    """As written in the file, shortened; never a secret; empty when there is none."""
    allowed: str
    fix: str
    line: int | None = None
    """Counted from 1; None when the file does not hold the key."""

    @override
    def __str__(self) -> str:
        what = " = ".join(part for part in (self.key, self.value) if part)
        head = ": ".join(part for part in (f"line {self.line}" if self.line else "", what) if part)
        allowed = f"allowed: {self.allowed}" if self.allowed else ""
        return ". ".join(part for part in (head, allowed, f"fix: {self.fix}") if part)


class BadSettings(ConfigError):
    """A settings file with faults; ``found`` holds them all, in the order of the file."""

    def __init__(self, source: str, found: Sequence[Fault]) -> None:
        super().__init__(source, [str(fault) for fault in found])
        self.found = tuple(found)


def shown(key: str, value: object) -> str:
    """Return a value as TOML would write it, shortened, unless it may be a secret.

    A key that names a file shows the path, but not what somebody pasted there in its place.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    if _SECRET_VALUE.search(text):
        return HIDDEN
    if _SECRET_KEY.search(key) and not (isinstance(value, str) and _PATH.fullmatch(value)):
        return HIDDEN
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
