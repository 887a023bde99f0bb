"""A host joins with a token, once, tells its secret to nobody but the manager that made it, and renews in time."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from backends.wire import certificates as c
from backends.wire.authority import Authority
from backends.wire.connector import ManagerConnector, ManagerUrl
from backends.wire.enrolment import AuthorityCertificate, EnrolmentError, enrol, renew
from backends.wire.identity import Identity
from tests.backends.wire.wire_harness import LOCAL, Bench, Host, run


def test_a_host_with_a_token_gets_a_certificate_and_connects(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = Identity(tmp_path / "kvm1")
            await enrol(bench.url, bench.token(), identity, "kvm1", "10.0.0.5")
            assert c.is_for(identity.read_certificate(), ["kvm1", "10.0.0.5"])
            agent = bench.agent(identity, Host())
            await bench.connected(agent)
            (note,) = bench.authority.issued()
            assert (note.guid, note.name, note.address) == (identity.guid, "kvm1", "10.0.0.5")

    run(scene())


def test_the_files_are_private_and_libvirt_finds_its_own(tmp_path: Path) -> None:
    identity = Bench(tmp_path).enrolled()
    made = sorted(str(p.relative_to(identity.folder)) for p in identity.folder.rglob("*") if p.is_file())
    assert made == [
        "agent.crt",
        "agent.key",
        "ca.crt",
        "guid",
        "pki/cacert.pem",
        "pki/clientcert.pem",
        "pki/clientkey.pem",
        "pki/servercert.pem",
        "pki/serverkey.pem",
    ]
    assert all((identity.folder / name).stat().st_mode & 0o077 == 0 for name in [*made, ".", "pki"])


def test_a_token_is_good_once(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            token = bench.token()
            both = await asyncio.gather(
                *(enrol(bench.url, token, Identity(tmp_path / n), n, LOCAL) for n in ("kvm1", "kvm2")),
                return_exceptions=True,
            )
            assert None in both and len(bench.authority.issued()) == 1
            (refusal,) = (x for x in both if isinstance(x, EnrolmentError))
            assert "the manager refuses: the token" in str(refusal)
            with pytest.raises(EnrolmentError, match="used already"):
                await enrol(bench.url, token, Identity(tmp_path / "kvm3"), "kvm3", LOCAL)

    run(scene())


def test_a_token_whose_time_is_over_is_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            token = bench.authority.create_token(-1)
            with pytest.raises(EnrolmentError, match="its time is over"):
                await enrol(bench.url, token, Identity(tmp_path / "kvm1"), "kvm1", LOCAL)

    run(scene())


def test_a_manager_with_another_authority_never_hears_the_secret(tmp_path: Path) -> None:
    async def scene() -> None:
        impostor, mine = Authority(tmp_path / "impostor"), Authority(tmp_path / "mine")
        heard: list[str | bytes] = []

        async def listen(connection: ServerConnection) -> None:
            await connection.send(msgspec.json.encode(AuthorityCertificate(shown)), text=True)
            heard.extend([frame async for frame in connection])

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*impostor.server_files([LOCAL]))
        async with serve(listen, LOCAL, 0, ssl=context) as server:
            url = ManagerUrl(LOCAL, server.sockets[0].getsockname()[1])
            shown = impostor.certificate_pem
            with pytest.raises(EnrolmentError, match="not the manager that made the token"):
                await enrol(url, mine.create_token(60), Identity(tmp_path / "kvm1"), "kvm1", LOCAL)
            shown = mine.certificate_pem  # it may know the right authority, and yet is not signed by it
            with pytest.raises(EnrolmentError, match="cannot prove who it is"):
                await enrol(url, mine.create_token(60), Identity(tmp_path / "kvm1"), "kvm1", LOCAL)
        assert heard == []

    run(scene())


@pytest.mark.parametrize("token", ["", "secret", "secret.fingerprint", "." + "0" * 64, "secret." + "G" * 64])
def test_what_is_no_token_is_told_before_anything_is_tried(tmp_path: Path, token: str) -> None:
    with pytest.raises(EnrolmentError, match="not a token"):
        asyncio.run(enrol(ManagerUrl("manager.invalid"), token, Identity(tmp_path), "kvm1", LOCAL))


def test_a_refused_host_keeps_its_guid_and_key_for_the_next_try(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = Identity(tmp_path / "kvm1")
            with pytest.raises(EnrolmentError, match="neither a host name nor an address"):
                await enrol(bench.url, token := bench.token(), identity, "not a name", LOCAL)
            before = identity.guid, identity.key.read_bytes()
            assert not identity.is_enrolled
            await enrol(bench.url, token, identity, "kvm1", LOCAL)
            assert (identity.guid, identity.key.read_bytes()) == before, "nor was the token used up"

    run(scene())


def test_setting_up_again_is_no_error(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = Identity(tmp_path / "kvm1")
            for _ in range(2):
                await enrol(bench.url, bench.token(), identity, "kvm1", LOCAL)
            (await ManagerConnector(bench.url, identity).connect()).close()
            assert len({note.guid for note in bench.authority.issued()}) == 1

    run(scene())


def test_an_agent_renews_its_certificate_for_the_same_key_and_names(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled("kvm1", "10.0.0.5")
            before, key = identity.read_certificate(), identity.key.read_bytes()
            await renew(bench.url, identity)
            after = identity.read_certificate()
            assert after.serial_number != before.serial_number and identity.key.read_bytes() == key
            assert c.is_for(after, ["kvm1", "10.0.0.5"]) and c.common_name(after) == identity.guid
            assert (identity.pki / "servercert.pem").read_bytes() == identity.certificate.read_bytes()
            (await ManagerConnector(bench.url, identity).connect()).close()
            assert bench.authority.revoke(identity.guid) == 2, "the old one is not forgotten"
            with pytest.raises(EnrolmentError, match="revoked"):
                await renew(bench.url, identity)

    run(scene())


def test_a_certificate_for_somebody_else_is_not_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    identity, other = bench.enrolled(), bench.enrolled("kvm2")
    before = identity.certificate.read_bytes()
    with pytest.raises(ValueError, match="not for this agent"):
        identity.keep(other.certificate.read_text(), bench.authority.certificate_pem)
    assert identity.certificate.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("wss://manager", ManagerUrl("manager", 8250)),
        ("wss://manager.example:9000/", ManagerUrl("manager.example", 9000)),
        ("wss://[2001:db8::1]:8250", ManagerUrl("2001:db8::1", 8250)),
    ],
)
def test_the_managers_url(text: str, url: ManagerUrl) -> None:
    assert ManagerUrl.parse(text) == url and ManagerUrl.parse(str(url)) == url


@pytest.mark.parametrize(
    "text", ["manager:8250", "ws://manager", "wss://", "wss://manager:x", "wss://manager/agent"]
)
def test_what_is_no_managers_url(text: str) -> None:
    with pytest.raises(ValueError, match="is no manager"):
        ManagerUrl.parse(text)
