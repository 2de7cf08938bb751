"""``python -m kiosk``."""

from __future__ import annotations

import sys

from kiosk.cli import run

if __name__ == "__main__":  # a spawned child imports this file again, under another name
    sys.exit(run(sys.argv[1:]))
