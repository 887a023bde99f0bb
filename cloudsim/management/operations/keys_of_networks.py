"""Configuration keys of guest networks and public addresses."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_NETWORKS: tuple[key, ...] = (
    key(
        "network.throttling.rate",
        "0",
        "integer",
        "Mbit/s of a network card in a guest network whose offering says nothing; 0 for any",
        scopes=("Zone",),
        minimum=0,
    ),
    key(
        "vm.network.throttling.rate",
        "0",
        "integer",
        "Mbit/s of an instance's card in its default network where its service offering says nothing; 0 for any",
        minimum=0,
    ),
    key(
        "ipv6.offering.enabled",
        "false",
        "boolean",
        "Whether network and VPC offerings may be made with internetprotocol DualStack",
    ),
    key(
        "vr.public.interface.max.mtu",
        "1500",
        "integer",
        "The largest MTU that a virtual router's public interface may be given",
        scopes=("Zone",),
        minimum=576,
        maximum=65535,
    ),
    key(
        "vr.private.interface.max.mtu",
        "1500",
        "integer",
        "The largest MTU that a virtual router's interfaces in guest networks may be given",
        scopes=("Zone",),
        minimum=576,
        maximum=65535,
    ),
    key(
        "allow.end.users.to.specify.vr.mtu",
        "false",
        "boolean",
        "Whether users, and not only admins, may say the MTUs of their networks' virtual routers",
        scopes=("Zone",),
    ),
    key(
        "use.external.dns",
        "false",
        "boolean",
        "Whether guests are told the zone's name servers, and their router is none",
        scopes=("Zone",),
    ),
    key(
        "use.system.public.ips",
        "true",
        "boolean",
        "Whether an account with public addresses of its own gets others too once those are all in use",
        scopes=("Account",),
    ),
    key(
        "public.ip.address.quarantine.duration",
        "0",
        "integer",
        "Minutes for which a public address that was given back is for no other account; 0 for none",
        minimum=0,
        scopes=("Domain",),
    ),
)
