"""Configuration keys of the distributed resource scheduler, which moves instances within a cluster."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

_CLUSTER = ("Cluster",)

OF_DRS: tuple[key, ...] = (
    key(
        "drs.algorithm",
        "condensed",
        "string",
        "What DRS makes of a cluster: balanced hosts, or condensed ones, some full and some empty",
        scopes=_CLUSTER,
        choices=("balanced", "condensed"),
    ),
    key(
        "drs.metric",
        "memory",
        "string",
        "What of a host is to be balanced or condensed: the share that is allocated of its memory or its cpu",
        scopes=_CLUSTER,
        choices=("memory", "cpu"),
    ),
    key(
        "drs.imbalance",
        "0.4",
        "number",
        "How much imbalance (standard deviation over mean of the metric) is wanted: balanced DRS moves instances while "
        "there is more than 1 minus this, condensed DRS while there is less than this",
        scopes=_CLUSTER,
        minimum=0,
        maximum=1,
    ),
    key("drs.automatic.enable", "false", "boolean", "Whether DRS runs by itself", scopes=_CLUSTER),
    key(
        "drs.automatic.interval",
        "60",
        "integer",
        "Minutes between two automatic runs of DRS",
        scopes=_CLUSTER,
        minimum=1,
    ),
    key("drs.max.migrations", "50", "integer", "Most instances that one plan moves", scopes=_CLUSTER, minimum=1),
    key("drs.plan.expire.interval", "30", "integer", "Days that plans are kept", minimum=1),
)
