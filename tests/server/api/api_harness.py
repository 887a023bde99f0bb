"""A management server without hosts, and clients that call its API through the dispatcher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any
from xml.etree import ElementTree

import pytest

from cloudsim.certificate_authority import CertificateAuthority
from cloudsim.management.first_state import seed
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, User
from cloudsim.out_of_band import PowerDriver
from cloudsim.protocol.link import Link
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from cloudsim.world import HostDiscovery
from server.api.authentication import canonical, sign
from server.api.dispatch import Dispatcher
from server.api.envelope import Reply
from server.api.request import Request

PASSWORD = "password"


class EmptyWorld:
    """A world in which there is nothing but time."""

    hypervisor = "Simulator"

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.out_of_band: dict[str, PowerDriver] = {}
        self.certificate_authorities: dict[str, CertificateAuthority] = {}
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def attach(self, accept: Callable[[Link], None]) -> None:
        pass

    async def discover(self, host: HostDiscovery) -> str:
        raise AssertionError("nothing to discover")


class Refused(Exception):
    """An error answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.body))
        self.status = reply.status
        self.body = reply.body
        self.text: str = reply.body["errortext"]


class Client:
    """Calls commands as one user, or as the integration port does (`keys` None)."""

    def __init__(self, api: Api, keys: tuple[str, str] | None = None) -> None:
        self._api = api
        self._keys = keys

    def request(self, command: str, **parameters: Any) -> Request:
        pairs = {"command": command, "response": "json"}
        for name, value in parameters.items():
            pairs |= _spread(name, value)
        return self.sign(pairs)

    @property
    def trusted(self) -> bool:
        return self._keys is None

    def sign(self, pairs: dict[str, str]) -> Request:
        """A request with exactly these parameters, and the caller's signature."""
        if self._keys is not None:
            pairs["apiKey"] = self._keys[0]
            pairs["signature"] = sign(canonical(pairs), self._keys[1])
        return Request.of(pairs.items())

    def reply(self, command: str, **parameters: Any) -> Reply:
        request = self.request(command, **parameters)
        return self._api.run(self._api.dispatcher.answer(request, trusted=self.trusted))

    def __call__(self, command: str, **parameters: Any) -> Any:
        """What is in the answer's envelope; for a job, its result. Raises Refused for an error."""
        reply = self.reply(command, **parameters)
        body = next(iter(json.loads(reply.text()).values()))
        if reply.status != 200:
            raise Refused(reply)
        if "jobid" in body and set(body) <= {"jobid", "id"}:
            return self.job(body["jobid"])
        return body

    def job(self, job_id: str) -> Any:
        """The result of a job, once it has ended."""
        row = self._api.run(self._api.manager.jobs.wait(job_id))
        body = json.loads(self.reply("queryAsyncJobResult", jobid=row.id).text())["queryasyncjobresultresponse"]
        assert body["jobstatus"] in (1, 2)
        result = body["jobresult"]
        if body["jobstatus"] == 2:
            raise Refused(Reply("", result, True, result["errorcode"]))
        return result


def _spread(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        pairs = enumerate(value.items())
        return {f"{name}[{i}].{part}": str(text) for i, pair in pairs for part, text in zip(("key", "value"), pair, strict=True)}
    if isinstance(value, list | tuple):
        return {name: ",".join(map(str, value))}
    if isinstance(value, bool):
        return {name: "true" if value else "false"}
    return {name: str(value)}


class Api:
    """One cloud behind its API."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = Store(ROW_TYPES)
        self.world = EmptyWorld(self.loop)
        self.manager = manager = ManagementServer(self.store, self.world, Randomness(7))
        manager.identity.users.passwords.log_cost = 4  # so that no test waits for a password
        seed(
            manager.foundation,
            manager.identity,
            manager.offerings,
            manager.guest_os,
            admin_password=PASSWORD,
        )
        self.dispatcher = Dispatcher(self.manager)
        self.system = Client(self)
        self.admin = self.client(self.user("admin"))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def user(self, name: str) -> User:
        return next(user for user in self.store.table(User) if user.username == name)

    def client(self, user: User) -> Client:
        """A client that signs as that user."""
        user = self.manager.identity.users.register_keys(user)
        assert user.api_key and user.secret_key
        return Client(self, (user.api_key, user.secret_key))

    def account(self, name: str, *, type: int = 0, domain: str | None = None) -> tuple[dict[str, Any], Client]:
        """A new account and a client that calls as its user."""
        where = {"domainid": domain} if domain else {}
        made = self.admin(
            "createAccount",
            username=name,
            password="secret",
            email=f"{name}@example.org",
            firstname=name,
            lastname="Example",
            accounttype=type,
            **where,
        )["account"]
        return made, self.client(self.user(name))

    def close(self) -> None:
        pending = asyncio.all_tasks(self.loop)
        for task in pending:
            task.cancel()
        if pending:
            self.loop.run_until_complete(asyncio.wait(pending))
        self.loop.close()


def parse_xml(reply: Reply) -> ElementTree.Element:
    return ElementTree.fromstring(reply.text())


def refused(status: int, call: Client, command: str, **parameters: Any) -> Refused:
    """The error that a command is answered with, which must be of that status."""
    with pytest.raises(Refused) as caught:
        call(command, **parameters)
    assert caught.value.status == status, caught.value
    return caught.value
