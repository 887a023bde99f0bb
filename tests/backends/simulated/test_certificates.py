"""The authority of a simulated datacenter: real certificates in simulated time, and no files until it is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography import x509

from backends.simulated.certificates import SimulatedAuthority
from backends.wire import certificates as c
from cloudsim.certificate_authority import CertificateRefused

DAY = 86400.0
NOW = 2_000_000_000.0


@pytest.fixture
def authority(tmp_path: Path) -> SimulatedAuthority:
    return SimulatedAuthority(tmp_path / "ca", lambda: NOW)


def test_nothing_is_made_until_it_is_asked(authority: SimulatedAuthority, tmp_path: Path) -> None:
    assert asyncio.run(authority.held()) == ()
    assert not (tmp_path / "ca").exists()
    told = asyncio.run(authority.certificate())
    again = SimulatedAuthority(tmp_path / "ca", lambda: NOW)
    assert asyncio.run(again.certificate()) == told, "and it is made once"


def test_certificates_are_good_in_simulated_time(authority: SimulatedAuthority) -> None:
    made = asyncio.run(authority.issue(None, ["www.example.com"], 30))
    found = x509.load_pem_x509_certificate(made.certificate.encode())
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(made.authority.encode()))
    assert c.not_after(found) == NOW + 30 * DAY and c.is_for(found, ["www.example.com"])


def test_what_will_not_do_is_refused_and_leaves_no_trace(authority: SimulatedAuthority, tmp_path: Path) -> None:
    with pytest.raises(CertificateRefused, match="neither a host name nor an address"):
        asyncio.run(authority.issue(None, ["not a name"], 30))
    with pytest.raises(CertificateRefused, match="hexadecimal"):
        asyncio.run(authority.revoke("no number", None))
    assert not list((tmp_path / "ca" / "services").iterdir())
    assert not list((tmp_path / "ca" / "revoked").iterdir())


def test_what_is_revoked_stays_so(authority: SimulatedAuthority, tmp_path: Path) -> None:
    made = asyncio.run(authority.issue(None, ["www.example.com"], 30))
    serial = f"{x509.load_pem_x509_certificate(made.certificate.encode()).serial_number:x}"
    with pytest.raises(CertificateRefused, match=r"is not of other: it is of www\.example\.com"):
        asyncio.run(authority.revoke(serial, "other"))
    asyncio.run(authority.revoke(serial, "www.example.com"))
    assert [path.name for path in (tmp_path / "ca" / "revoked").iterdir()] == [serial]
