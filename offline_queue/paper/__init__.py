"""The paper fallback: what waits, unmasked, for the police station, only ever inside an encrypted archive.

``taking`` reads the records on the kiosk's side; ``table`` (CSV), ``form`` (PDF) and ``archive`` (AES-256 ZIP)
are made in memory on the asking side. Nothing of it is written to a disk in clear.
"""
