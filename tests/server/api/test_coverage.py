"""The report of how much of CloudStack's API is filled, from facts and recorded answers."""

from __future__ import annotations

from typing import Any

from tests.server.api.coverage import coverage, report

FACTS: dict[str, Any] = {
    "listPods": {"response": {"id": "string", "name": "string", "jobid": "string"}},
    "listVirtualMachines": {
        "response": {"id": "string", "nic": [{"id": "string", "mtu": "integer"}], "tags": [{"key": "string"}]}
    },
    "deletePod": {"response": {"success": "boolean"}},
}


def test_fields_that_answers_held_are_filled_and_others_missing() -> None:
    told = {
        each.command: each
        for each in coverage(FACTS, {"listVirtualMachines": {"id", "nic", "nic.id", "moon"}, "listPods": {"id", "name"}})
    }
    vms = told["listVirtualMachines"]
    assert vms.documented == {"id", "nic", "nic.id", "nic.mtu", "tags", "tags.key"}
    assert vms.filled == {"id", "nic", "nic.id"}
    assert vms.missing == ["nic.mtu", "tags"], "what is nested in what never came is not named again"
    assert told["listPods"].missing == []
    assert told["deletePod"].filled == frozenset()


def test_the_report_counts_commands_and_fields() -> None:
    text = report(coverage(FACTS, {"listPods": {"id"}}), commands_in_cloudstack=10)
    assert "Implemented 3 of 10 commands, of which 1 were answered; response fields filled 11.1 % (1 of 9" in text
    assert "| listPods | 1 of 2 | name |" in text
    assert "| deletePod | 0 of 1 | not answered in this recording |" in text
