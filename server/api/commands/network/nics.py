"""NICs of instances: listed, added, removed, given other addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cloudsim.management.identity import visibility
from cloudsim.management.network.dhcp_options import options_of
from cloudsim.model import Network, Nic, VirtualMachine
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.network.nic_views import NicView, SecondaryIp, SecondaryIpView
from server.api.listing import Page, page_of
from server.api.parameters import Param

GROUP = "NIC"
Machine = Annotated[VirtualMachine, Param(access="operate")]
Card = Annotated[Nic, Param(access="operate")]


@command("listNics", view=NicView, group=GROUP)
async def list_nics(
    call: Call,
    *,
    page: Page,
    virtualmachineid: Machine,
    nicid: Nic | None = None,
    networkid: Network | None = None,
    fordisplay: bool | None = None,
) -> Listed:
    """Lists the NICs of an instance."""
    rows = [
        nic
        for nic in call.manager.nics.of(virtualmachineid)
        if fordisplay is not False  # all are
        and (nicid is None or nic.id == nicid.id) and (networkid is None or nic.network_id == networkid.id)
    ]
    return page_of(rows, page, search=("ip", "mac"))


@command(
    "addNicToVirtualMachine", view=VirtualMachineView, job=True, event="NIC.CREATE", group="Virtual Machine"
)
async def add_nic(
    call: Call,
    *,
    virtualmachineid: Machine,
    networkid: Network,
    ipaddress: Annotated[
        str | None, Param("a free address of the network; one is chosen if left out")
    ] = None,
    macaddress: str | None = None,
    dhcpoptions: Annotated[
        Mapping[str, str] | None, Param("further DHCP options: dhcp:NUMBER or dhcp:NAME with a value for each")
    ] = None,
) -> Job:
    """Gives an instance a NIC on another network."""
    changes = call.manager.nic_changes
    options = options_of(dhcpoptions or {}, "dhcpoptions")
    changes.check_dhcp_options(virtualmachineid, {networkid.id: options}, networkid)
    return Job(
        lambda: changes.add(
            virtualmachineid.id,
            networkid.id,
            ip=ipaddress or None,
            mac=macaddress or None,
            dhcp_options=options,
        ),
        virtualmachineid,
    )


@command(
    "removeNicFromVirtualMachine",
    view=VirtualMachineView,
    job=True,
    event="NIC.DELETE",
    group="Virtual Machine",
)
async def remove_nic(call: Call, *, virtualmachineid: Machine, nicid: Card) -> Job:
    """Takes a NIC that is not the default one from an instance."""
    changes = call.manager.nic_changes
    changes.of_vm(virtualmachineid, nicid)
    return Job(lambda: changes.remove(virtualmachineid.id, nicid.id), virtualmachineid)


@command(
    "updateDefaultNicForVirtualMachine",
    view=VirtualMachineView,
    job=True,
    event="NIC.UPDATE",
    group="Virtual Machine",
)
async def update_default_nic(call: Call, *, virtualmachineid: Machine, nicid: Card) -> Job:
    """Makes a NIC the one whose gateway the instance uses."""
    changes = call.manager.nic_changes

    async def work() -> VirtualMachine:
        changed: VirtualMachine = await changes.set_default(virtualmachineid, nicid)
        return changed

    return Job(work, virtualmachineid)


@command("addIpToNic", view=SecondaryIpView, job=True, event="NIC.SECONDARY.IP.CONFIGURE", group=GROUP)
async def add_ip_to_nic(
    call: Call,
    *,
    nicid: Card,
    ipaddress: Annotated[
        str | None, Param("a free address of the network; one is chosen if left out")
    ] = None,
) -> Job:
    """Gives a NIC a further address."""

    async def work() -> SecondaryIp:
        nic = call.store.table(Nic)[nicid.id]
        changed, secondary_id = await call.manager.nic_changes.add_ip(nic, ipaddress or None)
        return SecondaryIp(changed, secondary_id)

    return Job(work, nicid, queue=nicid.vm_id)


@command("removeIpFromNic", job=True, event="NIC.SECONDARY.IP.UNCONFIGURE", group=GROUP)
async def remove_ip_from_nic(
    call: Call, *, id: Annotated[str, Param("the further address's id", type="uuid")]
) -> Job:
    """Takes a further address from a NIC."""
    changes = call.manager.nic_changes
    nic: Nic = call.manager.nics.with_secondary(id)
    visibility.check(call.store, call.caller, nic)

    async def work() -> None:
        await changes.remove_ip(call.store.table(Nic)[nic.id], id)

    return Job(work, nic, queue=nic.vm_id)


@command("updateVmNicIp", view=VirtualMachineView, job=True, event="NIC.UPDATE", group=GROUP)
async def update_vm_nic_ip(
    call: Call,
    *,
    nicid: Card,
    ipaddress: Annotated[
        str | None, Param("a free address of the network; one is chosen if left out")
    ] = None,
) -> Job:
    """Gives a NIC of a stopped instance another address."""

    async def work() -> VirtualMachine:
        nic = call.store.table(Nic)[nicid.id]
        changed: VirtualMachine = await call.manager.nic_changes.change_ip(nic, ipaddress or None)
        return changed

    return Job(work, nicid, queue=nicid.vm_id)
