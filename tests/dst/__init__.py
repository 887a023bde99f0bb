"""Deterministic simulation tests: a whole cloud under random operations and faults, with its invariants watched.

`python -m tests.dst --years 10` runs as long as one likes; `test_dst.py` runs a simulated month with the
other tests. What happened is a function of the plan, so that every failure can be replayed.
"""
