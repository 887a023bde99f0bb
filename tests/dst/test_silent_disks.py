"""Disks of which nobody knew whether they had been made: what random runs found, each as the smallest case."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloudsim.management.infrastructure.agents import OutcomeUnknown
from cloudsim.model import Host, Volume
from tests.cloudsim.management.cloud_harness import Cloud
from tests.dst.plan import from_json
from tests.dst.run import Run


def test_a_disk_of_a_snapshot_that_was_made_in_silence_is_not_left_behind() -> None:
    plan = from_json(
        '{"seed":13,"operations":[[23933.737,"deploy",158,126],[24845.349,"snapshot",214,749],'
        '[29918.469,"create volume",615,261]],"faults":[{"fault":"AgentHang","at":29862.501,"duration":1505.738,'
        '"host":"zone-1/pod-1/rack-1/host-1"}]}'
    )
    assert Run(plan).outcome().violations == []


def test_a_volume_that_may_lie_on_its_pool_can_be_asked_to_be_resized() -> None:
    plan = from_json(
        '{"seed":95,"episodes":1,"operations":[[4001.594,"deploy",321,591],'
        '[10753.84,"deploy",848,361],[11077.062,"resize",407,764]],"faults":[{"fault":"MessageDelay","at":10659.83,'
        '"duration":1626.906,"seconds":200.0}]}'
    )
    assert Run(plan).outcome().violations == []


def ready_volume(cloud: Cloud) -> Volume:
    """A data disk on the first rack's pool."""
    placed: Volume = cloud.do(cloud.manager.disks.place(cloud.volume(), next(iter(cloud.table(Host)))))
    return placed


def test_a_disk_that_moved_in_silence_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(racks=2)
    volume = ready_volume(cloud)
    target = list(cloud.table(Host))[-1]
    cloud.manager.settings.set("wait", "60")
    kind = type(cloud.world.hosts[target.guid].hypervisor)
    making = kind.create_volume

    async def silently(self: Any, *arguments: Any) -> Any:
        cloud.world.impair_messages(target.guid, loss=1.0)
        return await making(self, *arguments)

    monkeypatch.setattr(kind, "create_volume", silently)
    with pytest.raises(OutcomeUnknown):
        cloud.do(cloud.manager.volume_migration.to_host(volume, target))
    cloud.world.impair_messages(target.guid, loss=-1.0)
    cloud.wait(600)
    cloud.do(cloud.manager.volumes.delete(cloud.table(Volume)[volume.id]))
    for _ in range(2):  # a round removes what was already left over in the one before
        cloud.do(cloud.manager.volumes.expunge_destroyed())
    files = {path for pool in cloud.world.site.pool_ids.values() for path in pool.contents}
    cloud.close()
    assert volume.id not in files


def test_of_two_attachments_of_one_volume_only_one_succeeds() -> None:
    cloud = Cloud(racks=2)
    volume = ready_volume(cloud)
    attachment = cloud.manager.volume_attachment
    vms = [cloud.deploy(f"vm-{n}") for n in range(8)]
    clusters = {h.id: h.cluster_id for h in cloud.table(Host)}
    first = clusters[next(iter(clusters))]
    far = next(vm for vm in vms if clusters[vm.host_id or ""] != first)
    other = next(vm for vm in vms if clusters[vm.host_id or ""] != first and vm is not far)
    cloud.stop(other)

    async def both() -> list[object]:
        moving = asyncio.ensure_future(attachment.attach(volume.id, far.id))
        while cloud.table(Volume)[volume.id].pool_id == volume.pool_id:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        second = asyncio.ensure_future(attachment.attach(volume.id, other.id))
        return await asyncio.gather(moving, second, return_exceptions=True)

    done = cloud.do(both())
    cloud.close()
    assert [isinstance(each, Volume) for each in done].count(True) == 1


@pytest.mark.parametrize("seed", [150, 190])
def test_a_disk_is_not_lost_while_an_earlier_one_of_its_volume_is_still_being_removed(seed: int) -> None:
    assert Run(from_json(f'{{"seed":{seed},"episodes":8}}')).outcome().violations == []
