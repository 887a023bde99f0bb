"""Management addresses of pods, for what is no system VM."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar, Self

from cloudsim.model import Pod, PodIp, Zone
from server.api.command import ROOT, Call, command
from server.api.parameters import Long, Param
from server.api.views import Long as LongField
from server.api.views import View

GROUP = "Address"


class PodIpView(View):
    """A management address that was acquired."""

    key: ClassVar = "podipaddress"

    id: LongField | None = None
    ipaddress: str | None = None
    gateway: str | None = None
    cidr: str | None = None

    @classmethod
    def of(cls, row: PodIp, call: Call) -> Self:
        pod = call.store.table(Pod)[row.pod_id]
        return cls(
            id=row.number,
            ipaddress=row.ip,
            gateway=pod.gateway,
            cidr=str(ipaddress.IPv4Network(f"{pod.gateway}/{pod.netmask}", strict=False)),
        )


@command("acquirePodIpAddress", view=PodIpView, roles=ROOT, group=GROUP)
async def acquire_pod_ip_address(
    call: Call,
    *,
    zoneid: Annotated[Zone, Param(type="string")],
    podid: Annotated[Pod | None, Param(type="string")] = None,
) -> PodIp:
    """Acquires a free management address of a pod."""
    taken: PodIp = call.manager.public_ips.pod_ips.acquire(zoneid, podid)
    return taken


@command("releasePodIpAddress", roles=ROOT, group=GROUP)
async def release_pod_ip_address(
    call: Call, *, id: Annotated[Long, Param("what acquirePodIpAddress answered as id")]
) -> None:
    """Releases a management address that was acquired."""
    call.manager.public_ips.pod_ips.release(id)
