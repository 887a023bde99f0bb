"""Tells a story's tenants: instances that come and go, by chance but always by the same."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cloudsim.randomness import Randomness
from server.demo.actor import Actor, Refused
from server.demo.memory import Memory
from server.demo.story import Story, Tenant

DAY = 86_400.0


class Tenancy:
    """One tenant's instances. `refused` counts what it did not get."""

    def __init__(
        self, story: Story, tenant: Tenant, actor: Actor, memory: Memory, randomness: Randomness
    ) -> None:
        self._story = story
        self._tenant = tenant
        self._actor = actor
        self._memory = memory
        self._generator = randomness.generator
        self.refused = 0

    def arrivals(self) -> list[float]:
        """Seconds from the story's beginning, drawn by thinning a process of the highest rate."""
        tenant, story, generator = self._tenant, self._story, self._generator
        peak = tenant.per_hour * (1 + tenant.swing) / 3600
        start, end, busiest = (story.time(at) for at in (tenant.start, tenant.until, tenant.busiest))
        found = []
        now = start
        while (now := now + generator.exponential(1 / peak)) < end:
            wave = 1 + tenant.swing * math.cos(2 * math.pi * (now - busiest) / DAY)
            if generator.random() * (1 + tenant.swing) < wave:
                found.append(now)
        return found

    async def live(self, until: Callable[[float], Any], spawn: Callable[[Any], Any]) -> None:
        """Have instances come until the tenant's end; `spawn` runs each life."""
        tenant = self._tenant
        arrivals = self.arrivals()
        lifetimes = tenant.lifetime.draw(self._generator, len(arrivals))
        offerings = self._drawn(tenant.offerings, len(arrivals))
        ends = self._drawn(tenant.ends, len(arrivals))
        for n, (at, lifetime, offering, end) in enumerate(zip(arrivals, lifetimes, offerings, ends, strict=True), 1):
            await until(at)
            spawn(self._life(n, float(lifetime), offering, end))

    def _drawn(self, weights: dict[Any, float], size: int) -> list[Any]:
        share = np.array(list(weights.values()))
        chosen = self._generator.choice(len(weights), size, p=share / share.sum())
        names = list(weights)
        return [names[at] for at in chosen]

    async def _life(self, n: int, lifetime: float, offering: str, end: str) -> None:
        wanted = {"name": self._tenant.name, "serviceofferingid": offering, **self._tenant.with_}
        vm = await self._deployed(self._memory.filled(wanted, n))
        if vm is None:
            return
        await asyncio.sleep(lifetime)
        try:
            if end == "stop":
                await self._actor("stopVirtualMachine", id=vm["id"])
            else:
                more = {"expunge": True} if end == "expunge" else {}
                await self._actor("destroyVirtualMachine", id=vm["id"], **more)
        except Refused:  # it was on a host that failed just then: its owner leaves it
            self.refused += 1

    async def _deployed(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """The instance; or None where the cloud is full, or the account: a tenant comes back with the next one."""
        asked: dict[str, Any] = {}
        try:
            asked = await self._actor.ask("deployVirtualMachine", wanted)
            found: dict[str, Any] = await self._actor.result(asked)
        except Refused:
            self.refused += 1
            if "id" in asked:  # it was allocated, and is in Error
                await self._actor("destroyVirtualMachine", id=asked["id"], expunge=True)
            return None
        return found
