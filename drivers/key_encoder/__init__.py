"""Room-key encoders, one file per device; ``key_encoder.driver`` in config.toml names the file."""
