"""The page of a screen in a browser: noVNC through the proxy to a VNC server that paints in one colour and notes keys."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from backends.systemvm.consoleproxy.pages import gather
from backends.systemvm.consoleproxy.service import ConsoleProxy
from tests.backends.systemvm.consoleproxy.proxied import Proxied, VncServer
from tests.browser.chromium import UI, browser, keep, needs_a_browser, state_of
from tests.browser.waiting import WITHIN, eventually

pytestmark = needs_a_browser

WIDTH, HEIGHT = 320, 200
RETURN, SHIFT = 0xFF0D, 0xFFE1
ALT, CONTROL, DELETE = 0xFFE9, 0xFFE3, 0xFFFF


class Screen(VncServer):
    """RFB 3.8 (RFC 6143): raw rectangles in one `colour` (red, green, blue). `keys`: keysyms and whether they went down."""

    def __init__(self) -> None:
        super().__init__()
        self.colour = (20, 120, 200)
        self.keys: list[tuple[int, bool]] = []
        self.pointer = (-1, -1)
        self._shift = (16, 8, 0)

    async def _after_login(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        pixels = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, *self._shift)
        writer.write(struct.pack(">HH", WIDTH, HEIGHT) + pixels + struct.pack(">I", 4) + b"test")
        painted = None
        while True:
            (kind,) = await reader.readexactly(1)
            if kind == 0:
                self._shift = struct.unpack(">xxxxxxxxxxxxxBBBxxx", await reader.readexactly(19))
            elif kind == 2:
                (count,) = struct.unpack(">xH", await reader.readexactly(3))
                await reader.readexactly(4 * count)
            elif kind == 3:
                await reader.readexactly(9)
                while painted == self.colour:  # nothing new to show
                    await asyncio.sleep(0.02)
                    if reader._buffer:  # type: ignore[attr-defined]
                        break
                else:
                    painted = self.colour
                    writer.write(struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + self._pixels())
            elif kind == 4:
                down, keysym = struct.unpack(">BxxI", await reader.readexactly(7))
                self.keys.append((keysym, bool(down)))
            elif kind == 5:
                _, *where = struct.unpack(">BHH", await reader.readexactly(5))
                self.pointer = (where[0], where[1])
            elif kind == 6:
                (length,) = struct.unpack(">xxxI", await reader.readexactly(7))
                await reader.readexactly(length)
            else:
                raise AssertionError(f"an unexpected message {kind}")

    def _pixels(self) -> bytes:
        value = sum(part << shift for part, shift in zip(self.colour, self._shift, strict=True))
        return struct.pack("<I", value) * (WIDTH * HEIGHT)

    def typed(self) -> list[int]:
        return [keysym for keysym, down in self.keys if down]


class Bench:
    """A proxy and a screen on an event loop in a thread, so that the browser can be driven from this one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.screen = Screen()
        self.it = Proxied(UI)
        self.it.proxy = ConsoleProxy(gather(UI), self.it.clock)
        self.do(self.screen.start())
        self.do(self.it.proxy.start("127.0.0.1", 0))

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WITHIN)

    def url(self) -> tuple[str, str]:
        """A new session's id, and its page."""
        session, token = self.it.grant(self.screen.port)
        return session, f"http://{self.it.url}/resource/noVNC/vnc.html?autoconnect=true&port=1&token={token}&title=web-1"

    def close(self) -> None:
        self.do(self.it.proxy.stop())
        self.do(self.screen.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def colour_of(page: Any) -> list[int]:
    """Of the middle of the screen as noVNC painted it."""
    found = page.evaluate(
        "() => { const c = document.querySelector('canvas');"
        "return [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data].slice(0, 3); }"
    )
    return list(found)


def wait_for_colour(page: Any, colour: tuple[int, int, int]) -> None:
    eventually(lambda: colour_of(page) == list(colour))


def wait_for_keys(screen: Screen, count: int) -> None:
    eventually(lambda: len(screen.typed()) >= count)


def test_a_screen_is_painted_and_keys_pointer_pasted_text_and_ctrl_alt_del_reach_it(bench: Bench) -> None:
    session, url = bench.url()
    with browser() as context:
        page = context.new_page()
        page.goto(url)
        assert state_of(page, "open") == "Connected"
        wait_for_colour(page, (20, 120, 200))
        bench.screen.colour = (200, 40, 10)
        wait_for_colour(page, (200, 40, 10))
        page.keyboard.type("ls")
        page.keyboard.press("Enter")
        wait_for_keys(bench.screen, 3)
        assert bench.screen.typed() == [ord("l"), ord("s"), RETURN]
        page.click("canvas")
        middle = (WIDTH / 2, HEIGHT / 2)
        eventually(lambda: all(abs(at - of) < 5 for at, of in zip(bench.screen.pointer, middle, strict=True)))
        bench.screen.keys.clear()
        page.click("#paste")
        page.fill("#paste-text", "Aé;\n")
        page.click("text=Type it")
        wait_for_keys(bench.screen, 5)
        assert bench.screen.typed() == [SHIFT, ord("A"), 0xE9, ord(";"), RETURN]
        bench.screen.keys.clear()
        page.click("#keys")
        wait_for_keys(bench.screen, 3)
        assert bench.screen.typed() == [CONTROL, ALT, DELETE]
        keep(page, "screen")
        bench.loop.call_soon_threadsafe(bench.it.proxy.reply, {"type": "RevokeConsole", "session_id": session})
        assert "taken away" in state_of(page, "over")


def test_a_screen_that_refuses_the_proxy_is_told_to_the_person(bench: Bench) -> None:
    bench.screen.password = "another"
    with browser() as context:
        page = context.new_page()
        page.goto(bench.url()[1])
        assert "Authentication failed" in state_of(page, "over")
