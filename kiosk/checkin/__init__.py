"""The check-in itself: what happens, in which order, and who must agree. Start with flow.py."""
