"""Accepting a deployment: every check, then the rows of the instance, its disks and its NICs."""

from __future__ import annotations

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.affinity_groups import AffinityGroups
from cloudsim.management.compute.default_template import DefaultTemplates
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest, expected_ms
from cloudsim.management.compute.disk_plan import DiskPlan, DiskPlans
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.compute.instance_groups import InstanceGroups
from cloudsim.management.compute.vm_names import VmNames
from cloudsim.management.compute.vm_quota import VmQuota
from cloudsim.management.compute.vm_sizes import sizes
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller, check_access
from cloudsim.management.identity.quota import Quota
from cloudsim.management.identity.tagged_counts import volume_tags
from cloudsim.management.infrastructure.dedication import Dedication
from cloudsim.management.network.account_networks import AccountNetworks
from cloudsim.management.network.dhcp_options import check_options
from cloudsim.management.network.network_permissions import NetworkPermissions
from cloudsim.management.network.nic_changes import MAC
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.management.storage.disks import Disks
from cloudsim.model import (
    Account,
    AffinityGroup,
    Network,
    NetworkOffering,
    Nic,
    ServiceOffering,
    Snapshot,
    SshKeyPair,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Volume,
    Zone,
)


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
        self.names = VmNames(foundation)
        self.vm_quota = VmQuota(foundation, quota)
        self._default_templates = DefaultTemplates(foundation)
        self._vms = foundation.table(VirtualMachine)
        self._templates = foundation.table(Template)
        self._offerings = foundation.table(ServiceOffering)
        self._zones = foundation.table(Zone)
        self._networks = foundation.table(Network)
        self._network_offerings = foundation.table(NetworkOffering)
        self._on_store = foundation.table(TemplateOnStore)
        self._randomness = foundation.randomness.branch("vms")

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
        new = root is not None and root.volume is None
        self._quota.check_deployment(
            owner,
            size.cpus,
            size.memory_mib,
            offering.gpus,
            root.size if root is not None and new else None,
            [disk.size for disk in plan.data],
            host_tags=offering.host_tags,
            disk_tags=[
                offering.storage_tags if root is None or root.offering is None else root.offering.tags,
                *(disk.offering.tags for disk in plan.data),
            ],
        )
        if root is not None and root.volume is not None and root.volume.state == "Uploaded":
            tags = volume_tags(self._store, root.volume)
            self._quota.check(owner, "primary_storage", root.volume.size, tags=tags)
        if request.group is not None and not request.group.strip():
            raise InvalidParameterValue("An instance group needs a name")
        expected = expected_ms(request)
        vm_id = self._vm_id(request)
        name = self._name(request, vm_id)
        instance_name = self.names.next_instance_name()
        now = self._foundation.now()
        with self._store.transaction():
            if template is None:
                template = self._default_templates.of(request.hypervisor)
            if not networks:
                made = self._account_networks.of(caller, owner, zone)
                networks = [(made, NicRequest(made.id))]
            check_options(request.dhcp_options, [network for network, _ in networks], self._network_offerings)
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
                    guest_os_id=(root.snapshot.guest_os_id if root is not None and root.snapshot else None)
                    or template.guest_os_id,
                    group_id=self._group(request, owner),
                    key_pairs=request.key_pairs,
                    user_data=request.user_data,
                    user_data_id=request.user_data_id,
                    user_data_values=request.user_data_values,
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
            if root is not None and root.volume is not None:
                self._disks.adopt_root(vm, root.volume)
            elif root is not None:
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
                self._nics.allocate(
                    vm,
                    network,
                    ip=nic.ip,
                    ip6=nic.ip6,
                    mac=nic.mac,
                    default=device == 0,
                    device=device,
                    dhcp_options=request.dhcp_options.get(network.id),
                )
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
            origin: Snapshot | Volume | None = None if plan.root is None else plan.root.snapshot
        else:
            plan = self.plans.of_volume(request.volume_id or "", request.owner, zone, **more)  # type: ignore[arg-type]
            origin = None if plan.root is None else plan.root.volume
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
        check_unencrypted(offering)
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
        ready = template.extension_id is not None or any(
            copy.zone_id == zone.id and copy.state == "Ready"
            for copy in self._on_store.where("template_id", template.id)
        )
        if not ready:
            raise InvalidParameterValue(f"Template {template.name} is not ready in zone {zone.name}")

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
        self.names.check_host_name(request.name, request.owner.id, request.zone_id)
        return request.name

    def _group(self, request: DeployRequest, owner: Account) -> str | None:
        """The id of the instance group named in the request, made if there is none."""
        return None if request.group is None else self._instance_groups.ensure(owner, request.group).id
