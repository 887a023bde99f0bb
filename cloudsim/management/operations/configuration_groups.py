"""The groups and subgroups in which configuration keys are shown, by the words that their names begin with."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

OTHERS = "Others"
"""The subgroup of what is in no other one; every group has it."""


class Group(NamedTuple):
    """A group: what it is about, and its subgroups with the beginnings of the names in each."""

    name: str
    description: str
    subgroups: dict[str, tuple[str, ...]]


GROUPS: tuple[Group, ...] = (
    Group(
        "Access",
        "Who gets in, and what accounts, domains and projects may do",
        {
            "Account": ("account", "allow.user", "allow.public", "enable.account", "api.key", "max.account"),
            "Domain": ("allow.subdomain", "enable.domain", "max.domain"),
            "Project": ("project", "allow.user.create.projects", "max.project"),
            "LDAP": ("ldap",),
            "Two Factor Authentication": ("enable.user.2fa", "mandate.user.2fa", "user.2fa"),
            "Password": ("password", "incorrect.login.attempts.allowed"),
            OTHERS: ("dynamic.apichecker", "resource.limit", "vm.strict.resource.limit"),
        },
    ),
    Group(
        "Compute",
        "Instances: where they run, what they get, what becomes of them",
        {
            "Virtual Machine": ("vm", "start", "expunge", "instance", "enable.dynamic.scale", "enable.additional.vm"),
            "High Availability": ("ha", "investigate", "restart", "kvm.ha"),
            "Kubernetes": ("cloud.kubernetes",),
            OTHERS: ("extension",),
        },
    ),
    Group(
        "Storage",
        "Volumes, snapshots, templates",
        {
            "Images": ("max.template", "extract", "upload", "secstorage.allowed"),
            "Volume": ("custom.diskoffering", "storage.max.volume", "storage.cleanup", "vm.disk"),
            "Snapshot": ("snapshot", "vmsnapshot", "concurrent.snapshots", "kvm.snapshot"),
            OTHERS: ("storage",),
        },
    ),
    Group(
        "Network",
        "Guest networks, addresses, VPCs, VPNs",
        {
            "Network": (
                "network",
                "guest",
                "use.external",
                "use.system.public",
                "public.ip",
                "ipv6",
                "vm.network",
                "vr",
                "allow.end.users",
            ),
            "VPC": ("vpc", "blacklisted"),
            "VPN": ("remote.access.vpn", "site2site"),
            "LoadBalancer": ("network.loadbalancer",),
        },
    ),
    Group(
        "Hypervisor",
        "Settings of one kind of hypervisor",
        {"VMware": ("vmware",), OTHERS: ("hypervisor",)},
    ),
    Group(
        "Management Server",
        "The server itself: its API, jobs, events, agents",
        {
            "API": ("api", "default.page", "default.ui", "endpoint", "integration", "changes", "sortkey"),
            "Events": ("event", "webhook"),
            "Alerts": ("alert",),
            "Jobs": ("job", "workers"),
            "Agents": ("agent", "ping", "wait", "direct"),
            "Traces": ("trace",),
            "Usage": ("usage", "enable.usage"),
            OTHERS: ("database", "developer"),
        },
    ),
    Group(
        "System VMs",
        "Routers, console proxies, secondary storage VMs",
        {
            "ConsoleProxyVM": ("consoleproxy", "console"),
            "SecStorageVM": ("secstorage", "secondary"),
            "VirtualRouter": ("router",),
            OTHERS: ("systemvm", "system"),
        },
    ),
    Group(
        "Infrastructure",
        "Zones, pods, clusters, hosts and pools",
        {
            "Cluster": ("cluster", "cpu", "mem", "drs"),
            "Host": ("host", "outofbandmanagement"),
            "Pod": ("pod", "check.pod"),
            "Zone": ("zone",),
            "Primary Storage": ("pool", "storage.overprovisioning", "storage.stats"),
            "Capacity": ("capacity",),
            "Backup & Recovery": ("backup",),
            "Certificate Authority": ("ca",),
        },
    ),
    Group("Miscellaneous", "What is in no other group", {}),
)
"""In the order in which they are shown. Where two beginnings fit a name, the longer one counts."""


@cache
def place_of(name: str) -> tuple[str, str]:
    """The group and subgroup of the key of that name."""
    best, place = 0, (GROUPS[-1].name, OTHERS)
    for group in GROUPS:
        for subgroup, beginnings in group.subgroups.items():
            for beginning in beginnings:
                if len(beginning) > best and (name + ".").startswith(beginning + "."):
                    best, place = len(beginning), (group.name, subgroup)
    return place


PARENTS: dict[str, str] = {
    "api.throttling.interval": "api.throttling.enabled",
    "api.throttling.max": "api.throttling.enabled",
    "api.throttling.cachesize": "api.throttling.enabled",
    "backup.framework.provider.plugin": "backup.framework.enabled",
    "cloud.kubernetes.cluster.max.size": "cloud.kubernetes.service.enabled",
    "drs.automatic.interval": "drs.automatic.enable",
    "instance.lease.eventscheduler.interval": "instance.lease.enabled",
    "instance.lease.expiryevent.daysbefore": "instance.lease.enabled",
    "instance.lease.scheduler.interval": "instance.lease.enabled",
    "mandate.user.2fa": "enable.user.2fa",
    "project.invite.timeout": "project.invite.required",
    "router.health.checks.basic.interval": "router.health.checks.enabled",
    "router.health.checks.failures.to.recreate.vr": "router.health.checks.enabled",
    "storage.cache.replacement.interval": "storage.cache.replacement.enabled",
    "storage.cleanup.interval": "storage.cleanup.enabled",
    "user.2fa.default.provider": "enable.user.2fa",
    "user.2fa.issuer": "enable.user.2fa",
    "vm.disk.stats.max.retention.time": "vm.disk.stats.retention.enabled",
}
"""A key -> the key that must be true for it to mean anything."""
