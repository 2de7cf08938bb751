"""As outbox_child, with a second copy. Run by test_recovery_copy, which kills it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.outbox_kit import open_owner, registration
from tests.recovery_kit import COPIED


def main() -> None:
    owner = open_owner(Path(sys.argv[1]), settings=COPIED)
    while True:
        put = registration()
        owner.outbox.put(put)
        sys.stdout.write(put.record_id + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
