"""X.509 as this cloud uses it: one authority, a certificate for the manager, and one for each agent.

All keys made here are EC P-256. An agent's certificate also serves its host's libvirt, as client and as server.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import math
import re
from collections.abc import Iterable, Sequence
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MANAGER = "urn:cloudsim:management-server"
"""In the manager's certificate and no other: an agent that calls itself like the manager's host is still no manager."""

AUTHORITY_DAYS, CERTIFICATE_DAYS = 3653, 365
DAY = 86_400.0
LEAST_RSA_BITS = 2048
LONGEST_COMMON_NAME = 64
"""Characters that X.509 has room for."""
_SKEW = datetime.timedelta(days=1)
"""A host whose clock is behind accepts a new certificate all the same."""
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")

_SERIAL = re.compile(r"(0x)?[0-9A-Fa-f]{1,40}")

Key = ec.EllipticCurvePrivateKey
ServiceKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(pem: bytes) -> Key:
    """Raises ValueError for what is no EC key."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic curve key")
    return key


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, 64 hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_fingerprint(key: CertificateIssuerPublicKeyTypes) -> str:
    """SHA-256 of a public key."""
    data = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(data).hexdigest()


def common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def serial_name(serial: int) -> str:
    """A serial number as the name of a file."""
    return f"{serial:x}"


def serial_number(text: str) -> int | None:
    """The number that is written so, in hexadecimal; None for what is no serial number."""
    if not _SERIAL.fullmatch(text):
        return None
    return int(text, 16) or None


def certified_key(certificate: x509.Certificate) -> str:
    """SHA-256 of the public key that a certificate of this authority is for."""
    return key_fingerprint(cast(ServiceKey, certificate.public_key()))


def not_after(certificate: x509.Certificate) -> float:
    """When it ends, Unix seconds."""
    return certificate.not_valid_after_utc.timestamp()


def lifetime_left(certificate: x509.Certificate, now: float) -> float:
    """The part of its lifetime that is still to come, 1 to 0 (and below)."""
    begin = certificate.not_valid_before_utc.timestamp()
    end = not_after(certificate)
    return (end - now) / (end - begin)


def is_name(text: str) -> bool:
    """Whether a certificate can be for a host of that name."""
    return len(text) <= 253 and _HOST_NAME.fullmatch(text) is not None


def alternative_names(names: Iterable[str]) -> list[x509.GeneralName]:
    """Host names and addresses as subject alternative names, each once. ValueError for what is neither."""
    found: list[x509.GeneralName] = []
    for name in names:
        entry: x509.GeneralName
        try:
            entry = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            if not is_name(name):
                raise ValueError(f"{name!r} is neither a host name nor an address") from None
            entry = x509.DNSName(name.lower())
        if entry not in found:
            found.append(entry)
    return found


def is_for(certificate: x509.Certificate, names: Sequence[str]) -> bool:
    """Whether those, and no others, are its host names and addresses."""
    return _names(certificate) == set(alternative_names(names))


def _names(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {name for name in extension.value if not isinstance(name, x509.UniformResourceIdentifier)}


def make_authority(key: Key, now: float) -> x509.Certificate:
    """A certificate that signs others, by itself."""
    name = _name("cloudsim agents' authority")
    public = key.public_key()
    builder = _builder(name, name, public, now, AUTHORITY_DAYS)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def manager_certificate(
    authority: x509.Certificate,
    key: Key,
    public: CertificateIssuerPublicKeyTypes,
    names: Sequence[str],
    now: float,
) -> x509.Certificate:
    """For the management server, reached by those names and addresses."""
    wanted = [*alternative_names(names), x509.UniformResourceIdentifier(MANAGER)]
    return _leaf(
        authority, key, public, "cloudsim management server", wanted, [ExtendedKeyUsageOID.SERVER_AUTH], now
    )


def agent_certificate(
    authority: x509.Certificate,
    key: Key,
    public: CertificateIssuerPublicKeyTypes,
    guid: str,
    names: Sequence[str],
    now: float,
    days: int = CERTIFICATE_DAYS,
) -> x509.Certificate:
    """For the agent `guid` on the host with those names and addresses, for `days` or as long as the authority is good."""
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return _leaf(authority, key, public, guid, alternative_names(names), purposes, now, days)


def service_certificate(
    authority: x509.Certificate,
    key: Key,
    public: CertificateIssuerPublicKeyTypes,
    name: str,
    names: Sequence[str],
    now: float,
    days: int,
) -> x509.Certificate:
    """For a server of those names and addresses. It is for no client: hosts and the gateway take it for nobody's."""
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH]
    return _leaf(authority, key, public, name, alternative_names(names), purposes, now, days)


def signing_request(key: Key, guid: str) -> str:
    """A request for a certificate, PEM."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(guid)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def requested_key(request: str) -> ec.EllipticCurvePublicKey:
    """The key that a signing request is for, whose private half made it. ValueError for anything else."""
    key = _request(request).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("the key is not one of the curve P-256")
    return key


def requested_service(request: str) -> tuple[ServiceKey, str, list[str]]:
    """A server's key, common name, and host names and addresses, as a signing request has them. ValueError."""
    found = _request(request)
    key = found.public_key()
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS) or isinstance(
        key, ec.EllipticCurvePublicKey
    )
    if not strong:
        raise ValueError(
            f"the key is neither of an elliptic curve nor of RSA with {LEAST_RSA_BITS} bits or more"
        )
    common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        wanted = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(name.value) for name in wanted if isinstance(name, x509.DNSName | x509.IPAddress)]
    except x509.ExtensionNotFound:
        names = []
    return cast(ServiceKey, key), str(common[0].value) if common else "", names


def _request(text: str) -> x509.CertificateSigningRequest:
    """A request that its own key has signed. ValueError for anything else."""
    try:
        found = x509.load_pem_x509_csr(text.encode())
        valid = found.is_signature_valid
    except (ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise ValueError(f"not a certificate signing request: {error}") from error
    if not valid:
        raise ValueError("the signing request is not signed by its own key")
    return found


def _leaf(
    authority: x509.Certificate,
    key: Key,
    public: CertificateIssuerPublicKeyTypes,
    name: str,
    names: Sequence[x509.GeneralName],
    purposes: Sequence[x509.ObjectIdentifier],
    now: float,
    days: int = CERTIFICATE_DAYS,
) -> x509.Certificate:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(_name(name), authority.subject, public, now, days, not_after(authority))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=False)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=True)  # else libvirt takes it for advice
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: CertificateIssuerPublicKeyTypes,
    now: float,
    days: int,
    latest: float = math.inf,
) -> x509.CertificateBuilder:
    begin = datetime.datetime.fromtimestamp(now, datetime.UTC)
    end = min(now + days * DAY, latest)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _SKEW)
        .not_valid_after(datetime.datetime.fromtimestamp(end, datetime.UTC))
    )


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "cloudsim"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=not signs,  # of no use to such a key, but libvirt complains without, for each connection
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
