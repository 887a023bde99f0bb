"""Further DHCP options of NICs: asked for by calls, told by lists, and in the leases that routers give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.commands.network.routed_api import RoutedApi


@pytest.fixture
def api() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def nic(api: RoutedApi, vm_id: str, network_id: str) -> dict[str, Any]:
    (found,) = api.admin("listNics", virtualmachineid=vm_id, networkid=network_id)["nic"]
    return dict(found)


def leased(api: RoutedApi, mac: str) -> dict[str, str]:
    """The options of the lease that the guest gets now."""
    api.cloud.wait(60)
    found = api.cloud.world.reachability().lease(mac)
    assert found is not None
    return found.options


def of_network(network_id: str, **options: str) -> dict[str, str]:
    named = {f"dhcpoptionsnetworklist[0].dhcp:{name[1:]}": value for name, value in options.items()}
    return {"dhcpoptionsnetworklist[0].networkid": network_id, **named}


def deploy(api: RoutedApi, network_id: str, **more: Any) -> dict[str, Any]:
    made = api.admin(
        "deployVirtualMachine",
        name="pxe",
        zoneid=api.zone,
        templateid=api.cloud.template.id,
        serviceofferingid=next(iter(api.store.tables["ServiceOffering"])).id,
        networkids=network_id,
        **more,
    )
    return dict(made["virtualmachine"])


def test_an_instance_is_deployed_with_options_that_its_lease_has(api: RoutedApi) -> None:
    vm = deploy(api, api.front["id"], **of_network(api.front["id"], _66="boot.example", _26="1400"))
    (card,) = vm["nic"]
    told = {each["code"]: (each["codename"], each["value"]) for each in card["extradhcpoption"]}
    assert told == {"66": ("tftp-server", "boot.example"), "26": ("mtu", "1400")}
    assert all(each["nicid"] == card["id"] for each in card["extradhcpoption"])
    options = leased(api, card["macaddress"])
    assert (options["66"], options["mtu"]) == ("boot.example", "1400")
    others = leased(api, api.web["nic"][0]["macaddress"])
    assert "66" not in others and others["mtu"] == "1500"


def test_options_are_replaced_while_the_instance_runs(api: RoutedApi) -> None:
    front = api.front["id"]
    api.admin("updateVirtualMachine", id=api.web["id"], **of_network(front, _67="one"))
    mac = api.web["nic"][0]["macaddress"]
    assert leased(api, mac)["67"] == "one"
    api.admin("updateVirtualMachine", id=api.web["id"], displayname="other")
    assert leased(api, mac)["67"] == "one"
    api.admin("updateVirtualMachine", id=api.web["id"], **of_network(front, _42="192.0.2.1"))
    options = leased(api, mac)
    assert options["42"] == "192.0.2.1" and "67" not in options
    api.admin("updateVirtualMachine", id=api.web["id"], **of_network(front))
    assert "extradhcpoption" not in nic(api, api.web["id"], front)


def test_a_nic_is_added_with_options(api: RoutedApi) -> None:
    back = api.network("back")
    options = {"dhcpoptions[0].dhcp:67": "pxe/start", "dhcpoptions[0].dhcp:42": "192.0.2.9"}
    api.admin("addNicToVirtualMachine", virtualmachineid=api.web["id"], networkid=back["id"], **options)
    card = nic(api, api.web["id"], back["id"])
    assert {each["code"]: each["value"] for each in card["extradhcpoption"]} == {
        "67": "pxe/start",
        "42": "192.0.2.9",
    }
    found = leased(api, card["macaddress"])
    assert (found["67"], found["42"]) == ("pxe/start", "192.0.2.9")


def test_where_no_dhcp_server_of_the_clouds_is_they_are_refused_and_nothing_happens(api: RoutedApi) -> None:
    api.admin("updateVirtualMachine", id=api.web["id"], **of_network(api.front["id"], _67="one"))
    plain = api.network("plain", networkofferingid=api.cloud.network_offering("DefaultL2NetworkOffering").id)
    offers = "does not support extra DHCP options"
    before = len(api.store.tables["VirtualMachine"])
    assert offers in refused(431, deploy_call(api), "", network_id=plain["id"]).text
    options = {"dhcpoptions[0].dhcp:67": "x"}
    added = {"virtualmachineid": api.web["id"], "networkid": plain["id"]}
    assert offers in refused(431, api.admin, "addNicToVirtualMachine", **added, **options).text
    wrong = of_network(plain["id"], _67="x")
    assert (
        "no NIC on network" in refused(431, api.admin, "updateVirtualMachine", id=api.web["id"], **wrong).text
    )
    bad = of_network(api.front["id"], _51="60")
    assert (
        "dhcpoptionsnetworklist"
        in refused(431, api.admin, "updateVirtualMachine", id=api.web["id"], **bad).text
    )
    assert len(api.store.tables["VirtualMachine"]) == before
    assert leased(api, api.web["nic"][0]["macaddress"])["67"] == "one"


def deploy_call(api: RoutedApi) -> Any:
    return lambda _, network_id: deploy(api, network_id, **of_network(network_id, _67="x"))
