"""What is in use because a row is as it is: for each kind of row that usage is counted of, a function.

Only accounts' own things count: what the cloud runs for itself (system VMs, their disks and addresses, its templates) is
nobody's usage. A template counts once for each copy in secondary storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cloudsim.management.usage import types
from cloudsim.model import (
    LoadBalancerRule,
    Network,
    Nic,
    PortForwardingRule,
    PublicIp,
    Snapshot,
    Template,
    TemplateOnStore,
    VirtualMachine,
    VmSnapshot,
    Volume,
    VolumeOnStore,
    Vpc,
    VpnUser,
)
from cloudsim.model.compute import GONE
from cloudsim.model.usage import Use
from cloudsim.store import Row, Store

RUNS = frozenset({"Running", "Migrating", "Stopping", "Unknown"})
"""States of an instance that is on a host, as far as is known."""
NOT_A_DISK = frozenset(
    {
        "Destroy",
        "Expunging",
        "Expunged",
        "UploadOp",
        "NotUploaded",
        "UploadInProgress",
        "UploadError",
        "UploadAbandoned",
    }
)
OF_THE_CLOUD = frozenset({"SYSTEM", "BUILTIN", "ROUTING"})


def _of_vm(store: Store, vm: VirtualMachine) -> Iterator[Use]:
    if vm.type != "User" or vm.state in GONE:
        return
    common: dict[str, Any] = {
        "account_id": vm.account_id,
        "domain_id": vm.domain_id,
        "zone_id": vm.zone_id,
        "name": vm.name,
        "vm_id": vm.id,
    }
    machine: dict[str, Any] = {
        "offering_id": vm.service_offering_id,
        "template_id": vm.template_id,
        "guest_os_id": vm.guest_os_id,
        "hypervisor": vm.hypervisor,
        "cpus": vm.cpus,
        "cpu_mhz": vm.cpu_mhz,
        "memory_mib": vm.memory_mib,
    }
    yield Use(type=types.ALLOCATED_VM, resource_id=vm.id, **common, **machine)
    if vm.state in RUNS:
        yield Use(type=types.RUNNING_VM, resource_id=vm.id, **common, **machine)
    for group_id in vm.security_group_ids:
        yield Use(type=types.SECURITY_GROUP, resource_id=group_id, **common)


def _of_nic(store: Store, nic: Nic) -> Iterator[Use]:
    vm = store.table(VirtualMachine).get(nic.vm_id)
    network = store.table(Network).get(nic.network_id)
    if vm is not None and network is not None and vm.type == "User" and vm.state not in GONE:
        yield Use(
            type=types.NETWORK_OFFERING,
            resource_id=nic.id,
            account_id=vm.account_id,
            domain_id=vm.domain_id,
            zone_id=vm.zone_id,
            name=vm.name,
            vm_id=vm.id,
            offering_id=network.network_offering_id,
            network_id=network.id,
            is_default=nic.is_default,
        )


def _of_address(store: Store, address: PublicIp) -> Iterator[Use]:
    network = store.table(Network).get(address.network_id)
    hidden = network is not None and network.hides_address_usage
    if not address.system and not hidden and address.state == "Allocated":
        yield Use(
            type=types.IP_ADDRESS,
            resource_id=address.id,
            account_id=address.account_id,
            domain_id=address.domain_id,
            zone_id=address.zone_id,
            name=address.ip,
            network_id=address.network_id,
            vpc_id=address.vpc_id,
            source_nat=address.source_nat,
            system=False,
        )


def _of_volume(store: Store, volume: Volume) -> Iterator[Use]:
    vm = store.table(VirtualMachine).get(volume.vm_id)
    if volume.state not in NOT_A_DISK and (vm is None or vm.type == "User"):
        yield Use(
            type=types.VOLUME,
            resource_id=volume.id,
            account_id=volume.account_id,
            domain_id=volume.domain_id,
            zone_id=volume.zone_id,
            name=volume.name,
            offering_id=volume.disk_offering_id or volume.service_offering_id,
            template_id=volume.template_id,
            size=volume.size,
        )


def _of_stored_volume(store: Store, copy: VolumeOnStore) -> Iterator[Use]:
    volume = store.table(Volume).get(copy.volume_id)
    if volume is not None and copy.path:
        yield Use(
            type=types.VOLUME_SECONDARY,
            resource_id=volume.id,
            account_id=volume.account_id,
            domain_id=volume.domain_id,
            zone_id=copy.zone_id,
            name=volume.name,
            size=copy.physical_size,
            virtual_size=copy.size,
        )


def _of_stored_template(store: Store, copy: TemplateOnStore) -> Iterator[Use]:
    template = store.table(Template).get(copy.template_id)
    if template is not None and template.type not in OF_THE_CLOUD and copy.state == "Ready":
        yield Use(
            type=types.ISO if template.format == "ISO" else types.TEMPLATE,
            resource_id=template.id,
            account_id=template.account_id,
            domain_id=template.domain_id,
            zone_id=copy.zone_id,
            name=template.name,
            template_id=template.source_template_id,
            size=copy.physical_size,
            virtual_size=copy.size,
        )


def _of_snapshot(store: Store, snapshot: Snapshot) -> Iterator[Use]:
    if snapshot.state == "BackedUp":
        yield Use(
            type=types.SNAPSHOT,
            resource_id=snapshot.id,
            account_id=snapshot.account_id,
            domain_id=snapshot.domain_id,
            zone_id=snapshot.zone_id,
            name=snapshot.name,
            size=snapshot.physical_size,
            virtual_size=snapshot.size,
        )


def _of_vm_snapshot(store: Store, snapshot: VmSnapshot) -> Iterator[Use]:
    if snapshot.state in ("Ready", "Reverting"):
        yield Use(
            type=types.VM_SNAPSHOT,
            resource_id=snapshot.id,
            account_id=snapshot.account_id,
            domain_id=snapshot.domain_id,
            zone_id=snapshot.zone_id,
            name=snapshot.name,
            vm_id=snapshot.vm_id,
        )


def _of_rule(store: Store, rule: LoadBalancerRule | PortForwardingRule) -> Iterator[Use]:
    network = store.table(Network).get(rule.network_id)
    if network is not None and rule.state != "Revoke":
        balances = isinstance(rule, LoadBalancerRule)
        yield Use(
            type=types.LOAD_BALANCER if balances else types.PORT_FORWARDING,
            resource_id=rule.id,
            account_id=rule.account_id,
            domain_id=rule.domain_id,
            zone_id=network.zone_id,
            name=rule.name if isinstance(rule, LoadBalancerRule) else "",
            network_id=network.id,
        )


def _of_vpn_user(store: Store, user: VpnUser) -> Iterator[Use]:
    if user.state != "Revoke":
        yield Use(
            type=types.VPN_USER,
            resource_id=user.id,
            account_id=user.account_id,
            domain_id=user.domain_id,
            zone_id="",
            name=user.name,
        )


def _of_network(store: Store, network: Network) -> Iterator[Use]:
    if network.traffic_type == "Guest" and network.state != "Destroy":
        yield Use(
            type=types.NETWORK,
            resource_id=network.id,
            account_id=network.account_id,
            domain_id=network.domain_id,
            zone_id=network.zone_id,
            name=network.name,
            offering_id=network.network_offering_id,
            network_id=network.id,
            vpc_id=network.vpc_id,
        )


def _of_vpc(store: Store, vpc: Vpc) -> Iterator[Use]:
    if vpc.state == "Enabled":
        yield Use(
            type=types.VPC,
            resource_id=vpc.id,
            account_id=vpc.account_id,
            domain_id=vpc.domain_id,
            zone_id=vpc.zone_id,
            name=vpc.name,
            offering_id=vpc.vpc_offering_id,
            vpc_id=vpc.id,
        )


USES: dict[type[Row], Callable[[Store, Any], Iterator[Use]]] = {
    VirtualMachine: _of_vm,
    Nic: _of_nic,
    PublicIp: _of_address,
    Volume: _of_volume,
    VolumeOnStore: _of_stored_volume,
    TemplateOnStore: _of_stored_template,
    Snapshot: _of_snapshot,
    VmSnapshot: _of_vm_snapshot,
    LoadBalancerRule: _of_rule,
    PortForwardingRule: _of_rule,
    VpnUser: _of_vpn_user,
    Network: _of_network,
    Vpc: _of_vpc,
}
"""What is in use because of one row of each type."""
