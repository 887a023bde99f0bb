"""Configuration keys of instances: which hosts they may be forced on, and whether they scale while they run."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_INSTANCES: tuple[key, ...] = (
    key(
        "enable.dynamic.scale.vm",
        "false",
        "boolean",
        "Whether instances are made so that they can scale while they run, where template and offering say so",
        scopes=("Zone",),
    ),
    key(
        "ha.tag",
        "",
        "string",
        "Tag of hosts that only instances are started on whose host has failed, and that nothing else is started on; where "
        "there is none with enough room they stay Stopped. Empty: no hosts are kept free",
    ),
    key(
        "vm.strict.host.tags",
        "",
        "string",
        "Host tags, by commas, that a host must have for an instance that asks for them even when a root admin names the host",
    ),
    key(
        "vm.strict.resource.limit.host.tag.check",
        "true",
        "boolean",
        "Whether the tags of resource.limit.host.tags are among those of vm.strict.host.tags",
    ),
)
