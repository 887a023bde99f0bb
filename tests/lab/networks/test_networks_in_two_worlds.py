"""The matrix of network services on real hosts and on simulated ones: the same configuration, the same answers.

The isolated network's router is a namespace on its host, the VPC's a system VM: the zone's setting is changed between.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.lab.lab_cloud import LabCloud, eventually, lab_cloud
from tests.lab.networks import matrix
from tests.lab.networks.matrix import OUTSIDE
from tests.lab.networks.real import RealWorld, real_world
from tests.lab.networks.simulated import SimulatedWorld

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

BACK_WITHIN = 600.0
OWN = frozenset({"the guest has the password of the API", "a guest makes the address that the cloud says"})
"""Rows whose answer is each world's own."""

Part = Callable[[matrix.World], Iterator[matrix.Row]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LabCloud]:
    yield from lab_cloud(tmp_path_factory.mktemp("networks"), 2, request, wait_for_guest=0.0, routers="machine")


@pytest.fixture(scope="module")
def real(cloud: LabCloud) -> Iterator[RealWorld]:
    yield from real_world(cloud)


@pytest.fixture
def simulated() -> Iterator[SimulatedWorld]:
    made = SimulatedWorld()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("part", "mode"),
    [
        (matrix.isolated, "Namespace"),
        (matrix.groups, "Namespace"),
        (matrix.tiers, "VirtualMachine"),
        (matrix.dual_stack, "Namespace"),
    ],
    ids=["an isolated network", "security groups", "tiers of a VPC", "IPv4 and IPv6"],
)
def test_both_worlds_give_the_right_answers(
    real: RealWorld, simulated: SimulatedWorld, part: Part, mode: str
) -> None:
    real.cloud.cs.updateConfiguration(name="router.mode", value=mode, zoneid=real.zone_id())
    here, there = list(part(real)), list(part(simulated))
    assert [row.name for row in here] == [row.name for row in there]
    assert [row for row in (*here, *there) if row.answer != row.right] == []
    assert [row.answer for row in here if row.name not in OWN] == [r.answer for r in there if r.name not in OWN]


@pytest.mark.parametrize("killed", ["the VPC's router, a machine", "the network's router, a namespace"])
def test_a_router_that_dies_under_traffic_is_back_by_itself(real: RealWorld, killed: str) -> None:
    in_vpc = killed.startswith("the VPC")
    routers = real.cloud.cs.listRouters(listall=True)["router"]
    router = next(each for each in routers if bool(each.get("vpcid")) == in_vpc and each.get("publicip"))
    target = next(address for address in real.open_ports() if bool(address.vpc) == in_vpc)
    assert real.reaches(OUTSIDE, target.ip, "tcp", target.port, True)
    before, began = real.router_process(router), time.monotonic()
    real.kill_router(router)
    if in_vpc:  # what the kernel does for a namespace may go on for a moment
        assert not real.reaches(OUTSIDE, target.ip, "tcp", target.port, False)

    def back() -> bool:
        now = real.router_process(router)
        return now is not None and now != before and real.reaches(OUTSIDE, target.ip, "tcp", target.port, True)

    eventually(f"another router serves {target.ip}:{target.port}", back, BACK_WITHIN, 0.5)
    print(f"\nrecovery: {killed}: {time.monotonic() - began:.1f} s until traffic passed again")


def test_a_download_goes_on_when_its_storage_vm_is_killed(real: RealWorld) -> None:
    cs, cloud = real.cloud.cs, real.cloud
    with real.slow_file(mib=24, seconds=20.0) as url:
        made = cs.registerTemplate(
            name="slow",
            displaytext="slow",
            url=url,
            format="QCOW2",
            hypervisor="KVM",
            zoneid=cloud.zone,
            ostypeid=cs.listOsTypes(keyword="Other Linux (64-bit)")["ostype"][0]["id"],
        )["template"][0]

        def status() -> dict[str, object]:
            return dict(cs.listTemplates(templatefilter="self", id=made["id"])["template"][0])

        eventually("the download has begun", lambda: "%" in str(status().get("status", "")), BACK_WITHIN)
        storage = next(
            each for each in cs.listSystemVms(systemvmtype="secondarystoragevm")["systemvm"] if each["state"] == "Running"
        )
        pid = cloud.host(storage["hostname"]).qemus()[storage["name"]]
        began = time.monotonic()
        subprocess.run(["kill", "-9", str(pid)], check=True)
        eventually("the template is ready", lambda: status()["isready"], BACK_WITHIN)
    print(f"\nrecovery: a storage VM killed half-way of a download: template ready after {time.monotonic() - began:.1f} s")
