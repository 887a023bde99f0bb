"""What goes in and out of secondary storage by way of secondary storage VMs: asked for, watched, taken up again.

A transfer is a row, so that it outlives the manager; what a storage VM was told, it can be told again; and what was
fetched lies in the store, so that a VM can go on where one that died stopped. Each open transfer has a task that asks
its VM how far it is. A VM that knows nothing of it (it was restarted), or does not answer and is not the only one,
makes the transfer begin again, there or with another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from cloudsim.errors import CloudError, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.keys_of_secondary_storage import networks_in
from cloudsim.management.systemvm.secondary_storage_vms import SecondaryStorageVms
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import ImageStore, SystemVm, Transfer
from cloudsim.protocol.systemvm import (
    AnyRequest,
    CancelTransfer,
    ExpectUpload,
    PublishFile,
    StartDownload,
    TransferResult,
    TransferStatus,
)
from cloudsim.store import Change

log = logging.getLogger(__name__)

GIB = 1 << 30
ENDED = ("Done", "Failed", "Expired")
OPEN = ("Waiting", "Running", "Published", "Cancelling")
NEXT: dict[str, frozenset[str]] = {
    "Waiting": frozenset({"Running", "Published", "Done", "Failed", "Expired", "Cancelling"}),
    "Running": frozenset({"Waiting", "Published", "Done", "Failed", "Expired", "Cancelling"}),
    "Published": frozenset({"Waiting", "Running", "Done", "Failed", "Expired", "Cancelling"}),
    "Cancelling": frozenset(),
    "Done": frozenset(),
    "Failed": frozenset(),
    "Expired": frozenset(),
}
"""Which states may follow which. The row of one that was cancelled is gone."""

LOOK = 5.0
"""Seconds between two questions how far a transfer is."""
LOOK_AT_SERVED = 300.0
"""Seconds between two questions whether a published file is still served."""
ANSWERS_WITHIN = 20.0
"""Seconds within which a storage VM has to reply."""
SILENCES = 3
"""Questions without an answer after which another storage VM takes over, where there is one."""

Kind = Literal["Download", "Upload", "Extract"]
Listener = Callable[[Transfer], None]


class Transfers:
    """All transfers of one cloud. `spawn` runs a coroutine in the background.

    `listeners`, by object type, hear of every change of a transfer in the transaction that makes it. A download whose
    zone has no storage VM any more ends as Failed with `error` None: whoever wants it has to find another way.
    """

    def __init__(
        self,
        foundation: Foundation,
        system_vms: SystemVms,
        vms: SecondaryStorageVms,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._settings = foundation.settings
        self._system = system_vms
        self.vms = vms
        self._spawn = spawn
        self.rows = foundation.table(Transfer)
        self._stores = foundation.table(ImageStore)
        self._awake: dict[str, asyncio.Event] = {}
        """Of each transfer that is looked after: set to have it looked at now."""
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self.listeners: dict[str, Listener] = {}
        foundation.store.subscribe(self._changed, SystemVm)

    # asked for

    def add(self, transfer: Transfer) -> Transfer:
        """A new one, Waiting; `begin` follows once its transaction is over."""
        return self.rows.insert(transfer)

    def takes(self, zone_id: str) -> bool:
        """Whether the zone has a storage VM that carries transfers now."""
        return bool(self.vms.up(zone_id))

    def open_of(self, object_id: str, kind: Kind | None = None, zone_id: str | None = None) -> list[Transfer]:
        """The transfers of that object that have not ended."""
        return [
            row
            for row in self.rows.where("object_id", object_id)
            if row.state not in ENDED
            and (kind is None or row.kind == kind)
            and (zone_id is None or row.zone_id == zone_id)
        ]

    def begin(self, transfer: Transfer) -> None:
        """Look after the transfer until it has ended; nothing if that is done already."""
        if transfer.id not in self._awake:
            self._awake[transfer.id] = asyncio.Event()
            self._spawn(self._look_after(transfer.id))

    def resume(self) -> None:
        """Look after all that are open: after a restart."""
        for state in OPEN:
            for row in self.rows.where("state", state):
                self.begin(row)

    async def wait(self, transfer_id: str, *, until: tuple[str, ...] = ENDED) -> Transfer:
        """The transfer once it has one of those states, or has ended. Raises ResourceUnavailable if it was cancelled."""
        while True:
            row = self.rows.get(transfer_id)
            if row is None or row.state == "Cancelling":
                raise ResourceUnavailable("It was cancelled")
            if row.state in until or row.state in ENDED:
                return row
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.setdefault(transfer_id, []).append(waiter)
            await waiter

    def cancel(self, transfer: Transfer) -> None:
        """Give it up; what there is of it is removed as soon as a storage VM can do so. Needs an open transaction."""
        if transfer.state in ENDED:
            return
        row = self.rows.update(transfer.id, state="Cancelling")
        asyncio.get_running_loop().call_soon(self._wake, row)

    def expire(self, transfer: Transfer) -> None:
        """Its URL is good for nothing from now on. In a transaction, or without."""
        self._end(transfer, "Expired")

    def _changed(self, changes: list[Change]) -> None:
        """A storage VM that is up again may have forgotten everything."""
        for _, before, after in changes:
            if after is None or after.agent_state != "Up" or (before is not None and before.agent_state == "Up"):
                continue
            for row_id, awake in self._awake.items():
                row = self.rows.get(row_id)
                if row is not None and row.zone_id == after.zone_id and row.vm_id in (None, after.id):
                    awake.set()

    def vm_is_gone(self, vm: SystemVm) -> None:
        """In the transaction that removes it."""
        for state in OPEN:
            for row in self.rows.where(("vm_id", "state"), (vm.id, state)):
                self._change(row, "Waiting" if state != "Cancelling" else state, vm_id=None)

    def address(self, transfer: Transfer) -> str:
        """The URL of a file that is served, or of where one is to be sent; "" while no storage VM has it."""
        vm = self.vms.row(transfer.vm_id)
        if vm is None:
            return ""
        return f"{self.vms.door(vm)}{transfer.url if transfer.kind == 'Extract' else f'/upload/{transfer.id}'}"

    # looked after

    async def _look_after(self, transfer_id: str) -> None:
        silences = 0
        try:
            while (row := self.rows.get(transfer_id)) is not None and row.state not in ENDED:
                self._awake[transfer_id].clear()
                try:
                    again = await self._look(row, avoid=row.vm_id if silences >= SILENCES else None)
                    silences = 0
                except CloudError as error:
                    silences += 1
                    again = False
                    log.info("transfer %s: %s", transfer_id, error.text)
                if not again:
                    await self._pause(transfer_id, silent=silences > 0)
        finally:
            self._awake.pop(transfer_id, None)
            self._tell(transfer_id)

    async def _pause(self, transfer_id: str, *, silent: bool) -> None:
        row = self.rows.get(transfer_id)
        if row is None or row.state in ENDED:
            return
        seconds = LOOK
        if row.state == "Published" and row.kind == "Extract" and not silent:
            seconds = LOOK_AT_SERVED
        try:
            async with asyncio.timeout(seconds):
                await self._awake[transfer_id].wait()
        except TimeoutError:
            return

    async def _look(self, row: Transfer, avoid: str | None) -> bool:
        """Ask for it, or how far it is; whether to go on at once. Raises CloudError without a reply."""
        if row.kind != "Download" and row.state != "Running" and self._is_over(row):
            self._end(row, "Expired")
            return False
        vm = self.vms.carrier(row, avoid)
        if vm is None:
            self._stranded(row)
            return False
        if row.state == "Cancelling":
            return await self._remove(row, vm)
        begins = row.state == "Waiting" or row.vm_id != vm.id
        if begins:
            request = self._request(row)
            if row.vm_id != vm.id:
                with self._store.transaction():
                    row = self._change(row, "Waiting", vm_id=vm.id)
        else:
            request = TransferStatus(transfer_id=row.id)
        if isinstance(request, str):
            self._end(row, "Failed", error=request)
            return False
        reply = await self._system.ask(vm.id, request, ANSWERS_WITHIN)
        assert isinstance(reply, TransferResult)
        return self._replied(row.id, vm, reply)

    def _is_over(self, row: Transfer) -> bool:
        return row.expires is not None and self._foundation.now() >= row.expires and row.state != "Cancelling"

    def _stranded(self, row: Transfer) -> None:
        """No storage VM is there to carry it: it waits for one, if one is to be expected."""
        if row.store_id not in self._stores and row.state == "Cancelling":
            self._forget(row)
        elif self.vms.expected(row.zone_id):
            if row.state == "Running":
                with self._store.transaction():
                    self._change(row, "Waiting")
        elif row.state == "Cancelling":
            log.warning("%s may be left over in secondary storage %s", row.path, row.store_id)
            self._forget(row)
        else:
            gone = None if row.kind == "Download" else "The zone has no secondary storage VM any more"
            self._end(row, "Failed", error=gone)

    async def _remove(self, row: Transfer, vm: SystemVm) -> bool:
        store = self._stores.get(row.store_id)
        request = CancelTransfer(transfer_id=row.id)
        if store is not None and row.kind != "Extract":
            request = CancelTransfer(transfer_id=row.id, store_url=store.url, path=row.path)
        await self._system.ask(vm.id, request, ANSWERS_WITHIN)
        self._forget(row)
        return False

    def _request(self, row: Transfer) -> AnyRequest | str:
        """What to ask a storage VM for, or why that cannot be."""
        store = self._stores.get(row.store_id)
        if store is None:
            return f"The secondary storage of {row.path} is gone"
        if row.kind == "Extract":
            assert row.expires is not None
            return PublishFile(
                transfer_id=row.id,
                store_url=store.url,
                path=row.path,
                name=row.name,
                key_hash=row.key_hash,
                expires=row.expires,
                size=row.size,
            )
        largest = self._settings.integer("max.template.iso.size") * GIB
        if row.kind == "Upload":
            assert row.expires is not None
            return ExpectUpload(
                transfer_id=row.id,
                store_url=store.url,
                path=row.path,
                format=row.format,
                key_hash=row.key_hash,
                expires=row.expires,
                checksum=row.checksum,
                largest=largest,
            )
        return StartDownload(
            transfer_id=row.id,
            url=row.url,
            store_url=store.url,
            path=row.path,
            format=row.format,
            checksum=row.checksum,
            largest=largest,
            allowed_networks=networks_in(self._settings.get("secstorage.allowed.internal.sites")),
        )

    def _replied(self, transfer_id: str, vm: SystemVm, reply: TransferResult) -> bool:
        row = self.rows.get(transfer_id)
        if row is None or row.state not in ("Waiting", "Running", "Published") or row.vm_id != vm.id:
            return True  # it was changed meanwhile
        match reply.state:
            case "Unknown":
                with self._store.transaction():
                    self._change(row, "Waiting")
                return row.state != "Waiting"
            case "Failed":
                self._end(row, "Failed", error=reply.reason or "It failed")
                return False
            case "Done":
                self._end(
                    row,
                    "Done",
                    path=reply.path or row.path,
                    size=reply.size or row.size,
                    done=reply.size or row.size,
                    physical_size=reply.physical_size or reply.size,
                    virtual_size=reply.virtual_size or reply.size,
                    checksum=reply.checksum or row.checksum,
                )
                return False
            case _:
                changes = {"done": reply.done, "size": reply.size or row.size}
        if reply.state != row.state or any(getattr(row, name) != value for name, value in changes.items()):
            with self._store.transaction():
                self._change(row, reply.state, **changes)
        return False

    # changes

    def _change(self, row: Transfer, state: Any, **fields: Any) -> Transfer:
        assert state == row.state or state in NEXT[row.state], f"{row.state} cannot become {state}"
        changed = self.rows.update(row.id, state=state, **fields)
        listener = self.listeners.get(changed.object_type)
        if listener is not None:
            listener(changed)
        if state != row.state:
            self._tell(row.id)
        return changed

    def _end(self, row: Transfer, state: Any, **fields: Any) -> None:
        current = self.rows.get(row.id)
        if current is not None and current.state not in (*ENDED, "Cancelling"):
            with self._store.transaction():
                self._change(current, state, ended=self._foundation.now(), **fields)

    def _forget(self, row: Transfer) -> None:
        if row.id in self.rows:
            with self._store.transaction():
                self.rows.delete(row.id)

    def _wake(self, row: Transfer) -> None:
        """Have it looked at now, and tell who waits for it."""
        if row.id in self.rows:
            self.begin(row)
            self._awake[row.id].set()
        self._tell(row.id)

    def _tell(self, transfer_id: str) -> None:
        for waiter in self._waiters.pop(transfer_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def purge(self, oldest: float) -> int:
        """Forget downloads and uploads that ended before `oldest` (Unix seconds); returns how many."""
        old = [
            row.id
            for state in ENDED
            for row in self.rows.where("state", state)
            if row.kind != "Extract" and (row.ended or 0.0) < oldest
        ]
        with self._store.transaction():
            for row_id in old:
                self.rows.delete(row_id)
        return len(old)
