"""Public addresses that were given back, and are not yet for others."""

from __future__ import annotations

import pytest

from cloudsim.errors import InsufficientAddressCapacity, InvalidParameterValue
from cloudsim.management.network.quarantine import DURATION
from cloudsim.model import IpRange, QuarantinedIp
from tests.cloudsim.management.network.site import Site


@pytest.fixture
def site() -> Site:
    made = Site()
    made.public("192.0.2.10", "192.0.2.11")
    return made


def given_back(site: Site, minutes: str = "1") -> QuarantinedIp:
    """The quarantine of 192.0.2.10, which was ann's."""
    site.foundation.settings.set(DURATION, minutes)
    site.ips.release(site.ips.acquire(site.ann, site.zone, wanted="192.0.2.10"))
    (row,) = site.store.table(QuarantinedIp)
    return row


def test_an_address_waits_as_long_as_its_accounts_domain_says(site: Site) -> None:
    row = given_back(site)
    assert (row.ip, row.previous_owner_id, row.until - row.created) == ("192.0.2.10", site.ann.id, 60.0)
    site.foundation.settings.set(DURATION, "0", "Domain", site.ann.domain_id)
    site.ips.release(site.ips.acquire(site.ann, site.zone, wanted="192.0.2.11"))
    assert list(site.store.table(QuarantinedIp)) == [row]


def test_without_the_setting_there_is_no_quarantine(site: Site) -> None:
    site.ips.release(site.ips.acquire(site.ann, site.zone, wanted="192.0.2.10"))
    assert len(site.store.table(QuarantinedIp)) == 0
    site.ips.acquire(site.bob, site.zone, wanted="192.0.2.10")


def test_nobody_else_gets_an_address_in_quarantine_by_name_or_by_chance(site: Site) -> None:
    given_back(site)
    with pytest.raises(InvalidParameterValue) as refused:
        site.ips.acquire(site.bob, site.zone, wanted="192.0.2.10")
    assert refused.value.text == "Failed to allocate public IP address [192.0.2.10] as it is in quarantine."
    assert site.ips.acquire(site.bob, site.zone).ip == "192.0.2.11"
    with pytest.raises(InsufficientAddressCapacity):
        site.ips.acquire(site.bob, site.zone)


def test_its_previous_owner_gets_it_again_which_ends_it(site: Site) -> None:
    row = given_back(site)
    site.ips.acquire(site.ann, site.zone, wanted="192.0.2.10")
    ended = site.store.table(QuarantinedIp)[row.id]
    assert ended.removed is not None and ended.removal_reason


def test_once_its_time_is_over_it_is_for_all(site: Site) -> None:
    row = given_back(site)
    with site.store.transaction():
        site.store.table(QuarantinedIp).update(row.id, until=row.created)
    site.ips.acquire(site.bob, site.zone, wanted="192.0.2.11")
    assert site.ips.acquire(site.bob, site.zone).ip == "192.0.2.10"


def test_it_is_ended_with_a_reason_or_later_than_it_would(site: Site) -> None:
    row, quarantine, admin = given_back(site), site.ips.quarantine, site.admin.account
    longer = quarantine.extend(row, row.until + 60)
    assert longer.until == row.until + 60
    with pytest.raises(InvalidParameterValue, match="enddate"):
        quarantine.extend(longer, row.created)
    with pytest.raises(InvalidParameterValue, match="removalreason"):
        quarantine.remove(longer, " ", admin)
    ended = quarantine.remove(longer, "needed", admin)
    assert (ended.removal_reason, ended.remover_id) == ("needed", admin.id)
    with pytest.raises(InvalidParameterValue, match="not in quarantine any more"):
        quarantine.remove(ended, "again", admin)
    site.ips.acquire(site.bob, site.zone, wanted="192.0.2.10")


def test_it_goes_with_its_range_and_an_address_has_one_at_most(site: Site) -> None:
    row = given_back(site)
    site.ips.release(site.ips.acquire(site.ann, site.zone, wanted="192.0.2.10"))
    (again,) = site.store.table(QuarantinedIp)
    assert again.id != row.id and again.public_ip_id == row.public_ip_id
    (whole,) = site.store.table(IpRange)
    site.ranges.delete(whole)
    assert len(site.store.table(QuarantinedIp)) == 0
