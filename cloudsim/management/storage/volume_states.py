"""The life cycle of a volume, as a table: which states may follow which."""

from __future__ import annotations

from typing import Any

from cloudsim.errors import ConcurrentOperation, InvalidParameterValue
from cloudsim.model import Volume
from cloudsim.store import Table

NEXT: dict[str, frozenset[str]] = {
    "Allocated": frozenset({"Creating", "Attaching", "Destroy", "Expunging"}),
    "Creating": frozenset({"Ready", "Allocated", "Uploaded", "Destroy"}),
    "Ready": frozenset(
        {"Attaching", "Resizing", "Snapshotting", "RevertSnapshotting", "Migrating", "Destroy", "Expunging"}
    ),
    "Attaching": frozenset({"Ready", "Allocated"}),
    "Resizing": frozenset({"Ready"}),
    "Snapshotting": frozenset({"Ready"}),
    "RevertSnapshotting": frozenset({"Ready"}),
    "Migrating": frozenset({"Ready"}),
    "Destroy": frozenset({"Ready", "Allocated", "Uploaded", "Expunging"}),
    "Expunging": frozenset({"Destroy", "Expunged"}),
    "Expunged": frozenset(),
    "Uploaded": frozenset({"Creating", "Attaching", "Destroy", "Expunging"}),
    "UploadOp": frozenset({"Uploaded", "UploadError"}),
    "NotUploaded": frozenset(
        {"UploadInProgress", "Uploaded", "UploadError", "UploadAbandoned", "Destroy", "Expunging"}
    ),
    "UploadInProgress": frozenset({"NotUploaded", "Uploaded", "UploadError", "UploadAbandoned"}),
    "UploadError": frozenset({"Destroy", "Expunging"}),
    "UploadAbandoned": frozenset({"Destroy", "Expunging"}),
}
"""An expunged volume's row is gone, so that nobody meets the state Expunged."""

AT_REST = frozenset(
    {"Allocated", "Ready", "NotUploaded", "Uploaded", "UploadError", "UploadAbandoned", "Destroy"}
)
"""States in which nothing is at work on a volume."""


def check_at_rest(volume: Volume) -> None:
    """Raise ConcurrentOperation while something is at work on the volume."""
    if volume.state not in AT_REST:
        raise ConcurrentOperation(
            f"Volume {volume.name} ({volume.id}) is {volume.state}: another operation is at work on it"
        )


def move(table: Table[Volume], volume_id: str, state: Any, **fields: Any) -> Volume:
    """Put the volume into `state` and change `fields` with it. Needs an open transaction.

    InvalidParameterValue when the table does not allow it, ConcurrentOperation when the volume is gone.
    """
    volume = table.get(volume_id)
    if volume is None:
        raise ConcurrentOperation(f"Volume {volume_id} was removed meanwhile")
    if state not in NEXT[volume.state]:
        raise InvalidParameterValue(
            f"Volume {volume.name} ({volume.id}) is in state {volume.state} and cannot become {state}"
        )
    return table.update(volume_id, state=state, **fields)


def settle(table: Table[Volume], volume_id: str, busy: str, **fields: Any) -> None:
    """Ready again after the work that made the volume `busy`, unless something else became of it meanwhile."""
    volume = table.get(volume_id)
    if volume is not None and volume.state == busy:
        with table.store.transaction():
            table.update(volume_id, state="Ready", **fields)
