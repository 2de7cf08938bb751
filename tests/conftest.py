"""What must stand before Qt is imported (no display, no GPU, one drawing thread), and patience with a slow machine."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_QUICK_BACKEND"] = "software"
os.environ["QSG_RENDER_LOOP"] = "basic"

# In a fresh clone the first text that hypothesis draws waits for its table of Unicode; pytest's own time-out stays.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
