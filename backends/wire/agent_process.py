"""The agent of a real host as a process: one for each data folder, until it is told to stop.

Guests run on when it stops, and when it is killed; the next one goes on where this one was.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from backends.libvirt.settings import HostSettings
from backends.private_files import private_folder
from backends.wire import certificates as c
from backends.wire.answers import FileAnswerJournal, JournalDamaged
from backends.wire.connector import ManagerConnector, ManagerUrl
from backends.wire.enrolment import EnrolmentError, renew
from backends.wire.identity import Identity
from cloudsim.agent import Agent
from cloudsim.agent.certificate import CertificateNotRenewed
from cloudsim.hypervisor import Hypervisor, HypervisorError
from cloudsim.protocol.specs import Place

log = logging.getLogger(__name__)

OPEN_FIRST, OPEN_LONGEST = 1.0, 60.0
"""Seconds between attempts to open the hypervisor: the first wait, and what its doubling ends at."""
RENEW_BELOW = 1 / 3
"""The certificate is renewed when less than this part of its lifetime is left."""
LOOK_EVERY, LOOK_AGAIN = 6 * 3600.0, 600.0
"""Seconds between looks at the certificate, and after a renewal that failed."""
CLEAN_UP_WITHIN = 15.0
"""Seconds that interrupted commands have to take back what they have half made."""


class AgentError(Exception):
    """The agent cannot run; the text says why."""


class OpenHypervisor(Hypervisor, Protocol):
    async def close(self) -> None: ...


Opener = Callable[[HostSettings], Awaitable[OpenHypervisor]]


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent is told. `host.data` is its folder, with the identity that `setup` has put there."""

    manager: ManagerUrl
    host: HostSettings
    place: Place | None = None


def check_enrolled(identity: Identity) -> None:
    """Raises AgentError, with what to do, for an agent that has no certificate."""
    if not identity.is_enrolled:
        raise AgentError(
            f"{identity.folder} has no certificate: get a token with `cloudsim agent token` on the management server, "
            "then run `cloudsim agent setup` here"
        )


def run_agent(settings: AgentSettings, open_hypervisor: Opener | None = None) -> None:
    """Run until SIGTERM or SIGINT; the same signal again ends the process at once. Raises AgentError."""
    asyncio.run(_until_signal(settings, open_hypervisor or open_libvirt))


async def _until_signal(settings: AgentSettings, open_hypervisor: Opener) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        log.info("stopping: %s", signal.Signals(number).name)
        loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    await live(settings, open_hypervisor, stopping)


async def live(settings: AgentSettings, open_hypervisor: Opener, stopping: asyncio.Event) -> None:
    """Be the agent until `stopping` is set. Raises AgentError when it cannot be, or cannot go on."""
    identity = Identity(settings.host.data)
    check_enrolled(identity)
    lock = _lock(settings.host.data)
    try:
        await _live(settings, identity, open_hypervisor, stopping)
    finally:
        os.close(lock)


async def _live(
    settings: AgentSettings, identity: Identity, open_hypervisor: Opener, stopping: asyncio.Event
) -> None:
    failures: list[OSError] = []

    def broken(error: OSError) -> None:
        failures.append(error)
        stopping.set()

    journal = _journal(settings.host.data / "answers.journal", broken)
    try:
        hypervisor = await _before(stopping, _opened(settings.host, open_hypervisor))
        if hypervisor is None:
            return
        connector = ManagerConnector(settings.manager, identity)
        agent = Agent(
            settings.host.guid,
            settings.host.name,
            hypervisor,
            connector,
            journal,
            settings.place,
            KeptCertificate(settings.manager, identity),
        )
        renewing = asyncio.create_task(_keep_certificate(settings.manager, identity))
        log.info("agent %s of %s works for %s", agent.guid, agent.name, settings.manager)
        try:
            agent.start()
            await stopping.wait()
        finally:
            renewing.cancel()
            await _stop(agent, connector)
            await hypervisor.close()
    finally:
        journal.close()
    if failures:
        raise AgentError(f"answers can no longer be kept in {journal.path}: {failures[0]}")


async def open_libvirt(settings: HostSettings) -> OpenHypervisor:
    """The libvirt of this machine. Raises HypervisorError, or AgentError when its library is missing."""
    try:
        from backends.libvirt.hypervisor import LibvirtHypervisor
    except ImportError as error:
        raise AgentError(
            f"the library for libvirt is missing: pip install 'cloudsim[kvm]' ({error})"
        ) from error
    hypervisor = LibvirtHypervisor(settings)
    try:
        await hypervisor.open()
    except BaseException:
        await hypervisor.close()
        raise
    return hypervisor


def _lock(folder: Path) -> int:
    """Hold the folder for this agent alone, until the descriptor is closed."""
    try:
        private_folder(folder)
        descriptor = os.open(folder / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AgentError(f"cannot work in {folder}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise AgentError(f"another agent is running on {folder}") from None
    return descriptor


def _journal(path: Path, on_failure: Callable[[OSError], None]) -> FileAnswerJournal:
    try:
        return FileAnswerJournal(path, on_failure=on_failure)
    except JournalDamaged as error:
        raise AgentError(
            f"{error}. What this host has done is in it: move it away only once its instances are as the cloud "
            "believes"
        ) from error
    except OSError as error:
        raise AgentError(f"cannot keep answers in {path}: {error.strerror}") from error


async def _opened(settings: HostSettings, open_hypervisor: Opener) -> OpenHypervisor:
    """The hypervisor, tried until it opens."""
    wait = OPEN_FIRST
    while True:
        try:
            return await open_hypervisor(settings)
        except (HypervisorError, OSError) as error:
            log.warning(
                "the hypervisor of %s cannot be opened, again in %g s: %s", settings.name, wait, error
            )
        await asyncio.sleep(wait)
        wait = min(2 * wait, OPEN_LONGEST)


async def _before(stopping: asyncio.Event, work: Any) -> OpenHypervisor | None:
    """What `work` returns, or None if the agent is to stop first."""
    task = asyncio.ensure_future(work)
    end = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        end.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CLEAN_UP_WITHIN)
    return None if task.cancelled() or not task.done() else task.result()


async def _stop(agent: Agent, connector: ManagerConnector) -> None:
    """Hang up, interrupt what is being done, and let it take back what is half made."""
    agent.stop()
    interrupted = {task for task in asyncio.all_tasks() if task.cancelling()} - {asyncio.current_task()}
    if interrupted:
        await asyncio.wait(interrupted, timeout=CLEAN_UP_WITHIN)
    if connector.link is not None:
        await connector.link.wait_closed()


class KeptCertificate:
    """Implements `cloudsim.agent.certificate.CertificateHolder`."""

    def __init__(self, manager: ManagerUrl, identity: Identity) -> None:
        self._manager = manager
        self._identity = identity

    async def renew(self) -> str:
        try:
            await renew(self._manager, self._identity)
            serial = c.serial_name(self._identity.read_certificate().serial_number)
        except (EnrolmentError, OSError, ValueError) as error:
            raise CertificateNotRenewed(str(error)) from error
        log.info("the certificate has been renewed, as the manager asked")
        return serial


async def _keep_certificate(manager: ManagerUrl, identity: Identity) -> None:
    """Renew the certificate well before it ends."""
    while True:
        wait = LOOK_EVERY
        try:
            left = c.lifetime_left(identity.read_certificate(), time.time())
            if left < RENEW_BELOW:
                await renew(manager, identity)
                log.info("the certificate has been renewed")
        except (EnrolmentError, OSError, ValueError) as error:
            wait = LOOK_AGAIN
            log.warning("the certificate cannot be renewed, again in %g s: %s", wait, error)
        await asyncio.sleep(wait)
