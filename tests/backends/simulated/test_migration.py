from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.simulated.migration import DOWNTIME_LIMIT, MOST_ROUNDS
from cloudsim.hypervisor import HypervisorError

if TYPE_CHECKING:
    from conftest import Bench

QUICK = {"vm_boot": 0, "vm_define": 0, "boot_ios": 0, "migration_setup": 0}
WIRE = 10e9 / 8  # bytes per second between the two hosts


def running(make_bench: type[Bench], dirty: float = 16e6, memory_mib: int = 1024) -> Bench:
    bench = make_bench({**QUICK, "dirty_page_rate": dirty})
    vm = bench.vm("i-1", bench.disk("root"), memory_mib=memory_mib)
    bench.do(bench.a.start_vm(vm))
    bench.do(bench.b.prepare_migration(vm))
    return bench


@given(dirty=st.floats(0, 3e9), memory_mib=st.integers(64, 4096))
def test_rounds_are_those_of_precopy(make_bench: type[Bench], dirty: float, memory_mib: int) -> None:
    bench = running(make_bench, dirty, memory_mib)
    memory = left = memory_mib * 2**20
    total = 0.0
    for _ in range(MOST_ROUNDS):
        total += left / WIRE
        dirtied = min(memory, dirty * left / WIRE)
        if dirtied <= WIRE * DOWNTIME_LIMIT or dirtied >= left:
            left = dirtied
            break
        left = dirtied
    start = bench.now
    downtime = bench.do(bench.a.migrate_vm("i-1", bench.b.address, False))
    assert downtime == pytest.approx(left / WIRE, abs=1e-6)
    assert bench.now - start == pytest.approx(total + downtime, abs=1e-6)
    if dirty < WIRE / 2:
        assert downtime <= DOWNTIME_LIMIT * 1.01
    bench.consistent()


def test_it_runs_there_and_not_here(make_bench: type[Bench]) -> None:
    bench = running(make_bench)
    bench.do(bench.a.migrate_vm("i-1", bench.b.address, False))
    assert (bench.names(bench.a), bench.names(bench.b)) == ([], ["i-1"])
    assert bench.b.guests["i-1"].state == "running" and not bench.b.prepared
    bench.do(bench.b.stop_vm("i-1", True))
    bench.consistent()


@pytest.mark.parametrize("when", [0.0, 0.2, 0.8, 0.865])
@pytest.mark.parametrize("what", ["target dies", "source dies", "called off"])
def test_at_no_instant_is_it_in_two_places_or_lost(make_bench: type[Bench], what: str, when: float) -> None:
    bench = running(make_bench)

    async def migrate() -> str:
        work = asyncio.ensure_future(bench.a.migrate_vm("i-1", bench.b.address, False))
        await asyncio.sleep(when)
        if what == "target dies":
            bench.b.power_off()
        elif what == "source dies":
            bench.a.power_off()
        else:
            work.cancel()
        try:
            await work
            return "moved"
        except (HypervisorError, asyncio.CancelledError) as error:
            return str(error) or "called off"

    outcome = bench.do(migrate())
    assert outcome != "moved"
    survives = [] if what == "source dies" else ["i-1"]
    assert (bench.names(bench.a), bench.names(bench.b)) == (survives, [])
    assert bench.b.memory_used == 0
    if survives:
        assert bench.a.guests["i-1"].state == "running"
    bench.consistent()


def test_rounds_share_the_network_and_stall_with_it(make_bench: type[Bench]) -> None:
    bench = running(make_bench, dirty=0)
    bench.world.cut_link(bench.b.name)
    with pytest.raises(HypervisorError, match="a link is cut"):
        bench.do(bench.a.migrate_vm("i-1", bench.b.address, False))
    bench.world.restore_link(bench.b.name)
    start = bench.now
    bench.at(0.5, bench.world.cut_link, bench.b.name)
    bench.at(60.5, bench.world.restore_link, bench.b.name)
    bench.do(bench.a.migrate_vm("i-1", bench.b.address, False))
    assert bench.now - start == pytest.approx(2**30 / WIRE + 60)


def test_storage_goes_along_when_asked(make_bench: type[Bench]) -> None:
    bench = make_bench({**QUICK, "dirty_page_rate": 0})
    here = bench.disk("root", "L1")
    vm = bench.vm("i-1", here)
    bench.do(bench.a.start_vm(vm))
    with pytest.raises(HypervisorError, match="does not reach all its disks"):
        bench.do(bench.a.migrate_vm("i-1", bench.b.address, False))
    with pytest.raises(HypervisorError, match="is not prepared"):
        bench.do(bench.a.migrate_vm("i-1", bench.b.address, True))
    there = here.__class__("root", "L2", "root-moved", here.size)
    bench.do(bench.b.prepare_migration(bench.vm("i-1", there)))
    bench.do(bench.a.migrate_vm("i-1", bench.b.address, True))
    assert not bench.a.pool("L1").contents
    assert bench.b.pool("L2").contents["root-moved"].user == f"i-1@{bench.b.name}"
    assert bench.b.guests["i-1"].disks == (there,)
    bench.consistent()


def test_what_cannot_be_is_refused_before_anything_happens(make_bench: type[Bench]) -> None:
    bench = running(make_bench)
    for destination, text in (("10.9.9.9", "no host answers at 10.9.9.9"), (bench.a.address, "already")):
        with pytest.raises(HypervisorError, match=text):
            bench.do(bench.a.migrate_vm("i-1", destination, False))
    bench.do(bench.b.start_vm(bench.vm("i-2", memory_mib=8000)))
    with pytest.raises(HypervisorError, match="needs 1024 MiB"):
        bench.do(bench.a.migrate_vm("i-1", bench.b.address, False))
    assert bench.names(bench.a) == ["i-1"]
    bench.consistent()
