"""Pictures of every page of the web UI, in both themes and both sizes, and what axe finds on them.

    python -m tests.browser.ui.screenshots [--out FOLDER] [--only NAME ...] [--docs]

serves a simulated cloud with a story (`--demo`), signs in as its admin, and visits the pages of `PAGES`. Pictures go to
results/screenshots/ui, as WebP; `--docs` keeps those that the documentation shows in docs/images/ui.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.chromium import SCREENSHOTS, UI, browser
from tests.server import serving
from tests.server.serving import Connection, ServerProcess

AXE = UI / "node_modules" / "axe-core" / "axe.min.js"
DOCS = UI.parent / "docs" / "images" / "ui"
THEMES = ("light", "dark")
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
SETTLED = 1200
"""Milliseconds after which charts and lists have come to rest."""

LISTS = [
    "vm",
    "vmsnapshot",
    "instancegroup",
    "sshkeypair",
    "userdata",
    "affinitygroup",
    "volume",
    "snapshot",
    "network",
    "vpc",
    "publicip",
    "securitygroup",
    "sslcert",
    "vpnconnection",
    "vpncustomergateway",
    "vpnuser",
    "template",
    "iso",
    "zone",
    "pod",
    "cluster",
    "host",
    "storagepool",
    "imagestore",
    "capacity",
    "systemvm",
    "router",
    "internalloadbalancervm",
    "managementserver",
    "physicalnetwork",
    "virtualrouterelement",
    "vlaniprange",
    "guestvlan",
    "serviceoffering",
    "systemoffering",
    "diskoffering",
    "networkoffering",
    "vpcoffering",
    "account",
    "user",
    "domain",
    "role",
    "project",
    "projectinvitation",
    "event",
    "alert",
    "asyncjob",
    "configuration",
    "resourcelimit",
    "tag",
    "webhook",
    "ostype",
    "oscategory",
    "hypervisorcapabilities",
    "region",
]
DOCUMENTED = [
    "dashboard",
    "topology",
    "vm",
    "vm-detail",
    "trace-detail",
    "simulation",
    "deploy",
    "add-zone",
    "network-detail",
    "api",
    "experiments",
]


@dataclass(frozen=True)
class PageOf:
    """A page: its name and address, and what to do before the picture is taken."""

    name: str
    path: str
    before: Callable[[Any], None] | None = None


def _first_trace(page: Any) -> None:
    page.wait_for_timeout(SETTLED)
    page.get_by_role("link", name="deployVirtualMachine").first.click()


def pages_of(api: Connection) -> list[PageOf]:
    """Every page, with the ids of what there is in this cloud."""

    def first(command: str, key: str, **more: Any) -> str | None:
        rows = api(command, page=1, pagesize=1, listall="true", **more).get(key, [])
        return str(rows[0]["id"]) if rows else None

    details = {
        "vm": first("listVirtualMachines", "virtualmachine", state="Running"),
        "volume": first("listVolumes", "volume"),
        "network": first("listNetworks", "network"),
        "vpc": first("listVPCs", "vpc"),
        "publicip": first("listPublicIpAddresses", "publicipaddress"),
        "securitygroup": first("listSecurityGroups", "securitygroup"),
        "template": first("listTemplates", "template", templatefilter="all"),
        "zone": first("listZones", "zone"),
        "host": first("listHosts", "host", type="Routing"),
        "storagepool": first("listStoragePools", "storagepool"),
        "router": first("listRouters", "router"),
        "account": first("listAccounts", "account"),
        "role": first("listRoles", "role"),
        "project": first("listProjects", "project"),
        "serviceoffering": first("listServiceOfferings", "serviceoffering"),
        "networkoffering": first("listNetworkOfferings", "networkoffering"),
    }
    return [
        PageOf("dashboard", "/dashboard"),
        PageOf("topology", "/topology"),
        PageOf("trace", "/trace"),
        PageOf("trace-detail", "/trace", _first_trace),
        PageOf("simulation", "/simulation"),
        PageOf("experiments", "/experiments"),
        PageOf("api", "/api"),
        PageOf("profile", "/profile"),
        PageOf("about", "/about"),
        PageOf("deploy", "/deploy"),
        PageOf("add-zone", "/add-zone"),
        PageOf("create-network", "/create-network"),
        PageOf("register-template", "/register-template"),
        *(PageOf(name, f"/{name}") for name in LISTS),
        *(PageOf(f"{name}-detail", f"/{name}/{id}") for name, id in details.items() if id is not None),
    ]


@contextmanager
def signed_in(server: ServerProcess, theme: str, size: tuple[int, int]) -> Iterator[Any]:
    """A page of that theme and size, signed in as the admin. Fails if the page raised an error."""
    with browser() as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.goto(f"{server.url}/client/")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password", exact=True).fill(server.admin["password"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/#/dashboard*")
        yield page


def visit(page: Any, server: ServerProcess, of: PageOf) -> None:
    """Open it, and wait until it has come to rest."""
    page.goto(f"{server.url}/client/#{of.path}")
    page.wait_for_timeout(150)
    if of.before is not None:
        of.before(page)
    page.wait_for_function(
        "() => !document.querySelector('main .ant-spin-spinning, main .ant-skeleton-active')"
    )
    page.wait_for_timeout(SETTLED)


def serious(page: Any) -> list[str]:
    """What axe finds that keeps people from using the page."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => "
        "['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes[0].html.slice(0, 160)))"
    )
    return list(found)


def too_wide(page: Any) -> int:
    """Pixels by which the page would have to be scrolled sideways."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def keep(page: Any, path: Path) -> None:
    """A picture of what is seen, as WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(page.screenshot())).save(path, quality=82, method=4)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.ui.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=SCREENSHOTS / "ui")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--docs", action="store_true", help="keep those of the documentation, too")
    parser.add_argument("--themes", nargs="*", default=list(THEMES))
    parser.add_argument("--sizes", nargs="*", default=list(SIZES))
    told = parser.parse_args(arguments)
    problems = 0
    serving.START_WITHIN = 300.0  # a day of history is made first
    with tempfile.TemporaryDirectory() as folder:
        options = ("--demo", "--pace", "real", "--console-port", "0")
        with ServerProcess(Path(folder) / "data", *options) as server:
            api = server.connect()
            pages = [each for each in pages_of(api) if not told.only or each.name in told.only]
            for theme in told.themes:
                for size in told.sizes:
                    with signed_in(server, theme, SIZES[size]) as page:
                        for each in pages:
                            name = f"{each.name}-{theme}-{size}.webp"
                            visit(page, server, each)
                            keep(page, told.out / name)
                            if told.docs and each.name in DOCUMENTED:
                                keep(page, DOCS / name)
                            found = serious(page)
                            wide = too_wide(page)
                            if wide > 0:
                                found.append(f"{wide} pixels too wide")
                            problems += len(found)
                            print(f"{name}: {'; '.join(found) or 'well'}", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
