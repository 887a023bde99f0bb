"""Configuration keys that clients read or set and that this version only remembers."""

from __future__ import annotations

from typing import NamedTuple

from cloudsim.management.operations.configuration_key import ConfigurationKey, Kind


class _Kept(NamedTuple):
    name: str
    default: str
    kind: Kind
    about: str
    why: str
    """Why it has no effect."""
    scopes: tuple[str, ...] = ()


_ONE_SERVER = "one management server has all agents"
_NO_KUBERNETES = "there is no Kubernetes service"
_NO_VMWARE = "there is no VMware"
_NO_STAGING = "secondary storage has no cache before it"
_NOT_CACHED = "rules of roles always decide, and count from the moment on at which they change"
_NO_WAITING = "nothing is waited for by looking again"

_LIST = (
    _Kept(
        "agent.load.threshold",
        "0.7",
        "number",
        "share of agents above which they are spread over servers",
        _ONE_SERVER,
    ),
    _Kept("alert.smtp.host", "", "string", "mail server for alerts", "alerts are listed, and not mailed"),
    _Kept(
        "ca.plugin.root.auth.strictness",
        "false",
        "boolean",
        "whether agents need a certificate",
        "an agent without a certificate can do nothing but ask for one",
    ),
    _Kept(
        "cloud.kubernetes.cluster.max.size",
        "10",
        "integer",
        "nodes of a Kubernetes cluster",
        _NO_KUBERNETES,
        ("Account",),
    ),
    _Kept(
        "cloud.kubernetes.service.enabled",
        "false",
        "boolean",
        "whether there is a Kubernetes service",
        _NO_KUBERNETES,
    ),
    _Kept(
        "consoleproxy.sslEnabled",
        "false",
        "boolean",
        "whether consoles are shown over TLS",
        "consoles are reached as the API is, and TLS is left to what stands before both",
    ),
    _Kept(
        "database.server.stats.retention",
        "3",
        "integer",
        "entries of database statistics kept",
        "statistics of the database are those of the moment",
    ),
    _Kept(
        "developer",
        "false",
        "boolean",
        "whether this is a developer's server",
        "a server is the same for everybody",
    ),
    _Kept(
        "direct.agent.load.size",
        "16",
        "integer",
        "direct agents that a server takes at a time",
        _ONE_SERVER,
    ),
    _Kept("dynamic.apichecker.cache.period", "0", "integer", "seconds that roles are cached", _NOT_CACHED),
    _Kept(
        "dynamic.apichecker.enabled",
        "true",
        "boolean",
        "whether roles decide who may call what",
        _NOT_CACHED,
    ),
    _Kept(
        "enable.additional.vm.configuration",
        "false",
        "boolean",
        "whether users may pass hypervisor options",
        "no hypervisor options are taken",
        ("Account",),
    ),
    _Kept(
        "extension.path.state.check.interval",
        "300",
        "integer",
        "seconds between checks of extensions",
        "they are looked at whenever it is asked for",
    ),
    _Kept(
        "integration.api.port",
        "0",
        "integer",
        "port without authentication; 0 for none",
        "it is an option of the command line, --integration-port",
    ),
    _Kept(
        "ldap.basedn",
        "",
        "string",
        "base of LDAP searches",
        "users are those of the cloud alone",
        ("Domain",),
    ),
    _Kept(
        "network.loadbalancer.haproxy.stats.visibility",
        "global",
        "string",
        "who sees load balancer statistics",
        "load balancers show no page of statistics",
    ),
    _Kept(
        "snapshot.backup.to.secondary",
        "true",
        "boolean",
        "whether snapshots go to secondary storage",
        "snapshots always go to secondary storage",
    ),
    _Kept(
        "storage.cache.replacement.enabled",
        "true",
        "boolean",
        "whether cached files make room",
        _NO_STAGING,
    ),
    _Kept(
        "storage.cache.replacement.interval",
        "86400",
        "integer",
        "seconds between those rounds",
        _NO_STAGING,
    ),
    _Kept(
        "vm.instancename.flag",
        "false",
        "boolean",
        "whether internal names carry the display name",
        _NO_VMWARE,
    ),
    _Kept(
        "vm.op.wait.interval",
        "120",
        "integer",
        "seconds between looks at a pending operation",
        _NO_WAITING,
    ),
    _Kept(
        "vmware.create.full.clone",
        "false",
        "boolean",
        "whether VMware clones are full",
        _NO_VMWARE,
        ("StoragePool",),
    ),
    _Kept(
        "vmware.recycle.hung.wokervm",
        "false",
        "boolean",
        "whether hung worker VMs are recycled",
        _NO_VMWARE,
    ),
    _Kept(
        "vmware.root.disk.controller",
        "osdefault",
        "string",
        "controller of VMware root disks",
        _NO_VMWARE,
    ),
    _Kept("workers", "10", "integer", "worker threads of a server", _NO_WAITING),
)

KEPT: tuple[ConfigurationKey, ...] = tuple(
    ConfigurationKey(
        each.name,
        each.default,
        each.kind,
        f"{each.about[0].upper()}{each.about[1:]} (kept for clients; no effect in this version: {each.why})",
        scopes=each.scopes,
    )
    for each in _LIST
)

SIMULATOR_VALUES: dict[str, str] = {
    "account.cleanup.interval": "20",
    "backup.framework.enabled": "true",
    "ca.plugin.root.auth.strictness": "true",
    "developer": "true",
    "direct.agent.load.size": "1000",
    "expunge.delay": "20",
    "expunge.interval": "20",
    "expunge.workers": "3",
    "integration.api.port": "8096",
    "network.gc.interval": "20",
    "network.gc.wait": "20",
    "ping.interval": "10",
    "ping.timeout": "2.0",
    "pool.storage.capacity.disablethreshold": "0.95",
    "secstorage.allowed.internal.sites": "0.0.0.0/0",
    "storage.cleanup.interval": "40",
    "vm.op.wait.interval": "5",
}
"""What a fresh server on a simulated datacenter has set, for clients and tests that are used to short waits."""
