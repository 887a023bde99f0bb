"""The certificate by which an agent proves whose it is, where its world has such."""

from __future__ import annotations

from typing import Protocol


class CertificateNotRenewed(Exception):
    """The agent has the certificate that it had; the text says why."""


class CertificateHolder(Protocol):
    """Where an agent's certificate is kept."""

    async def renew(self) -> str:
        """Get the next one; its serial number, in hexadecimal. Raises CertificateNotRenewed."""
