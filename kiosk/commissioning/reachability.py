"""Knows whether the identity gateway answers, so that the welcome screen says it before the touch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from kiosk.commissioning import health
from kiosk.config import GatewaySection

log = logging.getLogger(__name__)

TIMEOUT_S = 3.0
EVERY_S = 15.0
"""Between two questions while it answers."""
AGAIN_S = 5.0
"""While it does not."""
LEAVE_S = 1.0
"""How long ``stop`` waits for a question under way; its thread then ends by itself, unheard."""


class Reachability:
    """Asks the gateway's health on a thread of its own.

    ``tell`` is called on that thread, with the first answer and whenever it changes, never after ``stop`` returned.
    """

    def __init__(
        self,
        gateway: GatewaySection,
        tell: Callable[[bool], None],
        *,
        every_s: float = EVERY_S,
        again_s: float = AGAIN_S,
    ) -> None:
        self._gateway = gateway
        self._tell = tell
        self._every_s, self._again_s = every_s, again_s
        self._online: bool | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="reachability", daemon=True)

    def start(self) -> None:
        """Begin to ask, at once. A gateway without an address is never asked."""
        if self._gateway.url:
            self._thread.start()

    def stop(self) -> None:
        """End within a second. Safe to call twice, and before ``start``."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            answer = health.ask(self._gateway.url, self._gateway, TIMEOUT_S)
            if self._stopping.is_set():
                return
            self._take(answer)
            self._stopping.wait(self._every_s if self._online else self._again_s)

    def _take(self, answer: health.Health | health.Trouble) -> None:
        online = isinstance(answer, health.Health)
        if online == self._online:
            return
        self._online = online
        if isinstance(answer, health.Trouble):
            log.warning("identity gateway: %s. Next: %s", answer.what, answer.fix)
        else:
            log.info("identity gateway answers")
        self._tell(online)
