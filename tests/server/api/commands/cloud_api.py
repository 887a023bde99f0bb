"""A simulated cloud with hosts, behind its API."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from cloudsim.model import User
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.cloud_harness import Cloud
from tests.server.api.api_harness import Client


class CloudApi:
    """Clients of `cloud`: `admin` is the root admin, `account(name)` makes a user."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        self.manager: Any = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.cloud.do(work)

    def client(self, username: str) -> Client:
        user = next(user for user in self.store.table(User) if user.username == username)
        user = self.manager.identity.users.register_keys(user)
        return Client(self, (user.api_key, user.secret_key))  # type: ignore[arg-type]

    def account(self, name: str, **more: Any) -> Client:
        self.admin(
            "createAccount",
            username=name,
            password="secret",
            email=f"{name}@example.org",
            firstname=name,
            lastname="Example",
            **{"accounttype": 0, **more},
        )
        return self.client(name)

    @property
    def zone(self) -> str:
        return self.cloud.zone.id

    def network(self, name: str = "net", call: Client | None = None, **more: Any) -> dict[str, Any]:
        offering = self.cloud.network_offering().id
        asked = {
            "name": name,
            "displaytext": name,
            "zoneid": self.zone,
            "networkofferingid": offering,
            **more,
        }
        made: dict[str, Any] = (call or self.admin)("createNetwork", **asked)["network"]
        return made

    def volume(self, name: str = "data", size: int = 1, call: Client | None = None) -> dict[str, Any]:
        asked = {"name": name, "zoneid": self.zone, "diskofferingid": self.cloud.custom.id, "size": size}
        made: dict[str, Any] = (call or self.admin)("createVolume", **asked)["volume"]
        return made

    def listed(self, command: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        answer = self.admin(command, **parameters)
        rows: list[dict[str, Any]] = answer.get(key, [])
        assert answer.get("count", 0) >= len(rows)
        return rows
