"""What dnsmasq is told: the leases and the names of a router's guests (`cloudsim.systemvm.leases_and_names`).

On networks with an IPv6 subnet it is advertised (RFC 4861), so that guests make their addresses of it themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from backends.systemvm.plan import LEASES, ROOT, Service, interface_name
from cloudsim.protocol.router import GuestNetworkConfiguration, RouterConfiguration, RouterGuest
from cloudsim.systemvm.leases_and_names import DATA_SERVER, host_names, lease_options

CONFIGURATION = f"{ROOT}/dnsmasq.conf"
RESERVATIONS = f"{ROOT}/dnsmasq.reservations"
OPTIONS = f"{ROOT}/dnsmasq.options"
NAMES = f"{ROOT}/dnsmasq.names"
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_FIELDS = '{ known[$1 " " $(NF - 2)] = 1; next } $2 " " $3 in known'
_START = (
    # The lease of a guest that is gone would keep its address from the next one.
    f"if [ -s {LEASES} ]; then awk -F'[ ,]' 'NR == FNR {_FIELDS}' {RESERVATIONS} {LEASES} >{LEASES}.kept && "
    f"cat {LEASES}.kept >{LEASES}; fi; exec dnsmasq --keep-in-foreground --conf-file={CONFIGURATION}"
)


def files(configuration: RouterConfiguration) -> dict[str, str]:
    """Its files by path; none where the router serves neither leases nor names. Raises ValueError for what is none."""
    served = _served(configuration)
    if not served:
        return {}
    return {
        CONFIGURATION: _lines(_configuration(served)),
        RESERVATIONS: _lines(_reservations(served)),
        OPTIONS: _lines(_options(served)),
        NAMES: _lines(_names(configuration)),
    }


def service(configuration: RouterConfiguration) -> Service | None:
    """The program. New reservations restart it, in some 50 ms; names and options are read anew."""
    if not _served(configuration):
        return None
    return Service(
        "dnsmasq",
        ("sh", "-c", _START),
        reload="HUP",
        reload_on=(NAMES, OPTIONS),
        restart_on=(CONFIGURATION, RESERVATIONS),
        check=("dnsmasq", "--test", f"--conf-file={CONFIGURATION}"),
    )


def _served(configuration: RouterConfiguration) -> list[GuestNetworkConfiguration]:
    return [guest for guest in configuration.guests if guest.ip6 or {"Dhcp", "Dns"}.intersection(guest.services)]


def _configuration(served: list[GuestNetworkConfiguration]) -> Iterator[str]:
    yield from (
        "bind-dynamic",
        "except-interface=lo",
        "no-resolv",
        "no-hosts",
        "domain-needed",
        "bogus-priv",
        "localise-queries",
        "quiet-dhcp",
        "dhcp-authoritative",
        "dhcp-ignore=tag:!known",
        "dhcp-ignore-names",
        "no-ping",
        "dhcp-lease-max=65536",
        f"dhcp-leasefile={LEASES}",
        f"dhcp-hostsfile={RESERVATIONS}",
        f"dhcp-optsfile={OPTIONS}",
        "pid-file=",
    )
    for network in served:
        device, net = interface_name(network.mac), _net(network)
        yield f"interface={device}"
        if "Dhcp" in network.services:
            yield f"dhcp-range=set:{device},{net.network_address},static,{net.netmask},infinite"
            for guest in network.guests:
                # not in the reservations: dnsmasq 2.90 does not survive to read tags there anew after it gave a lease
                yield from (f"dhcp-mac=set:{tag},{guest.mac.lower()}" for tag in _tags(guest))
        elif not network.ip6:
            yield f"no-dhcp-interface={device}"
        if network.ip6:
            yield f"dhcp-range={IPv6Network(f'{network.ip6}/64', strict=False).network_address},ra-only,64"
            yield f"ra-param={device},mtu:{network.mtu},0"
    if any(network.ip6 for network in served):
        yield "enable-ra"
    names = [network for network in served if "Dns" in network.services]
    if not names:
        yield "port=0"
        return
    yield f"addn-hosts={NAMES}"
    for domain in dict.fromkeys(_domain(network) for network in names if network.domain):
        yield f"local=/{domain}/"
    for server in dict.fromkeys(server for network in names for server in network.dns):
        yield f"server={server}"


def _reservations(served: Iterable[GuestNetworkConfiguration]) -> Iterator[str]:
    yield "# MAC, address, name"  # never an empty file: see _START
    for network in served:
        if "Dhcp" in network.services:
            for guest in network.guests:
                mac = guest.mac.lower()
                if not _MAC.fullmatch(mac):
                    raise ValueError(f"{guest.mac!r} is no MAC address")
                yield f"{mac},{guest.ip},{_host(guest)},infinite"


def _options(served: Iterable[GuestNetworkConfiguration]) -> Iterator[str]:
    for network in served:
        if "Dhcp" not in network.services:
            continue
        device = interface_name(network.mac)
        for tag, default in (("!secondary", True), ("secondary", False)):
            for option, value in lease_options(network, default).items():
                if not _PLAIN.fullmatch(f"{option}{value}"):
                    raise ValueError(f"DHCP option {option!r} has a control character in its value")
                code = option if option.isdecimal() else f"option:{option}"
                yield f"tag:{device},tag:{tag},{code}" + (f",{value}" if value else "")
        for guest in network.guests:  # of what is said for one option the last holds
            for option, value in guest.dhcp_options.items():
                if not option.isdecimal() or not _PLAIN.fullmatch(value):
                    raise ValueError(f"DHCP option {option!r} of {guest.mac} cannot be {value!r}")
                yield f"tag:{_tag(guest)},{option},{value}"


def _tags(guest: RouterGuest) -> Iterator[str]:
    """By what dnsmasq tells the guest from those that get what all do."""
    if not guest.default:
        yield "secondary"
    if guest.dhcp_options:
        yield _tag(guest)


def _tag(guest: RouterGuest) -> str:
    """What dnsmasq calls a guest that has options of its own."""
    return "card-" + guest.mac.lower().replace(":", "")


def _names(configuration: RouterConfiguration) -> Iterator[str]:
    for network in configuration.guests:
        if "Dns" in network.services:
            domain = [f"{DATA_SERVER}.{_domain(network)}"] if network.domain else []
            yield " ".join((network.router_ip, *domain, DATA_SERVER))
            for guest in network.guests:
                _host(guest)
                yield " ".join((guest.ip, *host_names(network, guest)))


def _host(guest: RouterGuest) -> str:
    if not _NAME.fullmatch(guest.hostname):
        raise ValueError(f"{guest.hostname!r} is no host name")
    return guest.hostname


def _domain(network: GuestNetworkConfiguration) -> str:
    if not _NAME.fullmatch(network.domain):
        raise ValueError(f"{network.domain!r} is no domain name")
    return network.domain


def _net(network: GuestNetworkConfiguration) -> IPv4Network:
    return IPv4Network(f"{network.router_ip}/{network.netmask}", strict=False)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
