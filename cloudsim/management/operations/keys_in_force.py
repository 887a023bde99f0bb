"""Configuration keys that this version acts on."""

from __future__ import annotations

from cloudsim.management.identity.limited_resources import LIMIT_KEYS
from cloudsim.management.operations.configuration_key import ConfigurationKey as key
from cloudsim.placement.naming import check

IN_FORCE: tuple[key, ...] = (
    key("ping.interval", "60", "integer", "Seconds between an agent's pings", minimum=1),
    key("ping.timeout", "2.5", "number", "Pings an agent may miss before its host is in Alert", minimum=1),
    key("wait", "1800", "integer", "Seconds a command to a host may take", minimum=1),
    key(
        "agent.command.resend",
        "60",
        "integer",
        "Seconds without an answer after which a command is sent again",
        minimum=1,
    ),
    key("job.expire.minutes", "1440", "integer", "Minutes a finished job is kept", minimum=1),
    key("event.purge.delay", "15", "integer", "Days an event is kept; 0 for ever", minimum=0),
    key(
        "capacity.history.interval",
        "300",
        "integer",
        "Seconds between samples of every zone's capacity; 0 for none",
        minimum=0,
    ),
    key(
        "capacity.history.retention",
        "7",
        "integer",
        "Days that every sample of capacity is kept",
        minimum=1,
    ),
    key(
        "capacity.history.hourly.retention",
        "400",
        "integer",
        "Days that one sample of capacity an hour is kept",
        minimum=1,
    ),
    key("start.retry", "10", "integer", "Hosts tried before a deployment fails", minimum=1),
    key(
        "vm.allocation.algorithm",
        "random",
        "string",
        "Which host an instance goes to: a placement policy, with options as in best-fit,norm=l2",
        checked_by=check,
    ),
    key(
        "cpu.overprovisioning.factor",
        "1.0",
        "number",
        "How many times a host's CPU may be promised",
        scopes=("Cluster",),
        minimum=1,
    ),
    key(
        "mem.overprovisioning.factor",
        "1.0",
        "number",
        "How many times a host's memory may be promised",
        scopes=("Cluster",),
        minimum=1,
    ),
    key(
        "storage.overprovisioning.factor",
        "2.0",
        "number",
        "How many times a pool's space may be promised",
        scopes=("StoragePool", "Zone"),
        minimum=1,
    ),
    key(
        "pool.storage.allocated.capacity.disablethreshold",
        "0.95",
        "number",
        "Share of promised space above which a pool takes no new volume",
        scopes=("Zone", "StoragePool"),
        minimum=0,
        maximum=1,
    ),
    key(
        "cluster.cpu.allocated.capacity.disablethreshold",
        "0.95",
        "number",
        "Share of promised CPU above which a cluster takes no new instance",
        scopes=("Cluster",),
        minimum=0,
        maximum=1,
    ),
    key(
        "cluster.memory.allocated.capacity.disablethreshold",
        "0.95",
        "number",
        "Share of promised memory above which a cluster takes no new instance",
        scopes=("Cluster",),
        minimum=0,
        maximum=1,
    ),
    key(
        "expunge.delay", "86400", "integer", "Seconds a destroyed instance can still be recovered", minimum=1
    ),
    key(
        "expunge.interval",
        "86400",
        "integer",
        "Seconds between rounds that expunge destroyed instances",
        minimum=1,
    ),
    key("instance.name", "VM", "string", "Ending of instances' internal names"),
    key(
        "vm.password.length",
        "6",
        "integer",
        "Length of the passwords that are made for instances",
        minimum=6,
        maximum=255,
    ),
    key("guest.domain.suffix", "cs.cloud.internal", "string", "DNS suffix of instances", scopes=("Zone",)),
    key(
        "network.gc.interval",
        "600",
        "integer",
        "Seconds between rounds that take VLANs back from networks without running instances",
        minimum=1,
    ),
    key(
        "storage.cleanup.interval",
        "86400",
        "integer",
        "Seconds between rounds that remove destroyed volumes and deleted templates for good",
        minimum=1,
    ),
    key("default.page.size", "500", "integer", "Largest page of a list call", minimum=1),
    key(
        "api.sessionkey.check.locations",
        "CookieAndParameter",
        "string",
        "Where a session's key must be found in a call",
        choices=("CookieOrParameter", "ParameterOnly", "CookieAndParameter"),
    ),
    key(
        "changes.streams.max",
        "100",
        "integer",
        "Streams of changes (followChanges) that are answered at one time; 0 for none",
        minimum=0,
        maximum=900,
    ),
    key(
        "check.pod.cidrs",
        "true",
        "boolean",
        "Whether no two pods of a zone may share a subnet; false: they may share it but no address",
    ),
    key("trace.keep", "1000", "integer", "Traces of commands that are kept, the newest", minimum=1, maximum=100_000),
)

IN_FORCE += LIMIT_KEYS
