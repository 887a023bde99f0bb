"""Configuration keys of backup and recovery."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_BACKUPS: tuple[key, ...] = (
    key(
        "backup.framework.enabled",
        "false",
        "boolean",
        "Whether instances can be backed up",
        scopes=("Zone",),
    ),
    key(
        "backup.framework.provider.plugin",
        "dummy",
        "string",
        "Which provider backs up: nas, to repositories; dummy, for tests, to secondary storage",
        scopes=("Zone",),
        choices=("dummy", "nas"),
    ),
)
