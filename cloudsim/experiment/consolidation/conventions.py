"""Where the studies that made consolidation known keep other books than we do, one switch for each.

All off, which is the default, is what docs/consolidation.md defines. All on is what CloudSim 4.0's power.planetlab examples do;
their figures come out to the last digit that they print. Each can be turned alone, to see what it is worth.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Conventions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each, if on:

    `ends_uncounted`: the first interval costs no energy, the last is left out, and decisions are 0.1 s late.
    `idle_instances_end`: an instance that asks for no CPU at all is gone for good, and a host that gives none is off.
    `memory_free`: memory counts when an instance is created, but not when it migrates.
    `round_unseen`: a round compares hosts by what they drew before it, whatever it has put on them.
    `waking_free`: a host that is off is taken to draw its idle power, so that waking it seems to cost nothing more.
    `moved_again`: a host that a round has just chosen to receive instances may be emptied in the same round.
    `arrivals_in_full`: a host violates its SLA while an instance arrives, as if it had to serve all that it asks for;
    and by the last bit of rounding.
    `whole_mhz`: an overcommitted host gives each instance whole MHz, rounded down.
    `off_at_start`: a host that is off from the beginning counts as a shutdown.
    `unweighted_regression`: local regression, robust or not, is an ordinary one.
    """

    ends_uncounted: bool = False
    idle_instances_end: bool = False
    memory_free: bool = False
    round_unseen: bool = False
    waking_free: bool = False
    moved_again: bool = False
    arrivals_in_full: bool = False
    whole_mhz: bool = False
    off_at_start: bool = False
    unweighted_regression: bool = False

    def rules(self) -> Rules:
        """What compiled code has to know of them."""
        return Rules(*(getattr(self, name) for name in Rules._fields))


class Rules(NamedTuple):
    """Conventions as compiled code reads them."""

    idle_instances_end: bool
    memory_free: bool
    round_unseen: bool
    waking_free: bool
    moved_again: bool
    arrivals_in_full: bool
    whole_mhz: bool
    off_at_start: bool


OURS = Conventions()
CLOUDSIM = Conventions(**{name: True for name in Conventions.__struct_fields__})
