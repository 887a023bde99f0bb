"""Certificates that load balancer rules of protocol ssl end their clients' TLS with."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.model import Account, LoadBalancerRule, SslCertificate

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class SslCertificates:
    """Takes certificates in, and gives them to rules."""

    def __init__(self, foundation: Foundation, changes: RuleChanges) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(SslCertificate)
        self._rules = foundation.table(LoadBalancerRule)
        self._changes = changes
        self._randomness = foundation.randomness.branch("ssl_certificates")

    def upload(
        self,
        owner: Account,
        *,
        name: str,
        certificate: str,
        private_key: str,
        chain: str | None = None,
        password: str | None = None,
    ) -> SslCertificate:
        """Take in a certificate with its key, PEM. `chain`: those that signed it, each by the next; `password`: the key's.

        The key is kept without its password. Raises InvalidParameterValue for parts that do not belong together.
        """
        if not name.strip():
            raise InvalidParameterValue("A certificate needs a name")
        if self._table.find(("account_id", "name"), (owner.id, name)) is not None:
            raise InvalidParameterValue(f"A certificate with name {name} exists already")
        found = _certificates(certificate, "certificate")
        if len(found) != 1:
            raise InvalidParameterValue(
                f"certificate holds {len(found)} certificates: it is to be the one, the others go to certchain"
            )
        key = _key(private_key, password)
        if _public(found[0].public_key()) != _public(key.public_key()):
            raise InvalidParameterValue("Bad public-private key: privatekey is not that of certificate")
        self._check_time(found[0])
        if chain is not None and chain.strip():
            _check_chain([found[0], *_certificates(chain, "certchain")])
        else:
            chain = None
        with self._store.transaction():
            return self._table.insert(
                SslCertificate(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    certificate=certificate,
                    private_key=key.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    ).decode(),
                    fingerprint=found[0].fingerprint(hashes.SHA1()).hex(":").upper(),
                    chain=chain,
                    created=self._foundation.now(),
                )
            )

    def _check_time(self, certificate: x509.Certificate) -> None:
        now = datetime.fromtimestamp(self._foundation.now(), UTC)
        if now > certificate.not_valid_after_utc:
            raise InvalidParameterValue(
                f"Certificate expired: it was valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
            )

    def rules_of(self, certificate: SslCertificate) -> list[LoadBalancerRule]:
        """The load balancer rules that have it."""
        rules = self._rules.where("account_id", certificate.account_id)
        return [rule for rule in rules if rule.certificate_id == certificate.id]

    def delete(self, certificate: SslCertificate) -> None:
        """Forget a certificate that no rule has."""
        rules = self.rules_of(certificate)
        if rules:
            raise ResourceInUse(
                f"Certificate in use by a loadbalancer(s) {', '.join(rule.name for rule in rules)}"
            )
        with self._store.transaction():
            self._table.delete(certificate.id)

    # for rules

    def check_assignable(
        self, rule: LoadBalancerRule, certificate: SslCertificate, *, forced: bool = False
    ) -> None:
        """Raise what stands against the rule's having the certificate; `forced`: in place of another."""
        if certificate.account_id != rule.account_id:
            raise PermissionDenied(
                f"Certificate {certificate.name} and load balancer rule {rule.name} belong to different accounts"
            )
        if rule.protocol != "ssl":
            raise InvalidParameterValue(
                f"Bad protocol: load balancer rule {rule.name} is of {rule.protocol}, and only rules of ssl have certificates"
            )
        if rule.certificate_id is not None and not forced:
            raise InvalidParameterValue(
                f"Another certificate is already bound to the LB rule {rule.name}: remove it, or pass forced=true"
            )

    async def assign(self, rule: LoadBalancerRule, certificate: SslCertificate) -> LoadBalancerRule:
        """Give the rule the certificate."""
        return await self._changes.update(rule, certificate_id=self._table[certificate.id].id)

    def check_assigned(self, rule: LoadBalancerRule) -> None:
        """Raise InvalidParameterValue unless the rule has a certificate."""
        if rule.certificate_id is None:
            raise InvalidParameterValue(f"No certificate is bound to load balancer rule {rule.name}")

    async def remove(self, rule: LoadBalancerRule) -> LoadBalancerRule:
        """Take the rule's certificate from it."""
        return await self._changes.update(rule, certificate_id=None)

    def of_rule(self, rule: LoadBalancerRule) -> SslCertificate:
        """The rule's certificate. Raises InvalidParameterValue where it has none."""
        found = self._table.get(rule.certificate_id)
        if found is None:
            raise InvalidParameterValue(f"No certificate is bound to load balancer rule {rule.name}")
        return found


def _certificates(pem: str, parameter: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise InvalidParameterValue(f"Invalid {parameter}: it is no PEM certificate ({error})") from None


def _key(pem: str, password: str | None) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password.encode() if password else None)
    except (ValueError, TypeError) as error:
        raise InvalidParameterValue(
            f"Invalid privatekey, or wrong password of it: it is no readable PEM key ({error})"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise InvalidParameterValue("Invalid privatekey: it is neither an RSA nor an elliptic curve key")
    return key


def _public(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise InvalidParameterValue(
            "Invalid certificate: its key is neither an RSA nor an elliptic curve key"
        )
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _check_chain(chain: list[x509.Certificate]) -> None:
    for signed, signer in pairwise(chain):
        try:
            signed.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature):
            raise InvalidParameterValue(
                f"Invalid certificate chain: {signed.subject.rfc4514_string()} is not signed by "
                f"{signer.subject.rfc4514_string()}; certchain lists the signer first, then the signer's signer"
            ) from None
