"""The report of how much of CloudStack's API is filled, from facts and recorded answers."""

from __future__ import annotations

from typing import Any

from server.api.commands import load
from tests.server.api.coverage import by_kind, coverage, has_meaning, report

load()

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


def test_what_one_command_fills_counts_for_the_kind_of_thing_that_others_answer_with() -> None:
    facts = {name: {"response": {"id": "string", "name": "string"}} for name in ("listPods", "createPod", "deletePod")}
    told = coverage(facts, {"listPods": {"id"}, "createPod": {"name"}})
    kinds = {each.command: each for each in by_kind(told)}
    assert kinds["PodView"].filled == {"id", "name"}
    assert kinds["SuccessView"].filled == frozenset()


def test_what_has_no_meaning_here_is_not_missing() -> None:
    nic = {"id": "string", "ip6dns1": "string"}
    facts = {"listVirtualMachines": {"response": {"id": "string", "icon": "string", "nic": [nic]}}}
    (told,) = coverage(facts, {"listVirtualMachines": {"id", "nic"}})
    assert told.missing == ["nic.id"]
    assert told.meaningful.documented == {"id", "nic", "nic.id"}
    assert has_meaning("nic.ipaddress") and not has_meaning("icon.id")
