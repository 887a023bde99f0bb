"""Makes a story's people: domains, accounts and users through the API, and the file that hands their passwords over."""

from __future__ import annotations

import secrets
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from backends.private_files import write_private
from server.api.command import COMMANDS
from server.api.dispatch import Dispatcher
from server.demo.actor import Actor, Row
from server.demo.memory import Memory
from server.demo.story import Person, RoleOfOurs

FILE = "demo.json"
"""In the cloud's data folder, private to its owner."""


class People:
    """`actors` has everybody who was made, by name, and the admin."""

    def __init__(self, dispatcher: Dispatcher, admin: Actor, memory: Memory) -> None:
        self._dispatcher = dispatcher
        self._admin = admin
        self._memory = memory
        self._domains: dict[str, str] = {}
        self._accounts: dict[str, tuple[str, str]] = {}
        self.actors = {admin.name: admin}
        self._handed: list[Row] = []

    async def make_role(self, role: RoleOfOurs) -> None:
        """Make a role, whose rules tell command by command what it may."""
        rules = [
            {"rule": command.name, "permission": "allow"}
            for command in sorted(COMMANDS.values(), key=lambda each: each.name)
            if role.type in command.roles and not any(fnmatchcase(command.name, name) for name in role.without)
        ]
        await self._admin(
            "importRole", name=role.name, type=role.type, description=role.description, rules=rules
        )

    async def make(self, person: Person) -> None:
        """Make that user, and the domain and account it needs; it is remembered by its name."""
        password = secrets.token_urlsafe(12)
        user: Row = {
            "username": person.username,
            "password": password,
            "firstname": person.firstname,
            "lastname": person.lastname,
            "email": f"{person.username}@example.com",
        }
        if person.joins is not None:
            account, domain = self._accounts[person.joins]
            made = await self._admin("createUser", account=account, domainid=domain, **user)
            self._accounts[person.username] = (account, domain)
        else:
            domain = await self._domain(person.domain)
            role = (await self._admin("listRoles", name=person.role))[0]["id"]
            account_row = await self._admin(
                "createAccount", account=person.username, domainid=domain, roleid=role, **user
            )
            self._accounts[person.username] = (account_row["name"], domain)
            made = account_row["user"][0]
        keys = await self._admin("registerUserKeys", id=made["id"])
        self.actors[person.username] = Actor(
            self._dispatcher, person.username, keys["apikey"], keys["secretkey"]
        )
        self._memory.keep(person.username, [{**made, "domainid": domain}])
        self._handed.append(
            {
                "username": person.username,
                "domain": person.domain,
                "password": password,
                "role": person.role,
                "apikey": keys["apikey"],
                "secretkey": keys["secretkey"],
            }
        )

    async def _domain(self, path: str) -> str:
        found = self._domains.get(path)
        if found is None:
            above, _, name = path.rpartition("/")
            if not above:
                found = (await self._admin("listDomains", name="ROOT"))[0]["id"]
            else:
                parent = await self._domain(above)
                found = (await self._admin("createDomain", name=name, parentdomainid=parent))["id"]
            self._domains[path] = found
        return found

    def hand_over(self, folder: Path) -> None:
        """Write everybody's credentials into `folder`."""
        text = msgspec.json.format(msgspec.json.encode({"users": self._handed}), indent=2)
        write_private(folder / FILE, text + b"\n")
