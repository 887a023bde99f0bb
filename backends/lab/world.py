"""A lab of real hosts as the world that an experiment runs in: the same scenario, in real time.

The hosts are of the sizes that the description says, whatever the machine has; what data and guests take, they take.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backends.fault_injector import FaultInjector, RestartManager
from backends.images import mini
from backends.images.cache import default_folder
from backends.images.errors import ImageError
from backends.lab.agents import start_agent
from backends.lab.errors import LabError
from backends.lab.faults import LabFaultInjector
from backends.lab.lab import Lab
from backends.lab.layout import LabHostPlan, LabLayout
from backends.lab.names import GUEST_DEVICE
from backends.simulated.datacenter import Datacenter, from_dict, load
from backends.wire.authority import Authority
from backends.wire.gateway import Gateway
from backends.wire.world import RealWorld
from cloudsim.errors import InvalidParameterValue
from cloudsim.faults import Fault
from cloudsim.protocol.commands import Answer, Command
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import Message, Request, Response
from cloudsim.randomness import Randomness
from cloudsim.world import HostDiscovery, WorldUnavailable

GUEST_STARTS_WITHIN = 120.0
"""Seconds that a start waits for the guest to take its address."""
TOKEN_LASTS = 300.0
_NUMBERS = itertools.count(1)


class LabWorld(RealWorld):
    """Implements `cloudsim.world.World`. Made, it has its hosts on; `close` takes all of it away.

    `messages` counts what is sent by kind, as in a simulated world. `wait_for_guest` as for `cloudsim agent`.
    """

    def __init__(self, datacenter: Datacenter, *, wait_for_guest: float | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix="cloudsim-lab-"))
        self.lab = Lab(folder / "lab", f"run{os.getpid()}-{next(_NUMBERS)}")
        self._folder = folder
        self._wait_for_guest = GUEST_STARTS_WITHIN if wait_for_guest is None else wait_for_guest
        self.messages: Counter[str] = Counter()
        try:
            self.layout = LabLayout(datacenter, self.lab.primary, self.lab.secondary)
            self._plans = {plan.name: plan for plan in self.layout.hosts()}
            self._image = mini.build(None, default_folder())
            self.lab.up(len(self._plans))
            self.layout.make_folders()
            self._authority = Authority(self.lab.cloud / "agents-ca")
            gateway = Gateway(self._authority, self.lab.gateway, 0, (self.lab.gateway,))
        except BaseException:
            self.close()
            raise
        super().__init__(asyncio.new_event_loop(), gateway)
        self._listening: asyncio.Task[None] | None = None

    def attach(self, accept: Callable[[Link], None]) -> None:
        """As in any real world; the first manager has the gateway started."""
        super().attach(lambda link: accept(_Counted(link, self.messages)))
        if self._listening is None:
            self._listening = self.loop.create_task(self.gateway.start())

    async def discover(self, host: HostDiscovery) -> str:
        """Start the agent of the host that the description calls so."""
        plan = self._plans.get(host.url.removeprefix("http://"))
        if plan is None:
            raise InvalidParameterValue(f"the lab has no host {host.url}")
        assert self._listening is not None
        await self._listening
        try:
            await asyncio.to_thread(self._start_agent, plan)
        except LabError as error:
            raise InvalidParameterValue(str(error)) from error
        return await super().discover(host)

    def _start_agent(self, plan: LabHostPlan) -> None:
        host = self.lab.host(plan.number)
        start_agent(
            host,
            f"wss://{self.lab.gateway}:{self.gateway.port}",
            self._authority.create_token(TOKEN_LASTS),
            {
                "name": plan.name,
                "guest-device": GUEST_DEVICE,
                "migration-uri": "qemu+tcp://{address}/system",
                "cpus": plan.group.cores,
                "cpu-mhz": plan.group.mhz,
                "memory": int(plan.group.memory_gib * 1024),
                "wait-for-guest": self._wait_for_guest,
            },
        )

    def template_url(self, gib: int) -> str:
        """The small image, whatever size was asked for."""
        return f"file://{self._image}"

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Call it soon: in real time no two things happen at one instant."""
        self.loop.call_soon(callback)

    def close(self) -> None:
        """Take the lab away, and all that it made. Again is no error."""
        try:
            self.lab.down()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Counted:
    """A link whose messages are counted."""

    def __init__(self, link: Link, counts: Counter[str]) -> None:
        self._link = link
        self._counts = counts
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_close: Callable[[], None] = lambda: None
        link.on_message = self._arrived
        link.on_close = lambda: self.on_close()

    def _arrived(self, message: Message) -> None:
        self._counts[_kind(message)] += 1
        self.on_message(message)

    def send(self, message: Message) -> None:
        self._counts[_kind(message)] += 1
        self._link.send(message)

    def close(self) -> None:
        self._link.close()


def _kind(message: Message) -> str:
    what: Message | Command | Answer = message
    if isinstance(message, Request):
        what = message.command
    elif isinstance(message, Response):
        what = message.answer
    return type(what).__name__


class LabBackend:
    """The entry point `cloudsim.backends: lab`."""

    @staticmethod
    def create(
        description: str | Path | dict[str, Any] | Datacenter,
        *,
        randomness: Randomness | None = None,
        profile: object = None,
        count_messages: bool = True,
        **options: Any,
    ) -> LabWorld:
        """A lab as described. `randomness` and `profile` mean nothing to a real world. Raises WorldUnavailable."""
        if isinstance(description, dict):
            description = from_dict(description)
        elif not isinstance(description, Datacenter):
            description = load(description)
        try:
            return LabWorld(description, **options)
        except (LabError, ImageError) as error:
            raise WorldUnavailable(str(error)) from error

    @staticmethod
    def faults(
        world: LabWorld,
        faults: Sequence[Fault],
        randomness: Randomness,
        restart_manager: RestartManager | None = None,
    ) -> FaultInjector:
        """What makes `faults` happen in the lab, from its `start()` on."""
        return LabFaultInjector(world, faults, randomness, restart_manager)
