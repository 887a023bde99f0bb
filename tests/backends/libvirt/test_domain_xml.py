"""What an instance becomes in libvirt. Whole domains are compared with golden/*.xml.

After a change that is meant: CLOUDSIM_GOLDEN=write pytest tests/backends/libvirt/test_domain_xml.py, and read
the diff.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from backends.libvirt import domain_xml as dx
from backends.libvirt import firmware
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.details import IO_POLICY, IO_THREADS, KEYBOARD, NIC_PACKED, NIC_QUEUES
from cloudsim.protocol.specs import DiskLimits, DiskSpec, ImageSpec, NicSpec, SystemVmSpec, VmSpec
from tests.backends.libvirt.libvirtd_alone import lonely_host

GOLDEN = Path(__file__).with_name("golden")

ROOT = DiskSpec("0b5f4a3c-7f0e-4f5e-8a6b-1d2c3e4f5a6b", "pool-1", "root", 1 << 30)
MINIMAL = VmSpec("i-2-7-VM", "5d1f3b52-9b0c-4d9a-8f2e-6c3b7a1d0e4f", 1, 500, 128, disks=(ROOT,))
FULL = VmSpec(
    "i-2-8-VM",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    cpus=2,
    cpu_mhz=2000,
    memory_mib=1024,
    disks=(
        DiskSpec("33333333-3333-4333-8333-333333333333", "pool-2", "data-4", 1 << 30, "DATADISK", 4),
        ROOT,
        DiskSpec("22222222-2222-4222-8222-222222222222", "pool-1", "data-1", 1 << 30, "DATADISK", 1),
    ),
    nics=(
        NicSpec("nic-b", "02:00:00:00:00:02", "net-b", device=1, vlan="102", default=False),
        NicSpec("nic-a", "02:00:00:00:00:01", "net-a", device=0, ip="10.1.1.5", vlan="101"),
    ),
    hostname="web & mail",
    guest_os="Windows Server 2022 (64-bit)",
    iso=ImageSpec("nfs://store/export", "iso/1.iso", 1 << 20, "iso"),
    config_drive=True,
    max_cpus=4,
    max_memory_mib=4096,
    boot_order=("cdrom", "hd", "network"),
)


def setting(vm: VmSpec, **changes: Any) -> dx.DomainSetting:
    plain: dict[str, Any] = {
        "acceleration": "qemu",
        "disks": {disk.volume_id: Path("/pool", disk.path) for disk in vm.disks},
        "bridges": {nic.id: f"brvx-{nic.vlan}" for nic in vm.nics},
        "console_log": Path("/agent/consoles", f"{vm.name}.log"),
        "vnc_listen": "0.0.0.0",
        "vnc_password": "secret12",
    }
    return dx.DomainSetting(**plain | changes)


GOLDEN_DOMAINS: dict[str, tuple[VmSpec, dict[str, Any]]] = {
    "minimal": (MINIMAL, {}),
    "full": (
        FULL,
        {"iso": Path("/store/1.iso"), "config_drive": Path("/agent/config-drives/i-2-8-VM/c.iso")},
    ),
    "uefi": (replace(MINIMAL, firmware="UEFI"), {}),
    "secure-boot": (
        replace(MINIMAL, firmware="UEFI", secure_boot=True),
        {"config_drive": Path("/agent/c.iso")},
    ),
    "kvm": (MINIMAL, {"acceleration": "kvm"}),
    "limited": (
        replace(
            FULL,
            disks=(
                replace(ROOT, limits=DiskLimits(read_bytes=1 << 20, write_bytes=2 << 20, read_ios=100, write_ios=50)),
                replace(FULL.disks[0], limits=DiskLimits(total_ios=300), cache="writeback"),
                replace(
                    FULL.disks[2],
                    cache="hypervisor_default",
                    limits=DiskLimits(
                        read_bytes=1000, read_bytes_max=5000, read_bytes_max_length=60, write_ios=10, write_ios_max=40
                    ),
                ),
            ),
            details={
                IO_THREADS: "true",
                IO_POLICY: "native",
                NIC_QUEUES: "-1",
                NIC_PACKED: "true",
                KEYBOARD: "uk",
            },
            limit_cpu=True,
        ),
        {"host_mhz": 8000},
    ),
    "system": (
        replace(MINIMAL, name="s-1-VM", system=SystemVmSpec("secstorage", stores=("file:///export",))),
        {"shares": {"store0": Path("/export")}},
    ),
}


@pytest.mark.parametrize("name", GOLDEN_DOMAINS)
def test_whole_domains(name: str) -> None:
    vm, changes = GOLDEN_DOMAINS[name]
    xml = dx.domain_xml(vm, setting(vm, **changes))
    golden = GOLDEN / f"{name}.xml"
    if os.environ.get("CLOUDSIM_GOLDEN") == "write":
        golden.write_text(xml + "\n")
    assert xml + "\n" == golden.read_text()


@pytest.mark.lab
def test_libvirt_takes_whole_domains_and_its_schema_allows_them(tmp_path: Path) -> None:
    import libvirt

    for host in lonely_host(tmp_path):
        connection = libvirt.open(host.uri)
        for name in GOLDEN_DOMAINS:
            if name == "kvm" and not Path("/dev/kvm").exists():
                continue
            xml = (GOLDEN / f"{name}.xml").read_text()
            domain = connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            assert domain.UUIDString() == ET.fromstring(xml).findtext("uuid")
            domain.undefine()
        connection.close()


def test_slots_have_names_that_do_not_depend_on_other_disks() -> None:
    assert [dx.disk_target(slot) for slot in (0, 1, 2, 4, 25, 26, 27, 701, 702)] == (
        ["vda", "vdb", "vdc", "vde", "vdz", "vdaa", "vdab", "vdzz", "vdaaa"]
    )


def test_devices_alone_are_as_in_the_domain() -> None:
    domain = ET.fromstring(dx.domain_xml(FULL, setting(FULL)))

    def canonical(xml: str) -> str:
        return ET.canonicalize(xml, strip_text=True)

    inside = {canonical(ET.tostring(device, encoding="unicode")) for device in domain.findall("./devices/*")}
    assert canonical(dx.disk_xml(ROOT, Path("/pool/root"))) in inside
    assert canonical(dx.interface_xml(FULL.nics[0], "brvx-102", FULL)) in inside
    assert canonical(dx.cdrom_xml(None)) in inside


def test_a_disks_serial_number_is_as_much_of_the_volumes_id_as_fits() -> None:
    assert dx.disk_serial(ROOT.volume_id) == "0b5f4a3c7f0e4f5e8a6b"


def test_names_are_text_whatever_is_in_them() -> None:
    domain = ET.fromstring(dx.domain_xml(FULL, setting(FULL, console_log=Path("/agent/<&'\">.log"))))
    assert domain.findtext(f"./metadata/*/{{{dx.NAMESPACE}}}hostname") == "web & mail"
    log = domain.find("./devices/serial/log")
    assert log is not None and log.get("file") == "/agent/<&'\">.log"


@pytest.mark.parametrize(
    ("cpus", "mhz", "shares"), [(1, 500, 50), (2, 2000, 400), (1, 0, 0), (1, 5, 2), (64, 3000, 10000)]
)
def test_cpu_shares_are_in_proportion_and_within_what_cgroups_take(cpus: int, mhz: int, shares: int) -> None:
    assert dx.cpu_shares(cpus, mhz) == shares


@pytest.mark.parametrize(("mhz", "host", "quota"), [(2000, 4000, 5000), (100, 4000, 1000), (4000, 2000, 10000), (500, 0, 10000)])
def test_a_limited_cpu_gets_its_part_of_the_hosts_and_never_more_than_one(mhz: int, host: int, quota: int) -> None:
    assert dx.cpu_quota(mhz, host) == quota


def test_a_guest_without_a_claim_to_cpu_time_gets_no_shares() -> None:
    vm = replace(MINIMAL, cpu_mhz=0)
    assert ET.fromstring(dx.domain_xml(vm, setting(vm))).find("cputune") is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gpu_devices": (0,)}, "instance i-2-7-VM wants GPUs, and libvirt hosts pass none through"),
        (
            {"secure_boot": True},
            "instance i-2-7-VM wants secure boot, which needs UEFI firmware and not BIOS",
        ),
        (
            {"disks": (ROOT, replace(ROOT, volume_id="v-2"))},
            f"volumes {ROOT.volume_id} and v-2 both in slot 0",
        ),
    ],
)
def test_what_no_host_can_give_is_refused(changes: dict[str, Any], reason: str) -> None:
    vm = replace(MINIMAL, **changes)
    with pytest.raises(HypervisorError, match=reason):
        dx.domain_xml(vm, setting(vm))


CAPABILITIES = """<domainCapabilities><os supported='yes'>
  <enum name='firmware'>{firmware}</enum>
  <loader supported='yes'><enum name='secure'>{secure}<value>no</value></enum></loader>
</os></domainCapabilities>"""


@pytest.mark.parametrize(
    ("found", "secure_boot", "reason"),
    [
        ({"firmware": "<value>efi</value>", "secure": ""}, False, None),
        ({"firmware": "", "secure": ""}, False, "wants UEFI firmware, which is not installed on this host"),
        ({"firmware": "<value>efi</value>", "secure": ""}, True, "wants secure boot, and no UEFI firmware"),
        ({"firmware": "<value>efi</value>", "secure": "<value>yes</value>"}, True, None),
    ],
)
def test_firmware_that_is_not_installed_is_named(
    found: dict[str, str], secure_boot: bool, reason: str | None
) -> None:
    lack = firmware.missing(
        CAPABILITIES.format(**found), replace(MINIMAL, firmware="UEFI", secure_boot=secure_boot)
    )
    assert (lack is None) if reason is None else (lack is not None and reason in lack)
    assert firmware.missing(CAPABILITIES.format(**found), MINIMAL) is None
