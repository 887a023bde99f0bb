"""High availability of hosts: how it stands with them, and what the simulator's provider is told to find."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.infrastructure.host_ha_providers import Told, Transition
from cloudsim.model import Cluster, Host, HostHa, Zone
from server.api.command import ROOT, Call, Job, Listed, Success, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Long, View

_CONFIGURE, _ENABLE, _DISABLE = "HA.RESOURCE.CONFIGURE", "HA.RESOURCE.ENABLE", "HA.RESOURCE.DISABLE"


class HostHaView(View):
    """Whether a host is recovered and fenced when it fails, and how it stands with that."""

    key: ClassVar = "hostha"

    hostid: str | None = None
    haenable: bool | None = None
    hastate: Annotated[str | None, "Available, Suspect, Checking, Degraded, Recovering, Fencing, ..."] = None
    haprovider: str | None = None
    status: Annotated[bool | None, "that what was asked for is done"] = None

    @classmethod
    def of(cls, row: HostHa, call: Call) -> Self:
        return cls(hostid=row.host_id, haenable=row.enabled, hastate=row.state, haprovider=row.provider)


class HaProviderView(View):
    """A provider of high availability of hosts."""

    key: ClassVar = "haprovider"

    haprovider: str | None = None


class HaTransitionView(View):
    """A change of state of a simulated host."""

    key: ClassVar = "hastatetransition"

    hastate: str | None = None
    prevhastate: str | None = None
    event: str | None = None
    activitycounter: Annotated[Long | None, "checks of activity so far"] = None
    recoverycounter: Annotated[Long | None, "recoveries so far"] = None

    @classmethod
    def of(cls, row: Transition, call: Call) -> Self:
        return cls(
            hastate=row.after,
            prevhastate=row.before,
            event=row.event,
            activitycounter=row.checks,
            recoverycounter=row.recoveries,
        )


@command("listHostHAProviders", view=HaProviderView, roles=ROOT, group="Host")
async def list_host_ha_providers(
    call: Call, *, hypervisor: Annotated[str, Param("KVM or Simulator")]
) -> Listed:
    """Lists the providers of high availability for hosts of a hypervisor."""
    found = [HaProviderView(haprovider=name) for name in call.manager.host_ha.providers(hypervisor)]
    return Listed(found, len(found))


@command("listHostHAResources", view=HostHaView, roles=ROOT, group="Host")
async def list_host_ha_resources(call: Call, *, hostid: Host | None = None) -> Listed:
    """Lists how it stands with the high availability of hosts that it is configured for."""
    if hostid is not None:
        row = call.manager.host_ha.of(hostid)
        rows = [] if row is None else [row]
    else:
        rows = list(call.store.table(HostHa))
    return Listed(rows, len(rows))


@command("configureHAForHost", view=HostHaView, job=True, roles=ROOT, group="Host", event=_CONFIGURE)
async def configure_ha_for_host(
    call: Call, *, hostid: Host, provider: Annotated[str, Param("kvmhaprovider or simulatorhaprovider")]
) -> Job:
    """Chooses the provider of a host's high availability. It is not enabled by that."""
    service = call.manager.host_ha
    service.check_provider(hostid, provider)

    async def work() -> HostHaView:
        return _done(call, service.configure(hostid, provider))

    return Job(work, hostid)


def _done(call: Call, row: HostHa) -> HostHaView:
    shown = HostHaView.of(row, call)
    shown.status = True
    return shown


def _switch(call: Call, place: Host | Cluster | Zone, on: bool) -> Job:
    service = call.manager.host_ha
    if isinstance(place, Host):
        service.check_configured(place)

    async def work() -> HostHaView | None:
        if isinstance(place, Host):
            return _done(call, service.switch_host(place, on))
        service.switch_place(place, on)
        return None

    return Job(work, place)


@command("enableHAForHost", view=HostHaView, job=True, roles=ROOT, group="Host", event=_ENABLE)
async def enable_ha_for_host(call: Call, *, hostid: Host) -> Job:
    """Watches over a host: one that fails is reset, and if that does not help switched off."""
    return _switch(call, hostid, True)


@command("disableHAForHost", view=HostHaView, job=True, roles=ROOT, group="Host", event=_DISABLE)
async def disable_ha_for_host(call: Call, *, hostid: Host) -> Job:
    """Ends the watch over a host."""
    return _switch(call, hostid, False)


@command("enableHAForCluster", job=True, roles=ROOT, group="Cluster", event=_ENABLE)
async def enable_ha_for_cluster(call: Call, *, clusterid: Cluster) -> Job:
    """Allows the watch over a cluster's hosts, after it was disabled for the cluster."""
    return _switch(call, clusterid, True)


@command("disableHAForCluster", job=True, roles=ROOT, group="Cluster", event=_DISABLE)
async def disable_ha_for_cluster(call: Call, *, clusterid: Cluster) -> Job:
    """Ends the watch over all hosts of a cluster."""
    return _switch(call, clusterid, False)


@command("enableHAForZone", job=True, roles=ROOT, group="Zone", event=_ENABLE)
async def enable_ha_for_zone(call: Call, *, zoneid: Zone) -> Job:
    """Allows the watch over a zone's hosts, after it was disabled for the zone."""
    return _switch(call, zoneid, True)


@command("disableHAForZone", job=True, roles=ROOT, group="Zone", event=_DISABLE)
async def disable_ha_for_zone(call: Call, *, zoneid: Zone) -> Job:
    """Ends the watch over all hosts of a zone."""
    return _switch(call, zoneid, False)


@command("configureSimulatorHAProviderState", roles=ROOT, group="Host")
async def configure_simulator_ha_provider_state(
    call: Call,
    *,
    hostid: Host,
    health: Annotated[bool, Param("whether the host is found healthy")],
    activity: Annotated[bool, Param("whether its instances are found to write")],
    recover: Annotated[bool, Param("whether its reset succeeds")],
    fence: Annotated[bool, Param("whether switching it off succeeds")],
) -> Success:
    """Tells what the simulator's provider finds at a host from now on, until configureHAForHost: nothing is done to it."""
    call.manager.host_ha.tell(hostid, Told(health, activity, recover, fence))
    return Success()


@command("listSimulatorHAStateTransitions", view=HaTransitionView, roles=ROOT, group="Host")
async def list_simulator_ha_state_transitions(call: Call, *, page: Page, hostid: Host) -> Listed:
    """Lists the last changes of state of a host with the simulator's provider, oldest first."""
    return page_of(call.manager.host_ha.transitions(hostid), page, search=("event",))
