"""What strongSwan, xl2tpd and pppd are told: site-to-site tunnels, and dialling in by L2TP over IPsec.

Where the kernel has no ESP, strongSwan does it by itself over a TUN device (its plugin kernel-libipsec), in UDP.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from backends.systemvm.plan import ROOT, Service
from cloudsim.protocol.router import RouterConfiguration, VpnDialIn, VpnSite

DAEMON = f"{ROOT}/strongswan.conf"
CONNECTIONS = f"{ROOT}/swanctl.conf"
CONTROL = f"unix://{ROOT}/charon.vici"
L2TP, PPP, USERS = f"{ROOT}/xl2tpd.conf", f"{ROOT}/ppp.options", f"{ROOT}/chap-secrets"
DIAL_IN_PROPOSALS = "aes256-sha256-modp2048,aes128-sha256-modp2048,aes256-sha1-modp1024,aes128-sha1-modp1024,3des-sha1-modp1024"
DIAL_IN_ESP = "aes256-sha256,aes128-sha256,aes256-sha1,aes128-sha1,3des-sha1"
_PLUGINS = "random nonce aes sha1 sha2 md5 hmac gcrypt gmp kdf %s kernel-netlink socket-default vici"
_DAEMON = f"""\
charon {{
    include {ROOT}/charon.load
    install_virtual_ip = no
    retransmit_tries = 3
    filelog {{
        stderr {{
            default = 1
        }}
    }}
    plugins {{
        vici {{
            socket = {CONTROL}
        }}
    }}
}}
"""
_START = (
    f"if modprobe -q esp4 || [ -d /sys/module/esp4 ]; then own=; cp {CONNECTIONS} {CONNECTIONS}.used; "
    f"else own=kernel-libipsec; sed 's/encap = no/encap = yes/' {CONNECTIONS} >{CONNECTIONS}.used; fi; "
    f'printf "load = {_PLUGINS}\\n" "$own" >{ROOT}/charon.load; '
    # Its process id is kept where those of all routers on a host would be, and keeps a second one from starting.
    f"rm -f /run/charon.pid; export STRONGSWAN_CONF={DAEMON}; "
    "exec $(command -v charon || echo /usr/lib/ipsec/charon)"
)
_LOAD = (
    f"chmod 600 {CONNECTIONS}.used; if grep -q kernel-libipsec {ROOT}/charon.load; "
    f"then sed 's/encap = no/encap = yes/' {CONNECTIONS} >{CONNECTIONS}.used; else cp {CONNECTIONS} {CONNECTIONS}.used; fi; "
    f"STRONGSWAN_CONF={DAEMON} swanctl --load-all --noprompt --uri {CONTROL} --file {CONNECTIONS}.used"
)
# pppd knows one place for secrets; in a mount namespace of its own that is the router's file.
_START_L2TP = (
    f"mkdir -p /etc/ppp && touch /etc/ppp/chap-secrets && mount -o bind {USERS} /etc/ppp/chap-secrets && "
    f"exec xl2tpd -D -c {L2TP} -p {ROOT}/xl2tpd.pid -C {ROOT}/xl2tpd.control"
)


def files(configuration: RouterConfiguration) -> tuple[dict[str, str], dict[str, str]]:
    """Its files and secret files by path; none without VPN. Raises ValueError for what cannot be said."""
    if not (configuration.sites or configuration.dial_in):
        return {}, {}
    plain, secret = {DAEMON: _DAEMON}, {CONNECTIONS: _connections(configuration)}
    for dial_in in configuration.dial_in[:1]:
        plain |= {L2TP: _l2tp(dial_in), PPP: _ppp(configuration)}
        secret[USERS] = "".join(
            f"{_quoted(user)} * {_quoted(password)} *\n" for user, password in dial_in.users
        )
    return plain, secret


def services(configuration: RouterConfiguration) -> Iterator[Service]:
    """The programs. New connections are loaded without a restart; those that go on are left alone."""
    if configuration.sites or configuration.dial_in:
        yield Service(
            "ipsec",
            ("sh", "-c", _START),
            reload="HUP",
            reload_on=(CONNECTIONS,),
            restart_on=(DAEMON,),
            after=(("sh", "-c", _LOAD),),
            modules=("esp4", "xfrm_user"),
        )
    if configuration.dial_in:
        yield Service(
            "l2tp",
            ("unshare", "-m", "sh", "-c", _START_L2TP),
            restart_on=(L2TP, PPP, USERS),
            modules=("ppp_generic", "l2tp_ppp"),
        )


def _connections(configuration: RouterConfiguration) -> str:
    lines = ["connections {"]
    for site in configuration.sites:
        lines += _site(site)
    for at, dial_in in enumerate(configuration.dial_in):
        lines += _dial_in(at, dial_in)
    lines += ["}", "secrets {"]
    for site in configuration.sites:
        lines += _secret(f"ike-{site.id}", site.preshared_key, site.ip, site.peer)
    for at, dial_in in enumerate(configuration.dial_in):
        lines += _secret(f"ike-l2tp-{at}", dial_in.preshared_key, dial_in.ip)
    return "\n".join([*lines, "}", ""])


def _site(site: VpnSite) -> Iterator[str]:
    """A child for each network of the peer's: IKEv1 knows no more than one in each."""
    yield f"  {site.id} {{"
    yield f"    local_addrs = {site.ip}"
    yield f"    remote_addrs = {site.peer}"
    yield f"    proposals = {_proposals(site.ike_policy)}"
    yield f"    rekey_time = {site.ike_lifetime}s"
    yield f"    over_time = {_grace(site)}s"
    yield f"    encap = {'yes' if site.force_encapsulation else 'no'}"
    yield "    keyingtries = 0"
    if site.dead_peer_detection:
        yield "    dpd_delay = 30s"
    yield f"    local {{\n      auth = psk\n      id = {site.ip}\n    }}"
    yield f"    remote {{\n      auth = psk\n      id = {site.peer}\n    }}"
    yield "    children {"
    for at, cidr in enumerate(site.peer_cidrs):
        yield f"      net-{at} {{"
        yield f"        local_ts = {site.local_cidr}"
        yield f"        remote_ts = {cidr}"
        yield f"        esp_proposals = {_proposals(site.esp_policy)}"
        yield f"        rekey_time = {site.esp_lifetime}s"
        yield f"        start_action = {'none' if site.passive else 'start'}"
        yield f"        close_action = {'none' if site.passive else 'start'}"
        yield f"        dpd_action = {'clear' if site.passive else 'restart'}"
        yield "      }"
    yield "    }"
    yield "  }"


def _grace(site: VpnSite) -> int:
    """Seconds beyond an SA's lifetime: about a tenth of it, and another number for another key.

    strongSwan begins a connection anew only when the connection itself is another, and one that the peer refused once for
    its key it never tries again.
    """
    return site.ike_lifetime // 10 + zlib.crc32(site.preshared_key.encode()) % 1000


def _dial_in(at: int, dial_in: VpnDialIn) -> Iterator[str]:
    yield f"  l2tp-{at} {{"
    yield "    version = 1"
    yield f"    local_addrs = {dial_in.ip}"
    yield "    remote_addrs = %any"
    yield f"    proposals = {DIAL_IN_PROPOSALS}"
    yield "    encap = no"
    yield "    dpd_delay = 30s"
    yield f"    local {{\n      auth = psk\n      id = {dial_in.ip}\n    }}"
    yield "    remote {\n      auth = psk\n    }"
    yield "    children {"
    yield "      l2tp {"
    yield "        mode = transport"
    yield "        local_ts = dynamic[udp/1701]"
    yield "        remote_ts = dynamic[udp]"
    yield f"        esp_proposals = {DIAL_IN_ESP}"
    yield "        dpd_action = clear"
    yield "      }"
    yield "    }"
    yield "  }"


def _secret(name: str, key: str, *ids: str) -> Iterator[str]:
    yield f"  {name} {{"
    for at, each in enumerate(ids, 1):
        yield f"    id-{at} = {each}"
    yield f"    secret = {_quoted(key)}"
    yield "  }"


def _l2tp(dial_in: VpnDialIn) -> str:
    return f"""\
[global]
listen-addr = {dial_in.ip}
[lns default]
ip range = {dial_in.first}-{dial_in.last}
local ip = {dial_in.local_ip}
require chap = yes
refuse pap = yes
require authentication = yes
name = cloudsim
pppoptfile = {PPP}
length bit = yes
"""


def _ppp(configuration: RouterConfiguration) -> str:
    servers = [guest.router_ip for guest in configuration.guests if "Dns" in guest.services][:1]
    names = "".join(f"ms-dns {server}\n" for server in servers)
    return f"{names}auth\nrequire-mschap-v2\nnoccp\nnodefaultroute\nmtu 1400\nmru 1400\nipcp-accept-remote\n"


def _proposals(policy: str) -> str:
    """CloudStack's `aes128-sha1;modp1536` is strongSwan's `aes128-sha1-modp1536`."""
    return policy.replace(" ", "").replace(";", "-")


def _quoted(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("a key or password of a VPN has a control character")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
