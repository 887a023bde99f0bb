"""VPC offerings: the first ones, and those that operators make."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.vpc.vpc_offerings import VpcOfferingRequest
from cloudsim.model import VpcOffering
from tests.cloudsim.management.vpc.vpc_bench import VpcBench


def make(bench: VpcBench, **asked: Any) -> VpcOffering:
    return bench.offerings.create(VpcOfferingRequest(**{"name": "gold", "services": ("SourceNat",), **asked}))


def test_a_fresh_cloud_has_offerings_by_the_names_clients_look_for(bench: VpcBench) -> None:
    assert [(each.name, each.state) for each in bench.rows(VpcOffering)] == [
        ("Default VPC offering", "Enabled"),
        ("Default VPC  offering with Netscaler", "Disabled"),
        ("Redundant VPC offering", "Enabled"),
    ]


def test_an_offering_is_disabled_at_first_and_its_router_does_source_nat_and_acls_and_is_the_gateway(
    bench: VpcBench,
) -> None:
    made = make(bench, services=("dhcp",))
    assert made.state == "Disabled"
    router = ("VpcVirtualRouter",)
    assert made.services == {"SourceNat": router, "Dhcp": router, "Gateway": router, "NetworkACL": router}
    assert make(bench, name="open", enable=True).state == "Enabled"


def test_several_may_provide_one_service(bench: VpcBench) -> None:
    providers = (("Lb", "vpcvirtualrouter"), ("Lb", "InternalLbVm"), ("Dns", "VpcVirtualRouter"))
    made = make(bench, services=("Lb", "Dns"), providers=providers)
    assert made.services["Lb"] == ("VpcVirtualRouter", "InternalLbVm")
    assert made.services["Dns"] == ("VpcVirtualRouter",)


def test_what_an_offering_says_of_its_services(bench: VpcBench) -> None:
    made = make(
        bench,
        services=("SourceNat",),
        capabilities=(
            ("Connectivity", "DistributedRouter", "true"),
            ("Connectivity", "regionlevelvpc", "TRUE"),
            ("SourceNat", "RedundantRouter", "false"),
        ),
    )
    assert (made.distributed_router, made.region_level) == (True, True)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "Default VPC offering"}, "exists already"),
        ({"services": ()}, "needs services"),
        ({"services": ("Firewall",)}, "not supported in a VPC"),
        ({"services": ("SecurityGroup",)}, "not supported in a VPC"),
        ({"providers": (("Dns", "VpcVirtualRouter"),)}, "not enabled for the VPC offering"),
        ({"providers": (("SourceNat", "InternalLbVm"),)}, "cannot provide service SourceNat"),
        ({"capabilities": (("SourceNat", "Colour", "true"),)}, "Capability Colour"),
        ({"capabilities": (("SourceNat", "RedundantRouter", "maybe"),)}, "true or false"),
        ({"capabilities": (("SourceNat", "RedundantRouter", "true"),)}, "RedundantRouter is not supported"),
    ],
)
def test_what_an_offering_cannot_be(bench: VpcBench, asked: dict[str, Any], text: str) -> None:
    before = bench.rows(VpcOffering)
    with pytest.raises(InvalidParameterValue, match=text):
        make(bench, **asked)
    assert bench.rows(VpcOffering) == before


def test_an_offering_is_renamed_and_enabled(bench: VpcBench) -> None:
    made = make(bench)
    changes = bench.offerings.check_update(made, name="silver", display_text="Silver", state="enabled")
    changed = bench.offerings.update(made.id, changes)
    assert (changed.name, changed.display_text, changed.state) == ("silver", "Silver", "Enabled")
    with pytest.raises(InvalidParameterValue, match="Incorrect state value"):
        bench.offerings.check_update(changed, state="Broken")
    with pytest.raises(InvalidParameterValue, match="exists already"):
        bench.offerings.check_update(changed, name="Redundant VPC offering")


def test_default_offerings_and_those_in_use_are_not_deleted(bench: VpcBench) -> None:
    with pytest.raises(InvalidParameterValue, match="Default VPC offering can't be deleted"):
        bench.offerings.delete(bench.offering().id)
    made = make(bench, enable=True)
    vpc = bench.vpc()
    with bench.store.transaction():
        bench.store.table(type(vpc)).update(vpc.id, vpc_offering_id=made.id)
    with pytest.raises(ResourceInUse, match="used by 1 vpcs"):
        bench.offerings.delete(made.id)
    with bench.store.transaction():
        bench.store.table(type(vpc)).delete(vpc.id)
    bench.offerings.delete(made.id)
    assert bench.now(made) is None
