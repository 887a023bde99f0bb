"""The folder in which a served cloud is kept: its database, or where that is, its datacenter's description, its admin's
credentials."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import sqlalchemy as sa

from backends.private_files import write_private
from backends.simulated.datacenter import Datacenter, DatacenterError, from_yaml
from server.credentials import Handover

SIMULATED, KVM = "simulated", "kvm"
KINDS = (SIMULATED, KVM)
"""Worlds to serve a cloud in."""


class FolderError(ValueError):
    """The folder holds another cloud than the one that is asked for."""


class DataFolder:
    """`path` is made if it is missing, for its owner only. Raises OSError if it cannot be."""

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.database = path / "cloud.db"
        self._elsewhere = path / "database"
        self.description = path / "datacenter.yaml"
        self.agents_ca = path / "agents-ca"
        self.extensions = path / "extensions"
        self.handover = Handover(path)

    def database_at(self, wanted: str | None) -> str | Path:
        """Where the database is: what `wanted` says, or what an earlier start kept, or a file in this folder.

        Of a URL that was kept only the password may change. Raises FolderError.
        """
        if self._elsewhere.exists():
            kept = self._elsewhere.read_text(encoding="utf-8").strip()
            if wanted is None or _without_password(wanted) == _without_password(kept):
                return wanted or kept
            raise FolderError(
                f"{self.path} belongs to a cloud in {_without_password(kept)}: leave --database out, or give the other "
                "cloud a folder of its own with --data"
            )
        if wanted is None:
            return self.database
        if self.database.exists():
            raise FolderError(
                f"{self.path} holds a cloud in {self.database.name}: leave --database out, or give the other cloud a folder "
                "of its own with --data"
            )
        return wanted

    def keep_database(self, opened: str | Path) -> None:
        """Have later starts find the database that could be opened."""
        if isinstance(opened, str):
            write_private(self._elsewhere, f"{opened}\n".encode())

    def kind(self, wanted: str | None, *, is_new: bool) -> str:
        """The kind of the cloud in this folder; of a new one `wanted`, or simulated. Raises FolderError."""
        path = self.path / "kind"
        kept = path.read_text(encoding="utf-8").strip() if path.exists() else SIMULATED
        if is_new:
            kept = wanted or SIMULATED
            write_private(path, f"{kept}\n".encode())
        elif wanted is not None and wanted != kept:
            raise FolderError(
                f"{self.path} holds a cloud of kind {kept}, not {wanted}: leave --kind out, or keep the new cloud in "
                "a folder of its own with --data"
            )
        return kept

    def datacenter(self, wanted: Path | None, *, is_new: bool, demo: bool = False) -> Datacenter:
        """The datacenter of this cloud; of a new one the file `wanted`, or one of ours, which is kept here: the
        `demo`'s, or the first one.

        Raises DatacenterError for a file that is not right, or is not what the cloud was founded on.
        """
        kept = self.description if self.description.exists() else None
        source = wanted or (None if demo else kept)
        if source is not None:
            try:
                text = source.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise DatacenterError(f"{source}: {getattr(error, 'strerror', None) or error}") from error
        elif is_new:
            ours = "demo/datacenter.yaml" if demo else "first_datacenter.yaml"
            text = importlib.resources.files("server").joinpath(ours).read_text("utf-8")
        else:
            raise DatacenterError(f"{self.description} is missing: name the datacenter with --datacenter")
        found = from_yaml(text, str(source))
        if kept is not None and wanted is not None and not is_new:
            if from_yaml(kept.read_text(encoding="utf-8"), str(kept)) != found:
                raise DatacenterError(
                    f"{self.path} holds a cloud on another datacenter than {wanted}: leave --datacenter out, "
                    "or keep the new cloud in a folder of its own with --data"
                )
        elif source is not kept or kept is None:
            write_private(self.description, text.encode())
        return found


def _without_password(url: str) -> str:
    return sa.make_url(url).set(password=None).render_as_string()
