"""The certificate authority of a simulated datacenter: its certificates are real, and their time is the simulated one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsim.certificate_authority import CertificateRefused, HeldCertificate, MadeCertificate

if TYPE_CHECKING:
    from backends.wire.authority import Authority


class SimulatedAuthority:
    """Implements `cloudsim.certificate_authority.CertificateAuthority` in a folder, made when it is first asked.

    Simulated agents hold no certificates, since their links are not encrypted; no run depends on the keys made here. It
    works while simulated time stands still, and not in another thread.
    """

    description = "The management server's own certificate authority. Agents of simulated hosts have no certificates"

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder = folder
        self._now = now

    @cached_property
    def _authority(self) -> Authority:
        from backends.wire.authority import Authority  # slow to load, and few ask for it

        return Authority(self._folder, self._now)

    def govern(self, days: Callable[[], int], may_renew: Callable[[str], bool]) -> None:
        """There is no agent whose certificates it would be for."""

    async def certificate(self) -> str:
        return self._authority.certificate_pem

    async def issue(self, request: str | None, names: Sequence[str], days: int) -> MadeCertificate:
        from backends.wire.authority import Refused

        try:
            made, key = self._authority.issue_service(request, names, days)
        except Refused as error:
            raise CertificateRefused(str(error)) from error
        return MadeCertificate(
            certificate=made, authority=self._authority.certificate_pem, private_key=key
        )

    async def revoke(self, serial: str, name: str | None) -> None:
        from backends.wire.authority import Refused

        try:
            self._authority.revoke_serial(serial, name)
        except Refused as error:
            raise CertificateRefused(str(error)) from error

    async def held(self) -> Sequence[HeldCertificate]:
        return ()
