"""createConsoleEndpoint and listConsoleSessions, as clients see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import ServiceOffering, VirtualMachine
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.systemvm.console_cloud import ConsoleCloud
from tests.server.api.api_harness import Client
from tests.server.api.commands.cloud_api import CloudApi


class ConsoleApi(CloudApi):
    """A cloud with a console proxy behind its API."""

    def __init__(self) -> None:
        self.cloud: ConsoleCloud = ConsoleCloud()
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")
        self.proxy = self.cloud.found()

    def deploy(self, call: Client, name: str = "web") -> dict[str, Any]:
        made: dict[str, Any] = call(
            "deployVirtualMachine",
            name=name,
            zoneid=self.zone,
            templateid=self.cloud.template.id,
            serviceofferingid=self.cloud.named(ServiceOffering, "Small Instance").id,
        )["virtualmachine"]
        return made

    def console(self, call: Client, vm: dict[str, Any], **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = call("createConsoleEndpoint", virtualmachineid=vm["id"], **more)["consoleendpoint"]
        return made


@pytest.fixture
def api() -> Iterator[ConsoleApi]:
    made = ConsoleApi()
    yield made
    made.cloud.close()


def test_an_endpoint_is_a_page_and_what_a_client_of_ones_own_needs(api: ConsoleApi) -> None:
    user = api.account("ada")
    vm = api.deploy(user)
    endpoint = api.console(user, vm)
    socket = endpoint["websocket"]
    assert endpoint["success"] is True and "details" not in endpoint
    assert (socket["host"], socket["port"], socket["path"]) == (api.proxy.public_ip, "8080", "websockify")
    assert socket["token"] in endpoint["url"] and "extra" not in socket
    assert api.console(user, vm)["websocket"]["token"] != socket["token"]


def test_why_there_is_no_console_is_in_the_details(api: ConsoleApi) -> None:
    vm = api.deploy(api.admin)
    api.admin("stopVirtualMachine", id=vm["id"])
    endpoint = api.console(api.admin, vm)
    assert endpoint == {"success": False, "details": "Instance web has no console: it is in state Stopped"}
    assert api.admin("listConsoleSessions") == {}


def test_nobody_opens_a_console_of_another_accounts_instance(api: ConsoleApi) -> None:
    ada, eve = api.account("ada"), api.account("eve")
    vm = api.deploy(ada)
    for machine in (vm["id"], api.proxy.id):
        assert api.console(eve, {"id": machine}) == {"success": False, "details": "Permission denied"}
    assert api.admin("listConsoleSessions") == {}
    assert api.console(api.admin, {"id": api.proxy.id})["success"] is True, "an operator looks at system VMs, too"


def test_sessions_are_listed_to_who_made_them_and_to_the_operator_with_the_host(api: ConsoleApi) -> None:
    ada, eve = api.account("ada"), api.account("eve")
    vm = api.deploy(ada)
    api.console(ada, vm)
    (own,) = ada("listConsoleSessions")["consolesession"]
    assert (own["virtualmachinename"], own["user"], "hostid" in own) == ("web", "ada", False)
    assert eve("listConsoleSessions") == {}
    api.console(api.admin, vm)
    listed = api.admin("listConsoleSessions", virtualmachineid=vm["id"])
    assert [each["account"] for each in listed["consolesession"]] == ["ada", "admin"]
    assert listed["consolesession"][0]["hostname"].startswith("host-")
    assert len(ada("listConsoleSessions")["consolesession"]) == 1


def test_sessions_are_found_by_what_became_of_them(api: ConsoleApi) -> None:
    vm = api.deploy(api.admin)
    opened, unopened = (api.cloud.open(api.cloud.table(VirtualMachine)[vm["id"]]) for _ in range(2))
    api.cloud.browse(opened)
    api.cloud.wait(11)

    def ids(**wanted: Any) -> list[str]:
        return [each["id"] for each in api.admin("listConsoleSessions", **wanted).get("consolesession", [])]

    assert ids() == [opened.session_id, unopened.session_id]
    assert ids(acquired="true") == [opened.session_id]
    assert ids(clientaddress="192.0.2.77") == [opened.session_id]
    assert ids(id=unopened.session_id) == [unopened.session_id]
    assert ids(keyword=unopened.session_id[:8]) == [unopened.session_id]
    api.admin("stopVirtualMachine", id=vm["id"])
    api.cloud.wait(3)
    assert ids(activeonly="true") == [] and len(ids()) == 2
    assert ids(page="2", pagesize="1") == [unopened.session_id]
    assert ids(startdate="2040-01-01") == []


def test_viewers_are_counted_at_their_proxy(api: ConsoleApi) -> None:
    vm = api.deploy(api.admin)
    endpoint = api.cloud.open(api.cloud.table(VirtualMachine)[vm["id"]])
    assert api.cloud.browse(endpoint) is not None
    api.cloud.wait(11)
    (shown,) = api.admin("listSystemVms", systemvmtype="consoleproxy")["systemvm"]
    assert shown["activeviewersessions"] == 1
