"""The hotel's bookings, read only. One adapter per hotel system, named as in config.toml; one rule: matching.

An adapter is ``make(config)``, which builds a ``kiosk.ports.Reservations``; one with connections has ``close()``, too.
It asks through ``kiosk.https``, has ``wire`` check what it is told, and leaves to ``matching`` whose booking it is.
"""
