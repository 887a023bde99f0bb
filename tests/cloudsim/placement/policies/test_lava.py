"""LAVA: what the class and the state of hosts do to placement, seen from outside."""

from __future__ import annotations

from cloudsim.placement import PlacementRequest
from tests.cloudsim.placement.policies.bench import HOUR, NOW, Bench, Site, Vm

SIZE = 256


def ask(hours: float | None, time: int = NOW, cpu: int = SIZE) -> PlacementRequest:
    """A request for an instance that is expected to run for so many hours."""
    return PlacementRequest(cpu, SIZE, time=time, expected_end=None if hours is None else time + int(hours * HOUR))


def put(bench: Bench, request: PlacementRequest) -> int:
    """The instance is placed by LAVA, and there."""
    slot = bench.plan("lava", request)
    bench.put(slot, Vm(request.cpu, request.memory, "", request.expected_end))
    return slot


def test_an_open_host_takes_its_own_class_and_leaves_the_others_alone() -> None:
    bench = Bench([Site(), Site()])
    bench.put(1, Vm(SIZE, SIZE, end=NOW + 50 * HOUR))
    bench.put(0, Vm(SIZE, SIZE, end=NOW + 5 * HOUR))
    assert put(bench, ask(4)) == 0, "a host of LC2 for one of LC2, though the other would not have to stay longer"
    assert put(bench, ask(60)) == 1


def test_a_recycling_host_takes_shorter_instances_first() -> None:
    full = (Vm(7680, SIZE, end=NOW + 50 * HOUR),)
    bench = Bench([Site(vms=(Vm(SIZE, SIZE, end=NOW + 5 * HOUR),)), Site(vms=full)])
    assert put(bench, ask(4)) == 1, "15/16 of it are in use, by an instance of a higher class"
    assert put(bench, ask(60)) == 1, "as the only one that need not be opened for longer it still serves"


def test_the_nearest_class_is_recycled_first() -> None:
    three, four = Vm(7680, SIZE, end=NOW + 50 * HOUR), Vm(7680, SIZE, end=NOW + 500 * HOUR)
    assert put(Bench([Site(vms=(four,)), Site(vms=(three,))]), ask(4)) == 1


def test_an_empty_host_is_the_last_resort_and_takes_the_class_of_its_first_instance() -> None:
    bench = Bench([Site(), Site(vms=(Vm(SIZE, SIZE, end=NOW + 5 * HOUR),))])
    assert put(bench, ask(200)) == 1
    large = ask(200, cpu=8192)
    assert put(bench, large) == 0
    bench.put(0, Vm(8192, SIZE, end=large.expected_end), -1)
    assert put(bench, ask(0.5, cpu=8192)) == 0, "empty again, it is anybody's"


def test_a_recycling_host_falls_with_the_time_that_it_has_left() -> None:
    def chosen(hours_later: int) -> int:
        """Where an instance of LC2 goes: an open host of LC2, or one that was LC3 and is full."""
        later = NOW + hours_later * HOUR
        bench = Bench([Site(), Site(vms=(Vm(7680, SIZE, end=NOW + 50 * HOUR),))])
        bench.plan("lava", ask(5))
        bench.put(0, Vm(SIZE, SIZE, end=later + 5 * HOUR))
        return put(bench, ask(4, later))

    assert chosen(0) == 1, "LC3 takes what is LC2"
    assert chosen(45) == 0, "with five hours to go it is LC2 itself"


def test_a_host_that_is_overdue_rises_a_class() -> None:
    overdue = Site(vms=(Vm(7680, SIZE, end=NOW + HOUR // 2),))
    bench = Bench([Site(), overdue, Site(vms=(Vm(SIZE, SIZE, end=NOW + 5 * HOUR),))])
    assert bench.plan("lava", ask(5)) == 2, "LC1 does not take LC2"
    later = NOW + 2 * HOUR
    bench.put(0, Vm(SIZE, SIZE, end=later + HOUR // 2))
    assert put(bench, ask(0.5, later)) == 1, "LC2 since its hour was over, it takes LC1 before an open host of LC1"


def test_an_instance_whose_end_nobody_knows_is_of_the_highest_class() -> None:
    endless = Site(vms=(Vm(SIZE, SIZE),))
    bench = Bench([Site(vms=(Vm(SIZE, SIZE, end=NOW + 50 * HOUR),)), endless])
    assert put(bench, ask(None)) == 1
    assert put(bench, ask(500)) == 1
