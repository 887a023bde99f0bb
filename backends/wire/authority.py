"""The manager's certificate authority, a folder of files.

    ca.key, ca.crt              the authority; ca.crt is what an agent trusts
    server.key, server.crt      the gateway's certificate
    issued/<serial>.json        each agent certificate given out
    services/<serial>.json      each certificate of another server
    revoked/<serial>            those that are good no longer
    tokens/<sha256 of secret>   see `backends.wire.tokens`

The command line works on the same files as a running server; a lock keeps them apart.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as PublicKey

from backends.private_files import locked, private_folder, write_private
from backends.wire import certificates as c
from backends.wire.tokens import TokenRefused, Tokens

log = logging.getLogger(__name__)

RENEW_SERVER_BELOW = 1 / 3
"""The gateway's certificate is made anew when less than this part of its lifetime is left."""


class Refused(Exception):
    """No certificate is given; the text says why."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that was given out. `serial` in hexadecimal, times in Unix seconds. `guid`: the agent's, if any's."""

    serial: str
    guid: str
    name: str
    address: str
    key: str
    """SHA-256 of the public key."""
    issued: float
    not_after: float


_decoder = msgspec.json.Decoder(Issued)


class Authority:
    """Made on first use. Its methods read and write files; they may be called from any thread."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self.folder = private_folder(folder)
        self.now = now
        self._issued = private_folder(folder / "issued")
        self._services = private_folder(folder / "services")
        self._revoked = private_folder(folder / "revoked")
        self._tokens = Tokens(folder / "tokens", now)
        with locked(self._lock):
            self._key, self.certificate = self._open()
        self.fingerprint = c.fingerprint(self.certificate)

    @property
    def certificate_file(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate_pem(self) -> str:
        return c.pem(self.certificate).decode()

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"

    def _open(self) -> tuple[c.Key, x509.Certificate]:
        path = self.certificate_file
        if not path.exists():  # written last
            key = c.new_key()
            write_private(self.folder / "ca.key", c.key_pem(key))
            write_private(path, c.pem(c.make_authority(key, self.now())))
        return (
            c.load_key((self.folder / "ca.key").read_bytes()),
            x509.load_pem_x509_certificate(path.read_bytes()),
        )

    # the gateway

    def server_files(self, names: Sequence[str]) -> tuple[Path, Path]:
        """The gateway's certificate and key, made anew when the names have changed or the end is near."""
        certificate, key = self.folder / "server.crt", self.folder / "server.key"
        with locked(self._lock):
            if not self._serves(certificate, key, names):
                made = c.load_key(key.read_bytes()) if key.exists() else c.new_key()
                write_private(key, c.key_pem(made))
                wanted = c.manager_certificate(
                    self.certificate, self._key, made.public_key(), names, self.now()
                )
                write_private(certificate, c.pem(wanted))
        return certificate, key

    def _serves(self, certificate: Path, key: Path, names: Sequence[str]) -> bool:
        if not (certificate.exists() and key.exists()):
            return False
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        return (
            found.issuer == self.certificate.subject
            and c.is_for(found, names)
            and c.lifetime_left(found, self.now()) >= RENEW_SERVER_BELOW
        )

    # agents

    def create_token(self, ttl: float) -> str:
        """A token that lets one host join within `ttl` seconds."""
        return self._tokens.create(ttl, self.fingerprint)

    def enrol(
        self, secret: str, request: str, guid: str, name: str, address: str, days: int = c.CERTIFICATE_DAYS
    ) -> str:
        """A certificate (PEM) for a new agent, against a token, which is used up. Raises Refused.

        A guid that has a certificate already gets another only for the same key: who joins with a token is not to
        take another host's place.
        """
        try:
            self._tokens.check(secret)
            key = self._checked(request, guid, name, address)
            with locked(self._lock):
                for held in self._held(guid):
                    if held.key != c.key_fingerprint(key):
                        raise Refused(
                            f"agent {guid} ({held.name}) has a certificate for another key: revoke it first with "
                            f"`cloudsim agent revoke {guid}`"
                        )
                self._tokens.consume(secret)
                return self._issue(key, guid, name, address, days)
        except TokenRefused as error:
            raise Refused(str(error)) from error

    def renew(self, serial: int, request: str, days: int = c.CERTIFICATE_DAYS) -> str:
        """A new certificate (PEM) in place of one that is good, for the same key, host and names. Raises Refused."""
        with locked(self._lock):
            held = self._read(self._issued / f"{c.serial_name(serial)}.json")
            if held is None or self.is_revoked(serial):
                raise Refused("the certificate is revoked, or not one of this authority's")
            key = self._checked(request, held.guid, held.name, held.address)
            if c.key_fingerprint(key) != held.key:
                raise Refused("the request is for another key than the certificate's")
            return self._issue(key, held.guid, held.name, held.address, days)

    def _checked(self, request: str, guid: str, name: str, address: str) -> PublicKey:
        try:
            if str(uuid.UUID(guid)) != guid:
                raise ValueError(f"{guid!r} is not a UUID in its usual form")
            c.alternative_names([name, address])
            return c.requested_key(request)
        except ValueError as error:
            raise Refused(str(error)) from error

    def _issue(self, key: PublicKey, guid: str, name: str, address: str, days: int) -> str:
        made = c.agent_certificate(self.certificate, self._key, key, guid, [name, address], self.now(), days)
        # Before it leaves: what is not noted could not be revoked.
        self._note(self._issued, made, guid, name, address)
        return c.pem(made).decode()

    def _note(self, folder: Path, made: x509.Certificate, guid: str, name: str, address: str) -> None:
        note = Issued(
            serial=c.serial_name(made.serial_number),
            guid=guid,
            name=name,
            address=address,
            key=c.certified_key(made),
            issued=self.now(),
            not_after=c.not_after(made),
        )
        write_private(folder / f"{note.serial}.json", msgspec.json.encode(note))

    def issued(self) -> list[Issued]:
        """Every agent certificate that was given out, by name and time."""
        found = [note for path in self._issued.glob("*.json") if (note := self._read(path)) is not None]
        return sorted(found, key=lambda note: (note.name, note.guid, note.issued))

    def revoke(self, guid: str) -> int:
        """Take all certificates of an agent back; how many were still good."""
        with locked(self._lock):
            held = self._held(guid)
            for note in held:
                write_private(self._revoked / note.serial, b"")
            return len(held)

    def revoke_serial(self, serial: str, name: str | None) -> None:
        """Take one certificate back. `serial` in hexadecimal; `name`, if any, is the agent's guid or the common name.

        A number that no note is of is kept as well: the note of what it was on may be lost. Raises Refused.
        """
        number = c.serial_number(serial)
        if number is None:
            raise Refused(f"Invalid serial {serial!r}: expected a hexadecimal number of up to 40 digits")
        key = c.serial_name(number)
        with locked(self._lock):
            for folder in (self._issued, self._services):
                note = self._read(folder / f"{key}.json")
                if note is not None and name is not None and name not in (note.guid, note.name):
                    raise Refused(f"Certificate {key} is not of {name}: it is of {note.guid or note.name}")
            write_private(self._revoked / key, b"")

    def is_revoked(self, serial: int) -> bool:
        return (self._revoked / c.serial_name(serial)).exists()

    def revoked(self) -> frozenset[str]:
        """The serial numbers, in hexadecimal, of the certificates that were taken back."""
        return frozenset(path.name for path in self._revoked.iterdir())

    def good(self) -> list[Issued]:
        """The certificates of agents that have not ended and were not taken back."""
        revoked, now = self.revoked(), self.now()
        return [note for note in self.issued() if note.serial not in revoked and note.not_after > now]

    def _held(self, guid: str) -> list[Issued]:
        """The certificates of that agent that are still good."""
        return [note for note in self.good() if note.guid == guid]

    # other servers

    def issue_service(self, request: str | None, names: Sequence[str], days: int) -> tuple[str, str | None]:
        """A certificate (PEM) for a server of those names and addresses, and its key where none was brought.

        With a request (PEM), for the names in it, too. Raises Refused.
        """
        made_key = c.new_key() if request is None else None
        try:
            key: c.ServiceKey
            if request is None:
                assert made_key is not None
                key, common, wanted = made_key.public_key(), "", list(names)
            else:
                key, common, more = c.requested_service(request)
                wanted = [*names, *more]
            if not wanted and c.is_name(common):
                wanted = [common]
            if not wanted:
                raise Refused("the signing request has no host name or address, and none was given")
            common = common or wanted[0]
            if len(common) > c.LONGEST_COMMON_NAME:
                raise Refused(f"the name {common} is longer than {c.LONGEST_COMMON_NAME} characters")
            made = c.service_certificate(self.certificate, self._key, key, common, wanted, self.now(), days)
        except ValueError as error:
            raise Refused(str(error)) from error
        with locked(self._lock):
            self._note(self._services, made, "", common, wanted[0])
        return c.pem(made).decode(), None if made_key is None else c.key_pem(made_key).decode()

    def _read(self, path: Path) -> Issued | None:
        try:
            return _decoder.decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            log.warning("%s cannot be read: %s", path, error)
            return None
