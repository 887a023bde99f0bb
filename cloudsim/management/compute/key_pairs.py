"""SSH key pairs of accounts."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, SshKeyPair, VirtualMachine

KEY_BITS = 2048


class KeyPairs:
    """Makes, takes in and forgets key pairs. Of a pair made here only the public half is kept."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(SshKeyPair)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("key_pairs")
        self._now = foundation.now

    def create(self, owner: Account, name: str) -> tuple[SshKeyPair, str]:
        """A new RSA key pair: its row, and the private key as PEM, which nobody can ask for again."""
        self._check_name(owner, name)
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return self._insert(owner, name, public.decode()), private

    def register(self, owner: Account, name: str, public_key: str) -> SshKeyPair:
        """Take in a public key in OpenSSH form (`ssh-rsa AAAA... comment`), or that form base64 encoded."""
        self._check_name(owner, name)
        text = normalized(public_key)
        for other in self._table.where("account_id", owner.id):
            if key_blob(other.public_key) == key_blob(text):
                raise InvalidParameterValue(f"A key pair with that public key already exists: {other.name}")
        return self._insert(owner, name, text)

    def _insert(self, owner: Account, name: str, public_key: str) -> SshKeyPair:
        with self._store.transaction():
            return self._table.insert(
                SshKeyPair(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    public_key=public_key,
                    fingerprint=fingerprint(public_key),
                    created=self._now(),
                )
            )

    def _check_name(self, owner: Account, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A key pair needs a name")
        if self._table.find(("account_id", "name"), (owner.id, name)) is not None:
            raise InvalidParameterValue(f"A key pair with name '{name}' already exists.")

    def of_name(self, owner: Account, name: str) -> SshKeyPair:
        """The account's key pair of that name. Raises InvalidParameterValue."""
        pair = self._table.find(("account_id", "name"), (owner.id, name))
        if pair is None:
            raise InvalidParameterValue(
                f"A key pair with name '{name}' does not exist for account {owner.name}"
            )
        return pair

    def delete(self, owner: Account, name: str) -> SshKeyPair:
        """Forget a key pair; instances that were deployed with it keep the key inside."""
        pair = self.of_name(owner, name)
        with self._store.transaction():
            remove_leftovers(self._foundation, pair.id)
            return self._table.delete(pair.id)


def normalized(public_key: str) -> str:
    """The key as `type base64 [comment]`. Raises InvalidParameterValue for what is no public key."""
    text = public_key.strip()
    if len(text.split(None, 1)) == 1:  # some clients send the whole line encoded once more
        try:
            text = base64.b64decode(text, validate=True).decode().strip()
        except ValueError:  # no base64, or not of a text
            raise _not_a_key(public_key) from None
    parts = text.split(None, 2)
    if len(parts) < 2:
        raise _not_a_key(public_key)
    blob = _decoded(parts[1], public_key)
    kind = parts[0].encode()
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
        raise _not_a_key(public_key)
    return " ".join(parts)


def _decoded(text: str, shown: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _not_a_key(shown) from None


def _not_a_key(shown: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"Public key is invalid: {shown[:60]}")


def key_blob(public_key: str) -> bytes:
    """The bytes of a normalized public key, without type and comment."""
    return base64.b64decode(public_key.split()[1])


def fingerprint(public_key: str) -> str:
    """The MD5 sum of the key's bytes as pairs of hex digits with colons, as `ssh-keygen -E md5` shows it."""
    digest = hashlib.md5(key_blob(public_key), usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
