from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from backends.libvirt.connection import MOST_CALLS, Connection, NoSuchInstance
from cloudsim.hypervisor import HypervisorError
from tests.backends.libvirt.libvirtd_alone import LonelyHost, lonely_host, wait_until

libvirt = pytest.importorskip("libvirt")

FAKE = "test:///default"
"""libvirt's own pretended hypervisor, inside the client. It has one domain, `test`."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LonelyHost]:
    yield from lonely_host(tmp_path_factory.mktemp("host"))


def test_calls_reach_libvirt_and_a_domain_by_its_name() -> None:
    async def story() -> None:
        connection = Connection(FAKE, 5.0)
        assert not connection.alive
        await connection.open()
        assert connection.alive
        assert await connection.call("asking the type", lambda conn: conn.getType()) == "TEST"
        assert await connection.domain_call("test", "asking its state", lambda domain: domain.isActive())
        assert "<name>test</name>" in str(await connection.find("test"))
        await connection.close()
        assert not connection.alive
        with pytest.raises(HypervisorError, match="asking the type: the connection to libvirt is closed"):
            await connection.call("asking the type", lambda conn: conn.getType())

    asyncio.run(story())


def test_an_instance_that_is_not_here_is_named() -> None:
    async def story() -> None:
        connection = Connection(FAKE, 5.0)
        assert await connection.find("i-2-7-VM") is None
        with pytest.raises(
            NoSuchInstance, match="suspending i-2-7-VM: instance i-2-7-VM is not on this host"
        ):
            await connection.domain_call("i-2-7-VM", "suspending i-2-7-VM", lambda domain: domain.suspend())
        await connection.close()

    asyncio.run(story())


def test_what_libvirt_refuses_is_told_in_one_line_with_its_cause() -> None:
    async def story() -> None:
        connection = Connection(FAKE, 5.0)
        with pytest.raises(HypervisorError, match=r"^starting x: .*") as caught:
            await connection.call("starting x", lambda conn: conn.createXML("<nonsense/>", 0))
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value.__cause__, libvirt.libvirtError)
        with pytest.raises(ZeroDivisionError):
            await connection.call("dividing", lambda conn: 1 // 0)
        await connection.close()

    asyncio.run(story())


def test_a_host_that_cannot_be_reached_is_told_of_within_seconds() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        async def story() -> None:
            connection = Connection(f"qemu+tcp://127.0.0.1:{port}/system", 8.0)
            with pytest.raises(HypervisorError, match=rf"no libvirtd at 127.0.0.1 port {port}: .*refused"):
                await connection.open()

        began = time.monotonic()
        asyncio.run(story())
        assert time.monotonic() - began < 7


def test_a_call_that_hangs_holds_up_neither_the_loop_nor_other_calls() -> None:
    import threading

    go_on = threading.Event()

    async def story() -> None:
        connection = Connection(FAKE, 5.0)
        await connection.open()
        began = time.monotonic()
        hung = asyncio.create_task(connection.call("waiting", lambda conn: go_on.wait(20), 0.3))
        assert await connection.call("asking the type", lambda conn: conn.getType()) == "TEST"
        with pytest.raises(HypervisorError, match=r"waiting: libvirt did not answer within 0.3 s"):
            await hung
        assert time.monotonic() - began < 10
        assert await connection.call("asking the type", lambda conn: conn.getType()) == "TEST"
        go_on.set()
        await connection.close()

    asyncio.run(story())


def test_there_are_no_more_threads_than_its_bound_and_what_waits_for_one_waits_no_longer_than_its_time() -> (
    None
):
    import threading

    go_on, at_work, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def work(_connection: object) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        go_on.wait(60)
        with lock:
            at_work -= 1

    async def story() -> None:
        connection = Connection(FAKE, 60.0)
        await connection.open()
        calls = [asyncio.create_task(connection.call(f"call {i}", work, 60.0)) for i in range(MOST_CALLS)]
        await asyncio.to_thread(wait_until, lambda: at_work == MOST_CALLS, 60, "all threads are at work")
        late = [asyncio.create_task(connection.call(f"late call {i}", work, 0.5)) for i in range(MOST_CALLS)]
        for outcome in await asyncio.gather(*late, return_exceptions=True):
            assert isinstance(outcome, HypervisorError) and "within 0.5 s" in str(outcome)
        assert most == MOST_CALLS
        go_on.set()
        await asyncio.gather(*calls)
        assert await connection.call("asking the type", lambda conn: conn.getType()) == "TEST"
        await connection.close()

    asyncio.run(story())


@pytest.mark.lab
def test_a_libvirtd_that_is_stopped_answers_nothing_in_time_and_everything_when_it_goes_on(
    host: LonelyHost,
) -> None:
    async def story() -> None:
        connection = Connection(host.uri, 60.0)
        await connection.open()
        pid = host.libvirtd
        os.kill(pid, signal.SIGSTOP)
        connection.timeout = 1.0
        try:
            for _ in range(3):
                began = time.monotonic()
                with pytest.raises(HypervisorError, match=r"counting: libvirt did not answer within 1 s"):
                    await connection.call("counting", lambda conn: conn.numOfDomains())
                assert 0.9 < time.monotonic() - began < 30
            calls = [connection.call(f"call {i}", lambda conn: conn.numOfDomains()) for i in range(50)]
            began = time.monotonic()
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(outcome, HypervisorError) for outcome in outcomes)
            assert time.monotonic() - began < 40, "together, and not one after the other"
        finally:
            os.kill(pid, signal.SIGCONT)
        connection.timeout = 60.0
        assert await connection.call("counting", lambda conn: conn.numOfDomains()) == 0
        await connection.close()

    asyncio.run(story())


@pytest.mark.lab
def test_a_connection_that_died_is_opened_again_by_the_next_call(host: LonelyHost) -> None:
    async def story() -> None:
        connection = Connection(host.uri, 60.0)
        await connection.open()
        before = host.libvirtd
        os.kill(before, signal.SIGKILL)
        await asyncio.to_thread(
            wait_until, lambda: not connection.alive, 60, "libvirt tells of the lost connection"
        )
        end = time.monotonic() + 60
        while True:
            try:
                assert await connection.call("counting", lambda conn: conn.numOfDomains()) == 0
                break
            except HypervisorError as error:
                assert "counting: " in str(error)
                assert time.monotonic() < end
                await asyncio.sleep(0.1)
        assert connection.alive and host.libvirtd != before
        await connection.close()

    asyncio.run(story())


@pytest.mark.lab
def test_what_waits_on_a_libvirtd_that_is_killed_fails_at_once(host: LonelyHost) -> None:
    wait_until(host.answers, 60, "libvirtd is back")

    async def story() -> None:
        connection = Connection(host.uri, 60.0)
        await connection.open()
        pid = host.libvirtd
        os.kill(pid, signal.SIGSTOP)
        waiting = asyncio.create_task(connection.call("counting", lambda conn: conn.numOfDomains()))
        await asyncio.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(HypervisorError, match=r"counting: ") as lost:
            await waiting
        assert "did not answer" not in str(lost.value) and "keepalive" not in str(lost.value), "it is not waited for"
        await connection.close()

    asyncio.run(story())


TWO_CALLS_HANG = """
import asyncio, os, signal, sys
from backends.libvirt import connection
from cloudsim.hypervisor import HypervisorError

async def story(uri, libvirtd):
    connection.KEEPALIVE = (1, 1)  # after two seconds libvirt's client takes the peer for dead
    host = connection.Connection(uri, 60.0)
    await host.open()
    os.kill(libvirtd, signal.SIGSTOP)
    calls = []
    for number in range(3):
        calls.append(asyncio.create_task(host.call(f"call {number}", lambda conn: conn.getInfo())))
        await asyncio.sleep(0.3)
    await asyncio.wait(calls[:1])
    await asyncio.sleep(1)
    os.kill(libvirtd, signal.SIGCONT)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(outcomes[0], HypervisorError), outcomes
    for _ in range(30):  # a libvirtd that is slow may be taken for dead once more
        try:
            assert await host.call("afterwards", lambda conn: conn.numOfDomains()) == 0
            break
        except HypervisorError:
            await asyncio.sleep(1)
    else:
        raise AssertionError("no call succeeds")
    await host.close()

asyncio.run(story(sys.argv[1], int(sys.argv[2])))
print("still here")
"""


@pytest.mark.lab
def test_several_calls_that_wait_on_a_libvirtd_that_hangs_do_not_end_the_process(host: LonelyHost) -> None:
    wait_until(host.answers, 60, "libvirtd is back")
    libvirtd = host.libvirtd
    try:
        child = subprocess.run(
            [sys.executable, "-c", TWO_CALLS_HANG, host.uri, str(libvirtd)],
            capture_output=True,
            text=True,
            timeout=180,
        )
    finally:
        os.kill(libvirtd, signal.SIGCONT)
    assert child.returncode == 0, child.stderr
    assert child.stdout == "still here\n"


def test_calls_at_the_same_time_have_sessions_of_their_own_and_later_ones_use_them_again() -> None:
    import threading

    seen: list[object] = []
    both = threading.Barrier(2, timeout=60)

    def together(session: object) -> None:
        seen.append(session)
        both.wait()

    async def story() -> None:
        connection = Connection(FAKE, 60.0)
        await asyncio.gather(connection.call("one", together), connection.call("other", together))
        assert seen[0] is not seen[1]
        for _ in range(3):
            assert await connection.call("later", lambda session: session) in seen
        apart = connection.apart()
        own = await apart.call("apart", lambda session: session)
        assert own not in seen
        assert await apart.call("apart again", lambda session: session) is own
        await apart.close()
        await connection.close()

    asyncio.run(story())
