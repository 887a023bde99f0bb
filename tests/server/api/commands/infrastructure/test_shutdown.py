"""A management server that is to be stopped ends its jobs first, and takes no new ones."""

from __future__ import annotations

import asyncio

import pytest

from cloudsim.management.identity.caller import Caller
from tests.server.api.api_harness import Api, Client, refused

HERE = {"managementserverid": "1"}


@pytest.fixture
def ann(api: Api) -> Client:
    return api.account("ann")[1]


def test_while_a_shutdown_is_prepared_nothing_begins_that_takes_long(admin: Client, ann: Client) -> None:
    (server,) = admin("listManagementServers")["managementserver"]
    told = admin("prepareForShutdown", **HERE)["readyforshutdown"]
    assert (told["managementserverid"], told["shutdowntriggered"]) == (server["id"], True)
    assert (told["readyforshutdown"], told["state"]) == (True, "ReadyToShutDown")
    assert admin("listManagementServers")["managementserver"][0]["state"] == "ReadyToShutDown"
    for call in (admin, ann):
        assert "shutdown" in refused(530, call, "createProject", name="p", displaytext="p").text
    assert admin("listProjects", listall=True) == {}
    assert admin("createDomain", name="d")["domain"]["name"] == "d"
    told = admin("cancelShutdown", managementserverid=server["id"])["readyforshutdown"]
    assert (told["shutdowntriggered"], told["readyforshutdown"], told["state"]) == (False, False, "Up")
    assert admin("createProject", name="p", displaytext="p")["project"]["state"] == "Active"


def test_it_is_ready_when_no_job_is_left(api: Api, admin: Client) -> None:
    assert admin("readyForShutdown", **HERE)["readyforshutdown"]["readyforshutdown"] is False
    jobs, gate = api.manager.jobs, asyncio.Event()
    caller = Caller(api.manager.identity.system()[0])

    async def begin() -> str:
        return str(jobs.submit(caller, "createProject", gate.wait).id)

    async def end() -> None:
        gate.set()
        await jobs.wait(begun)

    begun = api.run(begin())
    told = admin("prepareForShutdown", **HERE)["readyforshutdown"]
    assert (told["readyforshutdown"], told["pendingjobscount"]) == (False, 1)
    assert told["state"] == "PreparingForShutDown"
    api.run(end())
    assert admin("readyForShutdown", **HERE)["readyforshutdown"]["readyforshutdown"] is True


def test_what_there_is_not_is_refused(admin: Client, ann: Client) -> None:
    assert "managementserverid" in refused(431, admin, "prepareForShutdown", managementserverid="2").text
    assert "No shutdown" in refused(530, admin, "cancelShutdown", **HERE).text
    refused(401, ann, "prepareForShutdown", **HERE)
    admin("prepareForShutdown", **HERE)
    assert "already" in refused(530, admin, "prepareForShutdown", **HERE).text
