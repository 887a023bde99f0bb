"""Configuration keys of the certificates by which agents are let in."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_CERTIFICATES: tuple[key, ...] = (
    key(
        "ca.framework.cert.validity.period",
        "365",
        "integer",
        "Days that certificates are good for which are made from now on, of agents and of those who say nothing else",
        minimum=1,
        maximum=3650,
    ),
    key(
        "ca.framework.cert.automatic.renewal",
        "true",
        "boolean",
        "Whether agents get their next certificate before theirs ends. Where not, an operator provisions it",
        scopes=("Cluster",),
    ),
    key(
        "ca.framework.cert.expiry.alert.period",
        "15",
        "integer",
        "Days before an agent's certificate ends, at most half of those it is good for, from which on it is renewed, or "
        "an alert raised where it is not",
        scopes=("Cluster",),
        minimum=1,
        maximum=3650,
    ),
    key(
        "ca.framework.background.task.delay",
        "3600",
        "integer",
        "Seconds between looks at how long agents' certificates are good",
        minimum=1,
    ),
)
