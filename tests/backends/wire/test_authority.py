"""The authority's folder: made once, private, and the same for a server and a command line beside it."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backends.wire import certificates as c
from backends.wire.authority import Authority, Refused
from tests.backends.wire.wire_harness import new_guid

DAY = 86400.0


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


def enrol(authority: Authority, guid: str, key: c.Key, name: str = "kvm1", address: str = "10.0.0.5") -> str:
    secret = authority.create_token(60).partition(".")[0]
    return authority.enrol(secret, c.signing_request(key, guid), guid, name, address)


def test_it_is_made_once_and_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    first = Authority(tmp_path / "ca")
    assert Authority(tmp_path / "ca").fingerprint == first.fingerprint
    assert (tmp_path / "ca").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "ca" / "ca.key").stat().st_mode & 0o777 == 0o600
    left = c.not_after(first.certificate) - first.now()
    assert left > 3650 * DAY and isinstance(first._key.curve, c.ec.SECP256R1)


def test_many_that_make_it_at_one_time_make_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Authority(tmp_path / "ca").fingerprint))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_leaves_there_belongs_to_the_server(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    Authority(tmp_path / "ca").create_token(60)
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {12345}


def test_the_gateways_certificate_is_made_anew_when_it_must_be(tmp_path: Path) -> None:
    clock = Clock()
    authority = Authority(tmp_path, clock)

    def serial(*names: str) -> int:
        certificate, _ = authority.server_files(names)
        return x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number

    first = serial("manager", "10.0.0.1")
    assert serial("10.0.0.1", "manager") == first
    assert (second := serial("manager", "10.0.0.2")) != first
    clock.time += 200 * DAY
    assert serial("manager", "10.0.0.2") == second
    clock.time += 100 * DAY
    assert serial("manager", "10.0.0.2") != second


def test_an_agents_certificate(tmp_path: Path) -> None:
    clock, guid, key = Clock(), new_guid(), c.new_key()
    made = x509.load_pem_x509_certificate(enrol(Authority(tmp_path, clock), guid, key).encode())
    assert c.common_name(made) == guid and c.is_for(made, ["kvm1", "10.0.0.5"])
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    assert c.not_after(made) - clock.time == pytest.approx(365 * DAY)


def test_openssl_agrees(tmp_path: Path) -> None:
    authority, guid = Authority(tmp_path), new_guid()
    (tmp_path / "agent.crt").write_text(enrol(authority, guid, c.new_key()))
    authority.server_files(["manager", "10.0.0.1"])
    for name, purpose in (
        ("agent.crt", "sslclient"),
        ("agent.crt", "sslserver"),
        ("server.crt", "sslserver"),
    ):
        command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt", name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    command = ["openssl", "verify", "-purpose", "sslclient", "-CAfile", "ca.crt", "server.crt"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode != 0, (
        "the manager is no agent"
    )


def test_who_has_a_token_does_not_get_another_hosts_guid(tmp_path: Path) -> None:
    authority, guid, key = Authority(tmp_path), new_guid(), c.new_key()
    enrol(authority, guid, key)
    with pytest.raises(Refused, match="has a certificate for another key: revoke it first"):
        enrol(authority, guid, c.new_key())
    enrol(authority, guid, key)
    assert authority.revoke(guid) == 2
    enrol(authority, guid, c.new_key())


GUID = "0f6b8e2c-93a1-4c1e-9a52-7d3c5be1f0a4"


@pytest.mark.parametrize(
    ("guid", "name", "address", "text"),
    [
        ("guid", "kvm1", "10.0.0.5", "badly formed"),
        (GUID.upper(), "kvm1", "10.0.0.5", "not a UUID in its usual form"),
        (GUID, "kvm 1", "10.0.0.5", "neither"),
        (GUID, "*.example", "10.0.0.5", "neither"),
        (GUID, "kvm1", "", "neither"),
    ],
)
def test_a_request_that_is_wrong_is_refused(
    tmp_path: Path, guid: str, name: str, address: str, text: str
) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(Refused, match=text):
        enrol(authority, guid, c.new_key(), name, address)
    assert authority.issued() == []


def test_a_request_must_be_signed_by_its_key(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    secret = authority.create_token(60).partition(".")[0]
    with pytest.raises(Refused, match="not a certificate signing request"):
        authority.enrol(secret, "nonsense", new_guid(), "kvm1", "10.0.0.5")


def test_a_token_that_was_never_made_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="unknown"):
        Authority(tmp_path).enrol("guess", "", "", "", "")


def test_of_many_that_use_one_token_at_one_time_one_gets_in(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    secret = authority.create_token(60).partition(".")[0]
    outcomes: list[str] = []

    def join() -> None:
        guid, key = new_guid(), c.new_key()
        try:
            authority.enrol(secret, c.signing_request(key, guid), guid, "kvm1", "10.0.0.5")
            outcomes.append("in")
        except Refused:
            outcomes.append("refused")

    threads = [threading.Thread(target=join) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] + ["refused"] * 7 and len(authority.issued()) == 1


def test_tokens_whose_time_is_over_go(tmp_path: Path) -> None:
    clock = Clock()
    authority = Authority(tmp_path, clock)
    authority.create_token(60)
    clock.time += 61
    authority.create_token(60)
    assert len(list((tmp_path / "tokens").iterdir())) == 1


def test_only_the_key_of_a_certificate_renews_it(tmp_path: Path) -> None:
    authority, guid, key = Authority(tmp_path), new_guid(), c.new_key()
    serial = x509.load_pem_x509_certificate(enrol(authority, guid, key).encode()).serial_number
    with pytest.raises(Refused, match="another key"):
        authority.renew(serial, c.signing_request(c.new_key(), guid))
    with pytest.raises(Refused, match="not one of this authority's"):
        authority.renew(serial + 1, c.signing_request(key, guid))
    made = x509.load_pem_x509_certificate(
        authority.renew(serial, c.signing_request(key, new_guid())).encode()
    )
    assert c.common_name(made) == guid, "whatever the request says"


def service(made: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.encode())


def test_a_server_gets_a_certificate_with_a_key_of_its_own(tmp_path: Path) -> None:
    clock = Clock()
    authority = Authority(tmp_path, clock)
    made, key = authority.issue_service(None, ["www.example.com", "10.1.2.3"], 30)
    found = service(made)
    found.verify_directly_issued_by(authority.certificate)
    assert key is not None and c.load_key(key.encode()).public_key() == found.public_key()
    assert c.is_for(found, ["www.example.com", "10.1.2.3"]) and c.common_name(found) == "www.example.com"
    assert c.not_after(found) == clock.time + 30 * DAY
    assert authority.issued() == [], "it is no agent's"


def test_a_certificate_of_a_server_is_for_no_client(tmp_path: Path) -> None:
    found = service(Authority(tmp_path).issue_service(None, [new_guid()], 30)[0])
    purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def request(key: c.Key | rsa.RSAPrivateKey, common: str = "", names: tuple[str, ...] = ()) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(c.alternative_names(names)), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_a_signing_request_brings_key_and_names(tmp_path: Path) -> None:
    authority, key = Authority(tmp_path), rsa.generate_private_key(65537, 2048)
    made, kept = authority.issue_service(request(key, "Shop", ("shop.example",)), ["10.1.2.3"], 30)
    found = service(made)
    assert kept is None and found.public_key() == key.public_key() and c.common_name(found) == "Shop"
    assert c.is_for(found, ["10.1.2.3", "shop.example"])
    alone = service(authority.issue_service(request(c.new_key(), "shop.example"), [], 30)[0])
    assert c.is_for(alone, ["shop.example"]), "the common name, where there is no other"


@pytest.mark.parametrize(
    ("asked", "names", "why"),
    [
        ("nonsense", [], "not a certificate signing request"),
        (request(c.new_key()), [], "no host name or address"),
        (request(c.new_key(), "two words"), [], "no host name or address"),
        (request(rsa.generate_private_key(65537, 1024), "shop.example"), [], "2048 bits or more"),
        (None, ["not a name"], "neither a host name nor an address"),
        (None, ["a" * 60 + ".example"], "longer than 64 characters"),
    ],
    ids=["nonsense", "nameless", "two words", "a weak key", "no name", "a long name"],
)
def test_no_server_gets_a_certificate_for_what_will_not_do(
    tmp_path: Path, asked: str | None, names: list[str], why: str
) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(Refused, match=why):
        authority.issue_service(asked, names, 30)
    assert list((tmp_path / "services").iterdir()) == []


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    found = service(authority.issue_service(None, ["www.example.com"], 100_000)[0])
    assert c.not_after(found) == c.not_after(authority.certificate)


def test_one_certificate_is_revoked_by_its_number(tmp_path: Path) -> None:
    authority, guid, key = Authority(tmp_path), new_guid(), c.new_key()
    first, second = (service(enrol(authority, guid, key)).serial_number for _ in range(2))
    with pytest.raises(Refused, match=f"not of kvm2: it is of {guid}"):
        authority.revoke_serial(f"{first:X}", "kvm2")
    authority.revoke_serial(f"0x{first:X}", guid)
    assert Authority(tmp_path).is_revoked(first) and not authority.is_revoked(second)
    assert [note.serial for note in authority.good()] == [c.serial_name(second)]


@pytest.mark.parametrize("serial", ["", "0", "-1", "xyz", "../ca.key", "1" * 41])
def test_what_is_no_number_revokes_nothing(tmp_path: Path, serial: str) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(Refused, match="hexadecimal"):
        authority.revoke_serial(serial, None)
    assert authority.revoked() == frozenset()


def test_an_agents_certificate_is_good_for_as_many_days_as_are_asked_for(tmp_path: Path) -> None:
    clock, guid, key = Clock(), new_guid(), c.new_key()
    authority = Authority(tmp_path, clock)
    first = service(enrol(authority, guid, key))
    assert c.not_after(first) == clock.time + c.CERTIFICATE_DAYS * DAY
    made = service(authority.renew(first.serial_number, c.signing_request(key, guid), 7))
    assert c.not_after(made) == clock.time + 7 * DAY
