"""The life cycle of an instance: which states there are, how they are reached, and that one can always get out."""

from __future__ import annotations

from typing import get_args

import pytest

from cloudsim.management.compute.vm_states import (
    IN_MOTION,
    TRANSITIONS,
    IllegalTransition,
    VmEvent,
    next_state,
)
from cloudsim.model.compute import VmState

STATES: tuple[VmState, ...] = get_args(VmState)
EVENTS: tuple[VmEvent, ...] = get_args(VmEvent)
ASKED = {event for event in EVENTS if event.endswith("Requested")}


def reachable(start: VmState, *, without: frozenset[VmEvent] = frozenset()) -> set[VmState]:
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for (before, event), after in TRANSITIONS.items():
            if before == state and event not in without and after not in found:
                found.add(after)
                todo.append(after)
    return found


def test_the_table_speaks_of_known_states_and_events_only() -> None:
    for (before, event), after in TRANSITIONS.items():
        assert before in STATES and after in STATES and event in EVENTS


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_leads_where_the_table_says_or_is_refused(state: VmState, event: VmEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) == TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=rf"{event} on i-2-1-VM: it is in state {state}"):
            next_state(state, event, "i-2-1-VM")


def test_every_state_but_shutdown_is_reached_from_a_new_instances() -> None:
    assert set(STATES) - reachable("Stopped") == {"Shutdown"}, (
        "Shutdown is CloudStack's word for backups only"
    )


@pytest.mark.parametrize("state", sorted(reachable("Stopped")))
def test_from_every_state_an_instance_can_be_expunged(state: VmState) -> None:
    assert "Expunging" in reachable(state)


@pytest.mark.parametrize("state", sorted({"Starting", "Stopping", "Migrating"}))
def test_what_is_in_motion_ends_by_success_failure_silence_and_either_report(state: VmState) -> None:
    ends = {event for before, event in TRANSITIONS if before == state}
    assert {"Succeeded", "Failed", "OutcomeUnknown", "ReportedRunning", "ReportedStopped"} <= ends
    assert state in IN_MOTION and not ends & ASKED, "nothing else is begun meanwhile"


def test_what_a_host_reports_settles_what_nobody_knows() -> None:
    assert next_state("Unknown", "ReportedRunning") == "Running"
    assert next_state("Unknown", "ReportedStopped") == "Stopped"
    assert ("Unknown", "StartRequested") not in TRANSITIONS, "it may run: to start it again could make two"


def test_only_a_stopped_instance_is_started_and_only_a_destroyed_one_recovered() -> None:
    assert [before for before, event in TRANSITIONS if event == "StartRequested"] == ["Stopped"]
    assert [before for before, event in TRANSITIONS if event == "RecoverRequested"] == ["Destroyed"]
    assert {before for before, event in TRANSITIONS if event == "MigrationRequested"} == {"Running"}


def test_no_instance_comes_back_from_expunging() -> None:
    assert reachable("Expunging") == {"Expunging"}
