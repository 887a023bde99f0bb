"""Quarantine of public addresses: one that was given back stays out of other accounts' hands for a while."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.model import Account, PublicIp, QuarantinedIp

DURATION = "public.ip.address.quarantine.duration"
"""The setting that says for how many minutes; 0 for none."""
_MINUTE = 60.0


def forget_range(foundation: Foundation, range_id: str) -> None:
    """The range goes, and with it what was known of its addresses. Needs a transaction."""
    table = foundation.table(QuarantinedIp)
    for each in table.where("range_id", range_id):
        table.delete(each.id)


class IpQuarantine:
    """Puts addresses in quarantine and says which are. Each address has one row at most: of its latest time there."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(QuarantinedIp)
        self._randomness = foundation.randomness.branch("quarantine")

    def is_active(self, row: QuarantinedIp) -> bool:
        """Whether the address still waits."""
        return row.removed is None and row.until > self._foundation.now()

    def holds(self, ip_id: str) -> bool:
        """Whether the address, by the id that it has when in use, is in quarantine."""
        row = self._table.find("public_ip_id", ip_id)
        return row is not None and self.is_active(row)

    def begin(self, ip: PublicIp) -> None:
        """The address, which an account gives back, waits as long as its domain's setting says. Needs a transaction."""
        minutes = self._foundation.settings.number(DURATION, "Domain", ip.domain_id)
        if minutes <= 0 or ip.system or ip.state == "Allocating":
            return
        self._forget(ip.id)
        now = self._foundation.now()
        self._table.insert(
            QuarantinedIp(
                id=self._randomness.uuid(),
                public_ip_id=ip.id,
                ip=ip.ip,
                range_id=ip.range_id,
                previous_owner_id=ip.account_id,
                previous_domain_id=ip.domain_id,
                created=now,
                until=now + minutes * _MINUTE,
            )
        )

    def check(self, ip_id: str, ip: str, owner: Account) -> None:
        """Raise InvalidParameterValue for an address in quarantine that was another account's."""
        row = self._table.find("public_ip_id", ip_id)
        if row is not None and self.is_active(row) and row.previous_owner_id != owner.id:
            raise InvalidParameterValue(f"Failed to allocate public IP address [{ip}] as it is in quarantine.")

    def end_for(self, ip_id: str) -> None:
        """The account that had the address has it again. Needs a transaction."""
        row = self._table.find("public_ip_id", ip_id)
        if row is not None and self.is_active(row):
            self._table.update(row.id, removed=self._foundation.now(), removal_reason="its previous owner has it again")

    def extend(self, row: QuarantinedIp, end: float) -> QuarantinedIp:
        """Let it end then (Unix seconds). Raises InvalidParameterValue for a time that has passed, or one that is over."""
        self._check_active(row)
        if end <= self._foundation.now():
            raise InvalidParameterValue("enddate must be a time that is still to come")
        with self._store.transaction():
            return self._table.update(row.id, until=end)

    def remove(self, row: QuarantinedIp, reason: str, remover: Account) -> QuarantinedIp:
        """End it now. Raises InvalidParameterValue for one that is over, and without a reason."""
        self._check_active(row)
        if not reason.strip():
            raise InvalidParameterValue("removalreason must say why")
        with self._store.transaction():
            return self._table.update(
                row.id, removed=self._foundation.now(), removal_reason=reason.strip(), remover_id=remover.id
            )

    def _forget(self, ip_id: str) -> None:
        row = self._table.find("public_ip_id", ip_id)
        if row is not None:
            self._table.delete(row.id)

    def _check_active(self, row: QuarantinedIp) -> None:
        if not self.is_active(row):
            raise InvalidParameterValue(f"Public IP address {row.ip} is not in quarantine any more")
