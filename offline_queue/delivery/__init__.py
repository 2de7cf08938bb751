"""Behind ``sync.py``: batches and their flights, the line and its troubles, what else is asked of the authority."""
