"""Networks and VPCs that move to another physical network while their instances run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backends.simulated.host import SimulatedHypervisor
from cloudsim.hypervisor import HypervisorError
from cloudsim.model import (
    Host,
    Network,
    NetworkOffering,
    PhysicalNetwork,
    SystemVm,
    VirtualMachine,
    VpcOffering,
)
from cloudsim.protocol.specs import NicSpec
from tests.server.api.api_harness import Client, Refused, refused
from tests.server.api.commands.cloud_api import CloudApi
from tests.server.api.commands.network.routed_api import RoutedApi
from tests.server.api.commands.vpc.vpc_api import WITHOUT_LB, VpcApi

OVERLAY = range(5000, 5010)


def wire(api: CloudApi, vlan: str = "5000-5009", name: str = "overlay") -> str:
    """Another physical network, with VXLANs, tagged with its name."""
    made = api.admin(
        "createPhysicalNetwork", zoneid=api.zone, name=name, isolationmethods="VXLAN", vlan=vlan, tags=name
    )["physicalnetwork"]["id"]
    api.admin("addTrafficType", physicalnetworkid=made, traffictype="Guest")
    api.manager.physical_networks.providers.enable_all(api.store.table(PhysicalNetwork)[made])
    api.admin("updatePhysicalNetwork", id=made, state="Enabled")
    return str(made)


def tagged(api: CloudApi, like: str, *, tag: str | None = "overlay", without: tuple[str, ...] = ()) -> str:
    """A network offering as that one, for the physical network with the tag."""
    model = api.store.table(NetworkOffering).find("name", like)
    assert model is not None
    services = {name: each for name, each in model.services.items() if name not in without}
    providers: dict[str, Any] = {}
    for index, (service, (provider, *_)) in enumerate(services.items()):
        providers[f"serviceproviderlist[{index}].service"] = service
        providers[f"serviceproviderlist[{index}].provider"] = provider
    source_nat = {
        "service": "SourceNat",
        "capabilitytype": "SupportedSourceNatTypes",
        "capabilityvalue": "peraccount",
    }
    chosen = {f"servicecapabilitylist[0].{key}": value for key, value in source_nat.items()}
    made = api.admin(
        "createNetworkOffering",
        name=f"{like} on {tag} without {','.join(without)}",
        traffictype="GUEST",
        guestiptype=model.guest_type,
        supportedservices=list(services),
        forvpc=model.for_vpc,
        **({"tags": tag} if tag else {}),
        **providers,
        **(chosen if "SourceNat" in services else {}),
    )["networkoffering"]["id"]
    api.admin("updateNetworkOffering", id=made, state="Enabled")
    return str(made)


def card(api: CloudApi, vm_id: str) -> NicSpec:
    """The instance's card as its host has it now."""
    vm = api.store.table(VirtualMachine)[vm_id]
    machine = api.cloud.world.hosts[api.store.table(Host)[vm.host_id or ""].guid].hypervisor
    (found,) = machine.guests[vm.instance_name].nics
    return found


ISOLATED = "DefaultIsolatedNetworkOfferingWithSourceNatService"


@pytest.fixture
def api() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def forward(api: RoutedApi) -> None:
    rule = {"protocol": "tcp", "publicport": 80, "privateport": 8080}
    api.admin("createPortForwardingRule", ipaddressid=api.ip["id"], virtualmachineid=api.web["id"], **rule)


def test_a_network_moves_with_its_running_instances_and_its_rules(api: RoutedApi) -> None:
    forward(api)
    there, offering = wire(api), tagged(api, ISOLATED)
    before = {vm["id"]: card(api, vm["id"]) for vm in (api.web, api.db)}
    (router,) = api.store.table(SystemVm).where("network_id", api.front["id"])
    moved = api.admin("migrateNetwork", networkid=api.front["id"], networkofferingid=offering)["network"]
    assert (moved["physicalnetworkid"], moved["networkofferingid"]) == (there, offering)
    assert (moved["state"], moved["cidr"]) == ("Implemented", api.front["cidr"])
    for vm_id, old in before.items():
        now = card(api, vm_id)
        assert (now.mac, now.ip) == (old.mac, old.ip)
        assert old.isolation == "VLAN" and (now.isolation, int(now.vlan or 0) in OVERLAY) == ("VXLAN", True)
    (successor,) = api.store.table(SystemVm).where("network_id", api.front["id"])
    assert successor.id != router.id
    assert api.ends(api.ip["ipaddress"], 80) == {(api.web["instancename"], 8080)}
    vlans = api.admin("listGuestVlans", physicalnetworkid=there, allocatedonly=True)["guestvlan"]
    assert [each["vlan"] for each in vlans] == [card(api, api.web["id"]).vlan]


def test_an_instance_that_was_stopped_starts_where_its_network_is(api: RoutedApi) -> None:
    wire(api)
    api.admin("stopVirtualMachine", id=api.db["id"])
    api.admin("migrateNetwork", networkid=api.front["id"], networkofferingid=tagged(api, ISOLATED))
    api.admin("startVirtualMachine", id=api.db["id"])
    assert card(api, api.db["id"]).vlan == card(api, api.web["id"]).vlan


def test_what_was_left_behind_moves_when_it_is_resumed(
    api: RoutedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire(api)
    asked = {"networkid": api.front["id"], "networkofferingid": tagged(api, ISOLATED)}
    plug = SimulatedHypervisor.plug_nic

    async def broken(machine: SimulatedHypervisor, name: str, nic: NicSpec) -> None:
        if name == api.web["instancename"]:
            raise HypervisorError("the bus is stuck")
        await plug(machine, name, nic)

    with monkeypatch.context() as patched:
        patched.setattr(SimulatedHypervisor, "plug_nic", broken)
        error = failing(api.admin, **asked)
    assert "web: " in error and "the bus is stuck" in error and "resume=true" in error
    network = api.store.table(Network)[api.front["id"]]
    assert network.move is not None and network.move.vlan is not None
    old = network.move.vlan
    assert "was not finished" in refused(431, api.admin, "migrateNetwork", **asked).text
    other = asked | {"networkofferingid": tagged(api, ISOLATED, without=("Vpn",)), "resume": True}
    assert "another network offering" in refused(431, api.admin, "migrateNetwork", **other).text
    another = api.network("another")
    api.deploy("third", another["id"])
    assert api.store.table(Network)[another["id"]].vlan != old  # cards are in it still
    api.admin("migrateNetwork", **asked, resume=True)
    assert api.store.table(Network)[api.front["id"]].move is None
    assert card(api, api.web["id"]).vlan == card(api, api.db["id"]).vlan


def test_an_update_leads_to_no_other_physical_network_and_says_what_does(api: RoutedApi) -> None:
    front, before = api.front["id"], api.store.table(Network)[api.front["id"]]
    elsewhere = tagged(api, ISOLATED)
    wire(api)
    text = refused(431, api.admin, "updateNetwork", id=front, networkofferingid=elsewhere).text
    assert "tags overlay" in text and "migrateNetwork" in text
    assert api.store.table(Network)[front] == before
    offered = api.listed("listNetworkOfferings", "networkoffering", networkid=front)
    assert elsewhere not in [row["id"] for row in offered]
    api.admin("migrateNetwork", networkid=front, networkofferingid=elsewhere)


def failing(call: Client, **asked: Any) -> str:
    with pytest.raises(Refused) as caught:
        call("migrateNetwork", **asked)
    return caught.value.text


def test_what_cannot_move_is_refused_by_name_and_stays(api: RoutedApi) -> None:
    forward(api)
    front, before = api.front["id"], api.store.table(Network)[api.front["id"]]
    same = next(o.id for o in api.store.table(NetworkOffering) if o.name == ISOLATED)

    def why(offering: str, network: str = front) -> str:
        return refused(431, api.admin, "migrateNetwork", networkid=network, networkofferingid=offering).text

    assert "nothing can be migrated" in why(same)
    assert "tags" in why(tagged(api, ISOLATED))  # no physical network has them yet
    wire(api)
    assert "PortForwarding" in why(tagged(api, ISOLATED, without=("PortForwarding",)))
    full = tagged(api, ISOLATED, tag="narrow")
    wire(api, vlan="6000-6000", name="narrow")
    api.deploy("alone", api.network("alone", networkofferingid=full)["id"])
    with pytest.raises(Refused, match="no VLAN left"):
        api.admin("migrateNetwork", networkid=front, networkofferingid=full)
    default = next(each.id for each in api.store.table(Network) if each.is_default)
    assert "cannot be migrated" in why(same, default)
    assert api.store.table(Network)[front] == before
    user = api.account("user")
    refused(401, user, "migrateNetwork", networkid=front, networkofferingid=same)


@pytest.fixture
def vpc_api() -> Iterator[VpcApi]:
    made = VpcApi()
    yield made
    made.cloud.close()


def of_tiers(**offerings: str) -> dict[str, str]:
    entries = enumerate(offerings.items())
    return {
        f"tiernetworkofferings[{index}].{key}": value
        for index, (network, offering) in entries
        for key, value in (("networkid", network), ("networkofferingid", offering))
    }


def test_a_vpc_moves_with_all_its_tiers(vpc_api: VpcApi) -> None:
    api = vpc_api
    vpc = api.vpc()
    first, second = api.tier(vpc, 1), api.tier(vpc, 2)
    vm = api.cloud.deploy("web", network=api.store.table(Network)[first["id"]])
    there, offering = wire(api), tagged(api, WITHOUT_LB)
    (router,) = api.store.table(SystemVm).where("vpc_id", vpc["id"])
    asked = {"vpcid": vpc["id"], "vpcofferingid": vpc["vpcofferingid"]}
    alone = of_tiers(**{first["id"]: offering})
    assert "tier2" in refused(431, api.admin, "migrateVPC", **asked, **alone).text
    assert (
        "migrateVPC"
        in refused(431, api.admin, "migrateNetwork", networkid=first["id"], networkofferingid=offering).text
    )
    stay = of_tiers(**{each["id"]: api.network_offering(WITHOUT_LB) for each in (first, second)})
    assert "nothing can be migrated" in refused(431, api.admin, "migrateVPC", **asked, **stay).text
    api.admin("migrateVPC", **asked, **of_tiers(**{first["id"]: offering, second["id"]: offering}))
    for tier in (first, second):
        assert api.store.table(Network)[tier["id"]].physical_network_id == there
    assert card(api, vm.id).isolation == "VXLAN" and int(card(api, vm.id).vlan or 0) in OVERLAY
    (successor,) = api.store.table(SystemVm).where("vpc_id", vpc["id"])
    assert successor.id != router.id
    lease = api.cloud.world.reachability().lease(card(api, vm.id).mac)
    assert lease is not None and lease.router == first["gateway"]


def test_a_vpc_offering_that_lacks_what_its_tiers_need_is_refused(vpc_api: VpcApi) -> None:
    api = vpc_api
    vpc = api.vpc()
    tier = api.tier(vpc, 1)
    wire(api)
    model = api.store.table(VpcOffering)[vpc["vpcofferingid"]]
    services = [name for name in model.services if name not in ("PortForwarding", "Vpn")]
    made = api.admin("createVPCOffering", name="small", displaytext="small", supportedservices=services)
    small = made["vpcoffering"]["id"]
    api.admin("updateVPCOffering", id=small, state="Enabled")
    tiers = of_tiers(**{tier["id"]: tagged(api, WITHOUT_LB)})
    error = refused(431, api.admin, "migrateVPC", vpcid=vpc["id"], vpcofferingid=small, **tiers)
    assert "PortForwarding" in error.text
