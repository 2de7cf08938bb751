"""A screen that has met many guests is as small as after the first: no object, reference, descriptor or thread more."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

import psutil
from PySide6.QtCore import QCoreApplication, QEvent

from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import Welcome
from tests.ui.stand import SCENES, Stand

WARM_UP, GUESTS = 5, 30
STRAY_OBJECTS = 40
"""Caches that fill by and by: less than two a guest."""
STRAY_REFERENCES = 30
"""Of ``True``. PySide 6.12.0 lost one at each of the hundreds of emits here, and aborted in the end."""


def guest(stand: Stand, visit: int) -> None:
    """Go through every screen there is, one after another, then leave."""
    for turn, scene in enumerate(SCENES.values()):
        stand.screen.show(replace(scene.shown, ticket=Ticket(visit, turn)))
        stand.screen.show_sheet(scene.sheet)
        _let_qt_work()
    stand.screen.show(Shown(Ticket(visit + 1, 0), Welcome()))
    _let_qt_work()


def _let_qt_work() -> None:
    for _ in range(3):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_many_guests_leave_the_process_as_it_was(stand: Stand) -> None:
    process = psutil.Process()
    for visit in range(WARM_UP):
        guest(stand, visit)
    gc.collect()
    objects, references = len(gc.get_objects()), sys.getrefcount(True)
    descriptors, threads = process.num_fds(), process.num_threads()
    for visit in range(WARM_UP, WARM_UP + GUESTS):
        guest(stand, visit)
    gc.collect()
    assert abs(sys.getrefcount(True) - references) < STRAY_REFERENCES
    assert len(gc.get_objects()) - objects < STRAY_OBJECTS
    assert (process.num_fds(), process.num_threads()) == (descriptors, threads)
