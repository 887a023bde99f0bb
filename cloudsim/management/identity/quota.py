"""What a service that makes resources must ask first: may this account have that much more?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from cloudsim.management.identity.limited_resources import Kind
from cloudsim.model import Account


class Quota(Protocol):
    """Answers from the resource limits of account and domains."""

    def check(self, owner: Account, resource: Kind, amount: int = 1, *, tags: Collection[str] = ()) -> None:
        """Raise ResourceAllocationFailed if `amount` more (memory in MiB) would exceed a limit, by `tags` too."""

    def check_growth(
        self,
        owner: Account,
        resource: Kind,
        before: int,
        after: int,
        *,
        had: Collection[str] = (),
        tags: Collection[str] = (),
    ) -> None:
        """Raise ResourceAllocationFailed if what the owner has `before` would exceed a limit as it is to be `after`.

        `had` are its offering's tags now, `tags` those of the offering that it is to have: by a new tag all of it counts.
        """

    def check_deployment(
        self,
        owner: Account,
        cpus: int,
        memory_mib: int,
        gpus: int,
        root_size: int | None,
        data_sizes: list[int],
        *,
        host_tags: Collection[str] = (),
        disk_tags: Sequence[Collection[str]] = (),
    ) -> None:
        """Raise ResourceAllocationFailed unless one more instance of that size is within every limit.

        `root_size` None: its root disk is there already. `host_tags` are those of its offering, `disk_tags` the
        storage tags of the root disk's and of each data disk's.
        """
