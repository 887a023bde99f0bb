"""Accepting a deployment: every check, then the rows of the instance, its disks and its NICs."""

from __future__ import annotations

import re

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.affinity_groups import AffinityGroups
from cloudsim.management.compute.default_template import DefaultTemplates
from cloudsim.management.compute.disk_plan import DataDisk, DiskPlan, DiskPlans
from cloudsim.management.compute.instance_groups import InstanceGroups
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller, check_access
from cloudsim.management.identity.quota import Quota
from cloudsim.management.identity.tagged_counts import vm_tags
from cloudsim.management.infrastructure.dedication import Dedication
from cloudsim.management.network.account_networks import AccountNetworks
from cloudsim.management.network.network_permissions import NetworkPermissions
from cloudsim.management.network.nic_changes import MAC
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.management.storage.disks import Disks
from cloudsim.model import (
    Account,
    AffinityGroup,
    Network,
    Nic,
    SecurityGroup,
    ServiceOffering,
    Snapshot,
    SshKeyPair,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Volume,
    Zone,
)

LARGEST = (1 << 31) - 1
INSTANCE_NAME = re.compile(r"i-2-(\d+)-")
HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")


class NicRequest(msgspec.Struct, frozen=True):
    """A NIC to make at deployment; address and MAC are chosen where None."""

    network_id: str
    ip: str | None = None
    mac: str | None = None


class DeployRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `deployVirtualMachine` asks for. One of template, snapshot and volume is what it starts from. With an ISO as
    template, the first of `data_disks` is the root disk. `hypervisor` says on which hosts it runs where no template
    does. `root_offering_id` names a disk offering for the root disk. `cpus`, `cpu_mhz`, `memory_mib` are for customized
    offerings. `id` is that which the instance is to get.

    Without `nics`, the instance gets one on the zone's default guest network. `password` is for its guest to set.
    Without `security_groups`, it is in its account's default one, on a network that has them.
    """

    zone_id: str
    service_offering_id: str
    owner: Account
    template_id: str | None = None
    snapshot_id: str | None = None
    volume_id: str | None = None
    id: str | None = None
    hypervisor: str = ""
    name: str | None = None
    display_name: str | None = None
    nics: tuple[NicRequest, ...] = ()
    root_size: int | None = None
    root_offering_id: str | None = None
    root_iops: tuple[int | None, int | None] = (None, None)
    data_disks: tuple[DataDisk, ...] = ()
    cpus: int | None = None
    cpu_mhz: int | None = None
    memory_mib: int | None = None
    key_pairs: tuple[str, ...] = ()
    user_data: str | None = None
    user_data_id: str | None = None
    affinity_group_ids: tuple[str, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    group: str | None = None
    display: bool = True
    dynamic_scaling: bool = True
    password: str | None = None
    details: dict[str, str] = {}
    expected_ms: int | None = None


class Sizes(msgspec.Struct, frozen=True):
    """What an instance reserves."""

    cpus: int
    cpu_mhz: int
    memory_mib: int


def sizes(offering: ServiceOffering, cpus: int | None, cpu_mhz: int | None, memory_mib: int | None) -> Sizes:
    """The offering's sizes, completed by the caller's where the offering leaves them open."""
    chosen = []
    for name, fixed, asked in (
        ("cpuNumber", offering.cpus, cpus),
        ("cpuSpeed", offering.cpu_mhz, cpu_mhz),
        ("memory", offering.memory_mib, memory_mib),
    ):
        if fixed is not None:
            if asked is not None and asked != fixed:
                raise InvalidParameterValue(f"{name} is fixed to {fixed} by service offering {offering.name}")
            chosen.append(fixed)
        elif asked is None:
            raise InvalidParameterValue(
                f"{name} must be given in details: offering {offering.name} is customized"
            )
        else:
            least, most = _bounds(offering, name)
            if not least <= asked <= most:
                raise InvalidParameterValue(
                    f"{name} must be from {least} to {most} with service offering {offering.name}, not {asked}"
                )
            chosen.append(asked)
    return Sizes(*chosen)


def _bounds(offering: ServiceOffering, name: str) -> tuple[int, int]:
    """The least and the most that the offering's details allow of what it leaves open."""
    least, most = (offering.details.get(f"{end}{name.lower()}") for end in ("min", "max"))
    return int(least) if least else 1, int(most) if most else LARGEST


EXPECTED_LIFETIME = "expected.lifetime"
"""The detail by which an owner says for how many seconds an instance will be needed."""


def expected_ms(request: DeployRequest) -> int | None:
    """For how many ms the instance will be needed, if the request says so. Raises InvalidParameterValue."""
    text = request.details.get(EXPECTED_LIFETIME)
    if text is None:
        return request.expected_ms
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e10:
        raise InvalidParameterValue(f"details: {EXPECTED_LIFETIME}: expected seconds, more than 0, got {text!r}")
    return round(1000 * seconds)


class Allocation:
    """Checks deployments and makes their rows."""

    def __init__(
        self,
        foundation: Foundation,
        disks: Disks,
        nics: Nics,
        quota: Quota,
        instance_groups: InstanceGroups,
        security_groups: SecurityGroups,
        account_networks: AccountNetworks,
        permissions: NetworkPermissions,
        affinity_groups: AffinityGroups,
        dedication: Dedication,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._disks = disks
        self._nics = nics
        self._quota = quota
        self._instance_groups = instance_groups
        self._security_groups = security_groups
        self._account_networks = account_networks
        self._permissions = permissions
        self._groups = affinity_groups
        self._dedication = dedication
        self.plans = DiskPlans(foundation)
        self._default_templates = DefaultTemplates(foundation)
        self._vms = foundation.table(VirtualMachine)
        self._templates = foundation.table(Template)
        self._offerings = foundation.table(ServiceOffering)
        self._zones = foundation.table(Zone)
        self._networks = foundation.table(Network)
        self._on_store = foundation.table(TemplateOnStore)
        self._randomness = foundation.randomness.branch("vms")
        self._number = 0
        for vm in self._vms:
            numbered = INSTANCE_NAME.match(vm.instance_name)  # which an imported one's need not be
            if numbered is not None:
                self._number = max(self._number, int(numbered[1]))

    def allocate(self, caller: Caller, request: DeployRequest) -> VirtualMachine:
        """Check everything, then make the instance: Stopped, with its volumes Allocated and its NICs."""
        zone = self._zones.get(request.zone_id)
        offering = self._offerings.get(request.service_offering_id)
        if zone is None or offering is None:
            missing = "zoneid" if zone is None else "serviceofferingid"
            raise InvalidParameterValue(f"Unable to find the object that {missing} names")
        owner = request.owner
        self._check(caller, zone, offering, owner)
        template, plan = self._source(caller, request, zone, offering)
        iso = template is not None and template.format == "ISO"
        size = sizes(offering, request.cpus, request.cpu_mhz, request.memory_mib)
        networks = self._network_choice(request, zone)
        groups = self._affinity_groups(caller, request)
        on = [network for network, _ in networks]
        self._security_groups.check_choice(owner, on, request.security_groups)
        self._key_pairs(request)
        root = plan.root
        self._quota.check_deployment(
            owner,
            size.cpus,
            size.memory_mib,
            offering.gpus,
            None if root.volume is not None else root.size,
            [disk.size for disk in plan.data],
            host_tags=offering.host_tags,
            disk_tags=[
                offering.storage_tags if root.offering is None else root.offering.tags,
                *(disk.offering.tags for disk in plan.data),
            ],
        )
        if request.group is not None and not request.group.strip():
            raise InvalidParameterValue("An instance group needs a name")
        expected = expected_ms(request)
        vm_id = self._vm_id(request)
        name = self._name(request, vm_id)
        instance_name = self._instance_name()
        now = self._foundation.now()
        with self._store.transaction():
            if template is None:
                template = self._default_templates.of(request.hypervisor)
            if not networks:
                made = self._account_networks.of(caller, owner, zone)
                networks = [(made, NicRequest(made.id))]
            vm = self._vms.insert(
                VirtualMachine(
                    id=vm_id,
                    name=name,
                    display_name=request.display_name or name,
                    instance_name=instance_name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    zone_id=zone.id,
                    template_id=template.id,
                    service_offering_id=offering.id,
                    cpus=size.cpus,
                    cpu_mhz=size.cpu_mhz,
                    memory_mib=size.memory_mib,
                    gpus=offering.gpus,
                    gpu_milli=offering.gpu_milli,
                    gpu_models=offering.gpu_models,
                    user_id=caller.user_id,
                    hypervisor=request.hypervisor if iso else template.hypervisor,
                    iso_id=template.id if iso else None,
                    guest_os_id=(root.snapshot.guest_os_id if root.snapshot else None) or template.guest_os_id,
                    group_id=self._group(request, owner),
                    key_pairs=request.key_pairs,
                    user_data=request.user_data,
                    user_data_id=request.user_data_id,
                    affinity_group_ids=groups,
                    security_group_ids=self._security_groups.choice(owner, on, request.security_groups),
                    ha_enabled=offering.offer_ha,
                    display=request.display,
                    dynamically_scalable=template.dynamically_scalable
                    and offering.dynamic_scaling
                    and request.dynamic_scaling
                    and self._foundation.settings.boolean("enable.dynamic.scale.vm", "Zone", zone.id),
                    password=request.password,
                    expected_end=None if expected is None else round(1000 * now) + expected,
                    created=now,
                    updated=now,
                    details=request.details,
                )
            )
            if root.volume is not None:
                self._disks.adopt_root(vm, root.volume)
            else:
                self._disks.allocate_root(
                    vm,
                    template,
                    root.size,
                    root.offering.id if root.offering else None,
                    snapshot=root.snapshot,
                    min_iops=root.min_iops,
                    max_iops=root.max_iops,
                )
            for disk in plan.data:
                self._disks.allocate_data(
                    vm, disk.offering, disk.size, disk.device, min_iops=disk.min_iops, max_iops=disk.max_iops
                )
            for device, (network, nic) in enumerate(networks):
                self._nics.allocate(vm, network, ip=nic.ip, mac=nic.mac, default=device == 0, device=device)
        return vm

    def _vm_id(self, request: DeployRequest) -> str:
        if request.id is not None and request.id in self._vms:
            raise InvalidParameterValue(f"customid {request.id} is the id of an instance already")
        return request.id or self._randomness.uuid()

    def _source(
        self, caller: Caller, request: DeployRequest, zone: Zone, offering: ServiceOffering
    ) -> tuple[Template | None, DiskPlan]:
        """The template behind what the instance starts from, if there is one, and its disks."""
        sources = (request.template_id, request.snapshot_id, request.volume_id)
        if sum(source is not None for source in sources) != 1:
            raise InvalidParameterValue("One of templateid, snapshotid and volumeid must be given")
        override, size, data = request.root_offering_id, request.root_size, request.data_disks
        if request.template_id is not None:
            template = self._templates.get(request.template_id)
            if template is None:
                raise InvalidParameterValue("Unable to find the object that templateid names")
            self._check_template(caller, zone, template, request.owner)
            hypervisor = request.hypervisor if template.format == "ISO" else template.hypervisor
            plan = self.plans.of_template(
                template,
                offering,
                zone,
                override_id=override,
                size=size,
                iops=request.root_iops,
                data=data,
                hypervisor=hypervisor,
            )
            return template, plan
        more = {"override_id": override, "size": size, "data": data, "hypervisor": request.hypervisor}
        if request.snapshot_id is not None:
            plan = self.plans.of_snapshot(
                request.snapshot_id, offering, zone, iops=request.root_iops, **more  # type: ignore[arg-type]
            )
            origin: Snapshot | Volume | None = plan.root.snapshot
        else:
            plan = self.plans.of_volume(request.volume_id or "", request.owner, zone, **more)  # type: ignore[arg-type]
            origin = plan.root.volume
        return self._templates.get(origin.template_id if origin is not None else None), plan

    def _check(self, caller: Caller, zone: Zone, offering: ServiceOffering, owner: Account) -> None:
        if owner.state != "enabled":
            raise PermissionDenied(f"The owner of vm to deploy is disabled: {owner.name}")
        if zone.allocation_state == "Disabled" and not caller.is_root_admin:
            raise PermissionDenied(f"Cannot perform this operation, Zone is currently disabled: {zone.name}")
        if not caller.is_root_admin:
            self._dedication.check_zone(zone, owner)
        if offering.state != "Active":
            raise InvalidParameterValue(f"Service offering {offering.name} is inactive")
        if offering.is_system:
            raise InvalidParameterValue(f"Service offering {offering.name} is for system VMs")
        if offering.zone_ids and zone.id not in offering.zone_ids:
            raise InvalidParameterValue(
                f"Service offering {offering.name} is not offered in zone {zone.name}"
            )

    def _check_template(self, caller: Caller, zone: Zone, template: Template, owner: Account) -> None:
        if template.state != "Active":
            raise InvalidParameterValue(f"Unable to use template {template.id}: it is not an active template")
        if template.format == "ISO" and not template.bootable:
            raise InvalidParameterValue(f"Installing from ISO requires an ISO that is bootable: {template.id}")
        if template.type == "SYSTEM":
            raise InvalidParameterValue(f"Unable to use system template {template.id} to deploy a user vm")
        if not (template.is_public or owner.id in template.shared_with or template.account_id == owner.id):
            check_access(self._store, caller, template)
        ready = any(
            copy.zone_id == zone.id and copy.state == "Ready"
            for copy in self._on_store.where("template_id", template.id)
        )
        if not ready:
            raise InvalidParameterValue(f"Template {template.name} is not ready in zone {zone.name}")

    def check_growth(self, vm: VirtualMachine, size: Sizes, gpus: int) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have it of that size."""
        owner = self._foundation.table(Account)[vm.account_id]
        tags = vm_tags(self._store, vm)
        self._quota.check(owner, "cpu", size.cpus - vm.cpus, tags=tags)
        self._quota.check(owner, "memory", size.memory_mib - vm.memory_mib, tags=tags)
        self._quota.check(owner, "gpu", gpus - vm.gpus, tags=tags)

    def check_return(self, vm: VirtualMachine) -> None:
        """Raise ResourceAllocationFailed unless the owner of a destroyed instance may have it back."""
        owner = self._foundation.table(Account)[vm.account_id]
        tags = vm_tags(self._store, vm)
        self._quota.check(owner, "user_vm", 1, tags=tags)
        self._quota.check(owner, "cpu", vm.cpus, tags=tags)
        self._quota.check(owner, "memory", vm.memory_mib, tags=tags)
        self._quota.check(owner, "gpu", vm.gpus, tags=tags)

    def check_disk(self, vm: VirtualMachine, disks: int, size: int) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have so many more disks, of so many more bytes."""
        owner = self._foundation.table(Account)[vm.account_id]
        self._quota.check(owner, "volume", disks)
        self._quota.check(owner, "primary_storage", size)

    def _network_choice(self, request: DeployRequest, zone: Zone) -> list[tuple[Network, NicRequest]]:
        """Empty where the account's own network is still to be made."""
        if not request.nics:
            found = self._account_networks.find(request.owner, zone)
            return [] if found is None else [(found, NicRequest(found.id))]
        chosen: list[tuple[Network, NicRequest]] = []
        for nic in request.nics:
            network = self._networks.get(nic.network_id)
            if network is None or network.zone_id != zone.id or network.traffic_type != "Guest":
                raise InvalidParameterValue(f"Unable to find network {nic.network_id} in zone {zone.name}")
            self.check_network(network, request.owner)
            if any(network.id == other.id for other, _ in chosen):
                raise InvalidParameterValue(f"networkids names network {network.name} twice")
            chosen.append((network, msgspec.structs.replace(nic, mac=self.checked_mac(nic.mac))))
        return chosen

    def check_network(self, network: Network, owner: Account) -> None:
        """Raise PermissionDenied unless instances of that owner may be on the network."""
        self._permissions.check_use(network, owner, f"an instance of {owner.name}")

    def checked_mac(self, text: str | None) -> str | None:
        """The MAC address as it is kept. InvalidParameterValue for one that no NIC can have, or one that is in use."""
        if text is None:
            return None
        mac = text.lower()
        if not MAC.match(mac) or int(mac[:2], 16) & 1:
            raise InvalidParameterValue(f"Mac address is not valid: {text}")
        if self._foundation.table(Nic).find("mac", mac) is not None:
            raise InvalidParameterValue(f"Mac address {text} is in use already")
        return mac

    def _affinity_groups(self, caller: Caller, request: DeployRequest) -> tuple[str, ...]:
        groups = self._foundation.table(AffinityGroup)
        for group_id in request.affinity_group_ids:
            group = groups.get(group_id)
            if group is None:
                raise InvalidParameterValue(f"Unable to find affinity group {group_id}")
            visibility.check(self._store, caller, group, operate=False)
            self._groups.check_use(request.owner, group)
        return tuple(dict.fromkeys(request.affinity_group_ids))

    def _key_pairs(self, request: DeployRequest) -> None:
        keys = self._foundation.table(SshKeyPair)
        for name in request.key_pairs:
            if keys.find(("account_id", "name"), (request.owner.id, name)) is None:
                raise InvalidParameterValue(
                    f"Not all specified keyparis exist: {request.owner.name} has none of name {name}"
                )

    def _name(self, request: DeployRequest, vm_id: str) -> str:
        if request.name is None:
            return f"VM-{vm_id}"
        self.check_name(request.name, request.owner.id, request.zone_id)
        return request.name

    def check_name(self, name: str, owner_id: str, zone_id: str) -> None:
        """Raise InvalidParameterValue unless the owner may have an instance of that host name in the zone."""
        if not HOST_NAME.match(name) or name.isdigit():
            raise InvalidParameterValue(
                "Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' through '9', "
                "and the hyphen ('-'), must be between 1 and 63 characters long, and can't start or end with '-' "
                "and can't be only digits"
            )
        for other in self._vms.where("name", name):
            if other.account_id == owner_id and other.zone_id == zone_id:
                raise InvalidParameterValue(f"The vm with hostName {name} already exists for the account")

    def _instance_name(self) -> str:
        """The next one that no instance has."""
        while True:
            self._number += 1
            name = f"i-2-{self._number}-{self._foundation.settings.get('instance.name')}"
            if self._vms.find("instance_name", name) is None:
                return name

    def _group(self, request: DeployRequest, owner: Account) -> str | None:
        """The id of the instance group named in the request, made if there is none."""
        return None if request.group is None else self._instance_groups.ensure(owner, request.group).id
