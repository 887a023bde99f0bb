"""The manager's own authority, as the API's callers have it: `backends.wire.authority` behind `CertificateAuthority`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from backends.wire.authority import Authority, Refused
from backends.wire.gateway import Gateway
from cloudsim.certificate_authority import CertificateRefused, HeldCertificate, MadeCertificate


class RootAuthority:
    """Implements `cloudsim.certificate_authority.CertificateAuthority`. Files are read and written by other threads."""

    description = "The management server's own certificate authority, which signs the certificates of agents"

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def _authority(self) -> Authority:
        return self._gateway.authority

    def govern(self, days: Callable[[], int], may_renew: Callable[[str], bool]) -> None:
        self._gateway.days = days
        self._gateway.may_renew = may_renew

    async def certificate(self) -> str:
        return self._authority.certificate_pem

    async def issue(self, request: str | None, names: Sequence[str], days: int) -> MadeCertificate:
        try:
            made, key = await asyncio.to_thread(self._authority.issue_service, request, names, days)
        except Refused as error:
            raise CertificateRefused(str(error)) from error
        return MadeCertificate(
            certificate=made, authority=self._authority.certificate_pem, private_key=key
        )

    async def revoke(self, serial: str, name: str | None) -> None:
        try:
            await asyncio.to_thread(self._authority.revoke_serial, serial, name)
        except Refused as error:
            raise CertificateRefused(str(error)) from error

    async def held(self) -> Sequence[HeldCertificate]:
        good = await asyncio.to_thread(self._authority.good)
        longest = {note.guid: note for note in sorted(good, key=lambda note: note.not_after)}
        return [
            HeldCertificate(guid=note.guid, serial=note.serial, not_after=note.not_after)
            for note in longest.values()
        ]
