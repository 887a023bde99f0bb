"""Serial consoles over TCP, with a pseudoterminal of our own in place of QEMU's."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.libvirt.console import terminal_of
from backends.libvirt.terminals import LASTS, Terminals


class Guest:
    """The other end of a pseudoterminal: what QEMU is for a guest's serial port."""

    def __init__(self) -> None:
        self.fd, self._line = pty.openpty()
        tty.setraw(self._line)
        os.set_blocking(self.fd, False)
        self.path = os.ttyname(self._line)

    def say(self, data: bytes) -> None:
        os.write(self.fd, data)

    async def hears(self, count: int) -> bytes:
        heard = b""
        while len(heard) < count:
            try:
                heard += os.read(self.fd, 65536)
            except BlockingIOError:
                await asyncio.sleep(0.002)
        return heard

    def stop(self) -> None:
        for fd in (self.fd, self._line):
            if fd >= 0:
                os.close(fd)
        self.fd = self._line = -1


async def dial(port: int, password: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(password.encode() + b"\n")
    return reader, writer


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_a_password_opens_one_terminal_once() -> None:
    async def scenario() -> None:
        guest, terminals = Guest(), Terminals("127.0.0.1")
        port, password = await terminals.let(guest.path)
        reader, writer = await dial(port, password)
        writer.write(b"root\r")
        assert await guest.hears(5) == b"root\r"
        guest.say(b"Password: ")
        assert await reader.readexactly(10) == b"Password: "
        for wrong in (password, "guessed", ""):
            refused, _ = await dial(port, wrong)
            assert await refused.read() == b""
        await terminals.close()
        guest.stop()

    run(scenario())


def test_a_password_that_has_grown_old_opens_nothing() -> None:
    async def scenario() -> None:
        time = 0.0
        guest, terminals = Guest(), Terminals("127.0.0.1", lambda: time)
        port, password = await terminals.let(guest.path)
        time = LASTS
        reader, _ = await dial(port, password)
        assert await reader.read() == b""
        await terminals.close()
        guest.stop()

    run(scenario())


def test_two_watchers_see_the_same_and_type_on_the_same_line() -> None:
    async def scenario() -> None:
        guest, terminals = Guest(), Terminals("127.0.0.1")
        watchers = [await dial(*await terminals.let(guest.path)) for _ in range(2)]
        for number, (_, writer) in enumerate(watchers):
            writer.write(b"%d" % number)
            await guest.hears(1)
        guest.say(b"login: ")
        for reader, _ in watchers:
            assert await reader.readexactly(7) == b"login: "
        watchers[0][1].close()
        watchers[1][1].write(b"x")
        assert await guest.hears(1) == b"x", "the one who stays goes on"
        await terminals.close()
        guest.stop()

    run(scenario())


def test_when_the_guest_goes_its_watchers_hear_the_rest_and_the_end() -> None:
    async def scenario() -> None:
        guest, terminals = Guest(), Terminals("127.0.0.1")
        reader, writer = await dial(*await terminals.let(guest.path))
        writer.write(b"halt\r")
        await guest.hears(5)
        guest.say(b"reboot: Power down\r\n")
        assert await reader.readexactly(20) == b"reboot: Power down\r\n"
        guest.stop()
        assert await reader.read() == b""
        await terminals.close()

    run(scenario())


def test_a_terminal_that_is_not_there_ends_at_once() -> None:
    async def scenario() -> None:
        terminals = Terminals("127.0.0.1")
        reader, _ = await dial(*await terminals.let("/dev/pts/none"))
        assert await reader.read() == b""
        await terminals.close()

    run(scenario())


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=20_000), st.binary(min_size=1, max_size=3000))
def test_bytes_pass_unchanged_both_ways(typed: bytes, said: bytes) -> None:
    async def scenario() -> None:
        guest, terminals = Guest(), Terminals("127.0.0.1")
        reader, writer = await dial(*await terminals.let(guest.path))
        writer.write(typed)
        assert await guest.hears(len(typed)) == typed
        guest.say(said)
        assert await reader.readexactly(len(said)) == said
        await terminals.close()
        guest.stop()

    run(scenario())


def test_the_terminal_is_the_first_serial_port_of_the_domain() -> None:
    xml = "<domain><devices><serial type='pty'><source path='/dev/pts/4'/></serial></devices></domain>"
    assert terminal_of(xml) == "/dev/pts/4"
    assert terminal_of("<domain><devices><serial type='file'/></devices></domain>") is None
