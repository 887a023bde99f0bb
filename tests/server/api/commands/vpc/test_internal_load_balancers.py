"""Internal load balancers through the API: their addresses, their machines, and whom they lead to."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.model import LoadBalancerRule, SystemVm, VirtualMachine
from tests.server.api.api_harness import refused
from tests.server.api.commands.vpc.vpc_api import WITH_INTERNAL_LB, VpcApi


class Tier:
    """A tier with internal load balancing, and the instance `web` in it."""

    def __init__(self, api: VpcApi) -> None:
        self.api = api
        self.vpc = api.vpc()
        self.network = api.tier(self.vpc, 1, WITH_INTERNAL_LB, aclid=api.default_list("default_allow"))
        self.id = self.network["id"]

    def balance(self, **more: Any) -> dict[str, Any]:
        asked = {
            "name": "lb",
            "networkid": self.id,
            "sourceipaddressnetworkid": self.id,
            "sourceport": 80,
            "instanceport": 8080,
            "algorithm": "roundrobin",
            "scheme": "Internal",
            **more,
        }
        made: dict[str, Any] = self.api.admin("createLoadBalancer", **asked)["loadbalancer"]
        return made

    def machines(self) -> list[dict[str, Any]]:
        return self.api.listed(
            "listInternalLoadBalancerVMs", "internalloadbalancervm", listall=True, vpcid=self.vpc["id"]
        )

    def does(self) -> Any:
        """What the one balancer's machine does."""
        (row,) = [each for each in self.api.store.table(SystemVm) if each.kind == "InternalLoadBalancerVm"]
        return self.api.cloud.appliance(row).configuration


@pytest.fixture
def tier(api: VpcApi) -> Tier:
    return Tier(api)


def test_a_balancer_has_an_address_at_once_and_a_machine_with_its_first_member(tier: Tier) -> None:
    api = tier.api
    made = tier.balance()
    assert made["loadbalancerrule"] == [{"sourceport": 80, "instanceport": 8080, "state": "Active"}]
    assert (made["loadbalancerinstance"], tier.machines()) == ([], [])
    web = api.deploy("web", tier.network)
    address = web["nic"][0]["ipaddress"]
    assert address != made["sourceipaddress"]
    api.admin("assignToLoadBalancerRule", id=made["id"], virtualmachineids=web["id"])
    (machine,) = tier.machines()
    assert (machine["state"], machine["role"], machine["guestipaddress"]) == (
        "Running",
        "INTERNAL_LB_VM",
        made["sourceipaddress"],
    )
    (balancer,) = tier.does().balancers
    assert (balancer.ip, balancer.port) == (made["sourceipaddress"], 80)
    assert [(member.ip, member.port) for member in balancer.members] == [(address, 8080)]
    (shown,) = api.one("listLoadBalancers", "loadbalancer", id=made["id"])["loadbalancerinstance"]
    assert (shown["name"], shown["state"], shown["ipaddress"]) == ("web", "Running", address)


def test_another_instance_gets_through_the_balancer(tier: Tier) -> None:
    api = tier.api
    made = tier.balance()
    web, client = api.deploy("web", tier.network), api.deploy("client", tier.network)
    api.admin("assignToLoadBalancerRule", id=made["id"], virtualmachineids=web["id"])
    found = api.cloud.world.reachability().can_reach(
        client["instancename"], made["sourceipaddress"], "tcp", 80
    )
    assert [(end.name, end.port) for end in found.ends] == [(web["instancename"], 8080)]


def test_ports_of_one_address_share_a_machine_which_goes_with_the_last(tier: Tier) -> None:
    api = tier.api
    web = api.deploy("web", tier.network)
    first = tier.balance(sourceipaddress="10.20.1.50")
    second = tier.balance(sourceipaddress="10.20.1.50", sourceport=443)
    for made in (first, second):
        api.admin("assignToLoadBalancerRule", id=made["id"], virtualmachineids=web["id"])
    assert len(tier.machines()) == 1
    assert sorted(balancer.port for balancer in tier.does().balancers) == [80, 443]
    api.admin("deleteLoadBalancer", id=first["id"])
    assert [balancer.port for balancer in tier.does().balancers] == [443]
    api.admin("deleteLoadBalancer", id=second["id"])
    assert tier.machines() == []
    assert api.admin("listLoadBalancers", scheme="Internal") == {}


def test_an_address_that_a_balancer_has_is_given_to_nobody_else(tier: Tier) -> None:
    api = tier.api
    taken = {tier.balance(sourceport=port)["sourceipaddress"] for port in (80, 81, 82)}
    assert len(taken) == 3
    assert api.deploy("web", tier.network)["nic"][0]["ipaddress"] not in taken
    refused(537, api.admin, "createLoadBalancer", **asked(tier, sourceipaddress=min(taken), sourceport=80))


def asked(tier: Tier, **more: Any) -> dict[str, Any]:
    return {
        "name": "lb",
        "networkid": tier.id,
        "sourceipaddressnetworkid": tier.id,
        "sourceport": 80,
        "instanceport": 8080,
        "algorithm": "roundrobin",
        "scheme": "Internal",
        **more,
    }


def test_what_a_balancer_cannot_be(tier: Tier) -> None:
    api = tier.api
    web = api.deploy("web", tier.network)
    plain = api.network("plain")
    for wrong in (
        {"scheme": "Public"},
        {"algorithm": "fair"},
        {"sourceport": 0},
        {"instanceport": 70_000},
        {"sourceipaddress": "10.20.1.1"},
        {"sourceipaddress": "10.20.2.9"},
        {"sourceipaddress": web["nic"][0]["ipaddress"]},
        {"sourceipaddressnetworkid": plain["id"]},
        {"networkid": plain["id"], "sourceipaddressnetworkid": plain["id"]},
    ):
        refused(431, api.admin, "createLoadBalancer", **asked(tier, **wrong))
    assert not len(api.store.table(LoadBalancerRule))


def test_a_balancers_machine_is_stopped_and_started_by_operators(tier: Tier) -> None:
    api = tier.api
    made = tier.balance()
    web = api.deploy("web", tier.network)
    api.admin("assignToLoadBalancerRule", id=made["id"], virtualmachineids=web["id"])
    (machine,) = tier.machines()
    stopped = api.admin("stopInternalLoadBalancerVM", id=machine["id"])["internalloadbalancervm"]
    assert stopped["state"] == "Stopped"
    started = api.admin("startInternalLoadBalancerVM", id=machine["id"])["internalloadbalancervm"]
    assert started["state"] == "Running"
    assert len(tier.does().balancers) == 1
    router = api.router(tier.vpc)
    refused(431, api.admin, "stopInternalLoadBalancerVM", id=router.id)
    refused(401, api.account("ann"), "listInternalLoadBalancerVMs")


def test_where_its_machine_cannot_start_nobody_is_behind_a_balancer(tier: Tier) -> None:
    api = tier.api
    made = tier.balance()
    web = api.deploy("web", tier.network)
    offering = next(o for o in api.store.tables["ServiceOffering"] if o.system_vm_type == "internalloadbalancervm")
    with api.store.transaction():
        api.store.tables["ServiceOffering"].update(offering.id, memory_mib=1 << 30)
    refused(533, api.admin, "assignToLoadBalancerRule", id=made["id"], virtualmachineids=web["id"])
    assert api.one("listLoadBalancers", "loadbalancer", id=made["id"])["loadbalancerinstance"] == []
    assert tier.machines() == []
    assert [vm.name for vm in api.store.table(VirtualMachine) if vm.name.startswith("b-")] == []


def test_a_tier_goes_with_its_balancers(tier: Tier) -> None:
    api = tier.api
    made = tier.balance()
    web = api.deploy("web", tier.network)
    api.admin("assignToLoadBalancerRule", id=made["id"], virtualmachineids=web["id"])
    api.admin("destroyVirtualMachine", id=web["id"], expunge=True)
    assert api.one("listLoadBalancers", "loadbalancer", id=made["id"])["loadbalancerinstance"] == []
    api.admin("deleteNetwork", id=tier.id)
    assert not len(api.store.table(LoadBalancerRule))
    assert tier.machines() == []
    api.admin("deleteVPC", id=tier.vpc["id"])


def test_an_internal_balancer_is_hidden_and_shown(tier: Tier) -> None:
    made = tier.balance(fordisplay=False)
    assert tier.api.one("listLoadBalancers", "loadbalancer", fordisplay=False)["id"] == made["id"]
    shown = tier.api.admin("updateLoadBalancer", id=made["id"], fordisplay=True)["loadbalancer"]
    assert shown["fordisplay"] is True
