"""Configuration keys of who gets in and how often: limits of calls."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_ACCESS: tuple[key, ...] = (
    key(
        "api.throttling.enabled",
        "false",
        "boolean",
        "Whether calls are counted for each account and refused above a number; never those of root admins",
    ),
    key("api.throttling.interval", "1", "integer", "Seconds over which an account's calls are counted", minimum=1),
    key("api.throttling.max", "25", "integer", "Calls that an account may make within the interval", minimum=1),
    key(
        "api.throttling.cachesize",
        "50000",
        "integer",
        "Accounts whose calls are counted at one time; above it those are forgotten that called longest ago",
        minimum=1,
    ),
)
