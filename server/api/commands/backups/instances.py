"""Instances made of backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.compute.linked_user_data import with_linked
from cloudsim.management.compute.user_data import MAX_BYTES, checked
from cloudsim.management.compute.vm_hardware import check_hardware
from cloudsim.model import (
    AffinityGroup,
    Backup,
    Cluster,
    Host,
    Network,
    Pod,
    SecurityGroup,
    ServiceOffering,
    Template,
    UserData,
    VirtualMachine,
    Zone,
)
from server.api.command import Call, Job, command
from server.api.commands.compute.deployed_disks import data_disks
from server.api.commands.compute.virtual_machine_views import VirtualMachineView, with_password
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.views import View


@command(
    "createVMFromBackup", view=VirtualMachineView, job=True, creates=VirtualMachine, group="Backup", since="4.21.0"
)
async def create_vm_from_backup(
    call: Call,
    *,
    owner: Owner,
    zoneid: Zone,
    backupid: Annotated[Backup, Param("whose disks its own are to hold", access="operate")],
    serviceofferingid: Annotated[ServiceOffering | None, Param("by default that of the backup's instance")] = None,
    templateid: Annotated[Template | None, Param("by default that of the backup's instance")] = None,
    name: Annotated[str | None, Param("its host name")] = None,
    displayname: str | None = None,
    networkids: Annotated[
        Sequence[Network] | None, Param("its networks, the default one first; by default those of the backup's instance")
    ] = None,
    preserveip: Annotated[bool, Param("whether it gets the addresses and MACs of the backup's instance")] = False,
    datadisksdetails: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("other disk offerings for data disks of the backup: each diskofferingid and deviceid", since="4.21.0"),
    ] = None,
    group: Annotated[str | None, Param("the instance group to put it in")] = None,
    userdata: Annotated[str | None, Param("base64", length=MAX_BYTES)] = None,
    userdataid: UserData | None = None,
    keypair: Annotated[str | None, Param("the name of an SSH key pair")] = None,
    keypairs: Annotated[Sequence[str] | None, Param("names of SSH key pairs")] = None,
    podid: Annotated[Pod | None, Param("where to put it; root admins only")] = None,
    clusterid: Annotated[Cluster | None, Param("where to put it; root admins only")] = None,
    hostid: Annotated[Host | None, Param("where to put it; root admins only")] = None,
    deploymentplanner: Annotated[str | None, Param("the placement policy; root admins only")] = None,
    startvm: bool = True,
    affinitygroupids: Annotated[Sequence[AffinityGroup] | None, Param(access="use")] = None,
    securitygroupids: Sequence[SecurityGroup] | None = None,
    displayvm: bool = True,
    password: Annotated[str | None, Param("for its guest to set, where its template is password enabled")] = None,
    details: Mapping[str, str] | None = None,
) -> Job:
    """Makes another instance whose disks hold what a backup does, and starts it."""
    manager = call.manager
    made: Any = manager.from_backups
    made.check_usable(backupid, zoneid.id)
    if (podid or clusterid or hostid or deploymentplanner) and not call.caller.is_root_admin:
        raise PermissionDenied(
            "Only a root admin can say with podid, clusterid, hostid or deploymentplanner where an instance goes"
        )
    if deploymentplanner is not None:
        manager.planner.policy(deploymentplanner)
    if userdata and userdataid is not None:
        raise InvalidParameterValue("Parameters userdata and userdataid exclude each other")
    was = backupid.vm_details
    template = templateid or _named(call, Template, was, "templateid")
    offering = serviceofferingid or _named(call, ServiceOffering, was, "serviceofferingid")
    chosen = dict(details or {})
    check_hardware(chosen)
    root_offering, root_size = made.root(backupid)
    given = manager.vm_passwords.for_template(template, password)
    own = userdataid.user_data if userdataid is not None else checked(userdata) if userdata else None
    user_data, user_data_id = with_linked(
        manager.foundation, template, own, userdataid.id if userdataid is not None else None
    )
    request = DeployRequest(
        zone_id=zoneid.id,
        template_id=template.id,
        service_offering_id=offering.id,
        hypervisor=was["hypervisor"],
        owner=owner,
        name=name or None,
        display_name=displayname or None,
        nics=_nics(call, networkids, was, preserveip),
        root_size=root_size,
        root_offering_id=root_offering,
        data_disks=made.data_disks(backupid, data_disks(call, None, None, datadisksdetails, iso=False)),
        cpus=int(was["cpunumber"]) if offering.cpus is None else None,
        cpu_mhz=int(was["cpuspeed"]) if offering.cpu_mhz is None else None,
        memory_mib=int(was["memory"]) if offering.memory_mib is None else None,
        key_pairs=tuple(dict.fromkeys([*([keypair] if keypair else []), *(keypairs or [])])),
        user_data=user_data,
        user_data_id=user_data_id,
        affinity_group_ids=tuple(each.id for each in affinitygroupids or ()),
        security_groups=tuple(securitygroupids or ()),
        group=group or None,
        display=displayvm,
        password=given,
        details=chosen,
    )
    with call.store.transaction():
        vm = manager.vms.allocate(call.caller, request)
        made.fill(vm, backupid)

    async def work() -> View:
        if not startvm:
            return with_password(call, await manager.vms.left_stopped(call.caller, vm.id), given)
        started = await manager.vms.start_first(
            call.caller,
            vm.id,
            pod_id=podid.id if podid else None,
            cluster_id=clusterid.id if clusterid else None,
            host_id=hostid.id if hostid else None,
            planner=deploymentplanner,
        )
        return with_password(call, started, given)

    return Job(work, vm)


def _named(call: Call, row_type: Any, was: Mapping[str, str], parameter: str) -> Any:
    """What the backup's instance had, if it is still there and the caller may use it."""
    found = call.resolve(row_type, was[parameter], "use")
    if found is None:
        raise InvalidParameterValue(f"{parameter} must be given: that of the backup's instance is gone")
    return found


def _nics(
    call: Call, networks: Sequence[Network] | None, was: Mapping[str, str], keep: bool
) -> tuple[NicRequest, ...]:
    """The NICs that are asked for, else those that the backup's instance had on networks that are still there."""
    if networks is not None:
        if keep:
            raise InvalidParameterValue("Parameters networkids and preserveip exclude each other")
        return tuple(NicRequest(network.id) for network in networks)
    found = []
    for nic in msgspec.json.decode(was["nics"]):
        if call.resolve(Network, nic["networkid"], "use") is None:
            raise InvalidParameterValue("networkids must be given: a network of the backup's instance is gone")
        addresses = (nic["ipaddress"], nic["macaddress"]) if keep else (None, None)
        found.append(NicRequest(nic["networkid"], *addresses))
    return tuple(found)
