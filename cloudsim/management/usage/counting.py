"""What is used, noted as it happens: intervals of what is in use, amounts of what is counted.

While `enable.usage.server` is true the store's changes are followed, and what they begin and end is written down at once
after them. While it is false nothing is followed, and nothing costs anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.identity import Identity
from cloudsim.management.usage import types
from cloudsim.management.usage.uses import USES
from cloudsim.management.usage.windows import Windows
from cloudsim.model import (
    Account,
    Configuration,
    Network,
    Nic,
    PublicIp,
    SystemVm,
    VirtualMachine,
    Volume,
    VolumeStatistics,
)
from cloudsim.model.compute import GONE
from cloudsim.model.usage import UsageAmount, UsageInterval, Use
from cloudsim.protocol.systemvm import RouterStatisticsResult
from cloudsim.store import Change, Row

ENABLED = "enable.usage.server"
_DISK = (
    (types.DISK_READS, "read_ios"),
    (types.DISK_WRITES, "write_ios"),
    (types.DISK_BYTES_READ, "read_bytes"),
    (types.DISK_BYTES_WRITTEN, "write_bytes"),
)
_Source = tuple[type[Row], str]


class UsageCounting:
    """Follows the store from `begin` on."""

    def __init__(self, foundation: Foundation, windows: Windows, identity: Identity) -> None:
        self._foundation = foundation
        self._identity = identity
        self._store = foundation.store
        self._windows = windows
        self._uuid = foundation.randomness.branch("usage").uuid
        self._intervals = foundation.table(UsageInterval)
        self._amounts = foundation.table(UsageAmount)
        self._accounts = foundation.table(Account)
        self._types = {row_type.__name__: row_type for row_type in USES}
        self._open: dict[_Source, dict[Use, str]] = {}
        self._amount_ids: dict[tuple[Use, float], str] = {}
        self._changed: list[tuple[_Source, tuple[Use, ...], float]] = []
        self._counted: list[tuple[Use, float, int]] = []
        self._end: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._system = ""
        self.enabled = False

    def begin(self) -> None:
        """Go on with what was open, and follow the store if that is wanted. Must be called on the world's loop."""
        self._loop = asyncio.get_running_loop()
        for interval in self._intervals:
            if interval.ended is None:
                source = self._types[interval.source], interval.source_id
                self._open.setdefault(source, {})[_nameless(interval.use)] = interval.id
        for amount in self._amounts:
            self._amount_ids[amount.use, amount.window] = amount.id
        self._store.subscribe(self._configured, Configuration)
        self._switch()

    def _configured(self, changes: list[Change]) -> None:
        assert self._loop is not None
        self._loop.call_soon(self._switch)

    def _switch(self) -> None:
        wanted = self._foundation.settings.boolean(ENABLED)
        if wanted == self.enabled:
            return
        self.enabled = wanted
        if wanted:
            self._system = self._identity.system()[0].id
            followed: tuple[type[Row], ...] = (*USES, VolumeStatistics)
            self._end = [self._store.subscribe(self._follow, row_type) for row_type in followed]
            self._compare()
        else:
            self.write()
            for end in self._end:
                end()
            self._end = []
            now = self._now()
            self._changed += [(source, (), now) for source in self._open]
            self.write()

    def _now(self) -> float:
        return round(self._foundation.now(), 3)

    def _compare(self) -> None:
        """Note how what is there differs from what is open: all of it when counting begins."""
        now = self._now()
        there: set[_Source] = set()
        for row_type in USES:
            for row in self._foundation.table(row_type):
                source = row_type, row.id
                there.add(source)
                self._changed.append((source, self._uses(row_type, row), now))
        self._changed += [(source, (), now) for source in self._open if source not in there]
        self.write()

    def _follow(self, changes: list[Change]) -> None:
        now = self._now()
        if not self._changed and not self._counted and self._loop is not None:
            self._loop.call_soon(self.write)
        for table, before, after in changes:
            if table.row_type is VolumeStatistics:
                self._of_disk(before, after, now)
                continue
            self._note(table.row_type, before.id if after is None else after.id, after, now)
            if table.row_type is Network and before is not None and after is not None:
                if before.network_offering_id != after.network_offering_id:
                    for nic in self._store.table(Nic).where("network_id", after.id):
                        self._note(Nic, nic.id, nic, now)
                if before.hides_address_usage != after.hides_address_usage:
                    for ip in self._store.table(PublicIp).where("network_id", after.id):
                        self._note(PublicIp, ip.id, ip, now)
            elif table.row_type is VirtualMachine and _comes_or_goes(before, after):
                for nic in self._store.table(Nic).where("vm_id", after.id):
                    self._note(Nic, nic.id, nic, now)

    def _note(self, row_type: type[Row], row_id: str, row: Row | None, now: float) -> None:
        uses = () if row is None else self._uses(row_type, row)
        self._changed.append(((row_type, row_id), uses, now))

    def _uses(self, row_type: type[Row], row: Row) -> tuple[Use, ...]:
        found = USES[row_type](self._store, row)
        return tuple(self._named(use) for use in found if use.account_id != self._system)

    def _named(self, use: Use) -> Use:
        account = self._accounts.get(use.account_id)
        return use if account is None else replace(use, account=account.name)

    def _of_disk(self, before: VolumeStatistics | None, after: VolumeStatistics | None, now: float) -> None:
        if after is None:
            return
        volume = self._store.table(Volume).get(after.volume_id)
        vm = self._store.table(VirtualMachine).get(volume.vm_id) if volume is not None else None
        if volume is None or vm is None or vm.type != "User":
            return
        for type_, field in _DISK:
            new = getattr(after, field) - (getattr(before, field) if before is not None else 0)
            if new > 0:
                use = Use(
                    type=type_,
                    resource_id=volume.id,
                    account_id=volume.account_id,
                    domain_id=volume.domain_id,
                    zone_id=volume.zone_id,
                    name=volume.name,
                    vm_id=vm.id,
                )
                self._counted.append((self._named(use), now, new))

    def of_router(
        self, router: SystemVm, before: RouterStatisticsResult | None, now: RouterStatisticsResult
    ) -> None:
        """What went through a router's public addresses since it was asked before."""
        if not self.enabled or before is None:
            return
        at = self._now()
        known = {each.ip: each for each in before.traffic}
        addresses = self._store.table(PublicIp)
        for each in now.traffic:
            address = addresses.find(("zone_id", "ip"), (router.zone_id, each.ip))
            if address is None or address.system:
                continue
            of = address.network_id or address.vpc_id
            last = known.get(each.ip)
            for type_, count, since in (
                (types.BYTES_SENT, each.sent, last.sent if last else 0),
                (types.BYTES_RECEIVED, each.received, last.received if last else 0),
            ):
                new = count - since if count >= since else count  # it counts anew since it started
                if of is not None and new > 0:
                    use = Use(
                        type=type_,
                        resource_id=of,
                        account_id=address.account_id,
                        domain_id=address.domain_id,
                        zone_id=address.zone_id,
                        network_id=address.network_id,
                        vpc_id=address.vpc_id,
                    )
                    self._counted.append((self._named(use), at, new))
        self.write()

    def write(self) -> None:
        """Write down what was noted. It is called by itself when something was."""
        changed, self._changed = self._changed, []
        counted, self._counted = self._counted, []
        if not changed and not counted:
            return
        with self._store.transaction():
            for source, uses, at in changed:
                self._set(source, uses, at)
            for use, at, amount in counted:
                self._add(use, self._windows.start(at), amount)

    def _set(self, source: _Source, uses: Iterable[Use], at: float) -> None:
        now = {_nameless(use): use for use in uses}
        was = self._open.get(source, {})
        for bare in [each for each in was if each not in now]:
            interval_id = was.pop(bare)
            if self._intervals[interval_id].started >= at:
                self._intervals.delete(interval_id)
            else:
                self._intervals.update(interval_id, ended=at)
        for bare, use in now.items():
            known = was.get(bare)
            if known is None:
                row_type, row_id = source
                made = UsageInterval(
                    id=self._uuid(), source=row_type.__name__, source_id=row_id, use=use, started=at
                )
                was[bare] = self._intervals.insert(made).id
            elif self._intervals[known].use != use:
                self._intervals.update(known, use=use)
        if was:
            self._open[source] = was
        else:
            self._open.pop(source, None)

    def _add(self, use: Use, window: float, amount: int) -> None:
        known = self._amounts.get(self._amount_ids.get((use, window)))
        if known is not None:
            self._amounts.update(known.id, amount=known.amount + amount)
        else:
            row = UsageAmount(id=self._uuid(), use=use, window=window, amount=amount)
            self._amount_ids[use, window] = self._amounts.insert(row).id

    def settle(self, amounts: Iterable[UsageAmount]) -> None:
        """Records have been made of these amounts. In a transaction of the caller's."""
        for told in amounts:
            now = self._amounts[told.id]
            if now.amount > told.amount:
                self._amounts.update(told.id, amount=now.amount - told.amount)
            else:
                self._amounts.delete(told.id)
                self._amount_ids.pop((told.use, told.window), None)


def _comes_or_goes(before: VirtualMachine | None, after: VirtualMachine | None) -> bool:
    return before is not None and after is not None and (before.state in GONE) != (after.state in GONE)


def _nameless(use: Use) -> Use:
    """The use without names: what is renamed is used on."""
    return replace(use, name="", account="")
