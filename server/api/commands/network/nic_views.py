"""How NICs look."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple, Self

from cloudsim.management.network.dhcp_options import NAMES
from cloudsim.management.network.vlans import vlan_number
from cloudsim.model import Network, Nic, PublicIp, Vpc
from server.api.command import Call
from server.api.commands.network.network_view import broadcast_uri
from server.api.views import View


class SecondaryIp(NamedTuple):
    """A further address of a NIC."""

    nic: Nic
    id: str

    @property
    def address(self) -> str:
        return next(ip for each, ip in self.nic.secondary_ips if each == self.id)


class NicView(View):
    """An instance's connection to a network."""

    entity: ClassVar = Nic
    key: ClassVar = "nic"

    id: str | None = None
    virtualmachineid: str | None = None
    networkid: str | None = None
    networkname: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    ipaddress: str | None = None
    ip6address: str | None = None
    ip6cidr: str | None = None
    ip6gateway: str | None = None
    isolationuri: Annotated[str | None, "for root admins"] = None
    broadcasturi: str | None = None
    vlanid: int | None = None
    traffictype: str | None = None
    type: Annotated[str | None, "Isolated, Shared or L2"] = None
    isdefault: Annotated[bool | None, "whether the instance uses its gateway"] = None
    macaddress: str | None = None
    deviceid: str | None = None
    publicip: Annotated[str | None, "the address of its static NAT"] = None
    publicipid: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    secondaryip: Annotated[list[dict[str, str]] | None, "further addresses: id and ipaddress"] = None
    extradhcpoption: Annotated[
        list[dict[str, str]] | None, "further DHCP options: code, codename and value, and the nicid"
    ] = None

    @classmethod
    def of(cls, row: Nic, call: Call) -> Self:
        network = call.store.table(Network).get(row.network_id)
        view = cls(
            id=row.id,
            virtualmachineid=row.vm_id,
            networkid=row.network_id,
            ipaddress=row.ip,
            isdefault=row.is_default,
            macaddress=row.mac,
            deviceid=str(row.device_id),
            secondaryip=[{"id": each, "ipaddress": ip} for each, ip in row.secondary_ips] or None,
            extradhcpoption=_options(row) or None,
        )
        for address in call.store.table(PublicIp).where("static_nat_vm_id", row.vm_id):
            if address.network_id == row.network_id:
                view.publicip, view.publicipid = address.ip, address.id
        if network is not None:
            vpc = call.store.table(Vpc).get(network.vpc_id)
            view.vpcid, view.vpcname = network.vpc_id, vpc.name if vpc is not None else None
            if (own6 := call.manager.nics.address6(row, network)) is not None:
                view.ip6address, view.ip6cidr, view.ip6gateway = own6, network.ip6_cidr, network.ip6_gateway
            view.networkname, view.netmask, view.gateway = network.name, network.netmask, network.gateway
            view.traffictype, view.type = network.traffic_type, network.guest_type
            if call.caller.is_root_admin:
                view.broadcasturi = view.isolationuri = broadcast_uri(network, call)
                view.vlanid = vlan_number(network.vlan)
        return view


def _options(nic: Nic) -> list[dict[str, str]]:
    return [
        {"nicid": nic.id, "code": code, "codename": NAMES.get(int(code), code), "value": value}
        for code, value in nic.dhcp_options.items()
    ]


class SecondaryIpView(View):
    """A further address of a NIC."""

    entity: ClassVar[Any] = None
    key: ClassVar = "nicsecondaryip"

    id: str | None = None
    ipaddress: str | None = None
    nicid: str | None = None
    networkid: str | None = None
    virtualmachineid: str | None = None

    @classmethod
    def of(cls, row: SecondaryIp, call: Call) -> Self:
        return cls(
            id=row.id,
            ipaddress=row.address,
            nicid=row.nic.id,
            networkid=row.nic.network_id,
            virtualmachineid=row.nic.vm_id,
        )
