"""The folder in which a served cloud is kept: its database, its datacenter's description, its admin's credentials."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from backends.private_files import write_private
from backends.simulated.datacenter import Datacenter, DatacenterError, from_yaml
from server.credentials import Handover

SIMULATED, KVM = "simulated", "kvm"
KINDS = (SIMULATED, KVM)
"""Worlds to serve a cloud in."""


class KindError(ValueError):
    """The folder holds a cloud of another kind."""


class DataFolder:
    """`path` is made if it is missing, for its owner only. Raises OSError if it cannot be."""

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.database = path / "cloud.db"
        self.description = path / "datacenter.yaml"
        self.agents_ca = path / "agents-ca"
        self.extensions = path / "extensions"
        self.handover = Handover(path)

    def kind(self, wanted: str | None, *, is_new: bool) -> str:
        """The kind of the cloud in this folder; of a new one `wanted`, or simulated. Raises KindError."""
        path = self.path / "kind"
        kept = path.read_text(encoding="utf-8").strip() if path.exists() else SIMULATED
        if is_new:
            kept = wanted or SIMULATED
            write_private(path, f"{kept}\n".encode())
        elif wanted is not None and wanted != kept:
            raise KindError(
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
