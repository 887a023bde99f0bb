"""What rows are called in the change feed."""

from __future__ import annotations

from cloudsim.model import ROW_TYPES, Host, HostHa, OutOfBandManagement, Volume
from cloudsim.store import Store
from server.api.command import COMMANDS
from server.api.commands import load
from server.changes.kinds import is_listed, kinds, wholes

load()


def test_every_thing_that_a_list_command_shows_is_told_of() -> None:
    untold = [
        c.name
        for c in COMMANDS.values()
        if c.name.startswith("list") and c.view is not None and c.view.entity is not None and c.key not in kinds()
    ]
    assert untold == ["listLoadBalancerRuleInstances"]  # instances, which have a key of their own


def test_each_kind_is_of_rows_that_have_that_name_alone() -> None:
    assert all(kind.row_type in ROW_TYPES and is_listed(kind.row_type) for kind in kinds().values())
    assert kinds()["host"].row_type is Host and kinds()["volume"].row_type is Volume
    assert {c.name for c in kinds()["host"].commands} >= {"listHosts", "listHostsMetrics"}


def test_a_change_of_a_hosts_power_or_of_the_watch_over_it_shows_in_the_host() -> None:
    store = Store(ROW_TYPES)
    host = Host(
        id="h", name="h", guid="g", zone_id="z", pod_id="p", cluster_id="c", hypervisor="KVM", url="", private_ip="",
        cpus=1, cpu_mhz=1, memory_mib=1,
    )  # fmt: skip
    store.load([host])
    power = OutOfBandManagement(
        id="o", host_id="h", driver="ipmitool", address="a", port=623, username="u", password="p"
    )
    assert wholes(store, None, power) == [host]
    assert wholes(store, None, HostHa(id="w", host_id="h", provider="kvmhaprovider")) == [host]
