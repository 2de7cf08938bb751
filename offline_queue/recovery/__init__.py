"""When the database is damaged: set aside, saved from, and made again from the second copy.

``quarantine`` sets the file aside in an instant, ``salvage`` brings back what is whole in it, ``rebuild`` brings the
rest from the second copy: ``journal`` (what is sealed) and ``keyring`` (what opens it, beside the database only).
"""
