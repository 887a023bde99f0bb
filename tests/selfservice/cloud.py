"""The simulated datacenter of a run, with a network and public addresses, behind its API; its manager can crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, NamedTuple

from cloudsim.management.infrastructure.regions import LOCAL
from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.model import Account, PhysicalNetwork, User
from server.api.authentication import canonical, sign
from server.api.dispatch import Dispatcher
from server.api.request import Request
from tests.dst.cloud import DstCloud

WAIT = 600.0
"""Seconds in which a new zone has its system VMs."""


class Answer(NamedTuple):
    """What a call was answered: the HTTP status and what is in the envelope."""

    status: int
    body: Any

    @property
    def text(self) -> str:
        """Of an error."""
        return str(self.body.get("errortext", "")) if isinstance(self.body, dict) else ""


class ServedCloud(DstCloud):
    """`call` asks as a user, by key and signature."""

    def _new_server(self) -> None:
        super()._new_server()
        self.dispatcher = Dispatcher(self.server)

    async def set_up(self) -> None:
        await super().set_up()
        server = self.server
        wire = server.physical_networks.create(self.zone, name="wire", vlan="100-129")
        for traffic in ("Guest", "Management", "Public"):
            server.physical_networks.add_traffic_type(wire, traffic)
        server.physical_networks.providers.enable_all(wire)
        server.physical_networks.update(self.store.table(PhysicalNetwork)[wire.id], state="Enabled")
        server.ip_ranges.create(
            RangeRequest(
                zone=self.zone,
                start_ip="203.0.113.10",
                end_ip="203.0.113.60",
                gateway="203.0.113.1",
                netmask="255.255.255.0",
                vlan="50",
                public=True,
            )
        )
        server.portable_ip_ranges.create(
            region=LOCAL,
            start_ip="198.18.0.10",
            end_ip="198.18.0.29",
            gateway="198.18.0.1",
            netmask="255.255.255.0",
            vlan="50",
        )
        server.settings.set("backup.framework.enabled", "true", "Zone", self.zone.id)
        server.backup_offerings.import_(
            self.zone, name="gold", description="to secondary storage", external_id="gold", user_driven=True
        )
        await asyncio.sleep(WAIT)

    async def call(self, user: User, command: str, /, **parameters: Any) -> Answer:
        """Ask as that user, who gets keys when there are none yet."""
        user = self._with_keys(user)
        assert user.api_key is not None and user.secret_key is not None
        pairs = {"command": command, "response": "json", "apiKey": user.api_key}
        for name, value in parameters.items():
            pairs |= spread(name, value)
        pairs["signature"] = sign(canonical(pairs), user.secret_key)
        reply = await self.dispatcher.answer(Request.of(pairs.items()))
        ((_, body),) = json.loads(reply.text()).items()
        return Answer(reply.status, body)

    def ask(self, user: User, command: str, /, **parameters: Any) -> Answer:
        """The same for who only looks, and so does not wait for the disk: several such answers are of one instant."""
        self.journal.hasty = True
        try:
            return at_once(self.call(user, command, **parameters))
        finally:
            self.journal.hasty = False

    def _with_keys(self, user: User) -> User:
        user = self.store.table(User)[user.id]
        return self.server.identity.users.register_keys(user) if user.secret_key is None else user

    @property
    def admin(self) -> User:
        """The root admin, whatever it is called by now."""
        account = next(a for a in self.store.table(Account) if a.is_default and a.name != "system")
        return self.store.table(User).where("account_id", account.id)[0]


def at_once(work: Coroutine[Any, Any, Answer]) -> Answer:
    """The result of a coroutine that waits for nothing; status 0 of one that has to ask a host."""
    try:
        work.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    work.close()
    return Answer(0, {})


def spread(name: str, value: Any) -> dict[str, str]:
    """A parameter's pairs on the wire."""
    if isinstance(value, dict):
        pairs: dict[str, str] = {}
        for index, (key, text) in enumerate(value.items()):
            pairs |= {f"{name}[{index}].key": str(key), f"{name}[{index}].value": str(text)}
        return pairs
    if isinstance(value, list | tuple):
        return {name: ",".join(map(str, value))}
    if isinstance(value, bool):
        return {name: "true" if value else "false"}
    return {name: str(value)}
