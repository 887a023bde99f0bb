"""What a router tells its guests: their leases, the names that it knows, and what its metadata server has of them.

The meaning of the parts of a `RouterConfiguration` that its DHCP, DNS and metadata servers serve.
"""

from __future__ import annotations

import base64
import re
from ipaddress import AddressValueError, IPv4Address

import msgspec

from cloudsim.protocol.router import GuestNetworkConfiguration, RouterConfiguration, RouterGuest

DATA_SERVER = "data-server"
"""The name of the router in each of its networks, as CloudStack's guests know it."""
KNOWN_OPTIONS = {"3": "router", "6": "dns-server", "15": "domain-name", "26": "mtu", "119": "domain-search"}
"""DHCP options by number that a network's own may stand for."""
_REVERSE = ".in-addr.arpa"
_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Lease(msgspec.Struct, frozen=True):
    """What a guest gets by DHCP. `options` by name, or number as text: `router`, `dns-server`, `mtu`, ..."""

    ip: str
    netmask: str
    hostname: str
    options: dict[str, str]

    @property
    def router(self) -> str | None:
        return self.options.get("router")

    @property
    def dns(self) -> tuple[str, ...]:
        return tuple(filter(None, self.options.get("dns-server", "").split(",")))


def lease_options(network: GuestNetworkConfiguration, default: bool) -> dict[str, str]:
    """The options of a lease on that network; "": it is not sent, although the server would by itself.

    A card that is not the instance's default one gets neither router nor name servers nor domain, so that it does not
    draw away what is for others. The network's own `dhcp_options` go before all of these.
    """
    servers = (network.router_ip,) if "Dns" in network.services else network.dns
    options = {
        "router": network.gateway if default else "",
        "dns-server": ",".join(servers) if default else "",
        "domain-name": network.domain if default else "",
        "mtu": str(network.mtu),
    }
    for name, value in network.dhcp_options.items():
        options.pop(KNOWN_OPTIONS.get(name, name), None)
        options[name] = value
    return options


def lease(configuration: RouterConfiguration, mac: str) -> Lease | None:
    """What the router answers to that card; None: nothing."""
    for network in configuration.guests:
        if "Dhcp" in network.services:
            for guest in network.guests:
                if guest.mac.lower() == mac.lower():
                    own = lease_options(network, guest.default)
                    for number, value in guest.dhcp_options.items():
                        own.pop(number, None)
                        own[KNOWN_OPTIONS.get(number, number)] = value
                    options = {n: v for n, v in own.items() if v}
                    return Lease(guest.ip, network.netmask, guest.hostname, options)
    return None


def host_names(network: GuestNetworkConfiguration, guest: RouterGuest) -> tuple[str, ...]:
    """The guest's names, the full one first."""
    full = (f"{guest.hostname}.{network.domain}",) if network.domain else ()
    return (*full, guest.hostname)


def resolve(
    configuration: RouterConfiguration, network: GuestNetworkConfiguration, name: str
) -> tuple[str, ...] | None:
    """What the router answers to a guest on that network who asks for a name's addresses, or an address's name.

    (): there is no such name. None: it does not know, and asks the name servers outside. An address is asked for
    as "7.1.1.10.in-addr.arpa". Of several addresses of one name those on the guest's own network are told alone.
    """
    name = name.lower().rstrip(".")
    if name.endswith(_REVERSE):
        return _reverse(configuration, name.removesuffix(_REVERSE))
    found: list[tuple[GuestNetworkConfiguration, str]] = []
    for each in configuration.guests:
        if "Dns" not in each.services:
            continue
        router = {DATA_SERVER, f"{DATA_SERVER}.{each.domain}".lower()}
        if name in router:
            found.append((each, each.router_ip))
        found += [(each, g.ip) for g in each.guests if name in (n.lower() for n in host_names(each, g))]
    near = tuple(ip for each, ip in found if each is network)
    if found:
        return near or tuple(ip for _, ip in found)
    domains = [each.domain.lower() for each in configuration.guests if each.domain and "Dns" in each.services]
    own = any(name == domain or name.endswith(f".{domain}") for domain in domains)
    return () if own or "." not in name else None


def _reverse(configuration: RouterConfiguration, labels: str) -> tuple[str, ...] | None:
    try:
        ip = IPv4Address(".".join(reversed(labels.split("."))))
    except AddressValueError:
        return None
    for network in configuration.guests:
        if "Dns" in network.services:
            if str(ip) == network.router_ip:
                return (f"{DATA_SERVER}.{network.domain}" if network.domain else DATA_SERVER,)
            for guest in network.guests:
                if guest.ip == str(ip):
                    return (host_names(network, guest)[0],)
    return () if ip.is_private else None


def metadata_items(configuration: RouterConfiguration, guest: RouterGuest) -> dict[str, str]:
    """What the metadata server says of the guest, by the names of its items, as CloudStack's router has them.

    Its public address is the one of its static NAT, else that of the source NAT, else its own.
    """
    static = next((nat.ip for nat in configuration.static_nats if nat.guest_ip == guest.ip), None)
    source = next((address.ip for address in configuration.public if address.source_nat), None)
    public = static or source or guest.ip
    return {
        "service-offering": "",
        "availability-zone": "",
        "local-ipv4": guest.ip,
        "local-hostname": guest.hostname,
        "public-ipv4": public,
        "public-hostname": public,
        "instance-id": guest.vm,
        "vm-id": guest.vm_id,
        "public-keys": "\n".join(guest.public_keys),
        "cloud-identifier": "",
        **{name: value for name, value in guest.metadata.items() if _ITEM.fullmatch(name)},
    }


def metadata(configuration: RouterConfiguration, ip: str, path: str) -> bytes | None:
    """What the metadata server answers to a guest with that address who asks for a path; None: there is no such."""
    for network in configuration.guests:
        for guest in network.guests:
            if "UserData" in network.services and ip in (guest.ip, *guest.secondary_ips):
                return _document(configuration, guest, [part for part in path.split("/") if part])
    return None


def _document(configuration: RouterConfiguration, guest: RouterGuest, parts: list[str]) -> bytes | None:
    if parts[:1] == ["latest"]:
        parts = parts[1:]
        if not parts:
            return b"meta-data/\nuser-data"
    if parts == ["user-data"]:
        return None if guest.user_data is None else base64.b64decode(guest.user_data)
    items = metadata_items(configuration, guest)
    if parts == ["meta-data"]:
        return "\n".join(sorted(items)).encode()
    name = parts[-1] if len(parts) == 1 or (len(parts) == 2 and parts[0] == "meta-data") else ""
    return items[name].encode() if name in items else None
