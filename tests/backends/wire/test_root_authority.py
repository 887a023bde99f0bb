"""The manager's authority as it is governed from above, and what that means for agents over TLS."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography import x509

from backends.wire import certificates as c
from backends.wire.connector import AGENT, ManagerConnector, manager_context, open_connection
from backends.wire.enrolment import EnrolmentError, enrol, renew
from backends.wire.identity import Identity
from backends.wire.root_authority import RootAuthority
from cloudsim.certificate_authority import CertificateRefused, HeldCertificate
from cloudsim.protocol import commands
from tests.backends.wire.test_agent_process import Process, settings
from tests.backends.wire.wire_harness import LOCAL, Bench, Host, run

DAY = 86400.0


def test_agents_get_certificates_for_as_long_as_is_said(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            authority = RootAuthority(bench.gateway)
            authority.govern(lambda: 20, lambda guid: True)
            identity = Identity(tmp_path / "kvm1")
            await enrol(bench.url, bench.token(), identity, "kvm1", LOCAL)
            assert 19 * DAY < c.not_after(identity.read_certificate()) - time.time() <= 20 * DAY
            authority.govern(lambda: 40, lambda guid: True)
            await renew(bench.url, identity)
            last = identity.read_certificate()
            assert 39 * DAY < c.not_after(last) - time.time() <= 40 * DAY
            serial = c.serial_name(last.serial_number)
            held = HeldCertificate(guid=identity.guid, serial=serial, not_after=c.not_after(last))
            assert await authority.held() == [held], "the first one ends earlier"

    run(scene())


def test_an_agent_that_may_not_renew_by_itself_keeps_what_it_has(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            mine, other = bench.enrolled(), bench.enrolled("kvm2")
            RootAuthority(bench.gateway).govern(lambda: 365, lambda guid: guid == mine.guid)
            before = other.certificate.read_bytes()
            with pytest.raises(EnrolmentError, match="only when an operator has them provisioned"):
                await renew(bench.url, other)
            assert other.certificate.read_bytes() == before
            await renew(bench.url, mine)

    run(scene())


def test_an_agent_renews_its_certificate_when_it_is_told_to(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench))
            await bench.manager.wait(lambda m: m.startups)
            guid = process.settings.host.guid
            (before,) = bench.authority.issued()
            answer = await bench.manager.ask(guid, commands.RenewCertificateCommand())
            assert isinstance(answer, commands.RenewCertificateAnswer) and answer.error is None
            (after,) = [note for note in bench.authority.issued() if note.serial != before.serial]
            assert answer.serial == after.serial and after.guid == guid
            kept = Identity(process.settings.host.data).read_certificate()
            assert c.serial_name(kept.serial_number) == answer.serial
            await process.stop()

    run(scene())


def test_an_agent_that_is_refused_says_why(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench))
            await bench.manager.wait(lambda m: m.startups)
            bench.gateway.may_renew = lambda guid: False
            answer = await bench.manager.ask(process.settings.host.guid, commands.RenewCertificateCommand())
            assert answer.error is not None and "the manager refuses" in answer.error
            await process.stop()

    run(scene())


def test_the_certificate_that_is_revoked_is_cut_off_and_the_next_one_is_not(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            authority, identity = RootAuthority(bench.gateway), bench.enrolled()
            first = c.serial_name(identity.read_certificate().serial_number)
            agent = bench.agent(identity, Host())
            await bench.connected(agent)
            await renew(bench.url, identity)
            with pytest.raises(CertificateRefused, match="is not of kvm9"):
                await authority.revoke(first, "kvm9")
            await authority.revoke(first, identity.guid)
            await bench.manager.wait(lambda m: m.lost)
            await bench.manager.wait(lambda m: len(m.startups) == 2)
            await bench.connected(agent)
            await authority.revoke(c.serial_name(identity.read_certificate().serial_number), None)
            await bench.manager.wait(lambda m: len(m.lost) == 2)
            with pytest.raises(ConnectionError, match="revoked"):
                await ManagerConnector(bench.url, identity).connect()
            assert await authority.held() == []

    run(scene())


def test_a_servers_certificate_lets_no_agent_in_not_even_one_of_that_name(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled()
            made = await RootAuthority(bench.gateway).issue(None, [identity.guid], 30)
            assert made.private_key is not None and made.authority == bench.authority.certificate_pem
            assert c.common_name(x509.load_pem_x509_certificate(made.certificate.encode())) == identity.guid
            (tmp_path / "crt").write_text(made.certificate)
            (tmp_path / "key").write_text(made.private_key)
            context = manager_context(made.authority)
            context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
            with pytest.raises(ConnectionError):
                await open_connection(bench.url, AGENT, context)
            assert bench.manager.heard == []

    run(scene())


def test_an_agent_without_a_certificate_renews_none(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled()
            agent = bench.agent(identity, Host())
            await bench.connected(agent)
            answer = await bench.manager.ask(identity.guid, commands.RenewCertificateCommand())
            assert answer.error == "the agent of kvm1 has no certificate"

    run(scene())
