"""What the whole server does through HTTP: 16 clients on a cloud of 10,000 hosts and 100,000 instances.

    python -m benchmarks.bench_http [--seconds 10] [--profile]

A real `cloudsim serve` in a process of its own, filled by `benchmarks.ui_fill`; the clients are in this process: each
has a connection that stays open, and sends its next request when it has read the answer to the last. What they send
is signed before the clock runs, so that what the clients cost is little; they share the machine's cores with the
server nonetheless, so calls for each second of the server's CPU are told too. An answer to a change comes once the
change is on disk. Latencies are from the first byte sent to the last received.

Instances are deployed into a network of their own without a router, and all that were accepted are started, and expunged,
before the next mix; that part is not in its figures.

`--profile` tells where the server's time goes: samples of all its threads by py-spy (`pip install py-spy`; as root), by
the innermost function of the project or of a library that the sample is in.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click

from server.api.authentication import canonical, sign
from tests.server.serving import ServerProcess

CLIENTS = 16
INSTANCES = 100_000
LARGE = Path(__file__).parents[1] / "examples" / "datacenters" / "large.yaml"
FOUNDED_WITHIN = 300.0
"""Seconds in which such a cloud is built, or read again."""
PAGE = 20
UNKNOWN = b"value=unknown"
"""What a refusal that a mix is meant to get says."""
READY = 1500
"""Requests that each client signs before the clock runs; more are signed when they are used up."""

Request = tuple[str, dict[str, Any]]
"""A command and its parameters."""


Asking = Callable[[int], Request | None]
"""What the client of that number is to send next; None: nothing more."""


class Figures(NamedTuple):
    """Of one mix: calls a second, calls for each second of the server's CPU, and seconds of the 50th and 99th percentile."""

    per_second: float
    per_cpu_second: float
    p50: float
    p99: float

    @classmethod
    def of(cls, latencies: list[float], wall: float, cpu: float) -> Figures:
        cuts = statistics.quantiles(latencies, n=100)
        return cls(len(latencies) / wall, len(latencies) / cpu, cuts[49], cuts[98])


class Caller:
    """One connection of a user with keys."""

    def __init__(self, port: int, keys: tuple[str, str]) -> None:
        self._port, self._keys = port, keys
        self.latencies: list[float] = []

    async def connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    def signed(self, command: str, parameters: dict[str, Any]) -> bytes:
        pairs = {"command": command, "response": "json", "apiKey": self._keys[0]}
        pairs |= {name: str(value) for name, value in parameters.items()}
        pairs["signature"] = sign(canonical(pairs), self._keys[1])
        head = f"GET /client/api?{urlencode(pairs)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        return head.encode()

    async def ask(self, request: bytes) -> bytes:
        began = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        self.latencies.append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200") and UNKNOWN not in body:
            raise click.ClickException(body.decode(errors="replace"))
        return body

    async def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        found: dict[str, Any] = next(
            iter(json.loads(await self.ask(self.signed(command, parameters))).values())
        )
        return found

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@contextmanager
def large_cloud(pace: str) -> Iterator[ServerProcess]:
    """A server of 10,000 hosts and 100,000 instances, on a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cloudsim-http-"))
    try:
        with ServerProcess(folder, "--datacenter", str(LARGE), within=FOUNDED_WITHIN) as empty:
            empty.stop()
        fill = [sys.executable, "-m", "benchmarks.ui_fill", str(folder), "--instances", str(INSTANCES)]
        subprocess.run(fill, check=True, stdout=subprocess.DEVNULL)
        with ServerProcess(folder, "--pace", pace, within=FOUNDED_WITHIN) as server:
            yield server
    finally:
        shutil.rmtree(folder)


class Load:
    """16 callers at a server."""

    def __init__(self, server: ServerProcess, seconds: float) -> None:
        self._seconds = seconds
        self._times = Path(f"/proc/{server.process.pid}/stat")
        self._keys = (server.admin["apikey"], server.admin["secretkey"])
        self._port = int(server.url.rsplit(":", 1)[1].split("/")[0])

    async def measure(self, next_request: Asking) -> tuple[Figures, list[bytes]]:
        """Send what `next_request` says, until it says None or the time is over; the figures and the answers."""
        callers = [Caller(self._port, self._keys) for _ in range(CLIENTS)]
        answers: list[bytes] = []
        for caller in callers:
            await caller.connect()
        queues: list[list[bytes]] = [[] for _ in callers]
        for _ in range(READY):
            for number, caller in enumerate(callers):
                if (request := next_request(number)) is not None:
                    queues[number].append(caller.signed(*request))
        for queue in queues:
            queue.reverse()

        async def work(number: int, caller: Caller, queue: list[bytes]) -> None:
            while time.perf_counter() < end:
                if not queue:
                    request = next_request(number)
                    if request is None:
                        return
                    queue.append(caller.signed(*request))
                answers.append(await caller.ask(queue.pop()))

        began, cpu = time.perf_counter(), self._cpu()
        end = began + self._seconds
        await asyncio.gather(*map(work, range(CLIENTS), callers, queues))
        wall, cpu = time.perf_counter() - began, self._cpu() - cpu
        for caller in callers:
            await caller.close()
        latencies = [each for caller in callers for each in caller.latencies]
        return Figures.of(latencies, wall, cpu), answers

    async def one(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one call."""
        caller = Caller(self._port, self._keys)
        await caller.connect()
        answer = await caller.call(command, **parameters)
        await caller.close()
        return answer

    def _cpu(self) -> float:
        """Seconds that the server has used, of users and of the kernel."""
        user, system = self._times.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _each(command: str, parameters: Iterator[dict[str, Any]]) -> Asking:
    return lambda _: next(((command, each) for each in parameters), None)


def _always(command: str, **parameters: Any) -> Asking:
    return lambda _: (command, parameters)


async def mixes(load: Load) -> dict[str, Figures]:
    """The figures of each mix by its name, measured one after the other."""
    found: dict[str, Figures] = {}

    async def measure(name: str, next_request: Asking) -> list[bytes]:
        found[name], answers = await load.measure(next_request)
        show(name, found[name])
        return answers

    some = await load.one("listVirtualMachines", listall="true", page=7, pagesize=500, state="Running")
    ids = [row["id"] for row in some["virtualmachine"]]
    by_id = ({"id": ids[n % len(ids)], "listall": "true"} for n in _numbers())
    await measure("list, one instance by id", _each("listVirtualMachines", by_id))
    await measure(
        "list, a page of 20 instances", _always("listVirtualMachines", listall="true", page=1, pagesize=PAGE)
    )
    await measure("list, offerings", _always("listServiceOfferings"))
    groups = ({"name": f"group {n}"} for n in _numbers())
    answers = await measure("create, instance groups", _each("createInstanceGroup", groups))
    made = iter([json.loads(each)["createinstancegroupresponse"]["instancegroup"]["id"] for each in answers])
    await measure("delete, instance groups", _each("deleteInstanceGroup", _ids_of(made)))
    first = some["virtualmachine"][0]
    layer2 = await load.one("listNetworkOfferings", guestiptype="L2")
    network = await load.one(
        "createNetwork",
        name="benchmark",
        zoneid=first["zoneid"],
        networkofferingid=layer2["networkoffering"][0]["id"],
    )
    what = {
        "zoneid": first["zoneid"],
        "templateid": first["templateid"],
        "serviceofferingid": min(
            (await load.one("listServiceOfferings"))["serviceoffering"],
            key=lambda each: each.get("memory", 1e9),
        )["id"],
        "networkids": network["network"]["id"],
    }
    answers = await measure("create, instances (deploy accepted)", _always("deployVirtualMachine", **what))
    jobs = [json.loads(each)["deployvirtualmachineresponse"] for each in answers]
    await _ended(load, [each["jobid"] for each in jobs])
    gone = ({"id": each["id"], "expunge": "true"} for each in iter(jobs))
    answers = await measure("delete, instances (expunge accepted)", _each("destroyVirtualMachine", gone))
    await _ended(load, [json.loads(each)["destroyvirtualmachineresponse"]["jobid"] for each in answers])
    await measure("refused, for an unknown id", _always("startVirtualMachine", id="unknown"))
    alternating = [_refused_beside_changes(client) for client in range(CLIENTS)]
    await measure("8 of 10 refused, 2 change", lambda client: next(alternating[client]))
    mixed = [_mixed(ids, client) for client in range(CLIENTS)]
    await measure("8 of 10 list, 1 create, 1 delete", lambda client: next(mixed[client]))
    return found


def _ids_of(made: Iterator[str]) -> Iterator[dict[str, Any]]:
    return ({"id": each} for each in made)


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _mixed(ids: list[str], client: int) -> Iterator[Request]:
    """What a busy cloud is asked: of ten calls, eight look; one puts a tag on an instance, one takes an older one away."""
    tag: dict[str, Any] = {}
    for n in _numbers():
        vm = ids[(CLIENTS * n + client) % len(ids)]
        if n % 10 == 1:
            if tag:
                yield "deleteTags", tag
            tag = {"resourceids": vm, "resourcetype": "UserVm", "tags[0].key": f"benchmark-{client}-{n}"}
        elif n % 10 == 2:
            yield "createTags", {**tag, "tags[0].value": "v"}
        elif n % 2:
            yield "listVirtualMachines", {"id": vm, "listall": "true"}
        else:
            yield "listVirtualMachines", {"listall": "true", "page": 1 + n % 50, "pagesize": PAGE}


def _refused_beside_changes(client: int) -> Iterator[Request]:
    """Refusals that wait for the disk, as others' changes are being written."""
    for n in _numbers():
        if n % 5:
            yield "startVirtualMachine", {"id": "unknown"}
        else:
            yield "createInstanceGroup", {"name": f"beside {client} {n}"}


async def _ended(load: Load, jobs: list[str]) -> None:
    """Wait for jobs; ClickException if one failed."""
    for job in jobs:
        while (row := await load.one("queryAsyncJobResult", jobid=job))["jobstatus"] == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        if row["jobstatus"] != 1:
            raise click.ClickException(str(row["jobresult"]))


def show(name: str, figures: Figures) -> None:
    click.echo(
        f"{name:40} {figures.per_second:8,.0f}/s {figures.per_cpu_second:8,.0f} a CPU s"
        f"   p50 {figures.p50 * 1e3:7.1f} ms   p99 {figures.p99 * 1e3:7.1f} ms"
    )


class Samples:
    """Where a process is, sampled by py-spy while the block runs: shares of each room."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> Samples:
        if shutil.which("py-spy") is None:
            raise click.ClickException("--profile needs py-spy: pip install py-spy")
        self._file = Path(tempfile.mkstemp(prefix="samples-")[1])
        command = [
            "py-spy",
            "record",
            "--format",
            "raw",
            "--rate",
            "200",
            "--gil",
            "--output",
            str(self._file),
        ]
        self._recorder = subprocess.Popen([*command, "--pid", str(self._pid)], stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self._recorder.send_signal(signal.SIGINT)
        self._recorder.wait(60)

    def shares(self) -> Iterator[tuple[str, float]]:
        """(room, share of the samples), the largest first."""
        rooms: Counter[str] = Counter()
        for line in self._file.read_text().splitlines():
            stack, _, seen = line.rpartition(" ")
            rooms[next(filter(None, map(_room, reversed(stack.split(";")))), "Python itself")] += int(seen)
        total = sum(rooms.values())
        for room, count in rooms.most_common():
            yield room, count / total


def _room(frame: str) -> str:
    """The package of a frame such as "answer (server/api/dispatch.py:86)"; "" if it is Python's own."""
    where = frame.rpartition("(")[2].partition(":")[0]
    for known in ("site-packages/", "cloudsim/", "backends/", "server/"):
        if known in where:
            parts = where[where.index(known) :].split("/")
            return parts[1] if known == "site-packages/" else "/".join(parts[: min(3, len(parts) - 1)])
    return ""


@contextmanager
def _profiled(server: ServerProcess, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with Samples(server.process.pid) as samples:
        yield
    for room, share in samples.shares():
        if share >= 0.01:
            click.echo(f"{room:40} {share:6.1%}")


def figures() -> dict[str, dict[str, Any]]:
    """For `python -m benchmarks http`."""
    with large_cloud("real") as server:
        found = asyncio.run(mixes(Load(server, 5.0)))
    named: dict[str, dict[str, Any]] = {}
    for name, each in found.items():
        named[f"http.{name}.calls"] = {"value": each.per_second, "unit": "calls/s"}
        named[f"http.{name}.p50"] = {"value": each.p50 * 1e3, "unit": "ms"}
        named[f"http.{name}.p99"] = {"value": each.p99 * 1e3, "unit": "ms"}
    return named


@click.command()
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Of each mix.")
@click.option(
    "--pace", default="real", show_default=True, help="Of the simulated time, as cloudsim serve has it."
)
@click.option("--profile", is_flag=True, help="Also tell where the server's time goes.")
def main(seconds: float, pace: str, profile: bool) -> None:
    with large_cloud(pace) as server, _profiled(server, profile):
        asyncio.run(mixes(Load(server, seconds)))


if __name__ == "__main__":
    main()
