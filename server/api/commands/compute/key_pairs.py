"""SSH key pairs."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.model import SshKeyPair
from server.api.command import Call, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import View, owner

GROUP = "SSH Key Pair"


def _owner(row: SshKeyPair, call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = dict(owner(call, row.account_id))
    fields.pop("domainpath", None)
    return fields


class KeyPairView(View):
    """The public half of a key pair."""

    entity: ClassVar = SshKeyPair
    key: ClassVar = "keypair"

    id: str | None = None
    name: str | None = None
    fingerprint: Annotated[str | None, "MD5 of the public key"] = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: SshKeyPair, call: Call) -> Self:
        return cls(id=row.id, name=row.name, fingerprint=row.fingerprint, **_owner(row, call))


class NewKeyPairView(KeyPairView):
    """A key pair that was made just now."""

    entity: ClassVar[Any] = None

    privatekey: Annotated[str | None, "PEM; it is told this once and not kept"] = None


@command("createSSHKeyPair", view=NewKeyPairView, event="REGISTER.SSH.KEYPAIR", group=GROUP)
async def create_ssh_key_pair(call: Call, *, owner: Owner, name: str) -> View:
    """Makes a key pair and answers its private key."""
    pair, private = call.manager.key_pairs.create(owner, name)
    view = NewKeyPairView.of(pair, call)
    view.privatekey = private
    return view


@command("registerSSHKeyPair", view=KeyPairView, event="REGISTER.SSH.KEYPAIR", group=GROUP)
async def register_ssh_key_pair(
    call: Call,
    *,
    owner: Owner,
    name: str,
    publickey: Annotated[str, Param("in OpenSSH form: ssh-rsa AAAA.. comment", length=5120)],
) -> SshKeyPair:
    """Registers a public key."""
    pair: SshKeyPair = call.manager.key_pairs.register(owner, name, publickey)
    return pair


@command("listSSHKeyPairs", view=KeyPairView, key="sshkeypair", group=GROUP)
async def list_ssh_key_pairs(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: SshKeyPair | None = None,
    name: str | None = None,
    fingerprint: str | None = None,
) -> Listed:
    """Lists registered key pairs."""
    return listed(
        call,
        SshKeyPair,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"name": name, "fingerprint": fingerprint},
        search=("name", "fingerprint"),
    )


@command("deleteSSHKeyPair", event="DELETE.SSH.KEYPAIR", group=GROUP)
async def delete_ssh_key_pair(call: Call, *, owner: Owner, name: str) -> None:
    """Forgets a key pair."""
    call.manager.key_pairs.delete(owner, name)
