"""What people ask of the outbox and may decide: the questions, the answers, the running kiosk's socket, the words."""
