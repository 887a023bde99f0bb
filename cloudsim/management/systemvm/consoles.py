"""Consoles: who is let to which instance's screen or terminal, through which proxy, and until when.

A session begins with a token, of which only the SHA-256 sum is kept; the proxy has that sum and lets in whoever brings
the token first. Proxies are asked from time to time which consoles are open, but only those that were given any.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.systemvm.console_proxies import LIVE, ConsoleProxies
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import ConsoleSession, SystemVm, VirtualMachine
from cloudsim.protocol.commands import ConsoleAnswer, ConsoleCommand
from cloudsim.protocol.specs import ConsoleAddress
from cloudsim.protocol.systemvm import (
    ConsoleGrant,
    ConsoleSessions,
    ConsoleSessionsResult,
    GrantConsole,
    OpenConsole,
    RevokeConsole,
)
from cloudsim.store import Change

log = logging.getLogger(__name__)

PORT = 8080
"""Where console proxies serve pages and WebSockets."""
SOCKET_PATH = "websockify"
PAGES = {"vnc": "vnc.html", "serial": "serial.html", "text": "serial.html"}
TOKEN_BYTES = 32
ASK_WITHIN = 30.0
"""Seconds that a host or a proxy has to reply while somebody waits for a console."""
_SHOWN = frozenset({"Running", "Migrating"})
_MAYBE_SHOWN = _SHOWN | {"Unknown"}
"""An instance whose host is silent may still run."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where a console is, for whom it was asked: the page, and what it connects to."""

    session_id: str
    url: str
    host: str
    port: int
    path: str
    token: str
    extra: str | None = None


class Consoles:
    """The console sessions of one cloud."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        system_vms: SystemVms,
        proxies: ConsoleProxies,
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._settings = foundation.settings
        self._agents = agents
        self._system_vms = system_vms
        self._proxies = proxies
        self._spawn = spawn
        self._vms = foundation.table(VirtualMachine)
        self._sessions = foundation.table(ConsoleSession)
        self._randomness = foundation.randomness.branch("consoles")
        self._unrevoked: dict[str, str] = {}
        """Session -> proxy that may still show it."""
        self._following = False
        self.door: tuple[str, int] | None = None
        """Host and port at which all console proxies are reached; None: each at its public address."""

    # letting in

    async def open(
        self, caller: Caller, vm: VirtualMachine, *, extra: str | None = None, serial: bool = False, address: str = ""
    ) -> Endpoint:
        """A new session for the instance's screen, or its serial terminal. `address` is where the caller is.

        Raises InvalidParameterValue for an instance without a console now, ResourceUnavailable where no proxy or
        no host can give it.
        """
        if self._settings.boolean("consoleproxy.extra.security.validation.enabled") and not extra:
            raise InvalidParameterValue(
                "Extra security validation is enabled: the console needs a token, which was not given"
            )
        if vm.state not in _SHOWN or vm.host_id is None:
            raise InvalidParameterValue(f"Instance {vm.name} has no console: it is in state {vm.state}")
        candidates = self._proxies.choose(vm.zone_id)
        if not candidates:
            self._proxies.wake()
            raise ResourceUnavailable(f"No console proxy serves the zone of instance {vm.name} now")
        console = await self._address(vm, serial)
        reasons = []
        for proxy in candidates:
            try:
                return await self._through(proxy, caller, vm, console, extra, address)
            except ResourceUnavailable as error:
                reasons.append(error.text)
        raise ResourceUnavailable(f"No console proxy answers: {'; '.join(reasons)}")

    async def _address(self, vm: VirtualMachine, serial: bool) -> ConsoleAddress:
        command = ConsoleCommand(vm=vm.instance_name, serial=serial)
        answer = await self._agents.send(vm.host_id or "", command, ASK_WITHIN)
        if not answer.ok or not isinstance(answer, ConsoleAnswer) or answer.address is None:
            raise ResourceUnavailable(answer.error or f"Instance {vm.name} has no console")
        return answer.address

    async def _through(
        self,
        proxy: SystemVm,
        caller: Caller,
        vm: VirtualMachine,
        console: ConsoleAddress,
        extra: str | None,
        address: str,
    ) -> Endpoint:
        token = base64.urlsafe_b64encode(self._randomness.secret(TOKEN_BYTES)).decode().rstrip("=")
        idle = self._settings.number("consoleproxy.session.timeout") / 1000
        now = self._foundation.now()
        with self._store.transaction():
            session = self._sessions.insert(
                ConsoleSession(
                    id=self._randomness.uuid(),
                    vm_id=vm.id,
                    user_id=caller.user_id or "",
                    account_id=caller.account.id,
                    domain_id=caller.account.domain_id,
                    token_hash=hash_of(token, extra),
                    proxy_id=proxy.id,
                    host_id=vm.host_id,
                    kind=console.kind,
                    expires=now + idle,
                    created=now,
                    creator_address=address or None,
                )
            )
        grant = ConsoleGrant(
            session_id=session.id,
            token_hash=session.token_hash,
            kind=console.kind,
            host=console.host,
            port=console.port,
            password=console.password,
            expires=session.expires,
            title=vm.display_name or vm.name,
            idle=idle,
        )
        try:
            await self._system_vms.ask(proxy.id, GrantConsole(grant=grant), ASK_WITHIN)
        except CloudError:
            self._close([session])
            raise
        finally:
            self._follow_soon()
        host, port = self._reached_at(proxy)
        fields = {"autoconnect": "true", "port": str(port), "token": token}
        if extra:
            fields["extra"] = extra
        fields["title"] = grant.title
        page = f"http://{host}:{port}/resource/noVNC/{PAGES[console.kind]}?{urlencode(fields)}"
        return Endpoint(session.id, page, host, port, SOCKET_PATH, token, extra or None)

    def _reached_at(self, proxy: SystemVm) -> tuple[str, int]:
        address, domain = proxy.public_ip or "", self._settings.get("consoleproxy.url.domain")
        if self.door is not None:
            address, port = self.door
            return (address if "*" in domain else domain or address), port
        if domain.startswith("*."):
            domain = address.replace(".", "-") + domain[1:]
        return domain or address, PORT

    # following them

    def begin(self) -> None:
        """Hear of instances and proxies that stop; end what the server that died had not ended."""
        self._store.subscribe(self._hear, VirtualMachine)
        live = [session for state in LIVE for session in self._sessions.where("state", state)]
        self._close([session for session in live if not self._goes_on(session)])
        self._follow_soon()

    def _follow_soon(self) -> None:
        if not self._following and self._any():
            self._following = True
            self._spawn(self._follow())

    def _any(self) -> bool:
        return bool(self._unrevoked) or any(self._sessions.count("state", state) for state in LIVE)

    async def _follow(self) -> None:
        """Poll while there is any session."""
        try:
            while self._any():
                await asyncio.sleep(self._settings.number("consoleproxy.loadscan.interval") / 1000)
                await self.poll()
        finally:
            self._following = False

    def _goes_on(self, session: ConsoleSession) -> bool:
        vm, proxy = self._vms.get(session.vm_id), self._vms.get(session.proxy_id)
        return (
            vm is not None
            and proxy is not None
            and vm.state in _MAYBE_SHOWN
            and proxy.state in _MAYBE_SHOWN
            and vm.host_id == session.host_id
        )

    def _hear(self, changes: list[Change]) -> None:
        if not len(self._sessions) or not self._any():  # every change of an instance passes here
            return
        over: dict[str, ConsoleSession] = {}
        for _, before, after in changes:
            if before is None:
                continue
            gone = after is None or after.state not in _MAYBE_SHOWN
            if before.state in _MAYBE_SHOWN and (gone or after.host_id != before.host_id):
                over |= {each.id: each for each in self._live("vm_id", before.id)}
            if gone and before.type == "ConsoleProxy":
                over |= {each.id: each for each in self._live("proxy_id", before.id)}
        if over:
            self._spawn(self._end(list(over.values())))

    def _live(self, index: str, key: str) -> list[ConsoleSession]:
        return [session for session in self._sessions.where(index, key) if session.state in LIVE]

    async def _end(self, sessions: list[ConsoleSession]) -> None:
        """Their instances or proxies are gone: close them, and have the proxies that remain cut them."""
        live = [session for session in sessions if self._is_live(session.id)]
        self._close(live)
        for session in live:
            if session.proxy_id is not None:
                self._unrevoked[session.id] = session.proxy_id
        await self._revoke_all()

    def _is_live(self, session_id: str) -> bool:
        row = self._sessions.get(session_id)
        return row is not None and row.state in LIVE

    async def _revoke_all(self) -> None:
        """Have proxies cut what is over. What a proxy does not answer to is tried again in the next round."""
        for session_id, proxy_id in list(self._unrevoked.items()):
            try:
                vm = self._vms.get(proxy_id)
                if vm is not None and vm.state in _SHOWN:
                    await self._system_vms.ask(proxy_id, RevokeConsole(session_id=session_id), ASK_WITHIN)
                elif vm is not None and vm.state == "Unknown":
                    continue
            except ResourceUnavailable:
                continue
            except CloudError as error:
                log.warning("a console session cannot be revoked: %s", error.text)
            self._unrevoked.pop(session_id, None)

    def _close(self, sessions: Iterable[ConsoleSession], state: str = "Closed") -> None:
        with self._store.transaction():
            for session in sessions:
                self._sessions.update(session.id, state=state, removed=self._foundation.now())

    async def poll(self) -> None:
        """Ask the proxies that were given sessions which of them are open and which have ended."""
        await self._revoke_all()
        by_proxy: dict[str, list[ConsoleSession]] = defaultdict(list)
        for state in LIVE:
            for session in self._sessions.where("state", state):
                by_proxy[session.proxy_id or ""].append(session)
        await asyncio.gather(*(self._poll(proxy_id, known) for proxy_id, known in by_proxy.items()))

    async def _poll(self, proxy_id: str, known: list[ConsoleSession]) -> None:
        vm = self._vms.get(proxy_id)
        if vm is not None and vm.state not in _SHOWN:
            return
        told: dict[str, OpenConsole] = {}
        if vm is not None:
            try:
                reply = await self._system_vms.ask(proxy_id, ConsoleSessions(), ASK_WITHIN)
            except CloudError as error:
                log.info("console proxy %s does not tell its sessions: %s", vm.instance_name, error.text)
                return
            assert isinstance(reply, ConsoleSessionsResult)
            told = {each.session_id: each for each in reply.sessions}
        now = self._foundation.now()
        with self._store.transaction():
            for session in known:
                if self._is_live(session.id):
                    self._settle(session, told.get(session.id), now)
        strays = [each for each in told.values() if each.open and not self._is_live(each.session_id)]
        if strays:
            self._unrevoked |= {each.session_id: proxy_id for each in strays}
            await self._revoke_all()

    def _settle(self, session: ConsoleSession, told: OpenConsole | None, now: float) -> None:
        update = partial(self._sessions.update, session.id)
        if told is not None:
            seen = {"acquired": session.acquired or min(told.since, now), "client_address": told.client}
            if told.open and session.state != "Acquired":
                update(state="Acquired", **seen)
            elif not told.open:
                update(state="Closed", removed=now, **seen)
        elif session.state == "Acquired":  # the proxy was restarted, or its report was lost
            update(state="Closed", removed=now)
        elif session.expires <= now:
            update(state="Expired", removed=now)

    def purge(self) -> None:
        """Forget the sessions that ended long ago."""
        hours = self._settings.number("console.session.cleanup.retention.hours")
        before = self._foundation.now() - hours * 3600
        with self._store.transaction():
            for state in ("Closed", "Expired"):
                for session in self._sessions.where("state", state):
                    if (session.removed or 0.0) <= before:
                        self._sessions.delete(session.id)


def hash_of(token: str, extra: str | None = None) -> str:
    """The sum that a console proxy compares: of the token, and with it the extra token where there is one."""
    return hashlib.sha256((f"{token}\n{extra}" if extra else token).encode()).hexdigest()
