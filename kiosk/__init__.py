"""Suizhu 随住, a hotel self check-in kiosk."""
