"""Configuration keys of console proxies and of the consoles that they show, under CloudStack's names."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_CONSOLES: tuple[key, ...] = (
    key(
        "consoleproxy.session.max",
        "50",
        "integer",
        "Consoles that one console proxy shows at a time",
        minimum=1,
    ),
    key(
        "consoleproxy.capacity.standby",
        "10",
        "integer",
        "Consoles that a zone's console proxies must have room for; with less, another one is started",
        minimum=0,
    ),
    key(
        "consoleproxy.launch.max",
        "10",
        "integer",
        "Console proxies that a zone may have",
        scopes=("Zone",),
        minimum=0,
    ),
    key(
        "consoleproxy.capacityscan.interval",
        "30000",
        "integer",
        "Milliseconds between rounds that start console proxies, or remove idle ones",
        minimum=1000,
    ),
    key(
        "consoleproxy.loadscan.interval",
        "10000",
        "integer",
        "Milliseconds between rounds that ask console proxies which consoles are open",
        minimum=1000,
    ),
    key(
        "consoleproxy.session.timeout",
        "300000",
        "integer",
        "Milliseconds within which a console must be opened, and after which one is cut through which nothing passes",
        minimum=1000,
    ),
    key(
        "consoleproxy.extra.security.validation.enabled",
        "false",
        "boolean",
        "Whether createConsoleEndpoint must be given an extra token, which the console's address must hold too",
    ),
    key(
        "consoleproxy.url.domain",
        "",
        "string",
        "Name under which browsers reach console proxies; in *.example.org, * is the proxy's address with dashes",
    ),
    key(
        "console.session.cleanup.retention.hours",
        "240",
        "integer",
        "Hours that an ended console session is still listed",
        minimum=0,
    ),
)
