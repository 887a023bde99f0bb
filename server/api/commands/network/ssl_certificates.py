"""Certificates of load balancer rules."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

import msgspec

from cloudsim.model import Account, LoadBalancerRule, Project, SslCertificate
from server.api.command import Call, Job, Listed, command
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.views import View, owner

GROUP = "LoadBalancer"
PEM_LENGTH = 16_384
CHAIN_LENGTH = 2_097_152
Rule = Annotated[LoadBalancerRule, Param(access="operate")]
Certificate = Annotated[SslCertificate, Param(access="operate")]


class SslCertificateView(View):
    """A certificate; nobody is shown its key here."""

    entity: ClassVar = SslCertificate
    key: ClassVar = "sslcert"

    id: str | None = None
    name: str | None = None
    certificate: Annotated[str | None, "PEM"] = None
    certchain: Annotated[str | None, "PEM"] = None
    fingerprint: Annotated[str | None, "SHA-1"] = None
    loadbalancerrulelist: Annotated[list[str] | None, "ids of the rules that have it"] = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None

    @classmethod
    def of(cls, row: SslCertificate, call: Call) -> Self:
        owned = owner(call, row.account_id)
        rules = call.manager.rules.certificates.rules_of(row)
        return cls(
            id=row.id,
            name=row.name,
            certificate=row.certificate,
            certchain=row.chain,
            fingerprint=row.fingerprint,
            loadbalancerrulelist=[rule.id for rule in rules] or None,
            **{name: value for name, value in owned.items() if name != "domainpath"},
        )


class TlsView(View):
    """What a load balancer rule ends TLS with."""

    entity: ClassVar[Any] = None
    key: ClassVar = "data"

    crt: str | None = None
    key_: str | None = msgspec.field(default=None, name="key")
    chain: str | None = None


@command("uploadSslCert", view=SslCertificateView, event="LB.CERT.UPLOAD", group=GROUP)
async def upload_ssl_cert(
    call: Call,
    *,
    owner: Owner,
    name: str,
    certificate: Annotated[str, Param("PEM", length=PEM_LENGTH)],
    privatekey: Annotated[str, Param("PEM, of an RSA or elliptic curve key", length=PEM_LENGTH)],
    certchain: Annotated[
        str | None, Param("PEM of who signed it, each signed by the next", length=CHAIN_LENGTH)
    ] = None,
    password: Annotated[str | None, Param("of the private key")] = None,
) -> SslCertificate:
    """Takes in a certificate for load balancer rules."""
    made: SslCertificate = call.manager.rules.certificates.upload(
        owner,
        name=name,
        certificate=certificate,
        private_key=privatekey,
        chain=certchain or None,
        password=password or None,
    )
    return made


@command("deleteSslCert", event="LB.CERT.DELETE", group=GROUP)
async def delete_ssl_cert(call: Call, *, id: SslCertificate) -> None:
    """Deletes a certificate that no load balancer rule has."""
    call.manager.rules.certificates.delete(id)


@command("listSslCerts", view=SslCertificateView, group=GROUP)
async def list_ssl_certs(
    call: Call,
    *,
    certid: Annotated[SslCertificate | None, Param(access="operate")] = None,
    accountid: Annotated[Account | None, Param(access="operate")] = None,
    lbruleid: Annotated[LoadBalancerRule | None, Param(access="operate")] = None,
    projectid: Annotated[Project | None, Param(access="use")] = None,
) -> Listed:
    """Lists certificates: one, those of an account, a project or a load balancer rule, or the caller's own."""
    table = call.store.table(SslCertificate)
    if certid is not None:
        rows = [certid]
    elif lbruleid is not None:
        found = table.get(lbruleid.certificate_id)
        rows = [found] if found is not None else []
    else:
        account = projectid.account_id if projectid is not None else (accountid or call.caller.account).id
        rows = table.where("account_id", account)
    return Listed(rows, len(rows))


@command("assignCertToLoadBalancer", job=True, event="LB.CERT.ASSIGN", group=GROUP)
async def assign_cert_to_load_balancer(
    call: Call,
    *,
    lbruleid: Rule,
    certid: Certificate,
    forced: Annotated[bool, Param("in place of the certificate that the rule has", since="4.22")] = False,
) -> Job:
    """Gives a load balancer rule a certificate."""
    certificates = call.manager.rules.certificates
    certificates.check_assignable(lbruleid, certid, forced=forced)

    async def work() -> None:
        await certificates.assign(lbruleid, certid)

    return Job(work, lbruleid)


@command("removeCertFromLoadBalancer", job=True, event="LB.CERT.REMOVE", group=GROUP)
async def remove_cert_from_load_balancer(call: Call, *, lbruleid: Rule) -> Job:
    """Takes the certificate from a load balancer rule."""
    certificates = call.manager.rules.certificates
    certificates.check_assigned(lbruleid)

    async def work() -> None:
        await certificates.remove(lbruleid)

    return Job(work, lbruleid)


@command("getLoadBalancerSslCertificate", view=TlsView, group=GROUP)
async def get_load_balancer_ssl_certificate(
    call: Call, *, id: Annotated[LoadBalancerRule, Param("of a load balancer rule", access="operate")]
) -> TlsView:
    """Gets the certificate, chain and key of a load balancer rule; for its owner."""
    found = call.manager.rules.certificates.of_rule(id)
    return TlsView(crt=found.certificate, key_=found.private_key, chain=found.chain)
