"""``queue rotate-keys``: a new kiosk key, every data key wrapped anew, the old key overwritten."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import reach
from offline_queue.commands.verb import Told, Verb


def run(given: argparse.Namespace, config: Config) -> Told:  # noqa: ARG001 - every verb is called alike
    row = reach.row(config, Inquiry("rotate-keys"))
    rewrapped = words.many(row["rewrapped"], "data key")
    told = [f"{rewrapped} wrapped by the new key, kept in {row['kept_in']}; no old key is left"]
    if row["resumed"]:
        told.append("a change that was cut off before is finished")
    if row["unopened"]:
        unopened = words.many(row["unopened"], "data key")
        told.append(f"{unopened} unreadable before: ./run queue list --waiting shows which")
    return Told(row, told)


VERB = Verb(
    "rotate-keys",
    "change the kiosk's key while guests go on checking in",
    "Makes a new kiosk key where outbox.key_store says (file or tpm), wraps every data key anew and overwrites the old "
    "key. Guests go on checking in. Cut off by a power cut it goes on at the next start. Keep the safe copy of "
    "queue.key up to date: the old one opens nothing any more.",
    ("rotate-keys",),
    run,
)
