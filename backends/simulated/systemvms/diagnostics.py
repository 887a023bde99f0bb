"""Diagnostic tools on a simulated system VM: what they print follows from the oracle, the times from the topology."""

from __future__ import annotations

import asyncio
from ipaddress import AddressValueError, IPv4Address

from backends.simulated.guest import Guest
from backends.simulated.machine import Machine
from backends.simulated.reachability import picture
from cloudsim.protocol.systemvm import DiagnosticsResult, RunDiagnostics
from cloudsim.systemvm.reachability import Picture, Reach

LIMIT = 50.0
"""Seconds that a tool may take, as on a real one."""
_COUNT = 4
_LOST_AFTER = 10.0  # seconds that ping waits for answers after its last request
_MOST_HOPS = 30
_TRACE_WAIT = 2.0


async def diagnose(machine: Machine, guest: Guest, request: RunDiagnostics) -> DiagnosticsResult:
    """Run the tool, in the time that it takes."""
    try:
        address = str(IPv4Address(request.address))
    except AddressValueError:
        return _result("", f"{request.tool}: {request.address}: Name or service not known", 2)
    tool = _Tool(machine, guest, address, request.parameters)
    result = {"ping": tool.ping, "traceroute": tool.traceroute, "arping": tool.arping}[request.tool]()
    if tool.seconds > LIMIT:
        result = _result("", f"{request.tool} did not end within {LIMIT:g} s", 124)
    await asyncio.sleep(min(tool.seconds, LIMIT))
    return result


class _Tool:
    """One run, decided at its beginning. `seconds` is what it takes."""

    def __init__(self, machine: Machine, guest: Guest, address: str, parameters: tuple[str, ...]) -> None:
        self.machine = machine
        self.name = guest.spec.name
        self.address = address
        self.picture: Picture = picture(machine.site.machines.values())
        self.count = _number_after("-c", parameters, _COUNT)
        self.seconds = 0.0

    def ping(self) -> DiagnosticsResult:
        reach = self._reach()
        lines = [f"PING {self.address} ({self.address}) 56(84) bytes of data."]
        took = 1000 * self._round_trip(reach)
        if reach:
            lines += [
                f"64 bytes from {self.address}: icmp_seq={number} ttl=64 time={took:.3f} ms"
                for number in range(1, self.count + 1)
            ]
        got, lost = (self.count, 0) if reach else (0, 100)
        self.seconds = self.count - 1 + (took / 1000 if reach else _LOST_AFTER)
        lines += ["", f"--- {self.address} ping statistics ---"]
        lines.append(
            f"{self.count} packets transmitted, {got} received, {lost}% packet loss, time {1000 * (self.count - 1)}ms"
        )
        if reach:
            lines.append(f"rtt min/avg/max/mdev = {took:.3f}/{took:.3f}/{took:.3f}/0.000 ms")
        return _result("\n".join(lines), "", 0 if reach else 1)

    def traceroute(self) -> DiagnosticsResult:
        reach = self._reach()
        lines = [f"traceroute to {self.address} ({self.address}), {_MOST_HOPS} hops max, 60 byte packets"]
        took = f"{1000 * self._round_trip(reach):.3f} ms"
        hops = (
            [f"{self.address} ({self.address})  {took}  {took}  {took}"] if reach else ["* * *"] * _MOST_HOPS
        )
        gateway = self._gateway()
        if gateway not in (None, self.address):
            hops = [f"{gateway} ({gateway})  {took}  {took}  {took}", *hops][:_MOST_HOPS]
        lines += [f"{number:2}  {hop}" for number, hop in enumerate(hops, 1)]
        self.seconds = sum(_TRACE_WAIT for hop in hops if hop == "* * *") / 2  # several are asked at once
        return _result("\n".join(lines), "", 0)

    def arping(self) -> DiagnosticsResult:
        mac = self.picture.neighbour(self.name, self.address)
        lines = [f"ARPING {self.address}"]
        if mac is not None:
            lines += [f"Unicast reply from {self.address} [{mac.upper()}]"] * self.count
        lines += [f"Sent {self.count} probes", f"Received {self.count if mac is not None else 0} response(s)"]
        self.seconds = float(self.count)
        return _result("\n".join(lines), "", 0 if mac is not None else 1)

    def _reach(self) -> Reach:
        try:
            return self.picture.can_reach(self.name, self.address, "icmp")
        except LookupError as error:  # a router that was not told yet what it is
            return Reach((str(error),))

    def _gateway(self) -> str | None:
        """The first machine on the way, where the address is on no network of its own."""
        for routing in self.picture.routers:
            if routing.name == self.name:
                way = routing.router.send(self.address)
                return way[1] if way is not None else None
        return None

    def _round_trip(self, reach: Reach) -> float:
        site = self.machine.site
        hosts = [host for end in reach.ends for host in site.hosts_of.get(end.name, ())]
        if hosts:
            return 2 * site.topology.latency(self.machine.place, hosts[0].place)
        outside = site.topology.latency(self.machine.place, site.topology.root)
        return 2 * (outside + site.fabric.internet.latency_us * 1e-6)


def _number_after(option: str, parameters: tuple[str, ...], otherwise: int) -> int:
    """The number that a tool's option has, as `-c 2` or `-c2`."""
    words = " ".join(parameters).replace(f"{option} ", option).split()
    for word in words:
        digits = word.removeprefix(option)
        if word.startswith(option) and digits.isdecimal():
            return max(1, int(digits))
    return otherwise


def _result(stdout: str, stderr: str, code: int) -> DiagnosticsResult:
    return DiagnosticsResult(stdout=stdout, stderr=stderr, exit_code=code)
