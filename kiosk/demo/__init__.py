"""The demo: invented guests who act through camera frames and touches only, from code to police receipt."""
