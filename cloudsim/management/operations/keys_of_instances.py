"""Configuration keys of instances: which hosts they may be forced on, whether they scale, their leases."""

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
        "instance.lease.enabled",
        "false",
        "boolean",
        "Whether instances may have a lease, from their deployment on; false ends the leases that there are",
    ),
    key(
        "instance.lease.scheduler.interval",
        "3600",
        "integer",
        "Seconds between looks for leases that have expired, whose instances are then stopped or destroyed",
        minimum=1,
    ),
    key(
        "instance.lease.expiryevent.daysbefore",
        "7",
        "integer",
        "Days before the end of a lease from which on events tell of it",
        minimum=0,
    ),
    key(
        "instance.lease.eventscheduler.interval",
        "86400",
        "integer",
        "Seconds after which such an event tells of a lease again",
        minimum=1,
    ),
    key("vmsnapshot.max", "10", "integer", "Snapshots that an instance can have", scopes=("Account",), minimum=1),
    key(
        "vmsnapshot.expire.interval",
        "-1",
        "integer",
        "Hours after which a snapshot of an instance is deleted, within the next one; -1 for never",
        scopes=("Account",),
        minimum=-1,
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
