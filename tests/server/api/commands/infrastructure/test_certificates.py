"""The certificate authority through the API: who may ask for what, and what real certificates come of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from backends.wire import certificates as c
from backends.wire.authority import Authority
from backends.wire.gateway import Gateway
from backends.wire.root_authority import RootAuthority
from cloudsim.model import Event, Host
from tests.server.api.api_harness import Api, refused
from tests.server.api.cloud_harness import TwoRacks

DAY = 86400.0
ACTIONS = (
    ("listCAProviders", {}),
    ("issueCertificate", {"domain": "www.example.com"}),
    ("revokeCertificate", {"serial": "abc"}),
)


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.fixture
def authority(api: Api, tmp_path: Path) -> Authority:
    """The cloud's authority, whose folder this is."""
    made = Authority(tmp_path / "ca")
    gateway = Gateway(made, "127.0.0.1", 0, ["127.0.0.1"])
    api.world.certificate_authorities["root"] = RootAuthority(gateway)
    return made


def issued(api: Api, **parameters: object) -> tuple[x509.Certificate, dict[str, str]]:
    told = api.admin("issueCertificate", **parameters)["certificates"]
    return x509.load_pem_x509_certificate(told["certificate"].encode()), told


def test_the_authorities_are_listed(api: Api, authority: Authority) -> None:
    listed = api.admin("listCAProviders")
    assert listed["count"] == 1 and listed["caprovider"][0]["name"] == "root"
    assert api.admin("listCAProviders", name="root") == listed
    assert api.admin("listCAProviders", name="other") == {}


def test_everybody_may_know_whom_to_trust(api: Api, authority: Authority) -> None:
    _, user = api.account("alice")
    for client in (api.admin, user):
        told = client("listCaCertificate", provider="root")
        assert told == {"cacertificates": {"certificate": authority.certificate_pem}}


def test_nobody_but_root_admins_makes_or_takes_certificates(api: Api, authority: Authority) -> None:
    _, user = api.account("alice")
    _, domain_admin = api.account("bob", type=2)
    for client in (user, domain_admin):
        for command, parameters in ACTIONS:
            refused(401, client, command, **parameters)
        refused(401, client, "provisionCertificate", hostid="x")


def test_a_certificate_comes_with_its_key_and_its_authority(api: Api, authority: Authority) -> None:
    made, told = issued(
        api, domain=["www.example.com", "example.com"], ipaddress="10.1.2.3", duration=30, provider="root"
    )
    made.verify_directly_issued_by(authority.certificate)
    assert c.is_for(made, ["www.example.com", "example.com", "10.1.2.3"])
    assert c.common_name(made) == "www.example.com"
    assert c.load_key(told["privatekey"].encode()).public_key() == made.public_key()
    assert told["cacertificates"] == authority.certificate_pem
    assert 29 * DAY < c.not_after(made) - time.time() <= 30 * DAY
    assert "CA.CERTIFICATE.ISSUE" in [row.type for row in api.store.table(Event)]


def test_how_long_it_is_good_is_a_setting(api: Api, authority: Authority) -> None:
    api.admin("updateConfiguration", name="ca.framework.cert.validity.period", value="5")
    made, _ = issued(api, ipaddress="10.1.2.3")
    assert 4 * DAY < c.not_after(made) - time.time() <= 5 * DAY


def test_whoever_brings_a_signing_request_keeps_the_key(api: Api, authority: Authority) -> None:
    key = c.new_key()
    made, told = issued(api, csr=c.signing_request(key, "shop.example"))
    assert made.public_key() == key.public_key() and c.is_for(made, ["shop.example"])
    assert "privatekey" not in told


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({}, "domains"),
        ({"domain": "not a name"}, "'not a name' is neither a host name nor an address"),
        ({"csr": "nonsense"}, "not a certificate signing request"),
        ({"domain": "www.example.com", "duration": 0}, "duration 0"),
        ({"domain": "www.example.com", "duration": 4000}, "duration 4000"),
        ({"domain": "www.example.com", "provider": "other"}, "CA provider other does not exist: there is root"),
    ],
)
def test_what_will_not_do_is_refused(
    api: Api, authority: Authority, parameters: dict[str, object], why: str
) -> None:
    assert why in refused(431, api.admin, "issueCertificate", **parameters).text


def test_a_certificate_is_revoked_by_its_number_for_good(api: Api, authority: Authority, tmp_path: Path) -> None:
    made, _ = issued(api, domain="www.example.com")
    serial = f"{made.serial_number:X}"
    assert "not of other" in refused(431, api.admin, "revokeCertificate", serial=serial, cn="other").text
    assert "hexadecimal" in refused(431, api.admin, "revokeCertificate", serial="no number").text
    assert not authority.is_revoked(made.serial_number)
    assert api.admin("revokeCertificate", serial=serial, cn="www.example.com")["success"] is True
    assert Authority(tmp_path / "ca").is_revoked(made.serial_number)
    assert "CA.CERTIFICATE.REVOKE" in [row.type for row in api.store.table(Event)]


def test_a_cloud_whose_agents_have_no_certificates_says_so(api: Api) -> None:
    assert api.admin("listCAProviders") == {}
    for command, parameters in (("listCaCertificate", {}), *ACTIONS[1:]):
        assert "no certificate authority" in refused(432, api.admin, command, **parameters).text


def test_a_simulated_host_has_no_certificate_to_renew() -> None:
    cloud = TwoRacks()
    host = next(iter(cloud.cloud.table(Host)))
    refused(432, cloud.admin, "provisionCertificate", hostid=host.id)
    cloud.cloud.close()
