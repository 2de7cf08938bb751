"""Codes a guest may show: which format, which form, genuine or not. One file per format, named as in config.toml.

Each format has ``recognise(payload, config) -> ScannedCode | Refusal | None`` (None: another format's
code). Recognising looks at the form only; whose code it is, is asked in kiosk/identity after consent.
"""
