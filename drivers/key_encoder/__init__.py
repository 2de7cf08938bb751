"""Room-key encoders, one file per device; ``key_encoder.driver`` in config.toml names the file.

Its ``make(config)`` builds a ``kiosk.ports.KeyEncoder`` and raises DeviceUnavailable when there is none to reach.
"""
