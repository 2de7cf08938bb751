"""Tending the segments of the second copy: what damage took is written again, what no longer counts is dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from uuid import UUID

from kiosk.durable import sync_folder
from offline_queue.recovery import comparing, frames
from offline_queue.recovery.file_bytes import opened
from offline_queue.recovery.frames import Kind
from offline_queue.recovery.journal import look, segments
from offline_queue.recovery.salvage import Site
from offline_queue.recovery.second_copy import SecondCopy, Which
from offline_queue.store import Store

_SLICE = 100
_BREATH_S = 0.001

Work = Callable[[Store, list[Which]], bool]


def tidy(site: Site, copy: SecondCopy, stopping: threading.Event) -> int:
    """Drop what may go; returns how many segments. Blocks its caller, the owner thread for a slice at a time.

    Raises OutboxUnavailable and OSError; what was not dropped is, at the next call.
    """
    dropped = 0
    for path in segments(copy.folder)[:-1]:
        told = look(path)
        # One that holds mostly receipts would only be written again and again
        if told.rows_bytes * 2 < told.size:
            continue
        with opened(path) as data:
            which = dict.fromkeys(
                (head.record, head.revision) for head in frames.heads(data) if head.kind != Kind.CHAIN
            )
        if _for_each(site, list(which), _is_empty, stopping) and _for_each(
            site, list(which), copy.write_again, stopping
        ):
            path.unlink()
            sync_folder(copy.folder)
            dropped += 1
    return dropped


def scrub(site: Site, copy: SecondCopy, stopping: threading.Event) -> int:
    """Write again what the live chain's segments lack, so that one fault is never two. Returns how much.

    Damage took it, or somebody deleted a segment. Reads every byte. Raises OutboxUnavailable and OSError.
    """
    lost = [gap.which for gap in comparing.gaps(site.call, copy, stopping) or () if gap.sealed]
    _for_each(site, lost, lambda store, which: copy.write_again(store, which, whole=True), stopping)
    return len(lost)


def _for_each(site: Site, which: list[Which], work: Work, stopping: threading.Event) -> bool:
    """Run work on slices until one says no."""
    left = iter(which)
    while batch := list(islice(left, _SLICE)):
        if stopping.wait(_BREATH_S) or not site.call(lambda store, batch=batch: work(store, batch)):  # type: ignore[misc]
            return False
    return True


def _is_empty(store: Store, which: list[Which]) -> bool:
    """Say whether these events are all known, and nothing sealed of them is left. What is erased stays erased."""
    events = [store.find(UUID(bytes=record), revision) for record, revision in which]
    return all(event is not None and not store.parts(event) for event in events)
