"""Who may open which console: grants by the SHA-256 sum of their tokens, and the sessions that were opened with them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Grant:
    """A console that may be opened once, as `cloudsim.protocol.systemvm.ConsoleGrant` says. `idle`: the session is cut
    after that many seconds in which nothing passed; 0: never."""

    session_id: str
    token_hash: str
    kind: str
    host: str = ""
    port: int = 0
    password: str = ""
    expires: float = 0.0
    title: str = ""
    idle: float = 0.0

    @staticmethod
    def of(members: dict[str, Any]) -> Grant:
        """From JSON. Raises ValueError, naming the member, for what is no grant."""
        if not isinstance(members, dict):
            raise ValueError(f"a grant is an object, not {members!r}")
        texts = {name: members.get(name, "") for name in ("session_id", "token_hash", "kind", "host", "password", "title")}
        numbers = {name: members.get(name, 0) for name in ("port", "expires", "idle")}
        for name, text in texts.items():
            if not isinstance(text, str):
                raise ValueError(f"a grant's {name} is a text, not {text!r}")
        for name, number in numbers.items():
            if not isinstance(number, int | float) or isinstance(number, bool):
                raise ValueError(f"a grant's {name} is a number, not {number!r}")
        if not texts["session_id"] or len(texts["token_hash"]) != 64:
            raise ValueError("a grant has a session_id, and a token_hash of 64 hexadecimal digits")
        if texts["kind"] not in ("vnc", "serial", "text"):
            raise ValueError(f"a grant's kind is vnc, serial or text, not {texts['kind']!r}")
        return Grant(**texts, **{**numbers, "port": int(numbers["port"])})


@dataclass
class Session:
    """A console that somebody at `client` has open, or had. `cut()` is set by who carries its bytes."""

    grant: Grant
    client: str
    since: float
    open: bool = True
    cut: Callable[[], object] = field(default=lambda: None)

    @property
    def id(self) -> str:
        return self.grant.session_id


def secret_of(token: str, extra: str = "") -> str:
    """What is hashed: the token, and the creator's own extra token where one is asked for."""
    return f"{token}\n{extra}" if extra else token


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Grants:
    """The book of one console proxy. `now()` is in Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._grants: dict[str, Grant] = {}
        self._open: dict[str, Session] = {}
        self._ended: dict[str, Session] = {}

    def grant(self, grant: Grant) -> None:
        """Let whoever has the token in. Of a session that was opened already, or is over: nothing to do."""
        self._forget_expired()
        if grant.session_id not in self._open and grant.session_id not in self._ended:
            self._grants[grant.session_id] = grant

    def take(self, secret: str, client: str) -> Session | None:
        """Use a token up. None, whatever the reason, for one that opens nothing: guessed, used, expired, revoked."""
        self._forget_expired()
        wanted = hash_of(secret)
        found = None
        for grant in self._grants.values():  # all of them, so that the time it takes says nothing of any
            if hmac.compare_digest(grant.token_hash, wanted):
                found = grant
        if found is None:
            return None
        del self._grants[found.session_id]
        session = self._open[found.session_id] = Session(found, client, self._now())
        return session

    def revoke(self, session_id: str) -> None:
        """Its token opens nothing any more, and it is cut if it is open."""
        self._grants.pop(session_id, None)
        session = self._open.get(session_id)
        if session is not None:
            self.end(session)
            session.cut()

    def end(self, session: Session) -> None:
        """It is over; once more is no error."""
        if session.open:
            session.open = False
            del self._open[session.id]
            self._ended[session.id] = session

    @property
    def open(self) -> int:
        """How many consoles are open now."""
        return len(self._open)

    def report(self) -> list[Session]:
        """All open sessions, and those that ended since the last report."""
        sessions = [*self._open.values(), *self._ended.values()]
        self._ended.clear()
        return sessions

    def end_all(self) -> None:
        """The proxy goes: nothing opens any more, what is open is cut."""
        self._grants.clear()
        for session in list(self._open.values()):
            self.revoke(session.id)

    def _forget_expired(self) -> None:
        now = self._now()
        for grant in [grant for grant in self._grants.values() if grant.expires <= now]:
            del self._grants[grant.session_id]
