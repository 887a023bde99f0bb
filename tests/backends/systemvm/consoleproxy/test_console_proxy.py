"""The proxy from outside: tokens over WebSockets, a VNC server and a terminal behind it, and what it reports."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from backends.systemvm.consoleproxy.des import encrypt
from backends.systemvm.consoleproxy.door import CUT, IDLE, UNREACHABLE
from backends.systemvm.consoleproxy.rfb import response_to
from tests.backends.systemvm.consoleproxy.proxied import (
    PASSWORD,
    Terminal,
    VncServer,
    eventually,
    expected_response,
    proxied,
    started,
)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


def test_des_agrees_with_the_worked_example_of_the_standard() -> None:
    assert encrypt(bytes.fromhex("133457799BBCDFF1"), bytes.fromhex("0123456789ABCDEF")).hex() == "85e813540f0ab405"


@given(st.binary(min_size=16, max_size=16), st.text("abcXYZ019!~", max_size=10))
def test_a_challenge_is_answered_as_another_implementation_of_des_answers_it(challenge: bytes, password: str) -> None:
    assert response_to(challenge, password) == expected_response(challenge, password)


@pytest.mark.parametrize("version", [b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"])
def test_a_token_opens_a_screen_without_the_client_knowing_its_password(tmp_path: Path, version: bytes) -> None:
    async def scenario() -> None:
        server = VncServer(version)
        async with proxied(tmp_path) as it, started(server) as port:
            session, token = it.grant(port)
            async with it.connect(token) as socket:
                await it.login(socket)
                await socket.send(b"\x01")  # ClientInit
                assert await socket.recv() == b"\xfe"
                assert server.logins == 1
                assert it.sessions() == {session: True}

    run(scenario())


def test_used_guessed_expired_and_revoked_tokens_are_refused_alike(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = VncServer()
        async with proxied(tmp_path) as it, started(server) as port:
            _, used = it.grant(port)
            async with it.connect(used) as socket:
                await it.login(socket)
                while_open = await it.refusal(f"?token={used}")
            after = await it.refusal(f"?token={used}")
            _, late = it.grant(port)
            revoked_id, revoked = it.grant(port)
            it.proxy.reply({"type": "RevokeConsole", "session_id": revoked_id})
            taken_back = await it.refusal(f"?token={revoked}")
            it.clock.time += 60
            expired = await it.refusal(f"?token={late}")
            guessed = await it.refusal("?token=guessed")
            none, empty = await it.refusal(""), await it.refusal("?token=")
            wanting_more = it.grant(port)[1]
            with_extra = await it.refusal(f"?token={wanting_more}&extra=x")
            answers = {while_open, after, taken_back, expired, guessed, none, empty, with_extra}
            assert answers == {(403, b"No console")}
            assert server.logins == 1

    run(scenario())


def test_the_token_is_not_used_up_by_looking_at_its_address_with_a_plain_request(tmp_path: Path) -> None:
    def status(url: str) -> int:
        try:
            return int(urllib.request.urlopen(url, timeout=30).status)
        except urllib.error.HTTPError as error:
            return error.code

    async def scenario() -> None:
        async with proxied(tmp_path) as it, started(VncServer()) as port:
            _, token = it.grant(port)
            address = f"http://{it.url}/websockify?token={token}"
            assert await asyncio.to_thread(status, address) == 426
            async with it.connect(token) as socket:
                await it.login(socket)

    run(scenario())


def test_two_sessions_see_their_own_machines_and_end_by_themselves(tmp_path: Path) -> None:
    async def scenario() -> None:
        terminal = Terminal(password="one-time")
        async with proxied(tmp_path) as it, started(VncServer()) as vnc, started(terminal) as serial:
            screen, to_screen = it.grant(vnc)
            line, to_line = it.grant(serial, kind="serial", password="one-time")
            async with it.connect(to_screen) as first:
                await it.login(first)
                async with it.connect(to_line) as second:
                    assert await second.recv() == b"web-1 login: "
                    await second.send("root\r")
                    assert await second.recv() == b"root\r"
                    await first.send(b"\x00\x01")
                    assert await first.recv() == b"\xff\xfe"
                    assert it.sessions() == {screen: True, line: True}
                await eventually(lambda: it.proxy.grants.open == 1)
                assert it.sessions() == {screen: True, line: False}
                assert it.sessions() == {screen: True}, "what has ended is told once"
            await eventually(lambda: it.proxy.grants.open == 0)
            assert it.sessions() == {screen: False}

    run(scenario())


def test_a_session_that_is_revoked_is_cut_at_both_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = VncServer()
        async with proxied(tmp_path) as it, started(server) as port:
            session, token = it.grant(port)
            async with it.connect(token) as socket:
                await it.login(socket)
                assert server.open == 1
                it.proxy.reply({"type": "RevokeConsole", "session_id": session})
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None and closed.value.rcvd.code == CUT
            await eventually(lambda: server.open == 0)
            assert it.sessions() == {session: False}

    run(scenario())


def test_a_grant_that_is_repeated_does_not_open_a_second_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with proxied(tmp_path) as it, started(VncServer()) as port:
            _, token = it.grant(port, name="s")
            async with it.connect(token) as socket:
                await it.login(socket)
                _, again = it.grant(port, name="s")
                assert await it.refusal(f"?token={again}") == (403, b"No console")

    run(scenario())


def test_where_the_screen_cannot_be_had_the_client_hears_why(tmp_path: Path) -> None:
    async def reason(it: Any, port: int, **how: Any) -> str:
        _, token = it.grant(port, **how)
        async with it.connect(token) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == UNREACHABLE
        return closed.value.rcvd.reason

    async def scenario() -> None:
        async with proxied(tmp_path) as it:
            async with started(VncServer()) as port:
                assert "Authentication failed" in await reason(it, port, password="wrong")
                assert "another kind of login" in await reason(it, port, password="")
            assert "does not answer" in await reason(it, port)
            async with started(Terminal()) as port:
                assert "no VNC server" in await reason(it, port)
            assert not any(it.sessions().values())

    run(scenario())


def test_a_console_through_which_nothing_passes_is_cut(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with proxied(tmp_path) as it, started(Terminal()) as port:
            session, token = it.grant(port, kind="serial", password="", idle=0.05)
            async with it.connect(token) as socket:
                assert await socket.recv() == b"web-1 login: "
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None and closed.value.rcvd.code == IDLE
            assert it.sessions() == {session: False}

    run(scenario())


def test_a_proxy_that_stops_takes_its_sessions_along(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = VncServer()
        async with proxied(tmp_path) as it, started(server) as port:
            async with it.connect(it.grant(port)[1]) as socket:
                await it.login(socket)
                await it.proxy.stop()
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
            await eventually(lambda: server.open == 0)

    run(scenario())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=70_000), min_size=1, max_size=4))
def test_bytes_pass_unchanged_in_both_directions(tmp_path_factory: pytest.TempPathFactory, said: list[bytes]) -> None:
    async def scenario() -> None:
        folder = tmp_path_factory.getbasetemp()
        async with proxied(folder) as it, started(VncServer()) as port, it.connect(it.grant(port)[1]) as socket:
            await it.login(socket)
            expected, heard = bytes(255 - byte for byte in b"".join(said)), b""

            async def say() -> None:
                for each in said:
                    await socket.send(each)

            saying = asyncio.ensure_future(say())
            while len(heard) < len(expected):
                heard += await socket.recv()  # type: ignore[operator]
            await saying
            assert heard == expected

    run(scenario())


@pytest.mark.parametrize(
    "grant", [{}, {"session_id": "s"}, {"session_id": "s", "token_hash": "0" * 64, "kind": "rdp"}, {"port": "1"}, "x"]
)
def test_what_is_no_grant_is_refused_with_a_reason(tmp_path: Path, grant: Any) -> None:
    async def scenario() -> None:
        async with proxied(tmp_path) as it:
            assert it.proxy.reply({"type": "GrantConsole", "grant": grant})["error"]
            assert it.sessions() == {}

    run(scenario())


def test_pages_come_from_the_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    pages, outside = tmp_path / "pages", tmp_path / "secret.html"
    (pages / "novnc").mkdir(parents=True)
    outside.write_text("secret")
    (pages / "vnc.html").write_text("<title>console</title>")
    (pages / "novnc" / "rfb.js").write_text("export default 1")

    def get(url: str) -> tuple[int, str, str]:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, "", ""

    async def scenario() -> None:
        async with proxied(pages) as it:
            root = f"http://{it.url}/resource/noVNC"
            page = await asyncio.to_thread(get, f"{root}/vnc.html?autoconnect=true&token=x")
            assert page == (200, "text/html; charset=utf-8", "<title>console</title>")
            module = await asyncio.to_thread(get, f"{root}/novnc/rfb.js")
            assert module == (200, "text/javascript; charset=utf-8", "export default 1")
            for path in ("/", "/resource/noVNC/", "/resource/noVNC/../secret.html", "/resource/noVNC/none", "/vnc.html"):
                assert (await asyncio.to_thread(get, f"http://{it.url}{path}"))[0] == 404

    run(scenario())


def test_the_password_of_the_screen_is_nowhere_in_what_the_proxy_tells(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with proxied(tmp_path) as it, started(VncServer()) as port, it.connect(it.grant(port)[1]) as socket:
            await it.login(socket)
            assert PASSWORD not in str(it.proxy.reply({"type": "ConsoleSessions"}))

    run(scenario())
