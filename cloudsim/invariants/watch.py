"""Rules about changes, followed on a store's change feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudsim.invariants.scene import Violation
from cloudsim.management.compute import vm_snapshots
from cloudsim.management.compute.vm_states import TRANSITIONS
from cloudsim.management.storage import snapshots, template_images, volume_states
from cloudsim.management.storage.backups import backups
from cloudsim.model import (
    AsyncJob,
    Backup,
    Event,
    Snapshot,
    TemplateOnStore,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.model.operations import JOB_IN_PROGRESS
from cloudsim.store import Change, Row, Store

VM_STEPS: frozenset[tuple[str, str]] = frozenset(
    (before, after) for (before, _), after in TRANSITIONS.items()
)

VM_DELETED_FROM = frozenset({"Expunging"})

TAKEN_IN, LET_GO = "VM.IMPORT", "VM.UNMANAGE"
"""Events with which, in the same transaction, an instance may begin or end Running."""

NEXT: dict[type[Row], dict[str, frozenset[str]]] = {
    Volume: volume_states.NEXT,
    Snapshot: snapshots.NEXT,
    Backup: backups.NEXT,
    VmSnapshot: vm_snapshots.NEXT,
    TemplateOnStore: template_images.NEXT,
}
"""The state tables of what has one, beside instances."""


class Watch:
    """Follows a store from now on. `tell` hears of each violation as it happens; `violations` keeps them.

    State tables are obeyed, and a job ends once.
    """

    def __init__(self, store: Store, tell: Callable[[Violation], None] = lambda violation: None) -> None:
        self.violations: list[Violation] = []
        self._tell = tell
        self.end = store.subscribe(self._changed)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            kind = table.row_type
            if kind is VirtualMachine:
                self._vm(before, after, changes)
            elif kind is AsyncJob:
                if before is not None and before.status != JOB_IN_PROGRESS and after is not None:
                    self._violated("a job ends once", f"{before.command} {before.id} changed after its end")
            elif kind in NEXT and before is not None and after is not None:
                self._stated(NEXT[kind], before, after)

    def _stated(self, table: dict[str, frozenset[str]], before: Any, after: Any) -> None:
        if before.state != after.state and after.state not in table[before.state]:
            what = f"{type(after).__name__} {after.id}: {before.state} -> {after.state}"
            self._violated("state tables are obeyed", what)

    def _vm(self, before: Any, after: Any, changes: list[Change]) -> None:
        if before is None:
            if after.state != "Stopped" and not _said(changes, TAKEN_IN, after.id):
                self._violated("state tables are obeyed", f"{after.instance_name} begins {after.state}")
        elif after is None:
            if before.state not in VM_DELETED_FROM and not _said(changes, LET_GO, before.id):
                self._violated("state tables are obeyed", f"{before.instance_name} ends {before.state}")
        elif before.state != after.state and (before.state, after.state) not in VM_STEPS:
            what = f"{after.instance_name}: {before.state} -> {after.state}"
            self._violated("state tables are obeyed", what)

    def _violated(self, invariant: str, text: str) -> None:
        violation = Violation(invariant, text)
        self.violations.append(violation)
        self._tell(violation)


def _said(changes: list[Change], type: str, vm_id: str) -> bool:
    """Whether the transaction recorded that event of the instance."""
    events = (change.after for change in changes if change.table.row_type is Event)
    return any(event is not None and (event.type, event.resource_id) == (type, vm_id) for event in events)
