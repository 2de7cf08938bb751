"""``./run chaos``: power cuts, killed processes, broken disks and clocks, against the real outbox and a sandbox.

Every section draws its cases from a seed, checks invariants and says how a failing case is repeated.
"""
