"""How a new host gets its certificate, and an old one the next.

    agent                                        manager, at /enrol
    connects, trusting nobody        <-          AuthorityCertificate
    compares it with the token's fingerprint, and hangs up
    connects again, trusting that    <-          AuthorityCertificate
    EnrolRequest (token's secret)    ->
                                     <-          CertificateAnswer

So the secret is said to nobody but the manager that the token comes from. /renew is CertificateRequest and
CertificateAnswer over a connection with the certificate that is to be renewed.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from backends.wire import certificates as c
from backends.wire import tokens
from backends.wire.connector import ENROL, RENEW, ManagerUrl, manager_context, open_connection, own_context
from backends.wire.identity import Identity

ANSWER_WITHIN = 30.0
"""Seconds for the manager to say what it is to say next."""


class AuthorityCertificate(msgspec.Struct, frozen=True, tag=True):
    """Manager to anybody: this is who signs my certificate (PEM)."""

    authority: str


class EnrolRequest(msgspec.Struct, frozen=True, tag=True):
    """New agent to manager. `request` is a certificate signing request (PEM); only its key counts."""

    secret: str
    request: str
    guid: str
    name: str
    address: str


class CertificateRequest(msgspec.Struct, frozen=True, tag=True):
    """Enrolled agent to manager: a new certificate, please, for the same key."""

    request: str


class CertificateAnswer(msgspec.Struct, frozen=True, tag=True):
    """Manager to agent: a certificate and its authority's (both PEM), or why there is none."""

    certificate: str = ""
    authority: str = ""
    error: str | None = None


class EnrolmentError(Exception):
    """The agent did not get a certificate; the text says why. Nothing of the folder's has changed but key and guid."""


T = TypeVar("T")


async def enrol(url: ManagerUrl, token: str, identity: Identity, name: str, address: str) -> None:
    """Get a certificate from the manager for the host of that name and address, and keep it. Raises EnrolmentError."""
    try:
        secret, fingerprint = tokens.split(token)
        guid, key = identity.prepare()
        authority = await _authority(url, fingerprint)
        connection = await open_connection(url, ENROL, manager_context(authority))
        try:
            await _receive(connection, AuthorityCertificate)
            request = EnrolRequest(secret, c.signing_request(key, guid), guid, name, address)
            await connection.send(msgspec.json.encode(request), text=True)
            _keep(await _receive(connection, CertificateAnswer), authority, identity)
        finally:
            await connection.close()
    except (OSError, ValueError) as error:  # of the folder, of the token, or ConnectionError
        raise EnrolmentError(str(error)) from error


async def renew(url: ManagerUrl, identity: Identity) -> None:
    """Have the manager give a new certificate in place of the one that is kept. Raises EnrolmentError."""
    try:
        guid, key = identity.prepare()
        connection = await open_connection(url, RENEW, own_context(identity))
        try:
            request = CertificateRequest(c.signing_request(key, guid))
            await connection.send(msgspec.json.encode(request), text=True)
            answer = await _receive(connection, CertificateAnswer)
            _keep(answer, identity.authority.read_text(), identity)
        finally:
            await connection.close()
    except (OSError, ValueError) as error:
        raise EnrolmentError(str(error)) from error


async def _authority(url: ManagerUrl, fingerprint: str) -> str:
    """The authority's certificate (PEM), which whoever is there may tell: it is the fingerprint that proves it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = await open_connection(url, ENROL, context)
    try:
        text = (await _receive(connection, AuthorityCertificate)).authority
    finally:
        await connection.close()
    certificate = x509.load_pem_x509_certificate(text.encode())
    if c.fingerprint(certificate) != fingerprint:
        raise ValueError(f"{url} is not the manager that made the token: its authority is another")
    return c.pem(certificate).decode()


def _keep(answer: CertificateAnswer, authority: str, identity: Identity) -> None:
    """Keep the new certificate, under the authority that is trusted already."""
    if answer.error is not None:
        raise EnrolmentError(f"the manager refuses: {answer.error}")
    try:
        identity.keep(answer.certificate, authority)
    except (InvalidSignature, TypeError) as error:
        raise EnrolmentError("the manager's certificate is not signed by its authority") from error


async def _receive(connection: ClientConnection, kind: type[T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            return msgspec.json.decode(await connection.recv(), type=kind)
    except ConnectionClosed as error:
        raise ConnectionError(f"the manager has closed the connection: {error}") from error
    except TimeoutError as error:
        raise ConnectionError(f"the manager said nothing for {ANSWER_WITHIN:g} s") from error
    except msgspec.DecodeError as error:
        raise ConnectionError(f"what answers is no management server: {error}") from error
