"""Certificates of hosts that a management server has: provisioned, renewed before they end, or warned of."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backends.wire import certificates as c
from backends.wire.agent_process import KeptCertificate
from backends.wire.identity import Identity
from cloudsim.agent import Agent
from cloudsim.errors import InvalidParameterValue, ResourceUnavailable
from cloudsim.management.infrastructure.certificates import ALERT_PERIOD, RENEWAL, VALIDITY, CertificateFailed
from cloudsim.model import Alert
from cloudsim.model import Host as HostRow
from cloudsim.protocol.specs import Place
from tests.backends.wire.test_world import Cloud
from tests.backends.wire.wire_harness import Bench, Host, run, until

DAY = 86400.0


class Site(Cloud):
    """The cloud, and a host whose agent has a certificate that ends in `days`."""

    def __init__(self, bench: Bench, days: float = 365) -> None:
        super().__init__(bench)
        self.bench = bench
        bench.authority.now = lambda: time.time() - (365 - days) * DAY
        self.identity: Identity = bench.enrolled("kvm1", "10.0.0.5")
        bench.authority.now = time.time
        self.agent: Agent = bench.agent(self.identity, Host("10.0.0.5"))
        self.agent.certificate = KeptCertificate(bench.url, self.identity)
        self.agent.place = Place("zone1", "pod1", "cluster1")

    async def host(self) -> HostRow:
        await until(lambda: [row.resource_state for row in self.hosts()] == ["Enabled"])
        await self.bench.connected(self.agent)
        return self.hosts()[0]

    def kept(self) -> str:
        """The number of the certificate that the host has."""
        return c.serial_name(self.identity.read_certificate().serial_number)

    def shown(self) -> list[str]:
        """The numbers of the certificates that agents are connected with."""
        return [link.serial for link in self.bench.gateway._links if not link.closed]

    def alerts(self) -> list[Alert]:
        return [row for row in self.manager.foundation.table(Alert) if row.name == "ALERT.CA.CERT"]

    def set(self, name: str, value: str, scope: str = "Global") -> None:
        self.manager.settings.set(name, value, scope, self.cluster.id if scope == "Cluster" else "")


def test_a_provisioned_host_connects_with_its_new_certificate(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench)
            host, before = await site.host(), site.kept()
            site.set(VALIDITY, "30")
            await site.manager.certificates.provision(host, reconnect=True)
            assert site.kept() != before and site.shown() == [site.kept()]
            assert c.not_after(site.identity.read_certificate()) - time.time() <= 30 * DAY
            await site.manager.stop()

    run(scene())


def test_its_link_stays_where_it_is_not_to_reconnect(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench)
            host, before = await site.host(), site.kept()
            await site.manager.certificates.provision(host, reconnect=False)
            assert site.kept() != before and site.shown() == [before]
            await site.manager.stop()

    run(scene())


def test_a_host_that_is_being_emptied_keeps_its_link(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench)
            host, service = await site.host(), site.manager.certificates
            with site.manager.store.transaction():
                host = site.manager.foundation.table(HostRow).update(
                    host.id, resource_state="PrepareForMaintenance"
                )
            with pytest.raises(InvalidParameterValue, match="it is PrepareForMaintenance"):
                service.check_provision(host, reconnect=True)
            service.check_provision(host, reconnect=False)
            await site.manager.stop()

    run(scene())


def test_a_host_that_is_revoked_is_not_provisioned(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench)
            host, service = await site.host(), site.manager.certificates
            await service.revoke(service.provider(None), site.kept(), "kvm1")
            await until(lambda: site.shown() == [])
            await until(lambda: not site.manager.agents.is_connected(host.id))
            with pytest.raises(ResourceUnavailable, match="no agent connected"):
                service.check_provision(host, reconnect=False)
            await site.manager.stop()

    run(scene())


def test_what_ends_soon_is_renewed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench, days=10)
            await site.host()
            before = site.kept()
            site.set(ALERT_PERIOD, "9")
            await site.manager.certificates.check()
            assert site.kept() == before, "it is not soon"
            site.set(ALERT_PERIOD, "11", "Cluster")
            await site.manager.certificates.check()
            after = site.kept()
            assert after != before and site.alerts() == []
            site.set(ALERT_PERIOD, "3650", "Cluster")
            await site.manager.certificates.check()
            assert site.kept() == after, "there is more than half of it left"
            await site.manager.stop()

    run(scene())


def test_where_agents_do_not_renew_by_themselves_one_alert_tells_of_the_end(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench, days=10)
            host, before = await site.host(), site.kept()
            site.set(RENEWAL, "false", "Cluster")
            service = site.manager.certificates
            await service.check()
            await service.check()
            (alert,) = site.alerts()
            assert before in alert.description and "kvm1" in alert.description and RENEWAL in alert.description
            assert (alert.type, alert.cluster_id) == (31, site.cluster.id) and site.kept() == before
            assert not bench.gateway.may_renew(host.guid), "nor when the agent thinks that it is time"
            await service.provision(host, reconnect=False)
            assert site.kept() != before, "an operator may"
            assert not bench.gateway.may_renew(host.guid), "once"
            await service.check()
            assert len(site.alerts()) == 1
            await site.manager.stop()

    run(scene())


def test_a_renewal_that_fails_is_told_of_too(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench, days=10)
            host = await site.host()
            site.agent.certificate = None
            with pytest.raises(CertificateFailed, match="the agent of kvm1 has no certificate"):
                await site.manager.certificates.provision(host, reconnect=True)
            await site.manager.certificates.check()
            (alert,) = site.alerts()
            assert "has no certificate" in alert.description
            await site.manager.stop()

    run(scene())


def test_a_host_that_is_away_when_its_certificate_ends_is_told_of(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            site = Site(bench, days=10)
            host = await site.host()
            site.agent.stop()
            await until(lambda: not site.manager.agents.is_connected(host.id))
            await site.manager.certificates.check()
            (alert,) = site.alerts()
            assert "no agent connected" in alert.description
            await site.manager.stop()

    run(scene())
