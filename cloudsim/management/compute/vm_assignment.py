"""Giving a stopped instance, or a volume, to another account."""

from __future__ import annotations

from collections.abc import Sequence

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.vm_allocation import Allocation
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller, in_subtree
from cloudsim.management.identity.quota import Quota
from cloudsim.management.identity.tagged_counts import vm_tags, volume_tags
from cloudsim.management.infrastructure.dedication import Dedication
from cloudsim.management.network.account_networks import AccountNetworks
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.rule_removal import RuleRemoval
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.management.storage.disks import Disks
from cloudsim.model import (
    Account,
    DiskOffering,
    Network,
    ResourceTag,
    SecurityGroup,
    ServiceOffering,
    Snapshot,
    Template,
    VirtualMachine,
    VmSnapshot,
    Volume,
    VolumeOnStore,
    Zone,
)


class VmAssignment:
    """Checks everything, then changes the owner of an instance with its disks, or of a volume."""

    def __init__(
        self,
        foundation: Foundation,
        allocation: Allocation,
        account_networks: AccountNetworks,
        disks: Disks,
        nics: Nics,
        rules: RuleRemoval,
        security_groups: SecurityGroups,
        quota: Quota,
        dedication: Dedication,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._allocation = allocation
        self._account_networks = account_networks
        self._disks = disks
        self._nics = nics
        self._rules = rules
        self._security_groups = security_groups
        self._quota = quota
        self._dedication = dedication
        self._vms = foundation.table(VirtualMachine)
        self._volumes = foundation.table(Volume)

    def assign(
        self,
        caller: Caller,
        vm: VirtualMachine,
        owner: Account,
        networks: Sequence[Network] = (),
        groups: Sequence[SecurityGroup] = (),
    ) -> tuple[VirtualMachine, list[str]]:
        """Give the Stopped instance to `owner`, on other networks: those named, or the owner's own.

        It leaves its groups, affinity groups and key pairs. Returns it, and the ids of the networks that it left.
        """
        zone = self._foundation.table(Zone)[vm.zone_id]
        volumes = self._disks.of(vm)
        self._check(vm, owner, zone, volumes)
        on = self._networks_of(owner, zone, networks)
        self._security_groups.check_choice(owner, on, groups)
        left = [nic.network_id for nic in self._nics.of(vm)]
        with self._store.transaction():
            if not on:
                on = [self._account_networks.of(caller, owner, zone)]
            self._nics.release(vm)
            moved = self._vms.update(
                vm.id,
                account_id=owner.id,
                domain_id=owner.domain_id,
                group_id=None,
                affinity_group_ids=(),
                key_pairs=(),
                security_group_ids=self._security_groups.choice(owner, on, groups),
                updated=self._foundation.now(),
            )
            for volume in volumes:
                self._give(volume, owner)
            self._give_tags(vm.id, owner)
            for device, network in enumerate(on):
                self._nics.allocate(moved, network, default=device == 0, device=device)
            self._foundation.events.record_of(
                moved, "VM.MOVE", f"Successfully assigned VM {vm.name} to account {owner.name}", caller
            )
        return moved, left

    def _check(self, vm: VirtualMachine, owner: Account, zone: Zone, volumes: Sequence[Volume]) -> None:
        if vm.type != "User":
            raise InvalidParameterValue(f"{vm.name} is the cloud's own: it has no other owner")
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Unable to move VM {vm.name}: it is in state {vm.state}, and must be Stopped to get another owner"
            )
        self._check_owner(owner, vm.account_id, f"VM {vm.name}")
        if self._rules.leads_to(vm):
            raise InvalidParameterValue(
                f"Remove the port forwarding, load balancer and static NAT rules of VM {vm.name} before assigning it"
            )
        if self._foundation.table(VmSnapshot).count("vm_id", vm.id):
            raise InvalidParameterValue(f"Remove the snapshots of VM {vm.name} before assigning it")
        if vm.backup_offering_id is not None:
            raise InvalidParameterValue(f"Remove VM {vm.name} from its backup offering before assigning it")
        for volume in volumes:
            self._check_snapshots(volume)
        self._dedication.check_zone(zone, owner)
        template = self._foundation.table(Template).get(vm.template_id)
        if template is not None and not (
            template.is_public or owner.id in template.shared_with or owner.id == template.account_id
        ):
            raise PermissionDenied(f"{owner.name} may not use template {template.name}, of which VM {vm.name} was made")
        offering = self._foundation.table(ServiceOffering).get(vm.service_offering_id)
        self._check_offering(offering, owner)
        self._quota.check_deployment(
            owner,
            vm.cpus,
            vm.memory_mib,
            vm.gpus,
            None,
            [volume.size for volume in volumes],
            host_tags=vm_tags(self._store, vm),
            disk_tags=[(), *(volume_tags(self._store, volume) for volume in volumes)],
        )

    @staticmethod
    def _check_owner(owner: Account, before: str, what: str) -> None:
        if owner.id == before:
            raise InvalidParameterValue(f"{what} belongs to account {owner.name} already")
        if owner.state != "enabled":
            raise PermissionDenied(f"The account to which to give {what} is {owner.state}: {owner.name}")

    def _check_snapshots(self, volume: Volume) -> None:
        if self._foundation.table(Snapshot).count("volume_id", volume.id):
            raise InvalidParameterValue(
                f"Snapshots exist for volume {volume.name}: remove them, or detach it, before assigning it"
            )

    def _check_offering(self, offering: ServiceOffering | DiskOffering | None, owner: Account) -> None:
        domains = offering.domain_ids if offering is not None else ()
        if domains and not any(in_subtree(self._store, owner.domain_id, each) for each in domains):
            assert offering is not None
            raise PermissionDenied(f"Offering {offering.name} is not offered to the domain of {owner.name}")

    def _networks_of(self, owner: Account, zone: Zone, networks: Sequence[Network]) -> list[Network]:
        if not networks:
            found = self._account_networks.find(owner, zone)
            return [] if found is None else [found]
        for network in networks:
            if network.zone_id != zone.id or network.traffic_type != "Guest":
                raise InvalidParameterValue(f"Network {network.name} is not a guest network of zone {zone.name}")
            self._allocation.check_network(network, owner)
        if len({network.id for network in networks}) != len(networks):
            raise InvalidParameterValue("Parameter networkids names a network twice")
        return list(networks)

    # volumes

    def assign_volume(self, caller: Caller, volume: Volume, owner: Account) -> Volume:
        """Give a volume that is attached to nothing to `owner`."""
        if volume.vm_id is not None:
            raise InvalidParameterValue(f"Volume {volume.name} is attached to an instance: detach it first")
        if volume.state not in ("Allocated", "Ready", "Uploaded"):
            raise InvalidParameterValue(f"Volume {volume.name} cannot be assigned while it is in state {volume.state}")
        self._check_owner(owner, volume.account_id, f"volume {volume.name}")
        self._check_snapshots(volume)
        self._check_offering(self._foundation.table(DiskOffering).get(volume.disk_offering_id), owner)
        tags = volume_tags(self._store, volume)
        self._quota.check(owner, "volume", 1, tags=tags)
        uploaded = self._foundation.table(VolumeOnStore).find("volume_id", volume.id)
        if uploaded is None:
            self._quota.check(owner, "primary_storage", volume.size, tags=tags)
        else:
            self._quota.check(owner, "secondary_storage", uploaded.physical_size)
        with self._store.transaction():
            moved = self._give(volume, owner)
            self._foundation.events.record(
                "VOLUME.ASSIGN",
                f"Volume {volume.name} was assigned to account {owner.name}",
                caller=caller,
                account_id=owner.id,
                domain_id=owner.domain_id,
                resource_id=volume.id,
                resource_type="Volume",
            )
        return moved

    def _give(self, volume: Volume, owner: Account) -> Volume:
        self._give_tags(volume.id, owner)
        return self._volumes.update(volume.id, account_id=owner.id, domain_id=owner.domain_id)

    def _give_tags(self, resource_id: str, owner: Account) -> None:
        tags = self._foundation.table(ResourceTag)
        for tag in tags.where("resource_id", resource_id):
            tags.update(tag.id, account_id=owner.id, domain_id=owner.domain_id)
