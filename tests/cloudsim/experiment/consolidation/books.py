"""CloudSim's power.planetlab examples said once more, plainly: lists of instances on hosts, every sum made anew.

Slow, and independent of how `kernels` keeps its arrays: what that finds under CloudSim's conventions has to be this.
Memory counts at creation only; there is one core to an instance; migrations end within an interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cloudsim.consolidation import Consolidation
from cloudsim.experiment.consolidation.fleet import HostKind
from cloudsim.experiment.consolidation.load import Load

IDLE, IN = 0.9, 0.1


class Host:
    def __init__(self, kind: HostKind) -> None:
        self.kind = kind
        self.total = float(kind.mhz * kind.cores)
        self.here: list[tuple[int, bool]] = []  # an instance, and whether it is on its way
        self.used = 0.0
        self.asked = 0.0
        self.was_on = True
        self.last: tuple[float, float, float] | None = None

    def share(self, used: float) -> float:
        share = used / self.total
        return 1.0 if 1 < share < 1.01 else share

    def watts(self, used: float) -> float:
        return self.kind.model.watts(self.share(used))


class Books:
    def __init__(self, load: Load, kinds: Sequence[HostKind], count: int, policy: Consolidation) -> None:
        self.load, self.policy = load, policy
        self.hosts = [Host(kinds[i % len(kinds)]) for i in range(count)]
        self.size = load.instances["size"].tolist()
        self.memory = load.instances["memory"].tolist()
        self.home: list[Host] = []
        self.moving: set[int] = set()
        self.given = [0.0] * len(self.size)
        self.past: list[list[float]] = []
        self.energy = self.migrations = self.shutdowns = 0.0
        self.on_s = self.short_s = 0.0
        self.lost = self.all_asked = self.all_given = 0.0
        self.records: dict[int, tuple[float, float, float, bool]] = {}
        self.reached = 0.0
        self.demand: list[float] = []
        self.measured: set[int] = set()  # since time passed last, so that those that have ended then are in it

    def run(self) -> Books:
        self.place()
        time = self.load.interval_s + 0.1
        moves: list[tuple[int, Host]] = []
        while time < self.load.end_s:
            self.advance(time)
            moves = self.decide()
            self.migrations += len(moves)
            for v, host in moves:
                self.moving.add(v)
                host.here.append((v, True))
            self.measure()
            self.record(time)
            ends = [time + self.memory[v] / host.kind.migration_mib_s for v, host in moves]
            for end in sorted(set(ends)):
                assert end < time + self.load.interval_s
                if end < self.load.end_s:
                    self.advance(end)
                    for (v, host), its in zip(moves, ends, strict=True):
                        if its == end:
                            self.home[v].here.remove((v, False))
                            host.here.remove((v, True))
                            host.here.append((v, False))
                            self.home[v] = host
                            self.moving.discard(v)
                    self.measure()
                    self.end_idle()
                    self.record(end)
            time += self.load.interval_s
        return self

    def place(self) -> None:
        given, memory = {host: 0.0 for host in self.hosts}, {host: float(host.kind.memory_mib) for host in self.hosts}
        for v, size in enumerate(self.size):
            fits = [
                host
                for host in self.hosts
                if host.kind.mhz >= size and host.total - given[host] >= size and memory[host] >= self.memory[v]
            ]
            best = min(fits, key=lambda host: host.watts(given[host] + size) - host.watts(0.0))
            given[best] += size
            memory[best] -= self.memory[v]
            best.here.append((v, False))
            self.home.append(best)

    def advance(self, time: float) -> None:
        self.demand = (self.load.at(time) * self.load.instances["size"]).tolist()
        before = [host.used for host in self.hosts]
        self.measured.clear()
        self.measure()
        for host, used in zip(self.hosts, before, strict=True):
            if used:
                begin, end = host.watts(used), host.watts(host.used)
                self.energy += (begin + (end - begin) / 2) * (time - self.reached)
        self.reached = time
        self.end_idle()

    def end_idle(self) -> None:
        for host in self.hosts:
            host.here = [(v, way) for v, way in host.here if self.demand[v] or v in self.moving]

    def measure(self) -> None:
        for host in self.hosts:
            asks = [(v, way, min(self.demand[v], host.kind.mhz)) for v, way in host.here]
            needed = [mhz * IN if way else mhz for _, way, mhz in asks]
            free, enough = host.total, True
            for mhz in needed:
                enough = enough and free >= mhz
                free -= mhz
            scale = host.total / sum(needed) if not enough else 1.0
            host.used = host.asked = 0.0
            for v, way, mhz in asks:
                gets = mhz * IN * scale if way else mhz * scale * IDLE if v in self.moving else mhz * scale
                gets = gets if enough else math.floor(gets)
                if not way:
                    self.given[v] = gets
                    self.measured.add(v)
                host.used += gets / IDLE if v in self.moving and not way else gets
                host.asked += self.demand[v]

    def record(self, time: float) -> None:
        for host in self.hosts:
            if host.last and host.last[1] > 0:
                self.on_s += time - host.last[0]
                self.short_s += time - host.last[0] if host.last[1] < host.last[2] else 0.0
            self.shutdowns += host.was_on and not host.used > 0
            host.was_on = host.used > 0
            host.last = (time, host.used, host.asked)
        for v in self.measured:
            if v in self.records:
                since, asked, given, moved = self.records[v]
                self.all_asked += asked * (time - since)
                self.all_given += given * (time - since)
                self.lost += (asked - given) * (time - since) if moved and given < asked else 0.0
            self.records[v] = (time, self.demand[v], self.given[v], v in self.moving)

    def overloaded(self, host: Host, planned: list[int]) -> bool:
        history = [sum(values[v] / host.total for v in planned) for values in self.past[-30:]]
        demand = sum(self.demand[v] for v in planned) / host.total
        largest = max((self.memory[v] for v in planned), default=0.0)
        horizon = math.ceil(largest / host.kind.migration_mib_s / self.load.interval_s)
        return self.policy.detection.overloaded(history, demand, horizon)

    def decide(self) -> list[tuple[int, Host]]:
        self.past.append(self.demand)
        plan = {host: [v for v, _ in host.here] for host in self.hosts}
        over = {host for host in self.hosts if self.overloaded(host, plan[host])}
        leaving = []
        for host in self.hosts:
            while host in over and plan[host]:
                those = plan[host]
                chosen = self.policy.selection.choose(
                    [self.demand[v] for v in those], [self.size[v] for v in those], [self.memory[v] for v in those]
                )
                leaving.append(those.pop(chosen))
                if not self.overloaded(host, those):
                    break
        moves = []
        for v in sorted(leaving, key=lambda v: -self.demand[v]):
            if (host := self.cheapest(v, plan, over)) is not None:
                plan[host].append(v)
                moves.append((v, host))
        off = {host for host in self.hosts if host.used == 0}
        barred, done = over | off, over | off
        while rest := [host for host in self.hosts if host not in done and host.share(host.used) < 1]:
            empty = min(rest, key=lambda host: host.share(host.used))
            barred.add(empty)
            done.add(empty)
            planned: list[tuple[int, Host]] = []
            for v in sorted(plan[empty], key=lambda v: -self.demand[v]):
                if (host := self.cheapest(v, plan, barred)) is None:
                    for w, other in planned:
                        plan[other].remove(w)
                    planned = []
                    break
                plan[host].append(v)
                planned.append((v, host))
            done |= {host for _, host in planned}
            moves += planned
        return moves

    def cheapest(self, v: int, plan: dict[Host, list[int]], barred: set[Host]) -> Host | None:
        best, least = None, math.inf
        for host in self.hosts:
            capped = sum(min(self.demand[w], host.kind.mhz) for w in plan[host])
            if host in barred or host.kind.mhz < self.demand[v] or host.total - capped < self.demand[v]:
                continue
            if capped and self.overloaded(host, [*plan[host], v]):
                continue
            price = host.kind.model.watts((capped + self.demand[v]) / host.total) - host.watts(host.used)
            if price < least:
                best, least = host, price
        return best


def figures(books: Books) -> dict[str, float]:
    """As `Outcome.figures` names them."""
    return {
        "energy_kwh": books.energy / 3.6e6,
        "migrations": books.migrations,
        "pdm": books.lost / books.all_asked,
        "slatah": books.short_s / books.on_s,
        "sla_violation": (books.all_asked - books.all_given) / books.all_asked,
        "shutdowns": books.shutdowns,
    }


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert np.isclose(found[name], value, rtol=1e-9, atol=1e-15), (name, found[name], value)
