import asyncio
import gc
from collections.abc import Coroutine

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from backends.simulated.datacenter import Edge
from backends.simulated.flows import Flows
from backends.simulated.loop import SimLoop
from backends.simulated.storage import Content, ImageStore, Pool
from backends.simulated.topology import Place, Topology
from cloudsim.hypervisor import HypervisorError


def a_place() -> Place:
    topology = Topology(Flows(SimLoop()))
    return topology.add("nas", "pool", topology.root, Edge(gbps=10))


def a_pool(capacity: int = 1000, iops: float = 10.0) -> Pool:
    return Pool("nas", a_place(), capacity=capacity, iops=iops, bandwidth=100.0, written_share=0.5)


def run(main: Coroutine[object, object, None]) -> None:
    SimLoop().run_until_complete(main)


class PoolMachine(RuleBasedStateMachine):
    """Whatever is done to a pool, what it counts as used is what lies on it."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = a_pool()

    paths = st.sampled_from("abcdef")

    @rule(path=paths, size=st.integers(0, 700), parent=st.none() | paths)
    def add(self, path: str, size: int, parent: str | None) -> None:
        before = self.pool.used, dict(self.pool.contents)
        try:
            self.pool.add(path, Content(size, self.pool.written(size), parent))
        except HypervisorError:
            assert before == (self.pool.used, self.pool.contents)

    @rule(path=paths)
    def remove(self, path: str) -> None:
        clones = [c for c in self.pool.contents.values() if c.parent == path]
        try:
            self.pool.remove(path)
            assert path not in self.pool.contents and not clones
        except HypervisorError as error:
            assert clones and f"{len(clones)} clones" in str(error)

    @rule(path=paths, size=st.integers(0, 500))
    def snapshot(self, path: str, size: int) -> None:
        content = self.pool.contents.get(path)
        if content is not None and "s" not in content.snapshots and self.pool.used + size <= 1000:
            self.pool.take(size, "a snapshot")
            content.snapshots["s"] = size

    @rule()
    def fill(self) -> None:
        self.pool.fill()
        with pytest.raises(HypervisorError, match=r"pool nas is full: x needs 1 bytes, and 1000 of 1000"):
            self.pool.take(1, "x")

    @rule()
    def unfill(self) -> None:
        self.pool.unfill()

    @invariant()
    def used_is_what_lies_there(self) -> None:
        contents = self.pool.contents.values()
        assert self.pool.used == self.pool.ballast + sum(
            c.taken + sum(c.snapshots.values()) for c in contents
        )
        assert 0 <= self.pool.used <= self.pool.capacity
        for path, content in self.pool.contents.items():
            assert content.clones == sum(c.parent == path for c in contents)


TestPool = PoolMachine.TestCase


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), min_size=1, max_size=10))
def test_operations_are_served_in_order_at_the_pools_rate(work: list[tuple[float, int]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        pool = a_pool()
        ends: list[tuple[int, float]] = []

        async def one(number: int, wait: float, operations: int) -> None:
            await asyncio.sleep(wait)
            await pool.serve(operations)
            ends.append((number, loop.time()))

        await asyncio.gather(*(one(n, *w) for n, w in enumerate(work)))
        free, expected = 0.0, []
        for number, (wait, operations) in sorted(enumerate(work), key=lambda w: w[1][0]):
            free = max(free, wait) + operations / 10
            expected.append((number, free))
        assert [n for n, _ in ends] == [n for n, _ in expected]
        assert [t for _, t in ends] == pytest.approx([t for _, t in expected])

    run(main())


def test_copies_of_one_template_share_a_transfer() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        pool, started = a_pool(), []

        async def copying() -> None:
            started.append(loop.time())
            await asyncio.sleep(10)

        async def late() -> float:
            await asyncio.sleep(4)
            assert pool.used == 300 and "t" not in pool.contents
            await pool.copy_once("t", 300, copying)
            return loop.time()

        _, end = await asyncio.gather(pool.copy_once("t", 300, copying), late())
        assert started == [0.0] and end == 10.0
        assert (await pool.copy_once("t", 300, copying)).size == 300 and started == [0.0]
        assert pool.used == 300

    run(main())


def test_a_copy_that_fails_or_that_nobody_wants_leaves_nothing() -> None:
    async def main() -> None:
        pool = a_pool()

        async def failing() -> None:
            await asyncio.sleep(1)
            raise HypervisorError("the wire broke")

        results = await asyncio.gather(
            *(pool.copy_once("t", 300, failing) for _ in range(2)), return_exceptions=True
        )
        assert [str(r) for r in results] == ["the wire broke"] * 2
        assert pool.used == 0 and not pool.contents

        async def endless() -> None:
            await asyncio.sleep(1e9)

        first = asyncio.ensure_future(pool.copy_once("t", 300, endless))
        second = asyncio.ensure_future(pool.copy_once("t", 300, endless))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(1)
        assert pool.used == 300 and not second.done()
        second.cancel()
        await asyncio.sleep(0)
        third = asyncio.ensure_future(pool.copy_once("t", 300, endless))
        await asyncio.sleep(1)
        assert pool.used == 300 and not third.done(), "who comes after they gave up starts anew"
        third.cancel()
        await asyncio.sleep(1)
        assert pool.used == 0 and not pool.contents
        with pytest.raises(HypervisorError, match="full"):
            await pool.copy_once("t", 3000, endless)

    run(main())


def test_a_copy_that_fails_when_who_waited_is_no_more_is_nothing_to_log() -> None:
    complaints: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
        pool = a_pool()

        async def failing() -> None:
            await asyncio.sleep(1)
            raise HypervisorError("the wire broke")

        waits = pool.copy_once("t", 300, failing)
        waits.send(None)  # type: ignore[attr-defined]
        other = asyncio.ensure_future(pool.copy_once("t", 300, failing))
        await asyncio.sleep(0)
        waits.close()
        with pytest.raises(HypervisorError, match="the wire broke"):
            await other
        gc.collect()

    run(main())
    assert complaints == []


def test_secondary_storage_trusts_the_unknown_but_not_the_deleted() -> None:
    store = ImageStore("nfs://sim/z/secondary", a_place(), capacity=1000, bandwidth=1.0)
    assert store.find("by-hand", 400) == 400 and store.used == 400
    store.remove("by-hand")
    store.remove("by-hand")
    assert store.used == 0
    with pytest.raises(HypervisorError, match="there is no by-hand in secondary storage"):
        store.find("by-hand", 400)
    with pytest.raises(HypervisorError, match="full: big needs 1001 bytes"):
        store.add("big", 1001)
    store.add("by-hand", 5)
    assert store.find("by-hand", 400) == 5
