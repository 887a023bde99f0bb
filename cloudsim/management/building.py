"""Sets up the zones that a world describes, in the order in which an operator would."""

from __future__ import annotations

import asyncio
from typing import Any

from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.services import Services
from cloudsim.model import Cluster, Pod, Zone

GIB = 1 << 30
TRAFFIC = ("Management", "Guest", "Storage")


async def build_zone(services: Services, plan: Any, *, guest_cidr: str | None = None) -> Zone:
    """Add one zone with everything in it, and enable it once its hosts are up and its storage is mounted.

    `plan` is the backend's (`world.layout.zones`): names, addresses and URLs of what is there; `guest_cidr`, where
    given, stands for its. Raises
    CloudError for what the cloud refuses, and leaves then what was built before it.
    """
    spec = plan.spec
    basic = spec.network_type == "Basic"
    zone = services.zones.create(
        name=plan.name,
        network_type=spec.network_type,
        dns1=spec.dns1,
        dns2=spec.dns2,
        internal_dns1=spec.internal_dns1,
        internal_dns2=spec.internal_dns2,
        domain=spec.domain,
        guest_cidr=None if basic else guest_cidr or spec.guest_cidr,
        security_groups=spec.security_groups,
    )
    _wire(services, zone, None if basic else spec.guest_vlans, None if basic else spec.public, spec.isolation)
    for pod_plan in plan.pods:
        pod = services.pods.create(
            zone,
            name=pod_plan.name,
            gateway=pod_plan.gateway,
            netmask=pod_plan.netmask,
            start_ip=pod_plan.start_ip,
            end_ip=pod_plan.end_ip,
        )
        for rack in pod_plan.racks:
            cluster = services.clusters.create(
                zone, pod, name=rack.name, hypervisor=services.world.hypervisor
            )
            await _fill(services, zone, pod, cluster, rack)
    # CloudStack knows no pod-wide pools: what a pod shares is offered to its zone.
    for pool in (*plan.pools, *(pool for pod_plan in plan.pods for pool in pod_plan.pools)):
        await _mount(services, zone, None, None, pool)
    for store in plan.stores:
        added = services.image_stores.add(url=store.url, provider="NFS", zone=zone, name=store.name)
        described = getattr(store, "spec", None)
        if described is not None:
            services.image_stores.update(added, capacity=round(described.capacity_gib * GIB))
    return services.zones.update(zone, allocation_state="Enabled")


def _wire(services: Services, zone: Zone, vlans: str | None, public: Any, isolation: str) -> None:
    methods = (isolation,) if vlans is not None else ()
    wires = services.physical_networks
    physical = wires.create(zone, name=f"{zone.name}-network", vlan=vlans, isolation_methods=methods)
    for traffic in (*TRAFFIC, *(("Public",) if public is not None else ())):
        wires.add_traffic_type(physical, traffic)
    wires.providers.enable_all(physical)
    wires.update(physical, state="Enabled")
    if public is not None:
        services.ip_ranges.create(
            RangeRequest(
                zone=zone,
                physical=physical,
                start_ip=public.start_ip,
                end_ip=public.end_ip,
                gateway=public.gateway,
                netmask=public.netmask,
                vlan=public.vlan,
            )
        )


async def _fill(services: Services, zone: Zone, pod: Pod, cluster: Cluster, rack: Any) -> None:
    hosts = services.hosts
    found = await asyncio.gather(*(hosts.find(cluster, host.url) for host in rack.hosts))
    # Their rows in the order of the description, whoever came first: policies may go by it.
    await asyncio.gather(*(hosts.join(cluster, newcomer) for newcomer in found))
    for pool in rack.pools:
        await _mount(services, zone, pod, cluster, pool)


async def _mount(services: Services, zone: Zone, pod: Pod | None, cluster: Cluster | None, pool: Any) -> None:
    scope = "ZONE" if cluster is None else "CLUSTER"
    wanted = services.primary_storage.check_new(
        zone, pod, cluster, name=pool.name, url=pool.url, scope=scope
    )
    await services.primary_storage.create(wanted)
