"""Checks of the doctor, one file per part of the kiosk. Each returns findings and never raises for what it tests."""
