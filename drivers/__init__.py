"""Hardware, one folder per kind of device and one file per device: the file's name is its value in config.toml."""
