"""What must hold in a cloud whatever fails, written once: for tests, for experiments, and for a live cloud.

Each invariant is a function that yields a `Violation` for each thing that breaks it. Those in ALWAYS hold between
any two transactions. Those in WHEN_QUIET hold once nothing is under way any more and every host has
reported. `Watch` follows the change feed, for rules about changes; a `Ledger` remembers what was acknowledged.
"""

from cloudsim.invariants.always import ALWAYS
from cloudsim.invariants.ledger import Fact, Ledger
from cloudsim.invariants.quiet import WHEN_QUIET
from cloudsim.invariants.scene import Inventory, Scene, Violation, check
from cloudsim.invariants.watch import Watch

__all__ = ["ALWAYS", "WHEN_QUIET", "Fact", "Inventory", "Ledger", "Scene", "Violation", "Watch", "check"]
