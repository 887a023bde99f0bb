"""How long the UI's lists take on a large cloud, through HTTP: milliseconds at the median and the 99th percentile.

    cloudsim serve --data /tmp/large --pace max --port 8080      # filled by benchmarks.ui_fill
    python -m benchmarks.ui_lists http://127.0.0.1:8080/client/api /tmp/large

Each figure is of CALLS calls one after the other, signed and on a connection that stays open, from the first byte sent
to the last received; the answers are compressed, as a browser asks for them.
"""

from __future__ import annotations

import http.client
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import click

from server.api.authentication import canonical, sign

CALLS = 60
PAGE = 20


class Client:
    """Calls the API at `address` with the keys of the data folder's admin."""

    def __init__(self, address: str, folder: Path) -> None:
        found = json.loads((folder / "admin.json").read_text(encoding="utf-8"))
        self._keys = found["apikey"], found["secretkey"]
        parts = urlsplit(address)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def send(self, command: str, compressed: bool, **parameters: Any) -> bytes:
        pairs = {"command": command, "response": "json", "apiKey": self._keys[0]}
        pairs |= {name: str(value) for name, value in parameters.items()}
        pairs["signature"] = sign(canonical(pairs), self._keys[1])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if compressed:
            headers["Accept-Encoding"] = "gzip"
        self._connection.request("POST", self._path, urlencode(pairs), headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise click.ClickException(f"{command}: {body.decode(errors='replace')}")
        return body

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = next(iter(json.loads(self.send(command, False, **parameters)).values()))
        return answer


def questions(client: Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, command, parameters) of what the UI asks on its lists, its dashboard and its picture."""
    mine = {"listall": "true", "pagesize": PAGE}
    vms = "listVirtualMachines"
    total = client.call(vms, page=1, **mine)["count"]
    running = client.call(vms, page=1, state="Running", **mine)["count"]
    hosts = client.call("listHosts", page=1, pagesize=PAGE)["count"]
    click.echo(f"{total} instances, {running} of them running, {hosts} hosts; {CALLS} calls each")
    yield "instances, first page", vms, {"page": 1, **mine}
    yield "instances, first page of 100", vms, {"page": 1, **mine, "pagesize": 100}
    yield "instances, last page", vms, {"page": -(-total // PAGE), **mine}
    yield "instances by keyword", vms, {"page": 1, "keyword": "web-77", **mine}
    yield "instances by a keyword of none", vms, {"page": 1, "keyword": "no such name", **mine}
    yield "instances that run, first page", vms, {"page": 1, "state": "Running", **mine}
    yield "instances that run, last page", vms, {"page": -(-running // PAGE), "state": "Running", **mine}
    cluster = client.call("listClusters", page=1, pagesize=1)["cluster"][0]["id"]
    rack = {"clusterid": cluster, "details": "min", "listall": "true", "page": 1, "pagesize": 500}
    yield "instances of a cluster", vms, rack
    yield "volumes, first page", "listVolumes", {"page": 1, **mine}
    yield "hosts, first page", "listHosts", {"page": 1, "pagesize": PAGE}
    yield "hosts, last page", "listHosts", {"page": -(-hosts // PAGE), "pagesize": PAGE}
    yield "the dashboard's capacity", "listCapacity", {}
    yield "the dashboard's counts", "listInfrastructure", {}
    yield "topology, all of it", "listTopology", {}
    version = client.call("listTopology")["topology"]["version"]
    yield "topology, what has changed", "listTopology", {"since": version}


def measured(client: Client, command: str, parameters: dict[str, Any]) -> tuple[list[float], int]:
    """Milliseconds of each call, sorted, and the bytes of the last answer as they were sent."""
    took = []
    body = b""
    for _ in range(CALLS):
        began = time.perf_counter()
        body = client.send(command, True, **parameters)
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took), len(body)


@click.command()
@click.argument("address")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(address: str, folder: Path) -> None:
    """Measure the API at ADDRESS of the cloud whose data folder is FOLDER."""
    client = Client(address, folder)
    asked = list(questions(client))
    click.echo(f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'bytes':>10}")
    for name, command, parameters in asked:
        took, size = measured(client, command, parameters)
        p99 = took[math.ceil(0.99 * len(took)) - 1]
        click.echo(f"{name:34}{took[len(took) // 2]:9.1f}{p99:9.1f}{size:10}")


if __name__ == "__main__":
    main()
