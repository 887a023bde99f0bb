"""What an instance used, as fields of an answer."""

from __future__ import annotations

from typing import Any

from cloudsim.model.compute import UsageSample

KIB = 1 << 10


def usage_fields(sample: UsageSample, memory_kib: int) -> dict[str, Any]:
    """cpuused, memory*kbs, disk* and networkkbs* of an instance that has `memory_kib`; KiB and operations."""
    return {
        "cpuused": f"{sample.cpu_percent:.2f}".rstrip("0").rstrip(".") + "%",
        "memorykbs": memory_kib,
        "memoryintfreekbs": max(0, memory_kib - sample.memory_mib * KIB),
        "memorytargetkbs": memory_kib,
        "diskkbsread": sample.disk_read_bytes // KIB,
        "diskkbswrite": sample.disk_write_bytes // KIB,
        "diskioread": sample.disk_read_ios,
        "diskiowrite": sample.disk_write_ios,
        "networkkbsread": sample.network_read_bytes // KIB,
        "networkkbswrite": sample.network_write_bytes // KIB,
    }
