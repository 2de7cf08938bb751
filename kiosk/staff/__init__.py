"""Staff at the kiosk: who may unlock the sheet, what they may decide, and how it is told afterwards."""
