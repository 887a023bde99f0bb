"""The certificate authority: certificates of agents and of other servers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.certificate_authority import MadeCertificate
from cloudsim.model import Host
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.parameters import Param
from server.api.views import View

GROUP = "Certificate"
REQUEST_LENGTH = 65_535
Provider = Annotated[str | None, Param("name of the authority, of listCAProviders; by default the only one")]


class AuthorityView(View):
    """Who signs certificates."""

    key: ClassVar = "caprovider"

    name: str | None = None
    description: str | None = None

    @classmethod
    def of(cls, row: tuple[str, str], call: Call) -> Self:
        return cls(name=row[0], description=row[1])


class CertificateView(View):
    """A certificate, and who signed it."""

    key: ClassVar = "certificates"

    certificate: Annotated[str | None, "PEM"] = None
    privatekey: Annotated[str | None, "PEM; where it was made with the certificate, kept in the job's result alone"] = None
    cacertificates: Annotated[str | None, "PEM of the authority"] = None

    @classmethod
    def of(cls, row: MadeCertificate, call: Call) -> Self:
        return cls(certificate=row.certificate, privatekey=row.private_key, cacertificates=row.authority)


class TrustedView(View):
    """Who signs the certificates of this cloud."""

    cacertificates: CertificateView | None = None


@command("listCAProviders", view=AuthorityView, roles=ROOT, group=GROUP)
async def list_ca_providers(
    call: Call, *, name: Annotated[str | None, Param("of one authority")] = None
) -> Listed:
    """Lists the certificate authorities."""
    rows = [row for row in call.manager.certificates.providers() if not name or row[0] == name]
    return Listed(rows, len(rows))


@command("listCaCertificate", view=TrustedView, many=False, group=GROUP)
async def list_ca_certificate(call: Call, *, provider: Provider = None) -> TrustedView:
    """Tells the certificate of the authority, which whoever trusts its certificates needs."""
    certificate = await call.manager.certificates.provider(provider).certificate()
    return TrustedView(cacertificates=CertificateView(certificate=certificate))


@command(
    "issueCertificate", view=CertificateView, job=True, roles=ROOT, group=GROUP, event="CA.CERTIFICATE.ISSUE"
)
async def issue_certificate(
    call: Call,
    *,
    csr: Annotated[str | None, Param("signing request, PEM; without it a key is made", length=REQUEST_LENGTH)] = None,
    domain: Annotated[
        str | None, Param("host names, separated by commas; the first is the common name, if the request has none")
    ] = None,
    ipaddress: Annotated[str | None, Param("addresses, separated by commas")] = None,
    duration: Annotated[int | None, Param("days; by default ca.framework.cert.validity.period")] = None,
    provider: Provider = None,
) -> Job:
    """Issues a certificate to a server of those names. It lets nobody in as an agent: those get theirs by a token."""
    service = call.manager.certificates
    authority, days = service.provider(provider), service.check_days(duration)
    names = [name.strip() for name in f"{domain or ''},{ipaddress or ''}".split(",") if name.strip()]
    return Job(lambda: service.issue(authority, csr or None, names, days))


@command("revokeCertificate", job=True, roles=ROOT, group=GROUP, event="CA.CERTIFICATE.REVOKE")
async def revoke_certificate(
    call: Call,
    *,
    serial: Annotated[str, Param("the certificate's number, in hexadecimal")],
    cn: Annotated[str | None, Param("its common name; of an agent's its guid, or its host's name")] = None,
    provider: Provider = None,
) -> Job:
    """Revokes a certificate. The agent that has it is cut off, and not let in with it again."""
    service = call.manager.certificates
    authority = service.provider(provider)
    return Job(lambda: service.revoke(authority, serial.strip(), cn or None))


@command("provisionCertificate", job=True, roles=ROOT, group=GROUP, event="CA.CERTIFICATE.PROVISION")
async def provision_certificate(
    call: Call,
    *,
    hostid: Host,
    reconnect: Annotated[bool, Param("whether the agent connects anew with it (the default)")] = True,
    provider: Provider = None,
) -> Job:
    """Has a host's agent get its next certificate now."""
    service = call.manager.certificates
    service.provider(provider)
    service.check_provision(hostid, reconnect)
    return Job(lambda: service.provision(hostid, reconnect), hostid)
