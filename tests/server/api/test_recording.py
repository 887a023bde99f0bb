"""The recorder of answers sees every field, and finds each that is not of CloudStack's type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.api.command import COMMANDS
from server.api.commands import load
from tests.server.api.api_harness import Api, Client
from tests.server.api.recording import Recorder, recording, remember, remembered

load()
FACTS: dict[str, Any] = {
    "listVirtualMachines": {
        "response": {
            "id": "string",
            "cpunumber": "integer",
            "created": "date",
            "haenable": "boolean",
            "cpuused": "string",
            "details": "map",
            "nic": [{"id": "string", "mtu": "integer"}],
        }
    }
}


def seen(row: dict[str, Any]) -> Recorder:
    recorder = Recorder(FACTS)
    recorder.see(COMMANDS["listvirtualmachines"], {"count": 1, "virtualmachine": [row]})
    return recorder


def test_what_is_filled_is_remembered_with_what_is_nested() -> None:
    recorder = seen({"id": "a", "created": "2026-11-22T15:00:00+0000", "nic": [{"id": "b", "mtu": 1500}], "details": {}})
    assert recorder.wrong == []
    assert recorder.filled == {"listVirtualMachines": {"id", "created", "nic", "nic.id", "nic.mtu", "details"}}


@pytest.mark.parametrize(
    "row",
    [
        {"id": 7},
        {"cpunumber": "2"},
        {"cpunumber": True},
        {"created": "yesterday"},
        {"haenable": "true"},
        {"cpuused": 0.3},
        {"details": []},
        {"nic": {"id": "b"}},
        {"nic": [{"mtu": "1500"}]},
    ],
    ids=str,
)
def test_a_wrong_type_is_found(row: dict[str, Any]) -> None:
    (wrong,) = seen(row).wrong
    assert wrong.startswith("listVirtualMachines: ")


def test_answers_of_a_server_are_seen_those_of_jobs_too(api: Api, admin: Client, recorder: Recorder) -> None:
    with recording() as here:
        account, _ = api.account("ann")
        admin("listAccounts", id=account["id"])
        admin("deleteAccount", id=account["id"])
    assert {"name", "user", "user.username"} <= here.filled["createAccount"] & here.filled["listAccounts"]
    assert here.filled["deleteAccount"] == {"success"}
    assert here.wrong == [] and recorder.filled["deleteAccount"] >= {"success"}


def test_recordings_of_several_processes_and_runs_are_put_together(tmp_path: Path) -> None:
    remember({"listZones": {"id"}}, tmp_path, "gw0")
    remember({"listZones": {"id", "name"}}, tmp_path, "gw1")
    remember({"listPods": {"id"}}, tmp_path, "gw0")
    assert remembered(tmp_path) == {"listZones": {"id", "name"}, "listPods": {"id"}}
