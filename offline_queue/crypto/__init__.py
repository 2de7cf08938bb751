"""Behind ``keys.py``: sealing and opening, algorithm suites, TPM, a recipient's public key, the device's own key."""
