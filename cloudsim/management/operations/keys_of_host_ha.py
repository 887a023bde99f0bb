"""Configuration keys of out-of-band management and of high availability of hosts."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

_CLUSTER = ("Cluster",)

OF_OUT_OF_BAND: tuple[key, ...] = (
    key(
        "outofbandmanagement.action.timeout",
        "60",
        "integer",
        "Seconds that a power action may take, where the call does not say",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "outofbandmanagement.sync.interval",
        "300000",
        "integer",
        "Milliseconds between two looks at the power states of hosts",
        minimum=1000,
    ),
    key(
        "outofbandmanagement.sync.poolsize",
        "50",
        "integer",
        "How many hosts' power states are asked for at the same time",
        minimum=1,
    ),
    key(
        "outofbandmanagement.ipmitool.interface",
        "lanplus",
        "string",
        "The interface by which ipmitool speaks to management controllers",
        choices=("lanplus", "lan"),
    ),
    key(
        "outofbandmanagement.ipmitool.retries",
        "1",
        "integer",
        "How often ipmitool asks a management controller again",
        minimum=0,
        maximum=100,
    ),
)

OF_HOST_HA: tuple[key, ...] = (
    key(
        "kvm.ha.health.check.timeout",
        "10",
        "integer",
        "Seconds that a host's agent may take to answer before the host is suspect",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.activity.check.timeout",
        "60",
        "integer",
        "Seconds in which it must be known whether a suspect host still writes to disks",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.activity.check.interval",
        "60",
        "integer",
        "Seconds between two checks of a suspect host's activity",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.activity.check.max.attempts",
        "10",
        "integer",
        "How many checks of activity decide whether a suspect host is recovered",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.activity.check.failure.ratio",
        "0.7",
        "number",
        "A host is recovered when more than this share of its checks of activity found none",
        scopes=_CLUSTER,
        minimum=0,
        maximum=1,
    ),
    key(
        "kvm.ha.degraded.max.period",
        "300",
        "integer",
        "Seconds that a host may be Degraded before its activity is checked again",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.recover.timeout",
        "60",
        "integer",
        "Seconds that the reset of a host may take",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.recover.wait.period",
        "600",
        "integer",
        "Seconds that a host has to become healthy after it was reset",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key(
        "kvm.ha.recover.failure.threshold",
        "1",
        "integer",
        "How often a host is reset, while it does not become healthy, before it is fenced",
        scopes=_CLUSTER,
        minimum=0,
    ),
    key(
        "kvm.ha.fence.timeout",
        "60",
        "integer",
        "Seconds that switching a host off may take",
        scopes=_CLUSTER,
        minimum=1,
    ),
)
