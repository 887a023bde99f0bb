"""The life cycle of an instance, as a table: (state, event) -> next state."""

from __future__ import annotations

from typing import Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.model.compute import VmState

VmEvent = Literal[
    "StartRequested",
    "StopRequested",
    "DestroyRequested",
    "RecoverRequested",
    "ExpungeRequested",
    "MigrationRequested",
    "Succeeded",
    "Failed",
    "Refused",
    "OutcomeUnknown",
    "ReportedRunning",
    "ReportedStopped",
]
"""`Failed` is a definite failure, `Refused` one of the very first deployment, `OutcomeUnknown` silence of the host."""

TRANSITIONS: dict[tuple[VmState, VmEvent], VmState] = {
    ("Stopped", "StartRequested"): "Starting",
    ("Starting", "Succeeded"): "Running",
    ("Starting", "Failed"): "Stopped",
    ("Starting", "Refused"): "Error",
    ("Starting", "OutcomeUnknown"): "Unknown",
    ("Starting", "ReportedRunning"): "Running",
    ("Starting", "ReportedStopped"): "Stopped",
    ("Stopped", "Refused"): "Error",
    ("Running", "StopRequested"): "Stopping",
    ("Unknown", "StopRequested"): "Stopping",
    ("Stopping", "Succeeded"): "Stopped",
    ("Stopping", "Failed"): "Running",
    ("Stopping", "OutcomeUnknown"): "Unknown",
    ("Stopping", "ReportedRunning"): "Running",
    ("Stopping", "ReportedStopped"): "Stopped",
    ("Running", "MigrationRequested"): "Migrating",
    ("Migrating", "Succeeded"): "Running",
    ("Migrating", "Failed"): "Running",
    ("Migrating", "OutcomeUnknown"): "Unknown",
    ("Migrating", "ReportedRunning"): "Running",
    ("Migrating", "ReportedStopped"): "Stopped",
    ("Running", "ReportedStopped"): "Stopped",
    ("Running", "OutcomeUnknown"): "Unknown",
    ("Unknown", "ReportedRunning"): "Running",
    ("Unknown", "ReportedStopped"): "Stopped",
    ("Stopped", "ReportedRunning"): "Running",
    ("Stopped", "DestroyRequested"): "Destroyed",
    ("Error", "DestroyRequested"): "Destroyed",
    ("Destroyed", "RecoverRequested"): "Stopped",
    ("Destroyed", "ExpungeRequested"): "Expunging",
    ("Stopped", "ExpungeRequested"): "Expunging",
    ("Error", "ExpungeRequested"): "Expunging",
    ("Expunging", "ExpungeRequested"): "Expunging",
}
"""An expunged instance has no state: its row is gone."""

IN_MOTION: frozenset[VmState] = frozenset(("Starting", "Stopping", "Migrating", "Expunging"))
"""States in which a job is, or was when the server died, at work on the instance."""


class IllegalTransition(InvalidParameterValue):
    """The instance is in a state in which that cannot be asked of it."""


def next_state(state: VmState, event: VmEvent, what: str = "instance") -> VmState:
    """The state after `event`, or IllegalTransition naming `what` and the state it is in."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        raise IllegalTransition(f"Unable to process {event} on {what}: it is in state {state}")
    return after
