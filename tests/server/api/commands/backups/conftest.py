"""Two racks of simulated hosts whose zone has backup and recovery, with one repository and its offering."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import Client
from tests.server.api.cloud_harness import TwoRacks, Vm

MADE = {"name": "share", "address": "nas.example.org:/backups", "type": "nfs"}


class WithBackups(TwoRacks):
    """`offering` is the id of the backup offering of the repository."""

    def __init__(self) -> None:
        super().__init__()
        self.set("backup.framework.enabled", "true")
        self.set("backup.framework.provider.plugin", "nas")
        self.repository = self.admin("addBackupRepository", zoneid=self.zone, **MADE)["backuprepository"]["id"]
        self.backup_offering = self.imported("daily")

    def disk_offering(self) -> str:
        """One that leaves the size open."""
        found: str = self.cloud.custom.id
        return found

    def set(self, name: str, value: str) -> None:
        self.admin("updateConfiguration", name=name, value=value, zoneid=self.zone)

    def imported(self, name: str, external_id: str | None = None, user_driven: bool = True) -> str:
        made = self.admin(
            "importBackupOffering",
            zoneid=self.zone,
            name=name,
            description="by the day",
            externalid=external_id or self.repository,
            allowuserdrivenbackups=user_driven,
        )
        found: str = made["backupoffering"]["id"]
        return found

    def assign(self, vm: Vm, call: Client | None = None) -> None:
        (call or self.admin)(
            "assignVirtualMachineToBackupOffering",
            virtualmachineid=vm["id"],
            backupofferingid=self.backup_offering,
        )

    def protected(self, name: str = "web", call: Client | None = None, **more: Any) -> Vm:
        """An instance that runs and has the offering."""
        vm = self.deploy(name, call, **more)
        self.assign(vm, call)
        return vm

    def back_up(self, vm: Vm, call: Client | None = None, **more: Any) -> dict[str, Any]:
        """A backup of the instance, as listBackups tells it."""
        before = {each["id"] for each in self.backups()}
        (call or self.admin)("createBackup", virtualmachineid=vm["id"], **more)
        (made,) = [each for each in self.backups() if each["id"] not in before]
        return made

    def backups(self, call: Client | None = None, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (call or self.admin)("listBackups", **{"listall": True, **more}).get("backup", [])
        return found

    def kept(self, url: str = "nfs://nas.example.org/backups") -> set[str]:
        """The files that the hosts have put into the repository."""
        store = self.world.site.stores.get(url)
        return set() if store is None else {path for path in store.files if path.startswith("backups/")}


@pytest.fixture
def cloud() -> Iterator[WithBackups]:
    made = WithBackups()
    yield made
    made.cloud.close()
