"""The hotel's bookings, read only. One adapter per hotel system, named as in config.toml; one rule: matching."""
