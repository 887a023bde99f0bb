"""The host's end of a system VM's channel, against machines that answer late, twice, half or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.libvirt.systemvms.channel import Channel
from backends.systemvm.guest.channel import Lines, framed
from cloudsim.hypervisor import HypervisorError

Answering = Callable[[dict[str, Any]], list[bytes]]
_VALUES = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers() | st.none(), max_size=4)


async def with_machine(folder: Path, answering: Answering, doing: Callable[[Channel], Awaitable[None]]) -> int:
    """Have a machine answer each request with these bytes; how many connections it saw."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        lines = Lines()
        while data := await reader.read(1000):
            for request in lines.taken(data):
                for answer in answering(request):
                    if answer == b"":
                        writer.close()
                        return
                    writer.write(answer)
                    await writer.drain()
        writer.close()

    path = str(folder / "channel")
    server = await asyncio.start_unix_server(serve, path)
    channel = Channel("r-1-VM", path)
    try:
        await doing(channel)
    finally:
        await channel.close()
        server.close()
    return connections


def test_replies_find_their_requests_in_any_order(tmp_path: Path) -> None:
    held: list[dict[str, Any]] = []

    def answering(request: dict[str, Any]) -> list[bytes]:
        held.append(request)
        if len(held) < 3:
            return []
        return [framed({"id": each["id"], "told": each["n"]}) for each in reversed(held)]

    async def ask(channel: Channel) -> None:
        replies = await asyncio.gather(*(channel.ask({"n": n}, 5.0) for n in range(3)))
        assert [reply["told"] for reply in replies] == [0, 1, 2]

    assert asyncio.run(with_machine(tmp_path, answering, ask)) == 1


def test_what_was_meant_for_another_is_passed_over(tmp_path: Path) -> None:
    def answering(request: dict[str, Any]) -> list[bytes]:
        good = framed({"id": request["id"], "ok": True})
        return [b'rest of a line"}\n', b"[1, 2]\n\n", framed({"id": "another's"}), good[:9], good[9:], good]

    async def ask(channel: Channel) -> None:
        assert (await channel.ask({}, 5.0))["ok"] is True
        assert (await channel.ask({}, 5.0))["ok"] is True

    assert asyncio.run(with_machine(tmp_path, answering, ask)) == 1


def test_a_machine_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    async def ask(channel: Channel) -> None:
        with pytest.raises(HypervisorError, match=r"^system VM r-1-VM did not answer within 0\.1 s$"):
            await channel.ask({}, 0.1)

    asyncio.run(with_machine(tmp_path, lambda request: [], ask))


def test_a_connection_that_breaks_fails_what_waits_and_the_next_request_makes_another(tmp_path: Path) -> None:
    def answering(request: dict[str, Any]) -> list[bytes]:
        return [b""] if request["n"] == 1 else [framed({"id": request["id"]})]

    async def ask(channel: Channel) -> None:
        await channel.ask({"n": 0}, 5.0)
        with pytest.raises(HypervisorError, match="r-1-VM cannot be reached: it closed its channel"):
            await channel.ask({"n": 1}, 5.0)
        await channel.ask({"n": 2}, 5.0)

    assert asyncio.run(with_machine(tmp_path, answering, ask)) == 2


def test_a_machine_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def ask() -> None:
        with pytest.raises(HypervisorError, match="r-1-VM cannot be reached: No such file"):
            await Channel("r-1-VM", str(tmp_path / "none")).ask({}, 1.0)

    asyncio.run(ask())


@given(st.lists(_VALUES, max_size=5), st.lists(st.binary(max_size=12), max_size=5), st.integers(1, 40))
def test_a_guest_reads_messages_out_of_any_pieces_and_past_any_rubbish(
    messages: list[dict[str, Any]], rubbish: list[bytes], size: int
) -> None:
    def is_message(line: bytes) -> bool:
        try:
            return isinstance(json.loads(line), dict)
        except ValueError:
            return False

    stream = b""
    for number, message in enumerate(messages):
        noise = rubbish[number] if number < len(rubbish) else b""
        stream += b"\n".join(line for line in noise.split(b"\n") if not is_message(line)) + framed(message)
    lines = Lines()
    found = [m for at in range(0, len(stream), size) for m in lines.taken(stream[at : at + size])]
    assert found == messages
