"""Opens an outbox and puts registrations without end; says each acknowledged one on stdout. Tests kill it.

``copy`` as the second argument: with a second copy. What is damaged is salvaged meanwhile.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from kiosk.config import OutboxSection
from tests.outbox_kit import open_owner, registration
from tests.recovery_kit import COPIED


def main() -> None:
    logging.disable()
    owner = open_owner(Path(sys.argv[1]), settings=COPIED if "copy" in sys.argv else OutboxSection())
    while True:
        put = registration()
        owner.outbox.put(put)
        sys.stdout.write(put.record_id + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
