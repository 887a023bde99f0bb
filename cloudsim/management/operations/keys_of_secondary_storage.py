"""Configuration keys of secondary storage VMs, and of what goes in and out through them."""

from __future__ import annotations

import ipaddress

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_key import ConfigurationKey as key


def networks_in(value: str) -> tuple[str, ...]:
    """The CIDRs of a comma-separated list. Raises InvalidParameterValue."""
    named = tuple(part.strip() for part in value.split(",") if part.strip())
    for each in named:
        try:
            ipaddress.ip_network(each, strict=False)
        except ValueError:
            raise InvalidParameterValue(f"{each!r} is no network such as 10.1.0.0/16") from None
    return named


def _check(value: str) -> None:
    networks_in(value)


SECONDARY_STORAGE: tuple[key, ...] = (
    key(
        "secondary.storage.vm",
        "true",
        "boolean",
        "Whether a zone that can have secondary storage VMs has them; false: its hosts download and nobody uploads",
        scopes=("Zone",),
    ),
    key(
        "secstorage.session.max",
        "50",
        "integer",
        "Transfers that a secondary storage VM carries at a time",
        minimum=1,
    ),
    key(
        "secstorage.capacity.standby",
        "10",
        "integer",
        "Transfers that a zone's secondary storage VMs can always take on at once",
        minimum=0,
    ),
    key(
        "secstorage.capacity.scan.interval",
        "30000",
        "integer",
        "Milliseconds between looks at whether a zone needs more or fewer secondary storage VMs",
        minimum=1000,
    ),
    key(
        "secstorage.allowed.internal.sites",
        "",
        "string",
        "Internal networks, as CIDRs with commas between, that downloads may come from",
        checked_by=_check,
    ),
    key(
        "secstorage.encrypt.copy",
        "false",
        "boolean",
        "Whether files are fetched from and sent to secondary storage VMs over TLS",
    ),
    key(
        "secstorage.ssl.cert.domain",
        "",
        "string",
        "Domain in which 192.0.2.7 has the name 192-0-2-7, for URLs over TLS",
    ),
    key("max.template.iso.size", "50", "integer", "GiB of the largest template, ISO or uploaded volume", minimum=1),
    key(
        "extract.url.expiration.interval",
        "14400",
        "integer",
        "Seconds that a URL to fetch a template, volume or snapshot from is good for",
        minimum=1,
    ),
    key(
        "extract.url.cleanup.interval",
        "7200",
        "integer",
        "Seconds between rounds that remove what expired URLs were of",
        minimum=1,
    ),
    key(
        "upload.operation.timeout",
        "10",
        "integer",
        "Minutes within which an upload that was asked for has to begin",
        minimum=1,
    ),
)
