"""Model files: where they come from, how they are checked, converted and kept.

``cache.path(name)`` is all that the rest of the kiosk needs.
"""
