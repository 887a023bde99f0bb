"""The certificates of agents and other servers, which the world's certificate authority signs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from cloudsim.certificate_authority import (
    CertificateAuthority,
    CertificateRefused,
    HeldCertificate,
    MadeCertificate,
)
from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable, UnsupportedCommand
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hosts import Hosts
from cloudsim.model import Host
from cloudsim.protocol.commands import RenewCertificateCommand
from cloudsim.world import World

log = logging.getLogger(__name__)

VALIDITY = "ca.framework.cert.validity.period"
RENEWAL = "ca.framework.cert.automatic.renewal"
ALERT_PERIOD = "ca.framework.cert.expiry.alert.period"
LOOK_EVERY = "ca.framework.background.task.delay"
ALERT = "ALERT.CA.CERT"

DAY = 86_400.0
LONGEST_DAYS = 3650
RENEWED_WITHIN = 60.0
"""Seconds that an agent has for it."""
_AT_ONE_TIME = 10
"""Agents that renew theirs, when many are due."""


class CertificateFailed(CloudError):
    """A certificate could not be made or renewed; the text says why."""


class Certificates:
    """What the authorities of the world are asked for, and the care for what agents have of them."""

    def __init__(self, foundation: Foundation, world: World, agents: Agents, hosts: Hosts) -> None:
        self._foundation = foundation
        self._world = world
        self._agents = agents
        self._service = hosts
        self._hosts = foundation.table(Host)
        self._provisioning: set[str] = set()
        """Guids of the agents that were told to renew theirs."""
        self._alerted: dict[str, str] = {}
        """Guid -> the serial of the certificate whose end an alert was raised for."""

    def begin(self) -> None:
        """Have the authorities go by the settings."""
        settings = self._foundation.settings
        for authority in self._world.certificate_authorities.values():
            authority.govern(lambda: settings.integer(VALIDITY), self._may_renew)

    def _may_renew(self, guid: str) -> bool:
        host = self._hosts.find("guid", guid)
        return guid in self._provisioning or host is None or self._is_automatic(host)

    def _is_automatic(self, host: Host) -> bool:
        return self._foundation.settings.boolean(RENEWAL, "Cluster", host.cluster_id)

    # authorities

    def providers(self) -> list[tuple[str, str]]:
        """Name and description of each authority."""
        return [(name, each.description) for name, each in self._world.certificate_authorities.items()]

    def provider(self, name: str | None) -> CertificateAuthority:
        """The authority of that name, by default the only one. InvalidParameterValue, UnsupportedCommand."""
        known = self._world.certificate_authorities
        if not known:
            raise UnsupportedCommand("This cloud has no certificate authority: its agents have no certificates")
        if name and name not in known:
            raise InvalidParameterValue(f"CA provider {name} does not exist: there is {', '.join(sorted(known))}")
        return known[name] if name else next(iter(known.values()))

    def check_days(self, days: int | None) -> int:
        """For how many days a certificate is to be good. Raises InvalidParameterValue."""
        if days is None:
            return self._foundation.settings.integer(VALIDITY)
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidParameterValue(f"Invalid duration {days}: expected days, from 1 to {LONGEST_DAYS}")
        return days

    async def issue(
        self, authority: CertificateAuthority, request: str | None, names: Sequence[str], days: int
    ) -> MadeCertificate:
        """A certificate for a server of those names. Raises InvalidParameterValue."""
        if request is None and not names:
            raise InvalidParameterValue(
                "Please provide the domains, the IP addresses or a CSR to issue a certificate for"
            )
        try:
            return await authority.issue(request, names, days)
        except CertificateRefused as error:
            raise InvalidParameterValue(f"No certificate is issued: {error}") from error

    async def revoke(self, authority: CertificateAuthority, serial: str, name: str | None) -> None:
        """Have nobody let in with the certificate of that number. Raises InvalidParameterValue."""
        try:
            await authority.revoke(serial, name)
        except CertificateRefused as error:
            raise InvalidParameterValue(str(error)) from error

    # hosts

    def check_provision(self, host: Host, reconnect: bool) -> None:
        """Raises ResourceUnavailable or InvalidParameterValue unless the host's agent could be told now."""
        if reconnect:
            self._service.check_reconnect(host)
        if not self._agents.is_connected(host.id):
            raise ResourceUnavailable(f"Host {host.name} has no agent connected")

    async def provision(self, host: Host, reconnect: bool) -> None:
        """Have the host's agent renew its certificate, and connect with it. Raises CertificateFailed, or what sending does."""
        self._provisioning.add(host.guid)
        try:
            answer = await self._agents.send(host.id, RenewCertificateCommand(), RENEWED_WITHIN)
        finally:
            self._provisioning.discard(host.guid)
        if answer.error is not None:
            raise CertificateFailed(f"Failed to provision a certificate for host {host.name}: {answer.error}")
        if reconnect:
            await self._service.reconnect(host)

    async def check(self) -> None:
        """Renew what ends soon, or raise an alert: one for each certificate."""
        room = asyncio.Semaphore(_AT_ONE_TIME)

        async def care(host: Host, held: HeldCertificate) -> None:
            async with room:
                await self._care(host, held)

        for authority in list(self._world.certificate_authorities.values()):
            found = [(self._hosts.find("guid", held.guid), held) for held in await authority.held()]
            soon = [(host, held) for host, held in found if host is not None and self._ends_soon(host, held)]
            await asyncio.gather(*(care(host, held) for host, held in soon))

    def _ends_soon(self, host: Host, held: HeldCertificate) -> bool:
        settings = self._foundation.settings
        days = settings.number(ALERT_PERIOD, "Cluster", host.cluster_id)
        days = min(days, settings.number(VALIDITY) / 2)  # else the next one would end soon from the beginning
        return held.not_after - self._foundation.now() < days * DAY

    async def _care(self, host: Host, held: HeldCertificate) -> None:
        if not self._is_automatic(host):
            self._alert(host, held, f"automatic renewal is off ({RENEWAL})")
            return
        try:
            self.check_provision(host, reconnect=False)
            await self.provision(host, reconnect=False)
        except CloudError as error:
            self._alert(host, held, error.text)
        else:
            log.info("host %s has a new certificate", host.name)

    def _alert(self, host: Host, held: HeldCertificate, why: str) -> None:
        if self._alerted.get(held.guid) == held.serial:
            return
        self._alerted[held.guid] = held.serial
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(held.not_after))
        self._foundation.events.alert(
            ALERT,
            f"The certificate {held.serial} of host {host.name} ends at {end}, and is not renewed: {why}",
            zone_id=host.zone_id,
            pod_id=host.pod_id,
            cluster_id=host.cluster_id,
        )
