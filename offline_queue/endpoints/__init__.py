"""One file per authority; the file's name is the value of ``reporting.endpoint``.

Its ``make(config.reporting)`` builds an ``offline_queue.delivery.endpoint.Endpoint``, which sends and decides nothing.
"""
