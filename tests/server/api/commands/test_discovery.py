"""listApis: what a client has to know to make a form of any command."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import Client


def parameters(admin: Client, command: str) -> dict[str, dict[str, Any]]:
    (api,) = admin("listApis", name=command)["api"]
    return {p["name"]: p for p in api["params"]}


def test_a_parameter_tells_its_type_length_and_whether_it_is_required(admin: Client) -> None:
    told = parameters(admin, "createZone")
    assert told["name"]["type"] == "string" and told["name"]["required"] and told["name"]["length"] == 255
    assert told["localstorageenabled"]["type"] == "boolean" and not told["localstorageenabled"]["required"]


def test_a_parameter_that_names_a_thing_tells_the_commands_that_list_such_things(admin: Client) -> None:
    told = parameters(admin, "deployVirtualMachine")
    assert "listZones" in told["zoneid"]["related"].split(",")
    assert "listServiceOfferings" in told["serviceofferingid"]["related"].split(",")
    assert "listNetworks" in told["networkids"]["related"].split(",")
    assert "listProjects" in parameters(admin, "listVirtualMachines")["projectid"]["related"].split(",")


def test_a_parameter_that_takes_some_words_only_tells_them(admin: Client) -> None:
    network = parameters(admin, "createZone")["networktype"]
    assert network["values"] == ["Basic", "Advanced"] and network["description"] == "Basic or Advanced"
    role = parameters(admin, "createRole")["type"]
    assert set(role["values"]) == {"Admin", "ResourceAdmin", "DomainAdmin", "User"}
    assert all(word in role["description"] for word in role["values"])
    assert "values" not in parameters(admin, "createZone")["name"]


def test_an_answer_tells_its_members_and_theirs(admin: Client) -> None:
    (api,) = admin("listApis", name="listVirtualMachines")["api"]
    told = {field["name"]: field for field in api["response"]}
    assert (told["memory"]["type"], told["haenable"]["type"], told["created"]["type"]) == ("integer", "boolean", "date")
    assert told["nic"]["type"] == "list" and "macaddress" in {field["name"] for field in told["nic"]["response"]}
