"""The plan of a router: all that its machine, or its namespace, is to bring about."""

from __future__ import annotations

from backends.systemvm.plan import Plan
from backends.systemvm.rendering import dnsmasq, haproxy, vpn
from backends.systemvm.rendering.interfaces import counted, interfaces, policies, routes, sysctls
from backends.systemvm.rendering.metadata import metadata
from backends.systemvm.rendering.nftables import rules
from cloudsim.protocol.router import RouterConfiguration


def render(configuration: RouterConfiguration) -> Plan:
    """The same configuration always makes the same plan; its number and role are for the caller to add.

    Raises ValueError for values that no file may have.
    """
    files, secret_files = haproxy.files(configuration)
    tunnels, keys = vpn.files(configuration)
    programs = (dnsmasq.service(configuration), haproxy.service(configuration), *vpn.services(configuration))
    return Plan(
        hostname=configuration.name,
        interfaces=interfaces(configuration),
        routes=routes(configuration),
        rules=policies(configuration),
        sysctls=sysctls(configuration),
        nft=rules(configuration),
        counted=counted(configuration),
        files={**dnsmasq.files(configuration), **files, **tunnels},
        secret_files={**secret_files, **keys},
        services=tuple(program for program in programs if program is not None),
        metadata=metadata(configuration),
    )
