"""What SimLoop promises: asyncio's semantics, in simulated time, in three paces."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
import math
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.simulated.loop import DeadlockError, SimLoop, simulated

Main = Callable[[], Awaitable[Any]]


def run(main: Any, **options: Any) -> Any:
    with asyncio.Runner(loop_factory=lambda: SimLoop(**options)) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    loop = SimLoop()
    yield loop
    loop.close()


class TestTime:
    def test_a_sleep_takes_simulated_seconds_and_no_real_ones(self) -> None:
        async def main() -> float:
            await asyncio.sleep(1e9)
            return now()

        assert run(main()) == 1e9

    def test_time_is_the_environments(self) -> None:
        env = simpy.Environment(initial_time=7)
        loop = SimLoop(env)
        loop.run_until_complete(asyncio.sleep(3))
        assert (loop.time(), env.now, loop.env) == (10, 10, env)
        loop.close()

    def test_initial_time(self) -> None:
        async def main() -> float:
            return now()

        assert run(main(), initial_time=100.0) == 100.0

    def test_all_that_is_ready_runs_before_time_advances(self, loop: SimLoop) -> None:
        seen: list[tuple[str, float]] = []

        def chain(n: int) -> None:
            seen.append((f"soon {n}", loop.time()))
            if n:
                loop.call_soon(chain, n - 1)

        loop.call_later(1e-9, lambda: seen.append(("later", loop.time())))
        loop.call_soon(chain, 2)
        loop.run_forever()
        assert seen == [("soon 2", 0), ("soon 1", 0), ("soon 0", 0), ("later", 1e-9)]

    def test_timers_due_together_fire_in_order_of_scheduling_before_what_they_make_ready(
        self, loop: SimLoop
    ) -> None:
        seen: list[str] = []

        def timer(name: str) -> None:
            seen.append(name)
            loop.call_soon(seen.append, f"after {name}")

        for name in "abc":
            loop.call_at(5, timer, name)
        loop.run_forever()
        assert seen == ["a", "b", "c", "after a", "after b", "after c"]

    @pytest.mark.parametrize("delay", [0, -5, math.nan])
    def test_a_delay_that_is_not_positive_is_now(self, loop: SimLoop, delay: float) -> None:
        loop.run_until(10)
        seen: list[float] = []
        loop.call_later(delay, lambda: seen.append(loop.time()))
        loop.call_at(delay, lambda: seen.append(loop.time()))
        loop.run_forever()
        assert seen == [10, 10]

    def test_infinity_never_comes(self, loop: SimLoop) -> None:
        loop.call_later(math.inf, pytest.fail)
        loop.call_later(4, lambda: None)
        loop.run_forever()
        assert loop.time() == 4

    def test_a_handle_says_when_and_whether_it_is_cancelled(self, loop: SimLoop) -> None:
        timer = loop.call_at(9, pytest.fail)
        handle = loop.call_soon(pytest.fail)
        assert (timer.when(), timer.cancelled(), handle.cancelled()) == (9, False, False)
        timer.cancel()
        handle.cancel()
        assert (timer.cancelled(), handle.cancelled()) == (True, True)
        assert isinstance(timer, asyncio.TimerHandle) and isinstance(handle, asyncio.Handle)
        loop.run_forever()


class TestCancelledTimers:
    def test_do_not_advance_the_clock(self, loop: SimLoop) -> None:
        timer = loop.call_later(1000, pytest.fail)
        loop.call_later(3, timer.cancel)
        loop.run_forever()
        assert loop.time() == 3

    def test_a_sleep_or_timeout_that_ended_early_does_not_either(self) -> None:
        async def main() -> float:
            async with asyncio.timeout(1000):
                sleeper = asyncio.create_task(asyncio.sleep(500))
                await asyncio.sleep(2)
                sleeper.cancel()
            await asyncio.wait([sleeper])
            await asyncio.sleep(1)
            return now()

        loop = SimLoop()
        assert loop.run_until_complete(main()) == 3
        loop.run_forever()
        assert loop.time() == 3
        loop.close()

    def test_do_not_pile_up(self, loop: SimLoop) -> None:
        async def main() -> int:
            for _ in range(5000):
                async with asyncio.timeout(1e6):
                    await asyncio.sleep(0.001)
            return len(loop.env._queue)

        assert loop.run_until_complete(main()) < 500

    def test_sweeping_them_keeps_the_others_in_order(self, loop: SimLoop) -> None:
        seen: list[int] = []
        timers = [loop.call_later(1 + i % 7, seen.append, i) for i in range(1000)]
        event = loop.env.timeout(4.5)
        event.callbacks.append(lambda _: seen.append(-1))
        for i, timer in enumerate(timers):
            if i % 10:
                timer.cancel()
        loop.run_forever()
        expected = sorted([*((1 + i % 7, i) for i in range(0, 1000, 10)), (4.5, -1)])
        assert seen == [i for _, i in expected]

    def test_a_timer_cancelled_at_its_own_instant_does_not_fire(self, loop: SimLoop) -> None:
        loop.call_at(5, lambda: timer.cancel())
        timer: asyncio.TimerHandle = loop.call_at(5, pytest.fail)
        loop.run_forever()
        assert loop.time() == 5


class TestAsyncio:
    """The standard library's primitives, unchanged, in simulated time."""

    def test_primitives(self) -> None:
        async def main() -> list[Any]:
            seen: list[Any] = []
            lock, event, limit = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(2)
            queue: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
            condition = asyncio.Condition()

            async def critical(name: str) -> None:
                async with lock:
                    await asyncio.sleep(10)
                    seen.append((now(), "lock", name))

            async def limited(name: str) -> None:
                async with limit:
                    await asyncio.sleep(25)
                    seen.append((now(), "semaphore", name))

            async def produce() -> None:
                await asyncio.sleep(1)
                for item in "xy":
                    await queue.put(item)
                event.set()
                async with condition:
                    condition.notify_all()

            async def consume() -> None:
                for _ in range(2):
                    item = await queue.get()
                    await asyncio.sleep(2)
                    seen.append((now(), "queue", item))

            async def waiter() -> None:
                async with condition:
                    await condition.wait_for(event.is_set)
                await event.wait()
                seen.append((now(), "event"))

            async with asyncio.TaskGroup() as group:
                for coroutine in critical("a"), critical("b"), produce(), consume(), waiter():
                    group.create_task(coroutine)
                for name in "pqr":
                    group.create_task(limited(name))
            return seen

        assert run(main()) == [
            (1, "event"),
            (3, "queue", "x"),
            (5, "queue", "y"),
            (10, "lock", "a"),
            (20, "lock", "b"),
            (25, "semaphore", "p"),
            (25, "semaphore", "q"),
            (50, "semaphore", "r"),
        ]

    def test_timeouts(self) -> None:
        async def main() -> float:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await asyncio.sleep(6)
            assert now() == 5
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 5)
            assert now() == 10
            assert await asyncio.wait_for(asyncio.sleep(1, "done"), 5) == "done"
            return now()

        assert run(main()) == 11

    def test_gather_as_completed_wait_and_shield(self) -> None:
        async def main() -> None:
            assert list(await asyncio.gather(asyncio.sleep(3, "a"), asyncio.sleep(1, "b"))) == ["a", "b"]
            assert now() == 3
            order = [await each for each in asyncio.as_completed([asyncio.sleep(d, d) for d in (3, 1, 2)])]
            assert (order, now()) == ([1, 2, 3], 6)
            inner = asyncio.create_task(asyncio.sleep(4, "kept"))
            outer = asyncio.shield(inner)
            outer.cancel()
            assert await inner == "kept"
            done, pending = await asyncio.wait(
                [asyncio.create_task(asyncio.sleep(d)) for d in (1, 9)], return_when="FIRST_COMPLETED"
            )
            assert (len(done), len(pending), now()) == (1, 1, 11)

        run(main())

    def test_a_task_group_cancels_the_others_when_one_fails(self) -> None:
        async def main() -> tuple[str, float]:
            state = "unset"

            async def fails() -> None:
                await asyncio.sleep(2)
                raise ValueError("broken")

            async def cleans_up() -> None:
                nonlocal state
                try:
                    await asyncio.sleep(100)
                finally:
                    await asyncio.sleep(1)
                    state = "cleaned"

            with pytest.raises(ExceptionGroup) as raised:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fails())
                    group.create_task(cleans_up())
            assert raised.group_contains(ValueError, match="broken")
            return state, now()

        assert run(main()) == ("cleaned", 3)

    def test_an_asynchronous_generator_left_open_is_closed_with_the_loop(self) -> None:
        closed: list[float] = []

        async def ticks() -> Any:
            try:
                while True:
                    await asyncio.sleep(1)
                    yield now()
            finally:
                await asyncio.sleep(5)
                closed.append(now())

        kept: list[Any] = []

        async def main() -> None:
            kept.append(ticks())
            assert [await anext(kept[0]) for _ in range(3)] == [1, 2, 3]

        run(main())
        assert closed == [8]

    def test_a_task_has_its_own_context(self) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
        seen: list[str] = []

        async def child() -> None:
            await asyncio.sleep(1)
            seen.append(variable.get())
            variable.set("child's")

        async def main() -> None:
            variable.set("main's")
            await asyncio.create_task(child(), name="child")
            seen.append(variable.get())
            asyncio.get_running_loop().call_later(1, lambda: seen.append(variable.get()))
            variable.set("set after scheduling")
            await asyncio.sleep(2)
            await asyncio.create_task(child(), context=contextvars.Context())

        run(main())
        assert seen == ["main's", "main's", "main's", "unset"]

    def test_task_factory(self) -> None:
        made: list[str] = []

        def factory(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
            made.append(coroutine.__qualname__)
            return asyncio.Task(coroutine, loop=loop, **options)

        async def main() -> None:
            asyncio.get_running_loop().set_task_factory(factory)
            await asyncio.create_task(asyncio.sleep(1))

        run(main())
        assert "sleep" in made

    def test_run_until_complete_returns_or_raises(self, loop: SimLoop) -> None:
        async def fails() -> None:
            raise KeyError("no such host")

        assert loop.run_until_complete(asyncio.sleep(1, "value")) == "value"
        with pytest.raises(KeyError, match="no such host"):
            loop.run_until_complete(fails())
        assert not loop.is_running()

    def test_stop_ends_run_forever_and_leaves_the_rest_for_later(self, loop: SimLoop) -> None:
        seen: list[float] = []
        loop.call_at(1, loop.stop)
        loop.call_at(2, lambda: seen.append(loop.time()))
        loop.run_forever()
        assert (loop.time(), seen) == (1, [])
        loop.run_forever()
        assert seen == [2]

    def test_a_closed_loop_refuses_and_forgets(self) -> None:
        loop = SimLoop()
        loop.call_later(5, pytest.fail)
        loop.close()
        assert loop.is_closed()
        for refused in (loop.call_soon, loop.call_soon_threadsafe):
            with pytest.raises(RuntimeError, match="closed"):
                refused(print)
        with pytest.raises(RuntimeError, match="closed"):
            loop.call_later(1, print)
        loop.env.run()
        assert loop.env.now == 0

    def test_one_loop_runs_in_a_thread_and_one_is_open_in_an_environment(self) -> None:
        async def main() -> None:
            other = SimLoop()
            with pytest.raises(RuntimeError, match="another loop is running"):
                other.run_forever()
            with pytest.raises(RuntimeError, match="already running"):
                asyncio.get_running_loop().run_forever()
            other.close()

        run(main())
        env = simpy.Environment()
        loop = SimLoop(env)
        with pytest.raises(RuntimeError, match="already has a loop"):
            SimLoop(env)
        loop.close()
        SimLoop(env).close()

    def test_what_lies_outside_is_refused(self) -> None:
        async def main() -> None:
            with pytest.raises(RuntimeError, match="call_soon_threadsafe"):
                await asyncio.to_thread(print)
            with pytest.raises(NotImplementedError, match="create_connection"):
                await asyncio.open_connection("localhost", 80)
            with pytest.raises(NotImplementedError, match="subprocess"):
                await asyncio.create_subprocess_exec("true")

        run(main())


class TestErrors:
    def test_an_exception_in_a_callback_goes_to_the_handler_and_the_rest_goes_on(self, loop: SimLoop) -> None:
        contexts: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: contexts.append(context))
        seen: list[str] = []

        def broken() -> None:
            raise ZeroDivisionError

        loop.call_soon(broken)
        loop.call_later(1, broken)
        loop.call_later(1, seen.append, "next")
        loop.run_forever()
        assert [type(context["exception"]) for context in contexts] == [ZeroDivisionError] * 2
        assert "broken" in contexts[0]["message"]
        assert seen == ["next"]

    def test_the_default_handler_logs(self, loop: SimLoop, caplog: pytest.LogCaptureFixture) -> None:
        loop.call_soon(lambda: 1 / 0)
        loop.run_forever()
        assert "Exception in callback" in caplog.text and "ZeroDivisionError" in caplog.text

    def test_system_exit_leaves_the_loop_usable(self, loop: SimLoop) -> None:
        seen: list[str] = []

        def leave() -> None:
            raise SystemExit(3)

        loop.call_soon(leave)
        loop.call_soon(seen.append, "later")
        with pytest.raises(SystemExit):
            loop.run_forever()
        loop.run_forever()
        assert seen == ["later"]

    def test_deadlock_names_who_waits_and_where(self) -> None:
        async def consumer(queue: asyncio.Queue[int]) -> None:
            await queue.get()

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(consumer(asyncio.Queue()), name="agent 7")
                await asyncio.sleep(12)

        with pytest.raises(DeadlockError) as raised:
            run(main())
        first, *tasks = str(raised.value).splitlines()
        assert "at time 12" in first and "2 tasks" in first
        assert len(tasks) == 2
        agent = next(line for line in tasks if "agent 7" in line)
        assert "consumer()" in agent and f"{__file__}:" in agent and "Queue.get" in agent

    def test_run_forever_returns_when_nothing_is_left(self, loop: SimLoop) -> None:
        task = loop.create_task(asyncio.Event().wait())
        loop.run_forever()
        assert not task.done()
        task.cancel()
        loop.run_forever()
        assert task.cancelled()


class TestDebug:
    def test_knows_where_a_handle_comes_from(self, loop: SimLoop) -> None:
        loop.set_debug(True)
        assert loop.get_debug()
        for handle in (loop.call_soon(print), loop.call_later(1, print), loop.call_at(1, print)):
            assert __file__ in repr(handle)
            handle.cancel()

    def test_refuses_coroutines_and_other_threads(self, loop: SimLoop) -> None:
        loop.set_debug(True)
        coroutine = asyncio.sleep(1)
        with pytest.raises(TypeError, match="coroutines cannot be used"):
            loop.call_later(1, coroutine)  # type: ignore[arg-type]
        coroutine.close()
        refusals: list[str] = []

        def elsewhere() -> None:
            try:
                loop.call_soon(print)
            except RuntimeError as error:
                refusals.append(str(error))

        def start() -> None:
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()

        loop.call_soon(start)
        loop.run_forever()
        assert len(refusals) == 1 and "Non-thread-safe" in refusals[0]

    def test_logs_a_slow_callback(self, loop: SimLoop, caplog: pytest.LogCaptureFixture) -> None:
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0
        with caplog.at_level(logging.WARNING, "asyncio"):
            loop.call_soon(sum, [1, 2])
            loop.run_forever()
        assert "sum" in caplog.text and "took" in caplog.text

    def test_sleeps_the_same(self) -> None:
        async def main() -> float:
            await asyncio.gather(*(asyncio.sleep(d) for d in (1, 2, 3)))
            return now()

        with asyncio.Runner(loop_factory=SimLoop, debug=True) as runner:
            assert runner.run(main()) == 3


class TestSimPy:
    def test_a_coroutine_awaits_an_event_and_gets_its_value(self, loop: SimLoop) -> None:
        async def main() -> tuple[Any, Any, float]:
            event = loop.env.timeout(4, "disk ready")
            return await simulated(event), await loop.wait_for_event(event), now()

        assert loop.run_until_complete(main()) == ("disk ready", "disk ready", 4)

    def test_or_its_failure(self, loop: SimLoop) -> None:
        event = loop.env.event()

        async def main() -> None:
            loop.call_later(2, event.fail, OSError("disk full"))
            for _ in range(2):
                with pytest.raises(OSError, match="disk full"):
                    await simulated(event)

        loop.run_until_complete(main())
        assert loop.time() == 2

    def test_a_failure_nobody_waits_for_ends_the_run(self, loop: SimLoop) -> None:
        loop.call_later(2, loop.env.event().fail, OSError("disk full"))
        with pytest.raises(OSError, match="disk full"):
            loop.run_until_complete(asyncio.sleep(5))
        assert loop.time() == 2

    def test_a_cancelled_wait_lets_go_of_the_event(self, loop: SimLoop) -> None:
        event = loop.env.event()

        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3):
                    await simulated(event)
            assert event.callbacks == []
            event.succeed()
            await asyncio.sleep(1)

        loop.run_until_complete(main())
        assert event.processed

    def test_processes_and_coroutines_share_resources_and_time(self, loop: SimLoop) -> None:
        env = loop.env
        disk = simpy.Resource(env, capacity=1)
        seen: list[tuple[float, str]] = []

        def process() -> Any:
            with disk.request() as request:
                yield request
                yield env.timeout(5)
                seen.append((env.now, "process"))
            answer = yield loop.event_of(asyncio.sleep(2, "slept"))
            seen.append((env.now, answer))

        async def coroutine() -> None:
            await asyncio.sleep(1)
            with disk.request() as request:
                await simulated(request)
                await asyncio.sleep(5)
                seen.append((now(), "coroutine"))

        env.process(process())
        loop.run_until_complete(coroutine())
        assert seen == [(5, "process"), (7, "slept"), (10, "coroutine")]

    def test_a_failing_coroutine_fails_the_process_that_waits(self, loop: SimLoop) -> None:
        async def fails() -> None:
            raise OSError("no route")

        caught: list[str] = []

        def process() -> Any:
            try:
                yield loop.event_of(fails())
            except OSError as error:
                caught.append(str(error))

        loop.env.process(process())
        loop.run_forever()
        assert caught == ["no route"]

    def test_events_and_timers_of_one_instant_keep_their_order(self, loop: SimLoop) -> None:
        seen: list[int] = []

        def later(i: int, timeout: simpy.Event) -> Any:
            yield timeout
            seen.append(i)

        for i in range(6):
            if i % 2:
                loop.env.process(later(i, loop.env.timeout(1)))
            else:
                loop.call_later(1, seen.append, i)
        loop.run_forever()
        assert seen == [0, 1, 2, 3, 4, 5]

    def test_an_event_of_another_environment_is_refused(self, loop: SimLoop) -> None:
        with pytest.raises(ValueError, match="another environment"):
            loop.run_until_complete(loop.wait_for_event(simpy.Environment().event()))

    def test_a_simpy_event_is_not_for_asyncios_own_loop(self) -> None:
        with pytest.raises(RuntimeError, match="only on a SimLoop"):
            asyncio.run(simulated(simpy.Environment().event()))


class TestStepping:
    def test_step_runs_one_instant(self, loop: SimLoop) -> None:
        seen: list[tuple[float, str]] = []

        async def main(name: str) -> None:
            while True:
                seen.append((now(), name))
                await asyncio.sleep(1)

        tasks = [loop.create_task(main(name)) for name in "ab"]
        assert loop.step()
        assert seen == [(0, "a"), (0, "b")]
        assert loop.step()
        assert seen[2:] == [(1, "a"), (1, "b")]
        for task in tasks:
            task.cancel()
        assert loop.step()
        assert not loop.step()
        assert loop.time() == 1

    def test_advance_includes_its_end_and_leaves_the_clock_there(self, loop: SimLoop) -> None:
        seen: list[float] = []
        for when in (10, 20, 30):
            loop.call_at(when, lambda: seen.append(loop.time()))
        loop.advance(20)
        assert (seen, loop.time()) == ([10, 20], 20)
        loop.run_until(25)
        assert (seen, loop.time()) == ([10, 20], 25)
        loop.run_until(math.inf)
        assert (seen, loop.time()) == ([10, 20, 30], 30)
        with pytest.raises(ValueError, match="already"):
            loop.run_until(29)

    def test_steps_do_not_wait_whatever_the_pace(self) -> None:
        loop = SimLoop(pace=1e-6, external=True)
        loop.advance(3600)
        assert loop.time() == 3600
        loop.close()


class TestRealTime:
    """Order only: how long a wall second takes on a loaded machine is nobody's promise."""

    def test_time_follows_the_wall(self) -> None:
        start = time.monotonic()
        assert run(asyncio.sleep(2, "value"), pace=100.0) == "value"
        assert time.monotonic() - start >= 0.0199

    def test_a_thread_wakes_a_waiting_loop_at_the_time_of_its_call(self) -> None:
        async def main() -> tuple[float, str]:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[str] = loop.create_future()

            def request() -> None:
                time.sleep(0.02)
                loop.call_soon_threadsafe(answer.set_result, "handed in")

            thread = threading.Thread(target=request)
            loop.call_later(1e9, pytest.fail)
            thread.start()
            result = await answer
            thread.join()
            return now(), result

        when, result = run(main(), pace=100.0)
        assert result == "handed in"
        assert 2 <= when < 1e8

    def test_events_due_before_a_request_run_before_it(self) -> None:
        async def main() -> list[str]:
            loop = asyncio.get_running_loop()
            seen: list[str] = []
            finished = asyncio.Event()

            def request() -> None:
                time.sleep(0.03)
                loop.call_soon_threadsafe(seen.append, "request")
                loop.call_soon_threadsafe(finished.set)

            loop.call_later(1, seen.append, "event")
            threading.Thread(target=request).start()
            await finished.wait()
            return seen

        assert run(main(), pace=100.0) == ["event", "request"]

    def test_the_pace_changes_while_running(self) -> None:
        async def main() -> float:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, SimLoop)

            def faster() -> None:
                time.sleep(0.01)
                loop.call_soon_threadsafe(setattr, loop, "pace", math.inf)

            threading.Thread(target=faster).start()
            await asyncio.sleep(1e6)
            loop.pace = 1000.0
            await asyncio.sleep(1)
            return now()

        assert run(main(), pace=0.001) == 1e6 + 1

    def test_at_pace_zero_time_stands_still_and_requests_are_served(self) -> None:
        async def main() -> float:
            loop = asyncio.get_running_loop()
            served = asyncio.Event()
            loop.call_later(1e-9, pytest.fail)
            threading.Timer(0.01, loop.call_soon_threadsafe, [served.set]).start()
            await served.wait()
            return now()

        assert run(main(), pace=0.0) == 0

    @pytest.mark.parametrize("pace", [-1.0, math.nan])
    def test_an_impossible_pace_is_refused(self, loop: SimLoop, pace: float) -> None:
        with pytest.raises(ValueError, match="pace"):
            loop.pace = pace
        assert loop.pace == math.inf

    def test_an_external_loop_waits_for_threads_with_time_standing_still(self) -> None:
        async def answer(question: int) -> int:
            await asyncio.sleep(10)
            return question * 2

        loop = SimLoop(external=True)
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            for i in range(3):
                assert asyncio.run_coroutine_threadsafe(answer(i), loop).result(timeout=10) == i * 2
                assert loop.time() == 10 * (i + 1)
            with pytest.raises(RuntimeError, match="call_soon_threadsafe"):
                loop.pace = 1.0
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=10)
        assert not thread.is_alive()
        loop.close()


# Random programs, on SimLoop and on asyncio's own loop with a clock that jumps. Delays are large random
# integers: their sums are exact and do not coincide, so that asyncio's loop has only one right order.

actions = st.recursive(
    st.sampled_from(["sleep", "yield", "lock", "put", "get", "timeout", "shielded"]),
    lambda inner: st.tuples(
        st.sampled_from(["spawn", "spawn and cancel", "group"]), st.lists(inner, max_size=4)
    ),
    max_leaves=14,
)
programs = st.lists(actions, min_size=1, max_size=6)


class NumberedTask(asyncio.Task[Any]):
    """A task group cancels its tasks in the order of a set: make that of asyncio's loop definite too."""

    numbers = itertools.count(1)

    def __init__(self, *args: Any, **options: Any) -> None:
        self.number = next(self.numbers)
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self.number


class JumpingLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop and scheduler, with a clock that jumps to the next timer."""

    def __init__(self) -> None:
        self._jumped = 0.0
        super().__init__()
        self._clock_resolution = 0.5
        NumberedTask.numbers = itertools.count(1)
        self.set_task_factory(lambda loop, coro, **options: NumberedTask(coro, loop=loop, **options))
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            if timeout is None:
                raise DeadlockError("nothing is left to happen")
            if timeout > 0:
                self._jumped = self._scheduled[0]._when  # type: ignore[attr-defined]
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._jumped


async def perform(program: list[Any]) -> list[tuple[float, str]]:
    """Run a random program; returns when and in which order its actions completed."""
    seen: list[tuple[float, str]] = []
    lock = asyncio.Lock()
    queue: asyncio.Queue[int] = asyncio.Queue()
    number = itertools.count()
    numbers = random.Random(1)
    delay = iter(lambda: float(numbers.randrange(1, 2**40)), None)

    async def act(action: Any) -> None:
        label = f"{next(number)} {action if isinstance(action, str) else action[0]}"
        try:
            match action:
                case "sleep":
                    await asyncio.sleep(next(delay))
                case "yield":
                    await asyncio.sleep(0)
                case "lock":
                    async with lock:
                        await asyncio.sleep(next(delay))
                case "put":
                    await queue.put(1)
                case "get":
                    async with asyncio.timeout(next(delay)):
                        await queue.get()
                case "timeout":
                    await asyncio.wait_for(asyncio.sleep(next(delay)), next(delay))
                case "shielded":
                    await asyncio.shield(asyncio.sleep(next(delay)))
                case ("group", inner):
                    async with asyncio.TaskGroup() as group:
                        for each in inner:
                            group.create_task(act(each))
                case ("spawn", inner):
                    await asyncio.gather(*(act(each) for each in inner))
                case ("spawn and cancel", inner):
                    task = asyncio.create_task(act(("group", inner)))
                    await asyncio.sleep(next(delay))
                    task.cancel()
                    await task
        except TimeoutError:
            label += " timed out"
        except asyncio.CancelledError:
            seen.append((now(), label + " cancelled"))
            if "spawn and cancel" not in label:
                raise
        seen.append((now(), label))

    async with asyncio.TaskGroup() as group:
        for action in program:
            group.create_task(act(action))
    return seen


def whoever_is_cancelled_first(seen: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """A group cancels its tasks in the order of a set, which on asyncio's own loop is that of their addresses: what is
    cancelled at one time is put in the order of its names."""
    places: dict[float, list[int]] = {}
    for place, (at, label) in enumerate(seen):
        if label.endswith("cancelled"):
            places.setdefault(at, []).append(place)
    ordered = list(seen)
    for found in places.values():
        for place, entry in zip(found, sorted(seen[place] for place in found), strict=True):
            ordered[place] = entry
    return ordered


@settings(max_examples=150, deadline=None)
@given(programs)
def test_random_programs_run_as_on_asyncios_own_loop(program: list[Any]) -> None:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        expected = runner.run(perform(program))
    assert whoever_is_cancelled_first(run(perform(program))) == whoever_is_cancelled_first(expected)


def test_tasks_come_out_of_sets_in_the_same_order_in_every_run() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def member() -> None:
            task = asyncio.current_task()
            assert task is not None
            try:
                await asyncio.sleep(100)
            finally:
                seen.append(task.get_name())

        async def fails() -> None:
            await asyncio.sleep(1)
            raise OSError

        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for _ in range(50):
                    group.create_task(member())
                group.create_task(fails())
        done, _ = await asyncio.wait([asyncio.create_task(asyncio.sleep(1)) for _ in range(50)])
        return seen + [task.get_name() for task in done]

    first = run(main())
    assert len(first) == 100
    kept = []
    for i in range(5):
        kept.append([object() for _ in range(i * 37)])  # so that tasks lie elsewhere in memory
        assert run(main()) == first


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(0, 3))
def test_sleepers_wake_by_time_then_by_order_of_going_to_sleep(delays: list[int], rounds: int) -> None:
    async def main() -> list[tuple[float, int]]:
        seen: list[tuple[float, int]] = []

        async def sleeper(i: int, delay: int) -> None:
            await asyncio.sleep(delay)
            for _ in range(rounds):
                await asyncio.sleep(0)
            seen.append((now(), i))

        async with asyncio.TaskGroup() as group:
            for i, delay in enumerate(delays):
                group.create_task(sleeper(i, delay))
        return seen

    assert run(main()) == sorted((delay, i) for i, delay in enumerate(delays))


def test_what_is_called_when_settled_comes_after_all_else_of_its_instant_and_in_turn() -> None:
    loop = SimLoop()
    seen: list[str] = []

    def settled(name: str) -> None:
        seen.append(f"{name} at {loop.time():g}")
        loop.call_soon(seen.append, f"soon after {name}")
        loop.call_later(0, seen.append, f"no later than {name}")

    def begin() -> None:
        loop.call_when_settled(settled, "first")
        loop.call_when_settled(settled, "second")
        loop.call_at(5.0, seen.append, "a timer of the same instant")
        loop.call_soon(lambda: loop.call_soon(seen.append, "the callback of a callback"))

    loop.call_at(5.0, begin)
    loop.call_at(6.0, seen.append, "the next instant")
    loop.run_forever()
    assert sorted(seen[:2]) == ["a timer of the same instant", "the callback of a callback"]
    assert seen[2] == "first at 5"
    assert sorted(seen[3:5]) == ["no later than first", "soon after first"]
    assert seen[5] == "second at 5"
    assert sorted(seen[6:8]) == ["no later than second", "soon after second"]
    assert seen[8:] == ["the next instant"]
    loop.close()
