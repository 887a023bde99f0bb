"""OS types and categories."""

from __future__ import annotations

import pytest

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.compute.guest_os import GuestOsTypes
from cloudsim.model import GuestOs, GuestOsCategory, Template
from tests.cloudsim.management.bare import bare


@pytest.fixture
def types() -> GuestOsTypes:
    made = GuestOsTypes(bare())
    made.seed()
    return made


@pytest.mark.parametrize(
    "name",
    [
        "CentOS 5.3 (64-bit)",
        "CentOS 5.5 (64-bit)",
        "CentOS 5.6 (64-bit)",
        "CentOS 7",
        "CentOS 8",
        "Debian GNU/Linux 7(64-bit)",
        "FreeBSD 12 (64-bit)",
        "Other Linux (64-bit)",
        "Other PV Virtio-SCSI (64-bit)",
        "Ubuntu 22.04 LTS",
        "Windows 7 (64-bit)",
        "Windows 8 (64-bit)",
        "Windows Server 2012 (64-bit)",
    ],
)
def test_what_clients_look_up_is_there(types: GuestOsTypes, name: str) -> None:
    assert types.named(name).description == name


def test_own_types_come_and_go(types: GuestOsTypes) -> None:
    category = types.add_category("Retro", featured=True)
    made = types.add(category, "AmigaOS 3.1")
    assert made.is_user_defined
    with pytest.raises(InvalidParameterValue):
        types.add(category, "AmigaOS 3.1")
    made = types.update(made, description="AmigaOS 3.2")
    with pytest.raises(ResourceInUse):
        types.delete_category(category)
    foundation = types._foundation
    with foundation.store.transaction():
        foundation.table(Template).insert(
            Template(
                id="t",
                name="t",
                display_text="",
                account_id="a",
                domain_id="d",
                format="VHD",
                hypervisor="KVM",
                guest_os_id=made.id,
            )
        )
    with pytest.raises(ResourceInUse):
        types.remove(made)
    with foundation.store.transaction():
        foundation.table(Template).delete("t")
    types.remove(made)
    types.delete_category(types.update_category(category, name="Vintage"))
    assert made.id not in foundation.table(GuestOs)
    assert foundation.table(GuestOsCategory).find("name", "Vintage") is None


def test_the_well_known_types_stay(types: GuestOsTypes) -> None:
    known = types.named("CentOS 7")
    with pytest.raises(InvalidParameterValue):
        types.remove(known)
    with pytest.raises(InvalidParameterValue):
        types.update(known, description="CentOS Seven")
    with pytest.raises(InvalidParameterValue):
        types.named("CentOS 700")
