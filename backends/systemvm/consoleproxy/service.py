"""The service of a console proxy VM: grants as its host's agent hands them in, and the door that they open."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backends.systemvm.consoleproxy.door import ConsoleDoor
from backends.systemvm.consoleproxy.grants import Grant, Grants, Session
from backends.systemvm.consoleproxy.pages import Pages
from backends.systemvm.consoleproxy.rfb import log_in
from backends.systemvm.consoleproxy.streams import Stream, TcpStream

PORT = 8080
CONNECT_WITHIN = 10.0


class ConsoleProxy:
    """One console proxy. `pages` as for `Pages`, `now` in Unix seconds; see the package for its use."""

    def __init__(self, pages: Mapping[str, Path] | Path, now: Callable[[], float] = time.time) -> None:
        self.grants = Grants(now)
        self.door = ConsoleDoor(_Granted(self.grants), Pages(pages))

    @property
    def port(self) -> int:
        return self.door.port

    async def start(self, host: str = "0.0.0.0", port: int = PORT, **listening: Any) -> None:
        """Raises OSError when it cannot listen there."""
        await self.door.start(host, port, **listening)

    async def stop(self) -> None:
        """Cut all consoles and close the port."""
        self.grants.end_all()
        await self.door.stop()

    def reply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked; the reply. Raises LookupError for a request that is none of a console proxy's."""
        return reply(self.grants, request)


def reply(grants: Grants, request: Mapping[str, Any]) -> dict[str, Any]:
    """`ConsoleProxy.reply` on any book of grants."""
    kind = request.get("type")
    if kind == "GrantConsole":
        try:
            grants.grant(Grant.of(request["grant"]))
        except (KeyError, TypeError, ValueError) as error:
            return {"type": "Done", "error": str(error)}
        return {"type": "Done"}
    if kind == "RevokeConsole":
        grants.revoke(str(request.get("session_id", "")))
        return {"type": "Done"}
    if kind == "ConsoleSessions":
        return {"type": "ConsoleSessionsResult", "sessions": [_told(each) for each in grants.report()]}
    raise LookupError(f"a console proxy does not know the request {kind}")


def _told(session: Session) -> dict[str, Any]:
    return {"session_id": session.id, "client": session.client, "since": session.since, "open": session.open}


class _Granted:
    """`door.Consoles` of a book of grants, for consoles behind TCP ports."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def open(self, secret: str, client: str) -> _TcpConsole | None:
        session = self._grants.take(secret, client)
        return None if session is None else _TcpConsole(self._grants, session)


class _TcpConsole:
    def __init__(self, grants: Grants, session: Session) -> None:
        self._grants, self._session = grants, session
        self.kind, self.title, self.idle = session.grant.kind, session.grant.title, session.grant.idle

    async def connect(self) -> Stream:
        """A terminal's server is told the password in a line of its own before anything else."""
        grant = self._session.grant
        stream = await TcpStream.open(grant.host, grant.port, CONNECT_WITHIN)
        try:
            if grant.kind == "vnc":
                await log_in(stream, grant.password)
            elif grant.password:
                await stream.write(grant.password.encode() + b"\n")
        except BaseException:
            stream.close()
            raise
        return stream

    def on_cut(self, cut: Callable[[], object]) -> None:
        self._session.cut = cut
        if not self._session.open:  # before the door could say how
            cut()

    def end(self) -> None:
        self._grants.end(self._session)
