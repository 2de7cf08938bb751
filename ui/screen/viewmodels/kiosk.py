"""All view-models of the screen, fed together: the one object the scene is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtQml import QmlElement

from kiosk.checkin.shown import Shown
from ui.screen.gate import Gate
from ui.screen.preview import Frames
from ui.screen.tastes import Tastes
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.capture import CaptureViewModel
from ui.screen.viewmodels.consent import ConsentViewModel
from ui.screen.viewmodels.done import DoneViewModel
from ui.screen.viewmodels.fields import FieldsViewModel
from ui.screen.viewmodels.frame import FrameViewModel
from ui.screen.viewmodels.moment import House, Moment
from ui.screen.viewmodels.progress import ProgressViewModel
from ui.screen.viewmodels.reference import ReferenceViewModel
from ui.screen.viewmodels.referral import ReferralViewModel
from ui.screen.viewmodels.reservation import ReservationViewModel
from ui.screen.viewmodels.scan import ScanViewModel
from ui.screen.viewmodels.sheet import SheetViewModel
from ui.screen.viewmodels.welcome import WelcomeViewModel

if TYPE_CHECKING:
    from kiosk.staff.sheet import SheetState

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
@QmlUncreatable("made by ui.screen.app")
class KioskViewModel(QObject):
    """Holds a view-model for each screen and feeds every one with each moment.

    A screen whose turn it is not derives empty props, so nothing of a guest outlives its screen.
    """

    changed = Signal()

    def __init__(
        self, house: House, gate: Gate, tastes: Tastes, frames: Frames, shown: Shown, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._house, self._gate, self._tastes = house, gate, tastes
        self._shown = shown
        self._sheet_state: SheetState | None = None
        self._welcome = WelcomeViewModel(gate, tastes, self)
        self._scan = ScanViewModel(frames, self)
        self._consent = ConsentViewModel(gate, self)
        self._progress = ProgressViewModel(self)
        self._reference = ReferenceViewModel(gate, self)
        self._reservation = ReservationViewModel(gate, self)
        self._fields = FieldsViewModel(gate, self)
        self._capture = CaptureViewModel(gate, frames, self)
        self._done = DoneViewModel(gate, self)
        self._referral = ReferralViewModel(gate, self)
        self._sheet = SheetViewModel(gate, self)
        self._frame = FrameViewModel(gate, tastes, self)
        tastes.changed.connect(self.refresh)
        self.refresh()

    def show(self, shown: Shown) -> None:
        """GUI thread only: ``ui.screen.bridge`` calls it, once for each state."""
        self._shown = shown
        self._gate.follow(shown)
        self._tastes.follow(shown)
        self.refresh()

    def show_sheet(self, sheet: SheetState) -> None:
        """GUI thread only."""
        self._sheet_state = sheet
        self._sheet.show(sheet, self._tastes.language, self._shown.referral_no)

    def refresh(self) -> None:
        """Derive everything again: another state, or another language. The frame is last: it changes the screen."""
        tastes = self._tastes
        moment = Moment(self._shown, self._house, tastes.language, tastes.elder, tastes.high_contrast)
        for screen in (
            self._welcome, self._scan, self._consent, self._progress, self._reference, self._reservation,
            self._fields, self._capture, self._done, self._referral, self._frame,
        ):  # fmt: skip
            screen.show(moment)
        if self._sheet_state is not None:
            self._sheet.show(self._sheet_state, tastes.language, self._shown.referral_no)

    @Property(FrameViewModel, notify=changed, final=True)
    def frame(self) -> FrameViewModel:
        return self._frame

    @Property(WelcomeViewModel, notify=changed, final=True)
    def welcome(self) -> WelcomeViewModel:
        return self._welcome

    @Property(ScanViewModel, notify=changed, final=True)
    def scan(self) -> ScanViewModel:
        return self._scan

    @Property(ConsentViewModel, notify=changed, final=True)
    def consent(self) -> ConsentViewModel:
        return self._consent

    @Property(ProgressViewModel, notify=changed, final=True)
    def progress(self) -> ProgressViewModel:
        return self._progress

    @Property(ReferenceViewModel, notify=changed, final=True)
    def reference(self) -> ReferenceViewModel:
        return self._reference

    @Property(ReservationViewModel, notify=changed, final=True)
    def reservation(self) -> ReservationViewModel:
        return self._reservation

    @Property(FieldsViewModel, notify=changed, final=True)
    def fields(self) -> FieldsViewModel:
        return self._fields

    @Property(CaptureViewModel, notify=changed, final=True)
    def capture(self) -> CaptureViewModel:
        return self._capture

    @Property(DoneViewModel, notify=changed, final=True)
    def done(self) -> DoneViewModel:
        return self._done

    @Property(ReferralViewModel, notify=changed, final=True)
    def referral(self) -> ReferralViewModel:
        return self._referral

    @Property(SheetViewModel, notify=changed, final=True)
    def sheet(self) -> SheetViewModel:
        return self._sheet
