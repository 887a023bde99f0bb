"""Logged-in sessions: who logged in, with which session key, and until when it holds."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudsim.randomness import Randomness

SECOND_FACTOR = frozenset(
    {
        "listUserTwoFactorAuthenticatorProviders",
        "setupUserTwoFactorAuthentication",
        "validateUserTwoFactorAuthenticationCode",
    }
)
"""What every user may call, and with a session that is not verified yet: it is part of signing in."""


@dataclass
class Session:
    """One login. `session_id` is the JSESSIONID cookie, `key` what the caller must send besides.

    Until it is `verified` by the user's second factor, where one is asked for, nothing else can be done with it.
    """

    session_id: str
    key: str
    user_id: str
    used: float
    verified: bool = True
    ended: bool = field(default=False)


class Sessions:
    """The sessions of one server, kept in memory: a restart logs everyone out.

    `timeout` is in seconds of `clock`, which is real time also where the cloud's is not.
    """

    def __init__(
        self, randomness: Randomness, timeout: float = 1800.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.timeout = timeout
        self._randomness = randomness.branch("sessions")
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def begin(self, user_id: str, *, verified: bool = True) -> Session:
        self._forget_old()
        session_id, key = self._randomness.secret(16).hex(), self._randomness.secret(20).hex()
        session = self._sessions[session_id] = Session(session_id, key, user_id, self._clock(), verified)
        return session

    def find(self, session_id: str | None) -> Session | None:
        """The session of that cookie if it still holds; using it keeps it alive."""
        session = self._sessions.get(session_id or "")
        if session is None:
            return None
        now = self._clock()
        if now - session.used > self.timeout:
            self.end(session.session_id)
            return None
        session.used = now
        return session

    def is_over(self, session: Session) -> bool:
        """Whether it has ended or timed out. Asking does not keep it alive, and may be done from any thread."""
        return session.ended or self._clock() - session.used > self.timeout

    def end(self, session_id: str | None) -> None:
        session = self._sessions.pop(session_id or "", None)
        if session is not None:
            session.ended = True

    def end_all_of(self, user_id: str) -> None:
        """Log a user out everywhere."""
        for session in [s for s in self._sessions.values() if s.user_id == user_id]:
            self.end(session.session_id)

    def _forget_old(self) -> None:
        oldest = self._clock() - self.timeout
        for session in [s for s in self._sessions.values() if s.used < oldest]:
            self.end(session.session_id)

    def __len__(self) -> int:
        return len(self._sessions)


def key_accepted(session: Session, cookie: str | None, parameter: str | None, where: str) -> bool:
    """Whether the session key was sent where the setting api.sessionkey.check.locations wants it.

    CookieAndParameter is what keeps a foreign page from using the cookies of a logged-in browser.
    """

    def same(given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), session.key.encode())

    if where == "ParameterOnly":
        return same(parameter)
    if where == "CookieOrParameter":
        return same(parameter) or same(cookie)
    return same(parameter) and same(cookie)
