"""A cloud with a secondary storage VM for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloudsim.management.systemvm.storage_vm_cloud import StorageVmCloud


@pytest.fixture
def storage_cloud() -> Iterator[StorageVmCloud]:
    made = StorageVmCloud()
    made.found()
    yield made
    made.close()
