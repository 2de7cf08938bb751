"""The legal record of one guest's stay: built from the visit's case, validated, then frozen byte by byte.

``record`` builds a check-in, ``later`` what follows it (room change, extension, correction, void, check-out) and
visitors. ``validators`` is where the rules begin, ``code_tables`` what codes are checked against: the authority's
tables as the outbox fetched them last, else those built in.

A field more: where it comes from (``kiosk.model.Identity`` and ``kiosk/identity``, or the guest:
``kiosk.checkin.policy.missing_fields`` and the screen of fields), ``record``, a rule in ``validators``, the code's
words for staff in ``offline_queue/answering/words.py``, and the same rule at the other end:
``kiosk/sandbox/police_rules.py``.
"""
