"""What the event loop of a simulation costs, beside bare SimPy and asyncio's own loop.

    python -m benchmarks.bench_simloop
    pytest --benchmark-only benchmarks/bench_simloop.py

Every program has 1,000 processes or tasks that wait 40 times each, for a delay of their own (1 to 2
seconds) where the clock is simulated. asyncio's own loop cannot skip time, so its sleeps last a
microsecond, and cost a system call for each round of timers that fall due. Times are CPU times; the programs
take turns, several rounds of them, and each keeps its best round, so that a busy machine slows all alike.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import time
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
import simpy

from backends.simulated.loop import SimLoop

TASKS = 1000
WAITS = 40
ROUNDS = 9

Figures = dict[str, dict[str, Any]]


def delay(number: int) -> float:
    """The delay of task or process `number`, in seconds: each has another one."""
    return 1.0 + number / TASKS


@types.coroutine
def happened(event: simpy.Event) -> Generator[simpy.Event, Any, Any]:
    """Await a SimPy event in a coroutine that `env.process` drives."""
    return (yield event)


def simpy_processes() -> None:
    """SimPy's own idiom: generators that yield timeouts."""

    def process(env: simpy.Environment, seconds: float) -> Iterator[simpy.Event]:
        for _ in range(WAITS):
            yield env.timeout(seconds)

    env = simpy.Environment()
    for number in range(TASKS):
        env.process(process(env, delay(number)))  # type: ignore[arg-type]
    env.run()


def simpy_coroutines() -> None:
    """Coroutines as SimPy processes: the least that `await` can cost on SimPy."""

    async def process(env: simpy.Environment, seconds: float) -> None:
        for _ in range(WAITS):
            await happened(env.timeout(seconds))

    env = simpy.Environment()
    for number in range(TASKS):
        env.process(process(env, delay(number)))  # type: ignore[arg-type]
    env.run()


async def sleeping(seconds: float) -> None:
    for _ in range(WAITS):
        await asyncio.sleep(seconds)


async def sleepers() -> None:
    """Every task sleeps for its own delay."""
    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(sleeping(delay(number)))


async def short_sleepers() -> None:
    """Every task sleeps for a microsecond of wall time."""
    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(sleeping(1e-6))


async def switchers() -> None:
    """Every task gives way to the others, at one instant: `asyncio.sleep(0)`."""
    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(sleeping(0))


def simulate(main: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=SimLoop) as runner:
        runner.run(main())


def run_really(main: Callable[[], Any]) -> None:
    asyncio.run(main())


PROGRAMS: dict[str, Callable[[], None]] = {
    "simpy.process_sleeps_per_s": simpy_processes,
    "simpy.coroutine_sleeps_per_s": simpy_coroutines,
    "simloop.sleeps_per_s": functools.partial(simulate, sleepers),
    "simloop.task_switches_per_s": functools.partial(simulate, switchers),
    "asyncio.sleeps_per_s": functools.partial(run_really, short_sleepers),
    "asyncio.task_switches_per_s": functools.partial(run_really, switchers),
}


def figures() -> Figures:
    """Figure name -> {"value", "unit"}; `simloop.ratio_to_simpy` is how many times slower a sleep is."""
    best = dict.fromkeys(PROGRAMS, float("inf"))
    for _ in range(ROUNDS):
        for name, program in PROGRAMS.items():
            gc.collect()
            start = time.process_time()
            program()
            best[name] = min(best[name], time.process_time() - start)
    found: Figures = {
        name: {"value": round(TASKS * WAITS / seconds), "unit": "1/s"} for name, seconds in best.items()
    }
    ratio = best["simloop.sleeps_per_s"] / best["simpy.coroutine_sleeps_per_s"]
    found["simloop.ratio_to_simpy"] = {"value": round(ratio, 2), "unit": "times"}
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_waits(benchmark: Any, name: str) -> None:
    benchmark.extra_info["waits"] = TASKS * WAITS
    benchmark(PROGRAMS[name])


def main() -> None:
    for name, figure in figures().items():
        print(f"{name:32} {figure['value']:>12,} {figure['unit']}")


if __name__ == "__main__":
    main()
