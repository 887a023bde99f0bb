"""What a freshly installed cloud has before anyone has used it."""

from __future__ import annotations

from collections.abc import Mapping

from cloudsim.management.compute.guest_os import BUILTIN_GUEST_OS, GuestOsTypes
from cloudsim.management.compute.offerings import GIB, Offerings
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.identity import Identity
from cloudsim.management.network.first_network_offerings import FIRST_OFFERINGS
from cloudsim.management.operations.keys_kept import SIMULATOR_VALUES
from cloudsim.management.vpc.first_vpc_offerings import seed_vpc_rows
from cloudsim.model import Account, Domain, NetworkOffering, Template

BUILTIN_TEMPLATE = "CentOS 5.6 (64-bit) no GUI (Simulator)"
SYSTEM_TEMPLATE = "SystemVM Template (Simulator)"
SYSTEM_OFFERINGS = (
    ("System Offering For Software Router", "domainrouter", 500, 256),
    ("System Offering For Console Proxy", "consoleproxy", 500, 1024),
    ("System Offering For Secondary Storage VM", "secondarystoragevm", 500, 512),
    ("System Offering For Internal LB VM", "internalloadbalancervm", 256, 256),
)
"""Name, kind of system VM, MHz and MiB."""


def seed(
    foundation: Foundation,
    identity: Identity,
    offerings: Offerings,
    guest_os: GuestOsTypes,
    *,
    hypervisor: str = "Simulator",
    admin_password: str = "password",
    settings: Mapping[str, str] | None = None,
) -> bool:
    """Fill an empty store, in one transaction; whether it was empty. A store with a domain in it is left alone.

    `hypervisor` is the world's: a simulated one also gets its templates and, unless `settings` says otherwise,
    the short waits of SIMULATOR_VALUES.
    """
    if len(foundation.table(Domain)):
        return False
    simulated = hypervisor == "Simulator"
    if settings is None:
        settings = SIMULATOR_VALUES if simulated else {}
    with foundation.store.transaction():
        identity.seed(admin_password)
        guest_os.seed()
        _offerings(offerings)
        _network_offerings(foundation)
        seed_vpc_rows(foundation)
        if simulated:
            _templates(foundation, identity.system()[0], guest_os.named(BUILTIN_GUEST_OS).id)
        for name, value in settings.items():
            foundation.settings.set(name, value)
    return True


def _offerings(offerings: Offerings) -> None:
    offerings.create_service(name="Small Instance", cpus=1, cpu_mhz=500, memory_mib=512)
    offerings.create_service(name="Medium Instance", cpus=1, cpu_mhz=1000, memory_mib=1024)
    for name, kind, mhz, mib in SYSTEM_OFFERINGS:
        offerings.create_service(
            name=name,
            cpus=1,
            cpu_mhz=mhz,
            memory_mib=mib,
            is_system=True,
            system_vm_type=kind,
            default_use=True,
            offer_ha=True,
        )
    for name, size in (("Small", 5), ("Medium", 20), ("Large", 100)):
        offerings.create_disk(name=name, display_text=f"{name} Disk, {size} GB", size=size * GIB)
    offerings.create_disk(name="Custom", display_text="Custom Disk", customized=True)


def _network_offerings(foundation: Foundation) -> None:
    table = foundation.table(NetworkOffering)
    randomness = foundation.randomness.branch("first network offerings")
    for each in FIRST_OFFERINGS:
        table.insert(
            NetworkOffering(
                id=randomness.uuid(),
                name=each.name,
                display_text=each.display_text,
                guest_type=each.guest_type,
                services=each.services,
                for_vpc=each.for_vpc,
                is_default=True,
                specify_vlan=each.specify_vlan,
                specify_ip_ranges=each.specify_ip_ranges,
                conserve_mode=each.conserve_mode,
                availability="Required" if each.name.endswith("WithSourceNatService") else "Optional",
                state="Enabled" if each.usable else "Disabled",
                created=foundation.now(),
            )
        )


def _templates(foundation: Foundation, owner: Account, guest_os_id: str) -> None:
    table = foundation.table(Template)
    randomness = foundation.randomness.branch("first templates")
    for name, builtin in ((SYSTEM_TEMPLATE, False), (BUILTIN_TEMPLATE, True)):
        table.insert(
            Template(
                id=randomness.uuid(),
                name=name,
                display_text=name,
                account_id=owner.id,
                domain_id=owner.domain_id,
                format="VHD",
                hypervisor="Simulator",
                guest_os_id=guest_os_id,
                type="BUILTIN" if builtin else "SYSTEM",
                size=GIB,
                is_public=builtin,
                is_featured=builtin,
                cross_zones=True,
                password_enabled=builtin,
                dynamically_scalable=builtin,
                created=foundation.now(),
            )
        )
