"""Leases of instances."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

LeaseAction = Literal["STOP", "DESTROY"]


class InstanceLease(Row, frozen=True, kw_only=True):
    """The lease of an instance, while that has one: at `expires` `action` is done to it. Times in Unix seconds.

    `notice` is when its owner is next told that it will expire; None: not any more.
    """

    keys: ClassVar[Keys] = Keys(unique=("vm_id",))

    vm_id: str
    expires: float
    action: LeaseAction
    notice: float | None = None
