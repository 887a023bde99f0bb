"""Capacity arrays always say what a recomputation from the rows would say."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cloudsim.management.operations.settings import Settings
from cloudsim.model import ROW_TYPES, Cluster, Host, Pod, VirtualMachine
from cloudsim.placement import HostCapacity
from cloudsim.randomness import Randomness
from cloudsim.store import Store

STATES = ("Up", "Disconnected", "Alert")
CLUSTERS = ("c-1", "c-2")


def host(number: int, **fields: Any) -> Host:
    return Host(
        id=f"h-{number}",
        name=f"host-{number}",
        guid=f"g-{number}",
        zone_id="z",
        pod_id="p",
        hypervisor="Simulator",
        url="",
        private_ip="",
        cpus=8,
        cpu_mhz=1000,
        memory_mib=8192,
        **{"state": "Up", "cluster_id": "c-1", **fields},
    )


def vm(number: int, **fields: Any) -> VirtualMachine:
    return VirtualMachine(
        id=f"v-{number}",
        name=f"v-{number}",
        display_name="",
        instance_name=f"i-2-{number}-VM",
        domain_id="d",
        zone_id="z",
        template_id="t",
        service_offering_id="s",
        cpu_mhz=500,
        **{"account_id": "a", "cpus": 1, "memory_mib": 512, **fields},
    )


class Bench:
    """Two clusters of a pod; hosts and instances are added by the tests."""

    def __init__(self) -> None:
        self.store = Store(ROW_TYPES)
        self.settings = Settings(self.store, Randomness(1), lambda: 0.0)
        with self.store.transaction():
            pod = Pod(id="p", name="p", zone_id="z", gateway="", netmask="", start_ip="", end_ip="")
            self.store.table(Pod).insert(pod)
            for name in CLUSTERS:
                self.store.table(Cluster).insert(
                    Cluster(id=name, name=name, zone_id="z", pod_id="p", hypervisor="Simulator")
                )
        self.capacity = HostCapacity(self.store, self.settings)

    def insert(self, row: Host | VirtualMachine) -> None:
        with self.store.transaction():
            self.store.tables[type(row).__name__].insert(row)

    def update(self, kind: type, row_id: str, **fields: Any) -> None:
        with self.store.transaction():
            self.store.tables[kind.__name__].update(row_id, **fields)

    def delete(self, kind: type, row_id: str) -> None:
        with self.store.transaction():
            self.store.tables[kind.__name__].delete(row_id)


def shown(capacity: HostCapacity, host_id: str) -> dict[str, object]:
    """All that the arrays say of a host."""
    slot = capacity.slot[host_id]
    names = ("cpu_total", "cpu_used", "cpu_room", "memory_total", "memory_used", "memory_room")
    more = ("cpus", "speed", "instances", "foretold", "expected_end")
    said: dict[str, object] = {n: int(getattr(capacity, n)[slot]) for n in (*names, *more)}
    said["enabled"] = bool(capacity.enabled[slot])
    said["gpus"] = [int(free) for free in capacity.gpu_free[slot] if free >= 0]
    said["accounts"] = {a: slots[slot] for a, slots in capacity.by_account.items() if slot in slots}
    return said


def agrees(bench: Bench) -> None:
    """The arrays kept from the change feed are those that a new server would make."""
    fresh = HostCapacity(bench.store, bench.settings)
    for row in bench.store.table(Host):
        assert shown(bench.capacity, row.id) == shown(fresh, row.id)
    assert bench.capacity.totals() == fresh.totals()
    for cluster in CLUSTERS:
        for name in ("cpu_total", "cpu_used", "memory_total", "memory_used"):
            kept, new = (
                getattr(c, f"cluster_{name}").get(c.group(cluster), 0) for c in (bench.capacity, fresh)
            )
            assert kept == new, f"{name} of {cluster}"


def test_hosts_with_the_tag_of_failover_are_kept_free_as_the_setting_and_their_tags_change() -> None:
    bench = Bench()
    bench.insert(host(1))
    bench.insert(host(2))

    def kept() -> list[bool]:
        return [bool(bench.capacity.failover[bench.capacity.slot[row.id]]) for row in bench.store.table(Host)]

    bench.update(Host, "h-2", tags=("spare", "ssd"))
    assert kept() == [False, False]
    bench.settings.set("ha.tag", "spare")
    assert kept() == [False, True] == [bool(each) for each in HostCapacity(bench.store, bench.settings).failover[:2]]
    bench.update(Host, "h-1", tags=("spare",))
    bench.update(Host, "h-2", tags=())
    assert kept() == [True, False]
    bench.settings.set("ha.tag", "")
    assert kept() == [False, False] and bench.capacity.failover_tag == ""


def test_an_instance_takes_what_it_reserves_and_gives_it_back() -> None:
    bench = Bench()
    bench.insert(host(1))
    bench.insert(vm(1, host_id="h-1", cpus=2))
    slot = bench.capacity.slot["h-1"]
    assert (bench.capacity.cpu_used[slot], bench.capacity.cpu_room[slot]) == (1000, 7000)
    assert (bench.capacity.memory_used[slot], bench.capacity.memory_room[slot]) == (512, 7680)
    assert bench.capacity.by_account == {"a": {slot: 1}}
    bench.update(VirtualMachine, "v-1", host_id=None)
    assert (bench.capacity.cpu_room[slot], bench.capacity.instances[slot]) == (8000, 0)
    assert bench.capacity.by_account == {"a": {}}


def test_an_instance_that_moves_reserves_on_both_hosts() -> None:
    bench = Bench()
    bench.insert(host(1))
    bench.insert(host(2))
    bench.insert(vm(1, host_id="h-1"))
    bench.update(VirtualMachine, "v-1", migrating_to="h-2")
    assert list(bench.capacity.cpu_used[:2]) == [500, 500]
    bench.update(VirtualMachine, "v-1", host_id="h-2", migrating_to=None)
    assert list(bench.capacity.cpu_used[:2]) == [0, 500]


def test_a_host_that_takes_nothing_offers_no_room_and_keeps_its_account() -> None:
    bench = Bench()
    bench.insert(host(1))
    bench.update(Host, "h-1", resource_state="Disabled")
    bench.insert(vm(1, host_id="h-1"))
    assert (bench.capacity.cpu_room[0], bench.capacity.cpu_used[0]) == (-1, 500)
    bench.update(Host, "h-1", resource_state="Enabled")
    assert bench.capacity.cpu_room[0] == 7500
    for kind, row_id in ((Cluster, "c-1"), (Pod, "p")):
        bench.update(kind, row_id, allocation_state="Disabled")
        assert bench.capacity.cpu_room[0] == -1
        bench.update(kind, row_id, allocation_state="Enabled")
        assert bench.capacity.cpu_room[0] == 7500


def test_overcommit_is_counted_in_totals() -> None:
    bench = Bench()
    bench.insert(host(1))
    bench.insert(host(2, cluster_id="c-2"))
    bench.settings.set("cpu.overprovisioning.factor", "2.0", "Cluster", "c-1")
    assert list(bench.capacity.cpu_total[:2]) == [16000, 8000]
    agrees(bench)


def test_gpus_are_given_fullest_first() -> None:
    bench = Bench()
    bench.insert(host(1, gpus=3, gpu_model="A10"))
    bench.insert(vm(1, host_id="h-1", gpus=1, gpu_milli=400, gpu_devices=(1,)))
    assert list(bench.capacity.gpu_free[0]) == [1000, 600, 1000]
    assert bench.capacity.free_gpus(0, 1, 500) == (1,)
    assert bench.capacity.free_gpus(0, 2, 700) == (0, 2)
    assert bench.capacity.free_gpus(0, 3, 700) is None


def test_a_transaction_that_is_rolled_back_changes_nothing() -> None:
    bench = Bench()
    bench.insert(host(1))
    before = shown(bench.capacity, "h-1")
    try:
        with bench.store.transaction():
            bench.store.table(VirtualMachine).insert(vm(1, host_id="h-1"))
            raise ValueError
    except ValueError:
        pass
    assert shown(bench.capacity, "h-1") == before


@given(st.integers(1, 200))
@settings(max_examples=10, deadline=None)
def test_there_is_room_for_any_number_of_hosts(count: int) -> None:
    bench = Bench()
    for number in range(count):
        bench.insert(host(number))
    assert bench.capacity.size == count and int(bench.capacity.cpu_room[:count].sum()) == 8000 * count
    assert np.all(bench.capacity.cpu_room[count:] == -1), "what is not in use is never chosen"


class AnyChanges(RuleBasedStateMachine):
    """Hosts, instances, clusters and settings change in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.count = 0

    def rows(self, kind: type) -> list[str]:
        return [row.id for row in self.bench.store.tables[kind.__name__]]

    @rule(cluster=st.sampled_from(CLUSTERS), gpus=st.integers(0, 3), state=st.sampled_from(STATES))
    def add_host(self, cluster: str, gpus: int, state: str) -> None:
        self.count += 1
        self.bench.insert(host(self.count, cluster_id=cluster, gpus=gpus, state=state))

    @precondition(lambda self: self.rows(Host))
    @rule(data=st.data())
    def change_host(self, data: st.DataObject) -> None:
        fields = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "state": st.sampled_from(STATES),
                    "resource_state": st.sampled_from(("Enabled", "Disabled", "Maintenance")),
                    "memory_mib": st.sampled_from((4096, 8192)),
                    "tags": st.sampled_from(((), ("ssd",))),
                },
            )
        )
        self.bench.update(Host, data.draw(st.sampled_from(self.rows(Host))), **fields)

    @precondition(lambda self: self.rows(Host))
    @rule(data=st.data())
    def remove_empty_host(self, data: st.DataObject) -> None:
        host_id = data.draw(st.sampled_from(self.rows(Host)))
        vms = self.bench.store.table(VirtualMachine)
        if not any(host_id in (v.host_id, v.migrating_to) for v in vms):
            self.bench.delete(Host, host_id)

    def _place(self, data: st.DataObject) -> dict[str, Any]:
        """A host, or none, with as many of its GPUs as the instance has; perhaps another that it moves to."""
        hosts = self.rows(Host)
        host_id = data.draw(st.sampled_from([None, *hosts]))
        gpus = 0 if host_id is None else self.bench.store.table(Host)[host_id].gpus
        devices = tuple(range(data.draw(st.integers(0, gpus))))
        others = [h for h in hosts if h != host_id]
        to = data.draw(st.sampled_from([None, *others])) if host_id is not None else None
        return {"host_id": host_id, "gpus": len(devices), "gpu_devices": devices, "migrating_to": to}

    @rule(
        data=st.data(),
        cpus=st.integers(1, 4),
        account=st.sampled_from("ab"),
        milli=st.sampled_from((100, 500)),
        end=st.sampled_from((None, 10, 20)),
    )
    def add_instance(
        self, data: st.DataObject, cpus: int, account: str, milli: int, end: int | None
    ) -> None:
        self.count += 1
        place = self._place(data)
        row = vm(self.count, cpus=cpus, account_id=account, gpu_milli=milli, expected_end=end, **place)
        self.bench.insert(row)

    @precondition(lambda self: self.rows(VirtualMachine))
    @rule(data=st.data(), memory=st.sampled_from((512, 1024)))
    def change_instance(self, data: st.DataObject, memory: int) -> None:
        vm_id = data.draw(st.sampled_from(self.rows(VirtualMachine)))
        self.bench.update(VirtualMachine, vm_id, memory_mib=memory, **self._place(data))

    @precondition(lambda self: self.rows(VirtualMachine))
    @rule(data=st.data())
    def remove_instance(self, data: st.DataObject) -> None:
        self.bench.delete(VirtualMachine, data.draw(st.sampled_from(self.rows(VirtualMachine))))

    @rule(
        kind=st.sampled_from(((Cluster, "c-1"), (Cluster, "c-2"), (Pod, "p"))),
        state=st.sampled_from(("Enabled", "Disabled")),
    )
    def switch(self, kind: tuple[type, str], state: str) -> None:
        self.bench.update(*kind, allocation_state=state)

    @rule(
        name=st.sampled_from(("cpu.overprovisioning.factor", "mem.overprovisioning.factor")),
        factor=st.sampled_from(("1.0", "1.5", "4.0")),
        cluster=st.sampled_from((None, *CLUSTERS)),
    )
    def overcommit(self, name: str, factor: str, cluster: str | None) -> None:
        if cluster is None:
            self.bench.settings.set(name, factor)
        else:
            self.bench.settings.set(name, factor, "Cluster", cluster)

    @invariant()
    def arrays_say_what_rows_say(self) -> None:
        agrees(self.bench)


AnyChanges.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_any_changes = AnyChanges.TestCase
