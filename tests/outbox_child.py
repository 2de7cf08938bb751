"""Puts registrations without end and says each acknowledged one on stdout. Run by test_outbox_put, which kills it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.outbox_kit import open_owner, registration


def main() -> None:
    owner = open_owner(Path(sys.argv[1]))
    while True:
        put = registration()
        owner.outbox.put(put)
        sys.stdout.write(put.record_id + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
