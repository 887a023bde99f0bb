"""A simulated cloud whose usage is counted from a day's beginning on, and told through its API."""

from __future__ import annotations

from typing import Any

from server.api.dispatch import Dispatcher
from server.api.views import date
from tests.cloudsim.management.cloud_harness import Cloud
from tests.server.api.api_harness import Client
from tests.server.api.commands.cloud_api import CloudApi

HOUR, DAY = 3600, 86_400


QUIET = {
    name: "86400"
    for name in ("ping.interval", "router.check.interval", "network.gc.interval", "expunge.interval")
} | {
    "vm.stats.interval": "0",
    "capacity.history.interval": "0",
    "secstorage.capacity.scan.interval": "86400000",
}
"""What makes days of nothing short to simulate."""


class UsageApi(CloudApi):
    """`midnight`: when it began, Unix seconds."""

    def __init__(self) -> None:
        self.cloud = Cloud(settings=QUIET)
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")
        self.set("usage.stats.job.exec.time", "00:15")
        now = self.manager.foundation.now()
        self.cloud.wait(DAY - now % DAY)
        self.midnight = round(self.manager.foundation.now())
        self.set("enable.usage.server", True)
        self.cloud.wait(1)

    def set(self, name: str, value: Any) -> None:
        self.admin("updateConfiguration", name=name, value=value)

    def until(self, hours: float) -> None:
        """Let time pass until so many hours after midnight."""
        self.cloud.wait(self.midnight + hours * HOUR - self.manager.foundation.now())

    def records(self, call: Client | None = None, day: int = 0, **more: Any) -> list[dict[str, Any]]:
        """The records of so many days after the first."""
        when = str(date(self.midnight + day * DAY))[:10]
        asked = {"startdate": when, "enddate": when, "pagesize": 500, "page": 1, **more}
        answer = (call or self.admin)("listUsageRecords", **asked)
        found: list[dict[str, Any]] = answer.get("usagerecord", [])
        return found

    def hours(self, type: int, **more: Any) -> float:
        """What all records of the kind tell."""
        return sum(float(record["rawusage"]) for record in self.records(type=type, **more))
