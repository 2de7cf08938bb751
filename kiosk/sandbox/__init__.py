"""Real HTTPS servers on loopback that play identity gateway, hotel system and police endpoint, with every fault.

It serves the embedded demo and the tests. It imports ``kiosk.model``, ``kiosk.errors`` and
``kiosk.weights``, never a driver, the screen or the queue that it is the other end of.
"""
