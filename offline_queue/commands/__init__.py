"""``./run queue``: one small file per verb; ``main.py`` knows them all, ``reach.py`` finds the outbox."""
