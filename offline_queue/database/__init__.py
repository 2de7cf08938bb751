"""Behind ``store.py``: the one connection, its schema, what is asked of the tables, the hash chain, what is whole."""
