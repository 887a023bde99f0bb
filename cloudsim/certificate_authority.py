"""Certificates: what a backend must be able to do whose hosts prove with one who they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec


class CertificateRefused(Exception):
    """No certificate is given, or taken back, for what was asked; the text says why."""


class MadeCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate and who signed it, both PEM. `private_key` (PEM) where it was made for it; the authority does not keep it."""

    certificate: str
    authority: str
    private_key: str | None = None


class HeldCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a host's agent was given. `serial` in hexadecimal, `not_after` in Unix seconds."""

    guid: str
    serial: str
    not_after: float


class CertificateAuthority(Protocol):
    """Who signs the certificates of a world's hosts."""

    description: str

    def govern(self, days: Callable[[], int], may_renew: Callable[[str], bool]) -> None:
        """Agents' certificates are good for `days()`, and the agent `guid` gets its next one while `may_renew(guid)`.

        Both are called on the world's loop.
        """

    async def certificate(self) -> str:
        """The authority's own certificate, PEM."""

    async def issue(self, request: str | None, names: Sequence[str], days: int) -> MadeCertificate:
        """A certificate, good for `days`, for a server of those host names and addresses.

        `request` (PEM) brings the key, and names of its own; without it a key is made. Such a certificate lets no agent
        in. Raises CertificateRefused.
        """

    async def revoke(self, serial: str, name: str | None) -> None:
        """The certificate of that number is good no longer: an agent that has it is cut off, and not let in again.

        One that the authority has given to somebody of another name than `name` is not revoked: CertificateRefused.
        """

    async def held(self) -> Sequence[HeldCertificate]:
        """For each agent the certificate that is good longest."""
