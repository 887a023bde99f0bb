"""How many connections haproxy takes, and whether they stay open. (What it does with them: test_services.)"""

from __future__ import annotations

from backends.systemvm.rendering import haproxy
from cloudsim.protocol.router import Balancer, RouterConfiguration, Stickiness

COOKIE = Stickiness("LbCookie", "sticky")


def sections(*balancers: Balancer) -> dict[str, list[str]]:
    """The lines of each section by its head."""
    text = haproxy.files(RouterConfiguration(name="r", balancers=balancers))[0][haproxy.CONFIGURATION]
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith(" "):
            lines = found[line] = []
        elif line:
            lines.append(line.strip())
    return found


def test_a_balancer_has_as_many_connections_as_its_offering_says() -> None:
    limited, plain = Balancer("a", "192.0.2.1", 80, max_connections=9000), Balancer("b", "192.0.2.1", 81)
    found = sections(limited, plain)
    assert "maxconn 9000" in found["listen a"] and "maxconn 9000" in found["global"]
    assert not [line for line in found["listen b"] if line.startswith("maxconn")]
    assert f"maxconn {haproxy.MOST}" in sections(plain)["global"]


def test_connections_that_are_not_to_stay_open_are_closed_where_it_speaks_http() -> None:
    for kept in (True, False):
        found = sections(
            Balancer("web", "192.0.2.1", 80, stickiness=COOKIE, keep_alive=kept),
            Balancer("any", "192.0.2.1", 81, keep_alive=kept),
        )
        assert ("option httpclose" in found["listen web"]) is not kept
        assert "option httpclose" not in found["listen any"]
