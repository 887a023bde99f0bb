"""What createSnapshot is told of the guest, and of where the snapshot is kept."""

from __future__ import annotations

from typing import Any

import pytest

from backends.simulated.secondary import SecondaryStorage
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def test_only_a_guest_that_runs_is_brought_to_rest(cloud_api: CloudApi, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    take = SecondaryStorage.backup_snapshot

    async def noted(host: Any, *arguments: Any) -> Any:
        asked.append(arguments[-1])
        return await take(host, *arguments)

    monkeypatch.setattr(SecondaryStorage, "backup_snapshot", noted)
    admin, vm = cloud_api.admin, cloud_api.cloud.deploy()
    root = cloud_api.cloud.root(vm)
    assert admin("createSnapshot", volumeid=root.id, quiescevm=True)["snapshot"]["state"] == "BackedUp"
    admin("createSnapshot", volumeid=root.id)
    admin("stopVirtualMachine", id=vm.id)
    admin("createSnapshot", volumeid=root.id, quiescevm=True)
    assert asked == [True, False, False]


def test_snapshots_are_kept_in_secondary_storage_and_nowhere_else(cloud_api: CloudApi) -> None:
    root = cloud_api.cloud.root(cloud_api.cloud.deploy())
    made = cloud_api.admin("createSnapshot", volumeid=root.id, locationtype="secondary")["snapshot"]
    assert made["locationtype"] == "SECONDARY"
    assert "locationtype" in refused(431, cloud_api.admin, "createSnapshot", volumeid=root.id, locationtype="PRIMARY").text
