"""User data that accounts register once and give to many instances."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, Template, UserData, VirtualMachine

MAX_BYTES = 1_048_576
"""The most that user data may be, encoded."""

Policy = Literal["ALLOWOVERRIDE", "APPEND", "DENYOVERRIDE"]
POLICIES: tuple[Policy, ...] = ("ALLOWOVERRIDE", "APPEND", "DENYOVERRIDE")

VARIABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
LONGEST_VALUE = 1024
OF_THE_SERVICE = frozenset(
    {
        "availability-zone",
        "cloud-identifier",
        "hypervisor-host-name",
        "instance-id",
        "local-hostname",
        "local-ipv4",
        "public-hostname",
        "public-ipv4",
        "public-keys",
        "service-offering",
        "vm-id",
    }
)
"""What the metadata service tells of every instance, beside which the values of variables stand there."""


class UserDataStore:
    """Registers, removes, and ties user data to templates."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(UserData)
        self._templates = foundation.table(Template)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("user_data")
        self._now = foundation.now

    def register(self, owner: Account, name: str, user_data: str, params: str | None = None) -> UserData:
        """Keep base64 `user_data` under a name; `params` are the variables in it, comma separated."""
        if not name.strip():
            raise InvalidParameterValue("User data needs a name")
        if self._table.find(("account_id", "name"), (owner.id, name)) is not None:
            raise InvalidParameterValue(f"A userdata with name {name} already exists.")
        text = checked(user_data)
        for other in self._table.where("account_id", owner.id):
            if other.user_data == text:
                raise InvalidParameterValue(f"Userdata {other.name} with the same content already exists.")
        with self._store.transaction():
            return self._table.insert(
                UserData(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    user_data=text,
                    params=params,
                    created=self._now(),
                )
            )

    def delete(self, user_data: UserData) -> None:
        """Forget it. Raises ResourceInUse while a template or an instance names it."""
        templates = [
            t.name for t in self._templates if t.user_data_id == user_data.id and t.state == "Active"
        ]
        if templates:
            raise ResourceInUse(
                f"Userdata {user_data.name} is linked to templates: {', '.join(templates)}; unlink them first"
            )
        vms = [vm for vm in self._vms.where("account_id", user_data.account_id)]
        using = [vm.name for vm in vms if vm.user_data_id == user_data.id]
        if using:
            raise ResourceInUse(f"Userdata {user_data.name} is used by instances: {', '.join(using)}")
        with self._store.transaction():
            remove_leftovers(self._foundation, user_data.id)
            self._table.delete(user_data.id)

    def link(self, template: Template, user_data: UserData | None, policy: str | None) -> Template:
        """Have instances of the template get this user data; None takes it away again."""
        chosen = (policy or POLICIES[0]).upper()
        if chosen not in POLICIES:
            raise InvalidParameterValue(f"userdatapolicy is one of {', '.join(POLICIES)}, not {policy}")
        with self._store.transaction():
            return self._templates.update(
                template.id,
                user_data_id=None if user_data is None else user_data.id,
                user_data_policy=None if user_data is None else chosen,
            )


def checked(user_data: str) -> str:
    """Base64 user data, checked. Raises InvalidParameterValue for what is not base64, or too long."""
    text = unquote(user_data) if "%" in user_data else user_data
    text = "".join(text.split())
    if not text:
        raise InvalidParameterValue("User data is empty")
    if len(text) > MAX_BYTES:
        raise InvalidParameterValue(f"User data is longer than {MAX_BYTES} bytes")
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidParameterValue("User data is not base64 encoded") from None
    return text


def checked_values(values: Mapping[str, str] | None, user_data: str | None) -> dict[str, str]:
    """The values of the variables in user data, checked: the guest finds them by their names in its metadata.

    Raises InvalidParameterValue for names that its metadata cannot have, and where there is no user data.
    """
    for name, value in (values or {}).items():
        if not VARIABLE.fullmatch(name):
            raise InvalidParameterValue(
                f"userdatadetails: {name[:40]!r} is no name of a variable: letters, digits, hyphens, dots and underscores"
            )
        if name in OF_THE_SERVICE:
            raise InvalidParameterValue(f"userdatadetails: {name} is what the metadata service says of every instance")
        if len(value) > LONGEST_VALUE or not value.isprintable():
            raise InvalidParameterValue(
                f"userdatadetails: the value of {name} must be one line of at most {LONGEST_VALUE} characters"
            )
    if values and not user_data:
        raise InvalidParameterValue("userdatadetails are for the variables in user data, and there is none")
    return dict(values or {})
