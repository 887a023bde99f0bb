"""How often accounts have called the API lately, and whether they may once more.

Calls are counted in memory, by the clients' time; an interval begins with an account's first call in it. Root admins
may always.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cloudsim.errors import RequestLimitExceeded, UnsupportedCommand
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.settings import Settings

ENABLED, INTERVAL = "api.throttling.enabled", "api.throttling.interval"
MAX, CACHE_SIZE = "api.throttling.max", "api.throttling.cachesize"


@dataclass
class Calls:
    """The calls of an account in the interval that ends at `end` (the clock's seconds)."""

    issued: int
    end: float


class RateLimits:
    """Counts calls. `clock` is in seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._calls: OrderedDict[str, Calls] = OrderedDict()

    @property
    def allowed(self) -> int:
        """Calls that an account may make within an interval."""
        return self._settings.integer(MAX)

    def count(self, caller: Caller) -> None:
        """Count a call. Raises RequestLimitExceeded for one too many."""
        if not self._settings.boolean(ENABLED) or caller.is_root_admin:
            return
        now = self._clock()
        calls = self._calls.get(caller.account.id)
        if calls is None or calls.end <= now:
            calls = self._calls[caller.account.id] = Calls(0, now + self._settings.integer(INTERVAL))
            self._forget_oldest()
        if calls.issued >= self.allowed:
            left = math.ceil(1000 * (calls.end - now))
            raise RequestLimitExceeded(
                f"The given user has reached his/her account api limit, please retry after {left} ms."
            )
        calls.issued += 1
        self._calls.move_to_end(caller.account.id)

    def of(self, account_id: str) -> tuple[int, float]:
        """How many calls an account has made in its interval, and for how many seconds that still lasts."""
        calls, now = self._calls.get(account_id), self._clock()
        if calls is None or calls.end <= now:
            return 0, float(self._settings.integer(INTERVAL))
        return calls.issued, calls.end - now

    def reset(self, account_id: str | None) -> None:
        """Count anew for an account, or for all."""
        if account_id is None:
            self._calls.clear()
        else:
            self._calls.pop(account_id, None)

    def check_enabled(self) -> None:
        """Raise UnsupportedCommand where calls are not limited."""
        if not self._settings.boolean(ENABLED):
            raise UnsupportedCommand(f"This api is only available when {ENABLED} = true.")

    def _forget_oldest(self) -> None:
        while len(self._calls) > self._settings.integer(CACHE_SIZE):
            self._calls.popitem(last=False)
