"""The agent of one host: stays connected, pings, and does each Command once.

A request whose sequence number it has answered is answered again from its memory of answers; one that
it is still working on is not started twice. Commands for the same instance are done in the order in which
they came, others side by side. With a journal all of that holds across a restart of the agent: what it was
interrupted in is done again where that is safe, and else answered with an error that says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from msgspec.structs import replace

from cloudsim import __version__
from cloudsim.agent.certificate import CertificateHolder, CertificateNotRenewed
from cloudsim.agent.dispatch import HANDLERS
from cloudsim.agent.journal import AnswerJournal
from cloudsim.agent.noting import NOTES, StepNotes
from cloudsim.hypervisor import STEPS, Hypervisor, HypervisorError
from cloudsim.protocol.commands import (
    Answer,
    Command,
    PoolStatisticsCommand,
    RenewCertificateAnswer,
    RenewCertificateCommand,
    StorageObjectsCommand,
    UnmanagedInstancesCommand,
    VmActivityCommand,
    VmStatesAnswer,
    VmStatesCommand,
    VmStatisticsCommand,
)
from cloudsim.protocol.link import Connector, Link
from cloudsim.protocol.messages import (
    Connected,
    Message,
    Ping,
    Refused,
    Request,
    Response,
    Startup,
)
from cloudsim.protocol.specs import Place, VmReport

log = logging.getLogger(__name__)

RECONNECT_FIRST, RECONNECT_LONGEST = 1.0, 60.0
"""Seconds between attempts to connect: the first wait, and what its doubling ends at."""

STARTUP_AGAIN = 30.0
"""Seconds without an answer after which Startup is said again."""

FACTS_AGAIN = 5.0
"""Seconds after which Startup is tried again when the hypervisor could not say what its host is."""

FULL_EVERY = 10
"""Every so many pings the whole inventory is told though nothing changed: an earlier ping may have been lost."""

QUERIES = (
    VmStatesCommand,
    VmStatisticsCommand,
    PoolStatisticsCommand,
    UnmanagedInstancesCommand,
    VmActivityCommand,
    StorageObjectsCommand,
)
"""Commands that change nothing: asked again they are answered anew, since an answer kept would be out of date."""


class Agent:
    """Runs on the event loop it is started on. `start` and `stop` may be called again and again.

    `place` is where in the cloud the host wants to be, see `Startup`. `certificate`: None where agents have none.
    """

    def __init__(
        self,
        guid: str,
        name: str,
        hypervisor: Hypervisor,
        connector: Connector,
        journal: AnswerJournal | None = None,
        place: Place | None = None,
        certificate: CertificateHolder | None = None,
    ) -> None:
        self.guid = guid
        self.name = name
        self.hypervisor = hypervisor
        self.connector = connector
        self.journal = journal
        self.place = place
        self.certificate = certificate
        self.host_id: str | None = None
        self.link: Link | None = None
        self._answers: dict[int, Response] = {}
        self._interrupted: set[int] = set()
        self._working: dict[int, asyncio.Task[None]] = {}
        self._arrived: dict[int, float] = {}
        """When each request came of those whose work is to be told."""
        self._queues: dict[str, list[Request]] = {}
        self._connecting: asyncio.Task[None] | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._ping_interval = 60.0
        self._measuring: asyncio.Task[None] | None = None
        self._reported: tuple[VmReport, ...] | None = None
        self._unsaid = 0
        self._refusals = 0
        self._running = False

    @property
    def connected(self) -> bool:
        return self.host_id is not None and self.link is not None

    def start(self) -> None:
        """Begin to connect, and to reconnect whenever the link is lost."""
        if not self._running:
            self._running = True
            if self.journal is not None:
                self._answers, self._interrupted = self.journal.recall()
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def stop(self) -> None:
        """Leave at once: close the link, abandon what is being done."""
        self._running = False
        if self._connecting is not None:
            self._connecting.cancel()
        for task in (*self._working.values(), self._measuring):
            if task is not None:
                task.cancel()
        self._working.clear()
        self._arrived.clear()
        self._queues.clear()
        self._answers.clear()
        link = self.link
        self._disconnected()
        if link is not None:
            link.close()

    async def _connect(self) -> None:
        wait = RECONNECT_FIRST
        while self._running:
            try:
                link = await self.connector.connect()
            except ConnectionError as error:
                log.info("agent %s cannot connect: %s", self.name, error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, RECONNECT_LONGEST)
                continue
            self.link = link
            link.on_message = self._receive
            link.on_close = self._lost
            await self._introduce(link)
            return

    async def _introduce(self, link: Link) -> None:
        """Say who we are, and again until the manager says that it has understood."""
        self._arm(STARTUP_AGAIN, self._introduce_again)
        try:
            facts = await self.hypervisor.facts()
            vms = self._with_unsettled(await self.hypervisor.vm_states())
        except HypervisorError as error:
            log.warning("agent %s cannot say what its host is: %s", self.name, error)
            if self.link is link and self.host_id is None:
                self._arm(FACTS_AGAIN, self._introduce_again)
            return
        if self.link is link:
            self._reported, self._unsaid = vms, 0
            link.send(Startup(self.guid, self.name, __version__, facts, vms, self.place))

    def _introduce_again(self) -> None:
        if self.link is not None:
            self._connecting = asyncio.get_running_loop().create_task(self._introduce(self.link))

    def _lost(self) -> None:
        self._disconnected()
        if self._running:
            self._connecting = asyncio.get_running_loop().create_task(self._reconnect())

    async def _reconnect(self) -> None:
        await asyncio.sleep(min(RECONNECT_FIRST * 2 ** max(0, self._refusals - 1), RECONNECT_LONGEST))
        await self._connect()

    def _disconnected(self) -> None:
        self.link = None
        self.host_id = None
        if self._ping_timer is not None:
            self._ping_timer.cancel()
            self._ping_timer = None

    def _receive(self, message: Message) -> None:
        if isinstance(message, Request):
            self._request(message)
        elif isinstance(message, Connected):
            self.host_id = message.host_id
            self._refusals = 0
            self._ping_interval = message.ping_interval
            self._arm(self._ping_interval, self._ping)
        elif isinstance(message, Refused):
            log.warning("agent %s is refused: %s", self.name, message.reason)
            link = self.link
            if link is not None:
                link.close()
            self._refusals += 1
            self._lost()

    def _arm(self, delay: float, what: Callable[[], None]) -> None:
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        self._ping_timer = asyncio.get_running_loop().call_later(delay, what)

    def _ping(self) -> None:
        self._ping_timer = asyncio.get_running_loop().call_later(self._ping_interval, self._ping)
        vms = self.hypervisor.inventory()
        if vms is not None:
            self._send_ping(self._with_unsettled(vms))
        elif self._measuring is None or self._measuring.done():
            self._measuring = asyncio.get_running_loop().create_task(self._measured_ping())

    async def _measured_ping(self) -> None:
        try:
            self._send_ping(self._with_unsettled(await self.hypervisor.vm_states()))
        except HypervisorError as error:
            log.warning("agent %s cannot list its instances: %s", self.name, error)

    def _with_unsettled(self, vms: tuple[VmReport, ...]) -> tuple[VmReport, ...]:
        """The inventory, with those that a command is changing right now marked as PowerUnknown."""
        if not self._queues:
            return vms
        settled = tuple(vm for vm in vms if vm.name not in self._queues)
        return settled + tuple(VmReport(name, "", "PowerUnknown") for name in self._queues)

    def _send_ping(self, vms: tuple[VmReport, ...]) -> None:
        link = self.link
        if link is not None:
            unchanged = vms is self._reported or vms == self._reported
            self._unsaid += 1
            if unchanged and self._unsaid < FULL_EVERY:
                link.send(Ping(self.guid))
                return
            link.send(Ping(self.guid, vms))
            self._reported, self._unsaid = vms, 0

    def _forget(self, answered: int) -> None:
        answers = self._answers
        for sequence in list(answers):
            if sequence > answered:
                break
            del answers[sequence]
        if self.journal is not None:
            self._interrupted = {number for number in self._interrupted if number > answered}
            self.journal.forget(answered)

    def _request(self, request: Request) -> None:
        sequence = request.sequence
        if request.answered and (self._answers or self._interrupted):
            self._forget(request.answered)
        known = self._answers.get(sequence)
        if known is not None:
            if self.link is not None:
                self.link.send(known)
            return
        if sequence in self._working:
            return
        if request.traced:
            self._arrived.setdefault(sequence, asyncio.get_running_loop().time())
        subject = request.command.subject
        if subject is not None:
            queue = self._queues.get(subject)
            if queue is not None:
                if all(waiting.sequence != sequence for waiting in queue):
                    queue.append(request)
                return
            self._queues[subject] = []
        self._begin(request)

    def _begin(self, request: Request) -> None:
        self._working[request.sequence] = asyncio.get_running_loop().create_task(self._work(request))

    async def _work(self, request: Request) -> None:
        notes = StepNotes(asyncio.get_running_loop().time()) if request.traced else None
        NOTES.set(notes)  # also None: this task may be the child of one that took notes
        if isinstance(request.command, QUERIES):
            response = Response(request.sequence, await self._perform(request.command), request.trace_id)
        elif self.journal is None:
            response = Response(request.sequence, await self._perform(request.command), request.trace_id)
            self._answers[request.sequence] = response
        else:
            response = await self._work_once(request, self.journal)
        del self._working[request.sequence]
        if notes is not None:
            arrived = self._arrived.pop(request.sequence, notes.began)
            response = replace(response, work=notes.work(arrived, asyncio.get_running_loop().time()))
        if self.link is not None:
            self.link.send(response)
        subject = request.command.subject
        if subject is not None:
            self._reported = None  # it may end before the next ping: then all would look as it was told last
            queue = self._queues[subject]
            if queue:
                self._begin(queue.pop(0))
            else:
                del self._queues[subject]

    async def _work_once(self, request: Request, journal: AnswerJournal) -> Response:
        command, sequence = request.command, request.sequence
        if sequence in self._interrupted and not command.repeatable:
            error = f"the agent of {self.name} was restarted in the middle of {type(command).__name__}"
            answer = command.answer(error=error)
        else:
            await journal.begun(request)
            steps: dict[str, float] = {}
            STEPS.set(steps)
            answer = await self._perform(command)
            if steps:
                answer = replace(answer, steps=steps)
        response = Response(sequence, answer, request.trace_id)
        await journal.answered(response)
        self._answers[sequence] = response
        self._interrupted.discard(sequence)
        return response

    async def _perform(self, command: Command) -> Answer:
        try:
            if isinstance(command, VmStatesCommand):
                return VmStatesAnswer(vms=self._with_unsettled(await self.hypervisor.vm_states()))
            if isinstance(command, RenewCertificateCommand):
                return await self._renew()
            return await HANDLERS[type(command)](self.hypervisor, command)
        except HypervisorError as error:
            return command.answer(error=str(error))
        except Exception as error:  # an agent must outlive any bug of its world, and say so
            log.exception("agent %s failed at %s", self.name, type(command).__name__)
            return command.answer(error=f"{type(command).__name__} failed: {error!r}")

    async def _renew(self) -> Answer:
        if self.certificate is None:
            return RenewCertificateAnswer(error=f"the agent of {self.name} has no certificate")
        try:
            return RenewCertificateAnswer(serial=await self.certificate.renew())
        except CertificateNotRenewed as error:
            return RenewCertificateAnswer(error=str(error))
