"""``python -m kiosk``."""

from __future__ import annotations

import sys

from kiosk import dumps
from kiosk.cli import run

if __name__ == "__main__":  # a spawned child imports this file again, under another name
    dumps.forbid()  # an export, too, holds guests in memory
    sys.exit(run(sys.argv[1:]))
