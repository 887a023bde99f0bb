"""What haproxy is told: the TCP load balancers (UDP ones are the packet filter's).

Each is a `listen` section with the balancer's id for its name and the members' ids for its servers'. Who may come, the packet
filter decides. Stickiness by cookies makes it speak HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backends.systemvm.plan import BALANCER_SOCKET, ROOT, Service
from cloudsim.protocol.router import Balancer, RouterConfiguration, Stickiness

CONFIGURATION = f"{ROOT}/haproxy.cfg"
_WORD = re.compile(r"[A-Za-z0-9._:/?&=%+~-]+")
MOST = 4096
"""Connections of all balancers together, where none is to have more: CloudStack's default."""
_HEAD = f"""\
global
    stats socket {BALANCER_SOCKET} mode 600 level admin expose-fd listeners
    stats timeout 30s
    maxconn {{most}}
    ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
    timeout connect 5s
    timeout client 10m
    timeout server 10m
    timeout http-keep-alive 30s
    timeout http-request 30s
    timeout check 2s
    default-server inter 2s fall 2 rise 1
    option redispatch
    retries 3
"""


def files(configuration: RouterConfiguration) -> tuple[dict[str, str], dict[str, str]]:
    """Its files and its secret files by path; none without TCP balancers. Raises ValueError for what cannot be said."""
    balancers = _served(configuration)
    if not balancers:
        return {}, {}
    sections = ["\n".join(_section(balancer)) + "\n" for balancer in balancers]
    certificates = {
        _certificate(b): b.certificate for b in balancers if b.protocol == "ssl" and b.certificate
    }
    head = _HEAD.format(most=max(MOST, *(b.max_connections or 0 for b in balancers)))
    return {CONFIGURATION: "\n".join([head, *sections])}, certificates


def service(configuration: RouterConfiguration) -> Service | None:
    """The program. A change is a reload: the connections of before go on."""
    balancers = _served(configuration)
    if not balancers:
        return None
    certificates = (_certificate(b) for b in balancers if b.protocol == "ssl")
    return Service(
        "haproxy",
        ("haproxy", "-W", "-db", "-f", CONFIGURATION),
        reload="USR2",
        reload_on=(CONFIGURATION, *certificates),
        check=("haproxy", "-c", "-q", "-f", CONFIGURATION),
    )


def _served(configuration: RouterConfiguration) -> list[Balancer]:
    balancers = [b for b in configuration.balancers if b.protocol != "udp"]
    return [b for b in balancers if b.protocol != "ssl" or b.certificate]


def _section(balancer: Balancer) -> Iterator[str]:
    sticky = balancer.stickiness
    http = balancer.protocol == "ssl" or (sticky is not None and sticky.method in ("LbCookie", "AppCookie"))
    yield f"listen {_word(balancer.id)}"
    secured = f" ssl crt {_certificate(balancer)}" if balancer.protocol == "ssl" else ""
    yield f"    bind {balancer.ip}:{balancer.port}{secured}"
    yield f"    mode {'http' if http else 'tcp'}"
    yield f"    balance {balancer.algorithm}"
    if balancer.max_connections is not None:
        yield f"    maxconn {balancer.max_connections}"
    if http:
        yield "    option forwardfor"
        if not balancer.keep_alive:
            yield "    option httpclose"
    else:
        yield "    option clitcpka"
        yield "    option srvtcpka"
    if balancer.protocol == "ssl":
        yield "    http-request set-header X-Forwarded-Proto https"
    if sticky is not None:
        yield from (f"    {line}" for line in _stickiness(sticky))
    check = balancer.health_check
    if check is not None:
        if check.path:
            yield f"    option httpchk GET {_word(check.path)}"
        yield f"    timeout check {check.timeout}s"
        yield f"    default-server inter {check.interval}s rise {check.healthy} fall {check.unhealthy}"
    cookies = sticky is not None and sticky.method == "LbCookie"
    for member in balancer.members:
        extra = f" cookie {_word(member.id)}" if cookies else ""
        extra += " send-proxy" if balancer.protocol == "tcp-proxy" else ""
        yield f"    server {_word(member.id)} {member.ip}:{member.port} check{extra}"


def _stickiness(sticky: Stickiness) -> Iterator[str]:
    given = sticky.parameters
    name = _word(given.get("cookie-name") or sticky.name or "SERVERID")
    match sticky.method:
        case "LbCookie":
            words = ["cookie", name, _word(given.get("mode") or "insert")]
            words += [flag for flag in ("nocache", "indirect", "postonly") if _true(given.get(flag))]
            if given.get("domain"):
                words += ["domain", _word(given["domain"])]
            yield " ".join(words)
        case "AppCookie":
            length, expires = _word(given.get("length") or "52"), _time(given.get("holdtime") or "3h")
            yield f"stick-table type string len {length} size 100k expire {expires}"
            cookie = f"cook({name})"
            asked = f"urlp({name},;)" if given.get("mode") == "path-parameters" else f"req.{cookie}"
            yield f"stick {'on' if _true(given.get('request-learn')) else 'match'} {asked}"
            yield f"stick store-response res.{cookie}"
        case "SourceBased":
            size, expires = _word(given.get("tablesize") or "200k"), _time(given.get("expire") or "30m")
            yield f"stick-table type ip size {size} expire {expires}"
            yield "stick on src"


def _true(value: str | None) -> bool:
    return value is not None and value.lower() in ("true", "")


def _time(value: str) -> str:
    """A time as haproxy has it; a bare number is milliseconds there too."""
    return _word(value)


def _certificate(balancer: Balancer) -> str:
    return f"{ROOT}/certificates/{_word(balancer.id)}.pem"


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} is no word that a load balancer's configuration may have")
    return value
