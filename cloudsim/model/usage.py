"""What accounts used, for whoever bills it: what is being used, and the records made of that."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.store import Keys, Row


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an account uses, as a record of usage tells it. `type` is CloudStack's number of the kind.

    `resource_id` is what is used, `account` the account's name, which the account may not survive. The rest is what has
    a meaning for the kind: sizes in bytes, `size` as stored and `virtual_size` as promised; `offering_id` of an instance,
    a disk or a network.
    """

    type: int
    resource_id: str
    account_id: str
    domain_id: str
    zone_id: str
    account: str = ""
    name: str = ""
    vm_id: str | None = None
    offering_id: str | None = None
    template_id: str | None = None
    guest_os_id: str | None = None
    hypervisor: str | None = None
    cpus: int | None = None
    cpu_mhz: int | None = None
    memory_mib: int | None = None
    size: int | None = None
    virtual_size: int | None = None
    network_id: str | None = None
    vpc_id: str | None = None
    source_nat: bool | None = None
    system: bool | None = None
    is_default: bool | None = None


class UsageInterval(Row, frozen=True, kw_only=True):
    """Something that was in use from `started` to `ended` (None: it is still), because of a row: `source` and its id.

    It stands until a record has been made of all of it.
    """

    keys: ClassVar[Keys] = Keys()

    source: str
    source_id: str
    use: Use
    started: float
    ended: float | None = None


class UsageAmount(Row, frozen=True, kw_only=True):
    """How much of something that is counted (bytes, operations) was used since `window`, until a record is made of it."""

    keys: ClassVar[Keys] = Keys()

    use: Use
    window: float
    amount: int


class UsageRecord(Row, frozen=True, kw_only=True):
    """What an account used of something from `started` to `ended`: `amount` hours, bytes or operations."""

    keys: ClassVar[Keys] = Keys(indexes=("started", ("account_id", "started")))

    use: Use
    account_id: str
    started: float
    ended: float
    amount: float


class UsageJob(Row, frozen=True, kw_only=True):
    """The making of the records of one span of time, `started` to `ended`. `finished`: when the last one was made."""

    keys: ClassVar[Keys] = Keys(sorted=("started",))

    started: float
    ended: float
    state: Literal["Running", "Succeeded"] = "Running"
    records: int = 0
    finished: float | None = None
