"""Image stores: added with the templates that every zone has, changed, removed."""

from __future__ import annotations

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.compute.guest_os import GuestOsTypes
from cloudsim.management.compute.offerings import Offerings
from cloudsim.management.first_state import seed
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.identity import Identity
from cloudsim.management.infrastructure.zones import Zones
from cloudsim.management.storage.image_stores import ImageStores
from cloudsim.model import ImageStore, Snapshot, Template, TemplateOnStore, Zone
from tests.cloudsim.management.bare import bare

URL = "nfs://filer/secondary"


class Site:
    def __init__(self) -> None:
        self.foundation: Foundation = bare()
        seed(
            self.foundation,
            Identity(self.foundation, password_cost=2),
            Offerings(self.foundation),
            GuestOsTypes(self.foundation),
        )
        self.associated: list[ImageStore] = []
        self.stores = ImageStores(self.foundation, self.associated.append)
        self.zone: Zone = Zones(self.foundation).create(
            name="z", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8"
        )


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_new_store_has_the_templates_that_come_with_the_cloud(site: Site) -> None:
    store = site.stores.add(url=URL, provider="nfs", zone=site.zone)
    assert (store.name, store.provider, store.protocol) == (URL, "NFS", "nfs")
    copies = site.foundation.table(TemplateOnStore).where("store_id", store.id)
    assert len(copies) == 2 and all(
        c.state == "Ready" and c.zone_id == site.zone.id and c.path for c in copies
    )
    assert site.associated == [store]


@pytest.mark.parametrize("url", [None, "", "http://h/a", "nfs://h", "nfs:///a", "nfs://[h/a"])
def test_a_store_needs_a_url(site: Site, url: str | None) -> None:
    with pytest.raises(InvalidParameterValue):
        site.stores.add(url=url, provider="NFS", zone=site.zone)
    assert not len(site.foundation.table(ImageStore))


def test_a_store_needs_a_provider_and_a_zone_and_is_there_once(site: Site) -> None:
    with pytest.raises(InvalidParameterValue, match="provider"):
        site.stores.add(url=URL, provider="S3", zone=site.zone)
    with pytest.raises(InvalidParameterValue, match="zone"):
        site.stores.add(url=URL, provider="NFS", zone=None)
    site.stores.add(url=URL, provider="NFS", zone=site.zone, name="a")
    for name in ("a", "b"):
        with pytest.raises(InvalidParameterValue, match="already exists"):
            site.stores.add(url=URL, provider="NFS", zone=site.zone, name=name)


def test_update_changes_what_is_given(site: Site) -> None:
    store = site.stores.add(url=URL, provider="NFS", zone=site.zone)
    changed = site.stores.update(store, name="n", read_only=True, capacity=100)
    assert (changed.name, changed.read_only, changed.capacity) == ("n", True, 100)
    with pytest.raises(InvalidParameterValue):
        site.stores.update(changed, capacity=-1)


def test_a_store_goes_when_it_holds_nothing_of_users(site: Site) -> None:
    foundation = site.foundation
    store = site.stores.add(url=URL, provider="NFS", zone=site.zone)
    template = next(iter(foundation.table(Template)))
    with foundation.store.transaction():
        foundation.table(Template).update(template.id, type="USER")
        foundation.table(Snapshot).insert(
            Snapshot(
                id="s",
                name="s",
                volume_id="v",
                volume_type="ROOT",
                account_id="a",
                domain_id="d",
                zone_id=site.zone.id,
                size=1,
                store_id=store.id,
            )
        )
    with pytest.raises(CloudError, match="snapshots"):
        site.stores.delete(store)
    with foundation.store.transaction():
        foundation.table(Snapshot).delete("s")
    with pytest.raises(CloudError, match="templates"):
        site.stores.delete(store)
    with foundation.store.transaction():
        foundation.table(Template).update(template.id, type="SYSTEM")
    site.stores.delete(store)
    assert not len(foundation.table(ImageStore)) and not len(foundation.table(TemplateOnStore))
