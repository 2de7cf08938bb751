"""Figures by command: ``./run bench NAME [--json]``. Nothing here is a test; compare by ratios on a quiet machine."""
