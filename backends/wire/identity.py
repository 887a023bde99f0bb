"""Who an agent is: a guid for its host's whole life, a key, and the certificate that the manager gave for it."""

from __future__ import annotations

import uuid
from pathlib import Path

from cryptography import x509

from backends.private_files import private_folder, write_private
from backends.wire import certificates as c


class Identity:
    """Files in the agent's folder.

    `guid` and `agent.key` are made once; `agent.crt` and `ca.crt` come from the manager. `pki/` has the same under the
    names by which libvirt wants them, for connections between hosts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "agent.key"
        self.certificate = folder / "agent.crt"
        self.authority = folder / "ca.crt"
        self.pki = folder / "pki"

    @property
    def is_enrolled(self) -> bool:
        return all(path.exists() for path in (self.key, self.certificate, self.authority))

    def prepare(self) -> tuple[str, c.Key]:
        """The guid and the key, made if they are missing. Raises OSError or ValueError when they cannot be used."""
        private_folder(self.folder)
        path = self.folder / "guid"
        if not path.exists():
            write_private(path, f"{uuid.uuid4()}\n".encode())
        if not self.key.exists():
            write_private(self.key, c.key_pem(c.new_key()))
        return self.guid, c.load_key(self.key.read_bytes())

    @property
    def guid(self) -> str:
        text = (self.folder / "guid").read_text().strip()
        return str(uuid.UUID(text))

    def read_certificate(self) -> x509.Certificate:
        """The agent's certificate. Raises OSError or ValueError."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def keep(self, certificate: str, authority: str) -> None:
        """Take over what the manager gave, both PEM. Raises ValueError when it is not for this agent's key."""
        guid, key = self.prepare()
        made = x509.load_pem_x509_certificate(certificate.encode())
        if c.common_name(made) != guid or made.public_key() != key.public_key():
            raise ValueError("the manager's certificate is not for this agent")
        made.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
        pki = private_folder(self.pki)
        secret, shown, trusted = c.key_pem(key), certificate.encode(), authority.encode()
        for end in ("client", "server"):
            write_private(pki / f"{end}key.pem", secret)
            write_private(pki / f"{end}cert.pem", shown)
        write_private(pki / "cacert.pem", trusted)
        write_private(self.authority, trusted)
        write_private(self.certificate, shown)
