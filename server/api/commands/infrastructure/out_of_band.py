"""Out-of-band management: switching the power of hosts by their management controllers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.infrastructure.out_of_band import PowerResult
from cloudsim.model import Cluster, Host, OutOfBandManagement, Zone
from cloudsim.out_of_band import POWER_ACTIONS
from server.api.command import ROOT, Call, Job, command
from server.api.parameters import Long, Param, one_of
from server.api.views import View

GROUP = "OutofbandManagement"
_ENABLE, _DISABLE = "HOST.OOBM.ENABLE", "HOST.OOBM.DISABLE"


class OutOfBandView(View):
    """How a host's power is switched, and what an action came to."""

    key: ClassVar = "outofbandmanagement"

    hostid: str | None = None
    powerstate: Annotated[str | None, "On, Off, Unknown or Disabled"] = None
    enabled: bool | None = None
    driver: str | None = None
    address: str | None = None
    port: str | None = None
    username: str | None = None
    password: Annotated[str | None, "never told"] = None
    action: str | None = None
    description: str | None = None
    status: Annotated[bool | None, "whether the action was done"] = None

    @classmethod
    def of(cls, row: OutOfBandManagement | PowerResult, call: Call) -> Self:
        if isinstance(row, PowerResult):
            shown = cls.of(row.row, call)
            shown.action, shown.description, shown.status = row.action, row.description, True
            return shown
        return cls(
            hostid=row.host_id,
            powerstate=row.power_state,
            enabled=row.enabled,
            driver=row.driver,
            address=row.address,
            port=str(row.port),
            username=row.username,
            password="****",
        )


@command(
    "configureOutOfBandManagement", view=OutOfBandView, roles=ROOT, group=GROUP, event="HOST.OOBM.CONFIGURE"
)
async def configure_out_of_band_management(
    call: Call,
    *,
    hostid: Host,
    driver: Annotated[str, Param("ipmitool")],
    address: Annotated[str, Param("where the host's management controller is")],
    port: str,
    username: str,
    password: str,
) -> OutOfBandManagement:
    """Says how a host's management controller is reached."""
    made: OutOfBandManagement = call.manager.out_of_band.configure(
        hostid, driver=driver, address=address, port=port, username=username, password=password
    )
    return made


def _switch(call: Call, place: Host | Cluster | Zone, on: bool) -> Job:
    service = call.manager.out_of_band
    if isinstance(place, Host):
        service.check_configured(place)

    async def work() -> OutOfBandView | OutOfBandManagement:
        if isinstance(place, Host):
            row: OutOfBandManagement = service.switch_host(place, on)
            return row
        service.switch_place(place, on)
        return OutOfBandView(enabled=on, status=True)

    return Job(work, place)


@command(
    "enableOutOfBandManagementForHost", view=OutOfBandView, job=True, roles=ROOT, group=GROUP, event=_ENABLE
)
async def enable_out_of_band_management_for_host(call: Call, *, hostid: Host) -> Job:
    """Enables out-of-band management of a host that it is configured for."""
    return _switch(call, hostid, True)


@command(
    "disableOutOfBandManagementForHost", view=OutOfBandView, job=True, roles=ROOT, group=GROUP, event=_DISABLE
)
async def disable_out_of_band_management_for_host(call: Call, *, hostid: Host) -> Job:
    """Disables out-of-band management of a host."""
    return _switch(call, hostid, False)


@command(
    "enableOutOfBandManagementForCluster", view=OutOfBandView, job=True, roles=ROOT, group=GROUP, event=_ENABLE
)
async def enable_out_of_band_management_for_cluster(call: Call, *, clusterid: Cluster) -> Job:
    """Allows out-of-band management of a cluster's hosts, after it was disabled for the cluster."""
    return _switch(call, clusterid, True)


@command(
    "disableOutOfBandManagementForCluster", view=OutOfBandView, job=True, roles=ROOT, group=GROUP, event=_DISABLE
)
async def disable_out_of_band_management_for_cluster(call: Call, *, clusterid: Cluster) -> Job:
    """Disables out-of-band management of all hosts of a cluster."""
    return _switch(call, clusterid, False)


@command("enableOutOfBandManagementForZone", view=OutOfBandView, job=True, roles=ROOT, group=GROUP, event=_ENABLE)
async def enable_out_of_band_management_for_zone(call: Call, *, zoneid: Zone) -> Job:
    """Allows out-of-band management of a zone's hosts, after it was disabled for the zone."""
    return _switch(call, zoneid, True)


@command(
    "disableOutOfBandManagementForZone", view=OutOfBandView, job=True, roles=ROOT, group=GROUP, event=_DISABLE
)
async def disable_out_of_band_management_for_zone(call: Call, *, zoneid: Zone) -> Job:
    """Disables out-of-band management of all hosts of a zone."""
    return _switch(call, zoneid, False)


@command(
    "issueOutOfBandManagementPowerAction",
    view=OutOfBandView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="HOST.OOBM.ACTION",
)
async def issue_out_of_band_management_power_action(
    call: Call,
    *,
    hostid: Host,
    action: Annotated[str, one_of(*POWER_ACTIONS)],
    timeout: Annotated[Long | None, Param("seconds; by default outofbandmanagement.action.timeout")] = None,
) -> Job:
    """Switches a host's power, or looks at it (STATUS)."""
    service = call.manager.out_of_band
    wanted = service.action_named(action)
    if timeout is not None and timeout < 1:
        raise InvalidParameterValue(f"Invalid timeout {timeout}: expected seconds, 1 or more")
    service.check_in_force(hostid)
    return Job(lambda: service.act(hostid, wanted, timeout), hostid, queue=f"power {hostid.id}")


@command(
    "changeOutOfBandManagementPassword",
    view=OutOfBandView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="HOST.OOBM.CHANGE.PASSWORD",
)
async def change_out_of_band_management_password(
    call: Call,
    *,
    hostid: Host,
    password: Annotated[str | None, Param("the new one; made up where it is not given")] = None,
) -> Job:
    """Changes the password of a host's management controller, there and here."""
    service = call.manager.out_of_band
    service.check_in_force(hostid)
    return Job(lambda: service.change_password(hostid, password), hostid, queue=f"power {hostid.id}")
