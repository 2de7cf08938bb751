"""The legal record of one guest's stay: built from the visit's case, validated, then frozen byte by byte.

A field more: where it comes from (``kiosk.model.Identity`` and ``kiosk/identity``, or the guest:
``kiosk.checkin.policy.missing_fields`` and the screen of fields), ``record``, a rule in ``validators``, the code's
words for staff in ``offline_queue/words.py``, and the same rule at the other end, ``kiosk/sandbox/police_rules.py``.
"""
