"""How this guest likes to read: language, elder mode, high contrast. Forgotten when the visit ends."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from kiosk.checkin.shown import Shown
from kiosk.checkin.states import Welcome
from ui.screen.gate import Gate


class Tastes(QObject):
    """Belongs to the guest, not to the machine: the next one meets the house's own language again."""

    changed = Signal()

    def __init__(self, gate: Gate, languages: tuple[str, ...], idle_s: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._languages = languages
        self._visit = 0
        self.language = languages[0]
        self.elder = False
        self.high_contrast = False
        # On the welcome screen no visit has begun that could expire, yet somebody may have changed the language.
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(int(idle_s * 1000))
        self._idle.timeout.connect(self.forget)

    def follow(self, shown: Shown) -> None:
        """A state arrived. The end of a visit ends its tastes."""
        if shown.ticket.visit != self._visit:
            self._visit = shown.ticket.visit
            self.forget()
        if not isinstance(shown.state, Welcome):
            self._idle.stop()

    def forget(self) -> None:
        self._wear(self._languages[0], elder=False, high_contrast=False)
        self._idle.stop()

    def next_language(self) -> None:
        at = self._languages.index(self.language)
        language = self._languages[(at + 1) % len(self._languages)]
        self._choose(language, elder=self.elder, high_contrast=self.high_contrast)

    def toggle_elder(self) -> None:
        self._choose(self.language, elder=not self.elder, high_contrast=self.high_contrast)

    def toggle_contrast(self) -> None:
        self._choose(self.language, elder=self.elder, high_contrast=not self.high_contrast)

    def _choose(self, language: str, *, elder: bool, high_contrast: bool) -> None:
        if self._gate.pass_once():
            self._wear(language, elder=elder, high_contrast=high_contrast)
            self._idle.start()

    def _wear(self, language: str, *, elder: bool, high_contrast: bool) -> None:
        if (language, elder, high_contrast) == (self.language, self.elder, self.high_contrast):
            return
        if elder != self.elder:
            self._gate.hands.elder_mode(elder)
        self.language, self.elder, self.high_contrast = language, elder, high_contrast
        self.changed.emit()
