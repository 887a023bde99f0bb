"""Service and disk offerings: made, changed and withdrawn. A withdrawn one stays, Inactive, for what uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_traits import (
    ENCRYPTED,
    DiskTraits,
    root_offering_details,
    traits_as_details,
)
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import outermost
from cloudsim.model import DiskOffering, Domain, ServiceOffering, Zone
from cloudsim.placement.naming import check, policies

SYSTEM_VM_TYPES = ("domainrouter", "consoleproxy", "secondarystoragevm", "internalloadbalancervm")
LARGEST = (1 << 31) - 1
GIB = 1 << 30
DEDICATION_MODE = "ImplicitDedicationMode"
CLOUDSTACK_PLANNERS = (
    "FirstFitPlanner",
    "UserDispersingPlanner",
    "UserConcentratedPodPlanner",
    "ImplicitDedicationPlanner",
)


def planners() -> list[str]:
    """Names that an offering's deployment planner may have: CloudStack's, and those of the installed policies."""
    return [*CLOUDSTACK_PLANNERS, *sorted(policies())]


def planner_of(offering: ServiceOffering) -> str | None:
    """The policy that places the offering's instances, with options; None: the one in force.

    CloudStack has the mode of its ImplicitDedicationPlanner in a detail of the offering.
    """
    planner, mode = offering.deployment_planner, offering.details.get(DEDICATION_MODE)
    return planner if mode is None else f"{planner},mode={mode.lower()}"


class Offerings:
    """The offerings of one cloud. An offering with domains is theirs and their subdomains'; with zones, those zones'."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._services = foundation.table(ServiceOffering)
        self._disks = foundation.table(DiskOffering)
        self._randomness = foundation.randomness.branch("offerings")

    # service offerings

    def create_service(
        self,
        *,
        name: str,
        display_text: str | None = None,
        cpus: int | None = None,
        cpu_mhz: int | None = None,
        memory_mib: int | None = None,
        customized: bool | None = None,
        disk: DiskTraits | None = None,
        root_disk_size: int | None = None,
        host_tags: Sequence[str] = (),
        domains: Iterable[Domain] = (),
        zones: Iterable[Zone] = (),
        deployment_planner: str | None = None,
        offer_ha: bool = False,
        limit_cpu_use: bool = False,
        volatile: bool = False,
        dynamic_scaling: bool = True,
        network_rate: int | None = None,
        is_system: bool = False,
        system_vm_type: str | None = None,
        default_use: bool = False,
        gpus: int = 0,
        gpu_milli: int = 1000,
        gpu_models: Sequence[str] = (),
        root_offering: DiskOffering | None = None,
        strict: bool = False,
        encrypt_root: bool = False,
        details: Mapping[str, str] | None = None,
    ) -> ServiceOffering:
        """Add a service offering. Without cpus and memory it is customized: the deploy call says how many.

        `root_disk_size` in bytes. `details` of a customized one may bound the caller's choice with mincpunumber,
        maxcpunumber, minmemory and maxmemory. Root disks are of the disk offering `root_offering` where there is one;
        `strict`: of no other. With `encrypt_root` no instance can be of it, as with disk offerings of encrypted disks:
        see `check_unencrypted`.
        """
        _check_name(name)
        disk = disk or DiskTraits()
        if root_offering is not None and (root_disk_size is not None or disk != DiskTraits()):
            raise InvalidParameterValue(
                "With diskofferingid root disks are as that offering says: rootdisksize and what else is of disks is not taken"
            )
        if root_offering is not None and root_offering.state != "Active":
            raise InvalidParameterValue(f"Disk offering {root_offering.name} is inactive")
        if strict and root_offering is None:
            raise InvalidParameterValue("diskofferingstrictness goes with a diskofferingid")
        if encrypt_root and is_system:
            raise InvalidParameterValue("Disks of system VMs are not encrypted (parameter encryptroot)")
        disk.check()
        kept = dict(details or {}) | ({ENCRYPTED: "true"} if encrypt_root else {})
        self._check_size(cpus, cpu_mhz, memory_mib, customized, kept)
        if is_system:
            system_vm_type = system_vm_type or "domainrouter"
        if system_vm_type is not None and system_vm_type.lower() not in SYSTEM_VM_TYPES:
            raise InvalidParameterValue(
                f"Invalid systemVmType. Supported types are: {', '.join(SYSTEM_VM_TYPES)}"
            )
        if network_rate is not None and network_rate < 0:
            raise InvalidParameterValue(
                f"Failed to create service offering {name}: networkrate must not be negative"
            )
        if deployment_planner is not None:
            self._check_planner(deployment_planner)
        if DEDICATION_MODE in kept and (
            deployment_planner != "ImplicitDedicationPlanner" or kept[DEDICATION_MODE] not in ("Strict", "Preferred")
        ):
            raise InvalidParameterValue(
                f"{DEDICATION_MODE} is Strict or Preferred, and goes with the deployment planner ImplicitDedicationPlanner"
            )
        if gpus < 0 or not 1 <= gpu_milli <= 1000 or (gpus > 1 and gpu_milli != 1000):
            raise InvalidParameterValue(
                "An offering has whole GPUs, or a share (1 to 1000 thousandths) of one"
            )
        if root_disk_size is not None and root_disk_size <= 0:
            raise InvalidParameterValue("rootdisksize must be greater than 0")
        with self._store.transaction():
            return self._services.insert(
                ServiceOffering(
                    id=self._randomness.uuid(),
                    name=name,
                    display_text=display_text or name,
                    cpus=cpus,
                    cpu_mhz=cpu_mhz,
                    memory_mib=memory_mib,
                    gpus=gpus,
                    gpu_milli=gpu_milli,
                    gpu_models=tuple(gpu_models),
                    storage_type=disk.storage_type,
                    root_disk_size=root_disk_size,
                    host_tags=tuple(host_tags),
                    storage_tags=disk.tags,
                    deployment_planner=deployment_planner,
                    offer_ha=offer_ha,
                    limit_cpu_use=limit_cpu_use,
                    volatile=volatile,
                    dynamic_scaling=dynamic_scaling,
                    network_rate=network_rate,
                    is_system=is_system,
                    system_vm_type=system_vm_type.lower() if system_vm_type is not None else None,
                    default_use=default_use,
                    domain_ids=outermost(self._foundation.store, (domain.id for domain in domains)),
                    zone_ids=tuple(zone.id for zone in zones),
                    created=self._foundation.now(),
                    details=kept | traits_as_details(disk) | root_offering_details(root_offering, strict),
                )
            )

    def _check_size(
        self,
        cpus: int | None,
        cpu_mhz: int | None,
        memory_mib: int | None,
        customized: bool | None,
        details: Mapping[str, str],
    ) -> None:
        if customized and cpus is not None and memory_mib is not None:
            raise InvalidParameterValue(
                "A customized service offering leaves cpunumber and memory to the caller"
            )
        open_ended = cpus is None and memory_mib is None
        if (cpus is None) != (memory_mib is None):
            raise InvalidParameterValue("For a fixed service offering both cpunumber and memory are needed")
        if customized is False and open_ended:
            raise InvalidParameterValue(
                "A service offering that is not customized needs cpunumber and memory"
            )
        if not open_ended and cpu_mhz is None:
            raise InvalidParameterValue("A service offering with cpunumber and memory needs a cpuspeed")
        for value, low, what in (
            (cpus, 1, "cpu number"),
            (cpu_mhz, 0, "cpu speed"),
            (memory_mib, 32, "memory"),
        ):
            if value is not None and not low <= value <= LARGEST:
                raise InvalidParameterValue(
                    f"Failed to create service offering: specify the {what} value between {low} and {LARGEST}"
                )
        for what in ("cpunumber", "memory"):
            least, most = _whole(details, f"min{what}"), _whole(details, f"max{what}")
            if least is not None and most is not None and least > most:
                raise InvalidParameterValue(f"min{what} must not be above max{what}")

    def _check_planner(self, name: str) -> None:
        try:
            check(name)
        except InvalidParameterValue as error:
            raise InvalidParameterValue(f"Invalid deployment planner {name}: {error.text}") from error

    def update_service(
        self,
        offering: ServiceOffering,
        *,
        name: str | None = None,
        display_text: str | None = None,
        host_tags: Sequence[str] | None = None,
        storage_tags: Sequence[str] | None = None,
        domain_ids: str | None = None,
        zone_ids: str | None = None,
        state: str | None = None,
        sort_key: int | None = None,
        details: Mapping[str, str] | None = None,
    ) -> ServiceOffering:
        """Change what is given. `domain_ids` is "public" or ids by commas, `zone_ids` "all" or ids by commas."""
        changes = self._changes(name, display_text, domain_ids, zone_ids, state, sort_key)
        if host_tags is not None:
            changes["host_tags"] = tuple(host_tags)
        if storage_tags is not None:
            changes["storage_tags"] = tuple(storage_tags)
        if details is not None:
            changes["details"] = dict(details)
        with self._store.transaction():
            return self._services.update(offering.id, **changes)

    def delete_service(self, offering: ServiceOffering) -> None:
        """Withdraw an offering: instances that have it keep it."""
        if offering.default_use:
            raise InvalidParameterValue("Default service offerings cannot be deleted")
        with self._store.transaction():
            self._services.update(offering.id, state="Inactive")

    # disk offerings

    def create_disk(
        self,
        *,
        name: str,
        display_text: str | None = None,
        size: int | None = None,
        customized: bool = False,
        disk: DiskTraits | None = None,
        domains: Iterable[Domain] = (),
        zones: Iterable[Zone] = (),
        disk_size_strictness: bool = False,
        encrypt: bool = False,
        display: bool = True,
    ) -> DiskOffering:
        """Add a disk offering of `size` bytes, or a customized one."""
        _check_name(name)
        disk = disk or DiskTraits()
        disk.check()
        if customized and size:
            raise InvalidParameterValue("Disksize is not allowed for a customized disk offering")
        if not customized and size is None:
            raise InvalidParameterValue("Disksize is required for a non-customized disk offering")
        if not customized and size is not None and size <= 0:
            raise InvalidParameterValue("Please specify a disk size of at least 1 Gb.")
        with self._store.transaction():
            return self._disks.insert(
                DiskOffering(
                    id=self._randomness.uuid(),
                    name=name,
                    display_text=display_text or name,
                    size=0 if customized or size is None else size,
                    customized=customized,
                    disk_size_strictness=disk_size_strictness,
                    encrypt=encrypt,
                    display=display,
                    domain_ids=outermost(self._foundation.store, (domain.id for domain in domains)),
                    zone_ids=tuple(zone.id for zone in zones),
                    created=self._foundation.now(),
                    **msgspec.structs.asdict(disk),
                )
            )

    def update_disk(
        self,
        offering: DiskOffering,
        *,
        name: str | None = None,
        display_text: str | None = None,
        tags: Sequence[str] | None = None,
        display: bool | None = None,
        domain_ids: str | None = None,
        zone_ids: str | None = None,
        state: str | None = None,
        sort_key: int | None = None,
        rates: Mapping[str, Any] | None = None,
    ) -> DiskOffering:
        """Change what is given. `rates` are fields of DiskTraits; domain and zone ids as for a service offering."""
        changes = self._changes(name, display_text, domain_ids, zone_ids, state, sort_key)
        if tags is not None:
            changes["tags"] = tuple(tags)
        if display is not None:
            changes["display"] = display
        changes |= {field: value for field, value in (rates or {}).items() if value is not None}
        fields = DiskTraits.__struct_fields__
        DiskTraits(**{field: changes.get(field, getattr(offering, field)) for field in fields}).check()
        with self._store.transaction():
            return self._disks.update(offering.id, **changes)

    def delete_disk(self, offering: DiskOffering) -> None:
        """Withdraw an offering: volumes that have it keep it."""
        with self._store.transaction():
            self._disks.update(offering.id, state="Inactive")

    # both

    def _changes(
        self,
        name: str | None,
        display_text: str | None,
        domain_ids: str | None,
        zone_ids: str | None,
        state: str | None,
        sort_key: int | None,
    ) -> dict[str, Any]:
        changes: dict[str, Any] = {} if sort_key is None else {"sort_key": sort_key}
        if name is not None:
            _check_name(name)
            changes["name"] = name
        if display_text is not None:
            changes["display_text"] = display_text
        if domain_ids is not None:
            named = self._ids(domain_ids, Domain, "public", "domain")
            changes["domain_ids"] = outermost(self._foundation.store, named)
        if zone_ids is not None:
            changes["zone_ids"] = self._ids(zone_ids, Zone, "all", "zone")
        if state is not None:
            if state.lower() not in ("active", "inactive"):
                raise InvalidParameterValue("The state of an offering is Active or Inactive")
            changes["state"] = state.capitalize()
        return changes

    def _ids(self, text: str, row_type: type[Any], everything: str, what: str) -> tuple[str, ...]:
        if text.strip().lower() in ("", everything):
            return ()
        ids = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        for each in ids:
            if each not in self._foundation.table(row_type):
                raise InvalidParameterValue(
                    f"Please specify a valid {what} id, or {everything}: {each} is none"
                )
        return ids


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidParameterValue("An offering needs a name")


def _whole(details: Mapping[str, str], key: str) -> int | None:
    text = details.get(key)
    if text is None:
        return None
    if not text.isdigit() or int(text) < 1:
        raise InvalidParameterValue(f"{key} must be a whole number from 1, not {text!r}")
    return int(text)
