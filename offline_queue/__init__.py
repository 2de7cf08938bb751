"""The outbox: sealed registrations on disk, and the thread that delivers them to the authority."""
