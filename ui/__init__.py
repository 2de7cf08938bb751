"""What people see: the guest's screen (Qt) and, later, the desk's page."""
