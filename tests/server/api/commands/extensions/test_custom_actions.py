"""Custom actions through the API: declared by root admins, run for instances by those who may."""

from __future__ import annotations

import pytest

from tests.server.api.api_harness import Refused, refused
from tests.server.api.commands.extensions.program_cloud import ProgramCloud


def test_an_action_is_done_by_the_program_which_is_told_of_the_instance(cloud: ProgramCloud) -> None:
    extension = cloud.extension(details={"url": "http://backend"})
    cloud.register(extension, details={"node": "n1"})
    vm = cloud.deploy("db")
    parameters = "parameters[0].name", "parameters[0].type", "parameters[0].required"
    action = cloud.action(
        extension,
        details={"bucket": "b"},
        timeout=30,
        successmessage="{{extensionName}} did {{actionName}} of {{resourceName}}",
        **dict(zip(parameters, ("copies", "NUMBER", "true"), strict=True)),
    )
    cloud.answer(backup={"status": "success", "message": "two copies", "printmessage": "true"})
    result = cloud.act(action, vm, copies=2)
    assert result["success"] is True
    assert result["result"] == {"message": "mine did backup of db", "details": "two copies"}
    (call,) = cloud.calls()
    assert (call["operation"], call["timeout"], call["parameters"]) == ("backup", "30", {"copies": 2})
    assert call["virtualmachineid"] == vm["id"]
    assert call["virtualmachinename"] == vm["instancename"]
    assert call["caller"]["roletype"] == "Admin"
    details = call["externaldetails"]
    assert details["extension"] == {"url": "http://backend"}
    assert details["resourcemap"] == {"node": "n1"}
    assert details["action"] == {"bucket": "b"}
    machine = call["cloudstack.vm.details"]
    assert (machine["cpus"], machine["memory"]) == (vm["cpunumber"], vm["memory"])
    assert machine["nics"][0]["mac"] == vm["nic"][0]["macaddress"]


@pytest.mark.parametrize(
    "answer",
    [{"status": "error", "message": "the bucket is full"}, ["no object"]],
    ids=["said so", "no answer"],
)
def test_that_the_program_could_not_is_a_result(cloud: ProgramCloud, answer: object) -> None:
    extension = cloud.extension()
    cloud.register(extension)
    vm = cloud.deploy()
    action = cloud.action(extension, errormessage="{{actionName}} failed for {{resourceName}}")
    cloud.answer(backup=answer)
    result = cloud.act(action, vm)
    assert result["success"] is False
    assert result["result"]["message"] == f"backup failed for {vm['displayname']}"
    assert "bucket is full" in result["result"]["details"] or "no JSON object" in result["result"]["details"]


def test_a_user_runs_what_his_role_may_for_instances_that_are_his(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    cloud.register(extension)
    ann, bob = cloud.account("ann"), cloud.account("bob")
    vm = cloud.deploy("web", ann)
    action = cloud.action(extension, allowedroletypes="User", details={"token": "secret"})
    hidden = cloud.action(extension, "purge")
    (seen,) = ann("listCustomActions", resourcetype="VirtualMachine", resourceid=vm["id"])["extensioncustomaction"]
    assert seen["id"] == action["id"]
    assert "details" not in seen
    assert cloud.act(action, vm, ann)["success"] is True
    asked = {"resourceid": vm["id"], "resourcetype": "VirtualMachine"}
    assert "may not run" in refused(531, ann, "runCustomAction", customactionid=hidden["id"], **asked).text
    assert refused(531, bob, "runCustomAction", customactionid=action["id"], **asked).status == 531
    assert refused(531, bob, "listCustomActions", **asked).status == 531
    assert [call["operation"] for call in cloud.calls()] == ["backup"]
    assert cloud.calls()[0]["caller"]["name"] == "ann"


def test_nothing_is_run_for_what_stands_against_it(cloud: ProgramCloud) -> None:
    extension, other = cloud.extension(), cloud.extension("other")
    vm = cloud.deploy()
    action = cloud.action(extension)
    run = {"customactionid": action["id"], "resourceid": vm["id"]}
    assert "is not in a cluster" in refused(431, cloud.admin, "runCustomAction", **run).text
    cloud.register(extension)
    strange = cloud.action(other)
    error = refused(431, cloud.admin, "runCustomAction", **run | {"customactionid": strange["id"]})
    assert "extension other is registered" in error.text
    assert "no colour" in refused(431, cloud.admin, "runCustomAction", **run, parameters={"colour": "red"}).text
    assert "resourceid" in refused(431, cloud.admin, "runCustomAction", **run | {"resourceid": "x"}).text
    assert "resourcetype" in refused(431, cloud.admin, "runCustomAction", **run, resourcetype="Volume").text
    cloud.admin("updateCustomAction", id=action["id"], enabled=False)
    assert "is disabled" in refused(431, cloud.admin, "runCustomAction", **run).text
    cloud.admin("updateCustomAction", id=action["id"], enabled=True)
    cloud.admin("updateExtension", id=extension["id"], state="Disabled")
    assert "mine is disabled" in refused(530, cloud.admin, "runCustomAction", **run).text
    assert cloud.calls() == []


def test_it_is_the_job_that_fails_of_a_resource_that_is_not_there(cloud: ProgramCloud) -> None:
    action = cloud.action(cloud.extension())
    with pytest.raises(Refused) as caught:
        cloud.admin("runCustomAction", customactionid=action["id"], resourceid="abcd")
    (event,) = cloud.listed("listEvents", "event", type="EXTENSION.CUSTOM.ACTION.RUN", level="ERROR")
    assert "resourceid" in caught.value.text and "resourceid" in event["description"]


def test_an_action_without_a_resource_type_is_run_for_the_type_that_the_caller_names(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    cloud.register(extension)
    vm = cloud.deploy()
    made = cloud.admin("addCustomAction", extensionid=extension["id"], name="look", enabled=True)
    run = {"customactionid": made["extensioncustomaction"]["id"], "resourceid": vm["id"]}
    assert "resourcetype must be given" in refused(431, cloud.admin, "runCustomAction", **run).text
    answer = cloud.admin("runCustomAction", **run, resourcetype="virtualmachine")
    assert answer["customactionresult"]["success"] is True


def test_an_action_is_told_as_it_was_declared_and_changed(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    made = cloud.action(
        extension,
        enabled=False,
        allowedroletypes="User,Domain Admin",
        **{
            "parameters[0].name": "level",
            "parameters[0].valueoptions": "low,high",
            "parameters[1].name": "when",
            "parameters[1].type": "DATE",
        },
    )
    assert made["allowedroletypes"] == ["User", "DomainAdmin"]
    assert (made["enabled"], made["timeout"], made["extensionname"]) == (False, 5, "mine")
    assert made["parameters"] == [
        {
            "name": "level",
            "type": "STRING",
            "validationformat": "NONE",
            "required": False,
            "valueoptions": ["low", "high"],
        },
        {"name": "when", "type": "DATE", "validationformat": "NONE", "required": False},
    ]
    told = cloud.admin(
        "updateCustomAction", id=made["id"], enabled=True, timeout=60, cleanupparameters=True, description="keeps it"
    )["extensioncustomaction"]
    (changed,) = cloud.admin("listCustomActions", extensionid=extension["id"], enabled=True)["extensioncustomaction"]
    assert told == changed
    assert "parameters" not in changed
    assert (changed["timeout"], changed["description"]) == (60, "keeps it")
    assert changed["allowedroletypes"] == ["User", "DomainAdmin"]
    cloud.admin("deleteCustomAction", id=made["id"])
    assert "extensioncustomaction" not in cloud.admin("listCustomActions")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"name": "stop"}, "name: stop"),
        ({"name": "-rf"}, "name: '-rf'"),
        ({"name": "there"}, "has a custom action there already"),
        ({"resourcetype": "Volume"}, "resourcetype: 'Volume'"),
        ({"allowedroletypes": "Everybody"}, "allowedroletypes"),
        ({"timeout": 0}, "timeout: expected seconds"),
        ({"parameters[0].name": "a b"}, "parameters: 'a b' is no name"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_action_that_makes_no_sense_is_refused(cloud: ProgramCloud, wrong: dict[str, object], text: str) -> None:
    extension = cloud.extension()
    cloud.action(extension, "there")
    asked = {"extensionid": extension["id"], "name": "new", **wrong}
    assert text in refused(431, cloud.admin, "addCustomAction", **asked).text
    assert cloud.admin("listCustomActions")["count"] == 1
