"""What CloudStack's commands take and ours do not is refused by name, and nothing else is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.api.command import COMMANDS, Command
from server.api.commands import load
from server.api.not_supported import ABSENT, BY_COMMAND
from tests.server.api.api_harness import Api, refused
from tests.server.api.facts import FACTS

load()
KNOWN: dict[str, Any] = json.loads(FACTS.read_text())


@pytest.mark.parametrize("command", [c for c in COMMANDS.values() if c.name in KNOWN], ids=lambda c: c.name)
def test_a_command_takes_what_cloudstacks_takes_or_refuses_it_by_name(command: Command) -> None:
    declared = {p.name.lower() for p in command.parameters}
    cloudstacks = {name.lower() for name in KNOWN[command.name]["params"]}
    assert cloudstacks - declared == set(BY_COMMAND.get(command.name, ()))


def test_what_is_refused_is_named_once_and_of_a_command_that_there_is() -> None:
    named = [(p, c) for parameters in ABSENT.values() for p, commands in parameters.items() for c in commands.split()]
    assert len(named) == len(set(named))
    assert {command for _, command in named} <= {command.name for command in COMMANDS.values()}


OFFERING = {"name": "small", "displaytext": "small", "cpunumber": 1, "cpuspeed": 500, "memory": 256}


def test_one_that_is_given_is_refused_with_why_and_changes_nothing(api: Api) -> None:
    error = refused(431, api.admin, "createServiceOffering", **OFFERING, gpuDisplay="true")
    assert "parameter gpudisplay is not supported, as GPUs show no screens" in error.text
    assert not api.admin("listServiceOfferings", name="small")


def test_a_map_is_refused_as_well(api: Api) -> None:
    given = {"nicnetworklist[0].nic": "1", "nicnetworklist[0].network": "1"}
    error = refused(431, api.admin, "deployVirtualMachine", **given)
    assert "parameter nicnetworklist is not supported" in error.text


def test_what_asks_for_nothing_passes(api: Api) -> None:
    api.admin("createServiceOffering", **OFFERING, gpudisplay="false", storagepolicy="")
    assert api.admin("listServiceOfferings", name="small")["count"] == 1
    api.admin("listUsers", showicon="true")


def test_what_cloudstack_does_not_have_either_is_ignored_as_there(api: Api) -> None:
    api.admin("listUsers", gpudisplay="true", whatever="1")
