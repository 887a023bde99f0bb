"""Configuration keys of routers and of the system VMs' watch."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_ROUTERS: tuple[key, ...] = (
    key("network.gc.wait", "600", "integer", "Seconds that a network is unused before its router goes", minimum=0),
    key(
        "router.mode",
        "VirtualMachine",
        "string",
        "What virtual routers are: a system VM, or a network namespace on a host",
        scopes=("Zone",),
        choices=("VirtualMachine", "Namespace"),
    ),
    key("router.check.interval", "30", "integer", "Seconds between looks at system VMs", minimum=1),
    key(
        "router.stats.interval",
        "300",
        "integer",
        "Seconds between a router's reports of its traffic, leases and servers",
        minimum=1,
    ),
    key("router.health.checks.enabled", "true", "boolean", "Whether routers check their health"),
    key(
        "router.health.checks.basic.interval",
        "3",
        "integer",
        "Minutes between a router's health checks",
        minimum=1,
    ),
    key(
        "router.health.checks.failures.to.recreate.vr",
        "",
        "string",
        "Names of the health checks, separated by commas, at whose failure a router is made anew",
    ),
    key("systemvm.restart.attempts", "3", "integer", "Failed restarts after which a system VM is made anew", minimum=1),
)
