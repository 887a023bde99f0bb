"""A gateway, agents on hosts that are made up, and what can go wrong between them, on real TLS sockets of this machine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from backends.wire import certificates as c
from backends.wire.answers import FileAnswerJournal
from backends.wire.authority import Authority
from backends.wire.connector import ManagerConnector, ManagerUrl
from backends.wire.gateway import Gateway
from backends.wire.identity import Identity
from cloudsim.agent import Agent
from cloudsim.protocol.commands import Answer, Command
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import Connected, Message, Request, Response, Startup
from cloudsim.protocol.specs import HostFacts, VmReport

LOCAL = "127.0.0.1"
WITHIN = 60.0
"""Seconds after which a test does not wait any longer."""


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(2 * WITHIN):
            await work

    asyncio.run(limited())


async def until(true: Callable[[], object]) -> None:
    """Wait for what no event tells of."""
    async with asyncio.timeout(WITHIN):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Host:
    """A hypervisor that stops and reboots nothing. `gate`: commands wait for it; `done`: those that are done."""

    def __init__(self, address: str = LOCAL) -> None:
        self.address = address
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun: list[str] = []
        self.done: list[str] = []
        self.changed = asyncio.Event()
        self.closed = False

    async def facts(self) -> HostFacts:
        return HostFacts("KVM", 8, 2000, 32768, private_ip=self.address)

    def inventory(self) -> tuple[VmReport, ...] | None:
        return ()

    async def vm_states(self) -> tuple[VmReport, ...]:
        return ()

    async def stop_vm(self, name: str, forced: bool) -> None:
        await self._do(f"stop {name}")

    async def reboot_vm(self, name: str, forced: bool) -> None:
        await self._do(f"reboot {name}")

    async def close(self) -> None:
        self.closed = True

    async def _do(self, what: str) -> None:
        self.begun.append(what)
        self._tell()
        await self.gate.wait()
        self.done.append(what)
        self._tell()

    async def wait(self, true: Callable[[Host], object]) -> None:
        async with asyncio.timeout(WITHIN):
            while not true(self):
                await self.changed.wait()
                self.changed.clear()

    def _tell(self) -> None:
        self.changed.set()


class Manager:
    """The manager's side: welcomes whoever comes, sends each command until it is answered."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.startups: list[Startup] = []
        self.lost: list[str] = []
        self.heard: list[Message] = []
        self.welcomes = True
        self._sequence = 1000
        self._pending: dict[int, tuple[str, Request, asyncio.Future[Answer]]] = {}
        self._changed = asyncio.Event()

    def accept(self, link: Link) -> None:
        link.on_message = lambda message: self._receive(link, message)
        link.on_close = lambda: None

    def _receive(self, link: Link, message: Message) -> None:
        self.heard.append(message)
        if isinstance(message, Startup):
            guid = message.guid
            self.startups.append(message)
            self.links[guid] = link
            link.on_close = lambda: self._lost(guid, link)
            if self.welcomes:
                link.send(Connected("host", 60.0))
            for of, request, _ in self._pending.values():
                if of == guid:
                    link.send(request)
        elif isinstance(message, Response):
            pending = self._pending.pop(message.sequence, None)
            if pending is not None:
                pending[2].set_result(message.answer)
        self._changed.set()

    def _lost(self, guid: str, link: Link) -> None:
        self.lost.append(guid)
        if self.links.get(guid) is link:
            del self.links[guid]
        self._changed.set()

    def ask(self, guid: str, command: Command) -> asyncio.Future[Answer]:
        """Send it now and with each reconnect; the future is its answer."""
        self._sequence += 1
        request = Request(self._sequence, command, "trace", self._sequence - 1 if not self._pending else 0)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[request.sequence] = (guid, request, answer)
        if guid in self.links:
            self.links[guid].send(request)
        return answer

    async def wait(self, true: Callable[[Manager], object]) -> None:
        async with asyncio.timeout(WITHIN):
            while not true(self):
                await self._changed.wait()
                self._changed.clear()


class Relay:
    """A wire between agents and the gateway that can be cut, and can swallow what agents say."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.mute = False
        self.swallowed = 0
        self._changed = asyncio.Event()
        self._transports: list[asyncio.WriteTransport] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Relay:
        self._server = await asyncio.start_server(self._serve, LOCAL, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream, manager = await asyncio.open_connection(LOCAL, self._to)
        except OSError:
            writer.transport.abort()
            return
        self._transports += [writer.transport, manager.transport]
        loop = asyncio.get_running_loop()
        for task in (
            loop.create_task(self._pump(reader, manager, True)),
            loop.create_task(self._pump(upstream, writer)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_agent: bool = False
    ) -> None:
        try:
            while data := await reader.read(65536):
                if from_agent and self.mute:
                    self.swallowed += len(data)
                    self._changed.set()
                else:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        writer.close()

    async def swallows(self) -> None:
        """Return once something that an agent said has been swallowed."""
        async with asyncio.timeout(WITHIN):
            await self._changed.wait()

    def cut(self) -> None:
        """Break every connection; new ones can be made."""
        for transport in self._transports:
            transport.abort()
        self._transports.clear()
        self.mute = False

    def stop(self) -> None:
        self.cut()
        self._server.close()


class Bench:
    """`async with Bench(folder) as bench`: a gateway with a manager attached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "agents-ca")
        self.gateway = Gateway(self.authority, LOCAL, 0, [LOCAL, "localhost"])
        self.agents: list[Agent] = []
        self.journals: list[FileAnswerJournal] = []

    async def __aenter__(self) -> Bench:
        self.manager = Manager()
        await self.gateway.start()
        self.gateway.attach(self.manager.accept)
        return self

    async def __aexit__(self, *_: object) -> None:
        for agent in self.agents:
            agent.stop()
        for journal in self.journals:
            journal.close()
        await self.gateway.stop()

    @property
    def url(self) -> ManagerUrl:
        return ManagerUrl(LOCAL, self.gateway.port)

    def token(self) -> str:
        return self.authority.create_token(60)

    def enrolled(self, name: str = "kvm1", address: str = LOCAL) -> Identity:
        """The identity of a new host, with its certificate, in a folder of that name."""
        identity = Identity(self.folder / name)
        guid, key = identity.prepare()
        secret = self.token().partition(".")[0]
        made = self.authority.enrol(secret, c.signing_request(key, guid), guid, name, address)
        identity.keep(made, self.authority.certificate_pem)
        return identity

    def agent(
        self,
        identity: Identity,
        host: Host,
        *,
        port: int = 0,
        guid: str | None = None,
        journal: FileAnswerJournal | None = None,
    ) -> Agent:
        """An agent of that identity, started."""
        url = ManagerUrl(LOCAL, port or self.gateway.port)
        connector = ManagerConnector(url, identity)
        agent = Agent(guid or identity.guid, identity.folder.name, host, connector, journal)  # type: ignore[arg-type]
        self.agents.append(agent)
        agent.start()
        return agent

    def journal(self, identity: Identity) -> FileAnswerJournal:
        journal = FileAnswerJournal(identity.folder / "answers.journal")
        self.journals.append(journal)
        return journal

    async def connected(self, agent: Agent) -> None:
        await until(lambda: agent.connected)


def new_guid() -> str:
    return str(uuid.uuid4())
