"""Real HTTPS servers on loopback that play identity gateway, hotel system and police endpoint, with every fault.

It serves the embedded demo, the tests and the benches; of the kiosk it knows errors, weights and SM2 only, never a
driver, the screen or the queue that it is the other end of.

Where to read: ``faults`` says what can go wrong, ``world`` puts a run together, ``process`` starts one as a child. The
police endpoint: ``police`` answers, ``police_worker`` judges
by ``police_rules`` (with ``police_overseas``, ``police_later``) and ``police_beside``, ``police_store`` is its ledger.
"""
