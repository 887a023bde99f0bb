"""The text screen of a simulated instance, watched through a simulated console proxy, without a manager."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from backends.simulated.systemvms.consoleproxy import SimulatedConsoleProxy
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, SystemVmSpec
from cloudsim.protocol.systemvm import (
    ConsoleGrant,
    ConsoleSessions,
    ConsoleSessionsResult,
    GrantConsole,
    RevokeConsole,
)

if TYPE_CHECKING:
    from conftest import Bench

CARD = NicSpec("n1", "02:00:00:00:00:07", "net", ip="10.1.1.7", netmask="255.255.255.0", gateway="10.1.1.1")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Watching:
    """A console proxy on host b, an instance on host a, and what a watcher of it has seen."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        role = SystemVmSpec("consoleproxy")
        bench.do(bench.b.start_vm(bench.vm("v-1-VM", bench.disk("proxy"), system=role)))
        data = base64.b64encode(b"#!/bin/sh").decode()
        web = bench.vm("i-2-7-VM", bench.disk("root"), hostname="web", nics=(CARD,), user_data=data)
        self.console = bench.do(bench.a.start_vm(web))
        self.seen = ""
        self.over = False
        self.sessions = 0

    def ask(self, request: Any) -> Any:
        return self.bench.do(self.bench.b.ask_system_vm("v-1-VM", request))

    @property
    def proxy(self) -> SimulatedConsoleProxy:
        (proxy,) = self.bench.world.site.console_proxies.values()
        return proxy

    def grant(self, token: str, lasts: float = 300.0) -> str:
        self.sessions += 1
        grant = ConsoleGrant(
            session_id=f"s{self.sessions}",
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            kind="text",
            host=self.console.host,
            port=self.console.port,
            expires=self.bench.world.now() + lasts,
        )
        assert self.ask(GrantConsole(grant=grant)).error is None
        return grant.session_id

    def open(self, token: str = "t") -> Any:
        session = self.proxy.open(token, "192.0.2.1")
        if session is None:
            return None

        def write(data: bytes) -> None:
            self.seen += _ANSI.sub("", data.decode())

        def ended() -> None:
            self.over = True

        terminal = self.proxy.terminal(session, write, ended)
        terminal.show()
        return terminal

    def open_sessions(self) -> dict[str, bool]:
        reply = self.ask(ConsoleSessions())
        assert isinstance(reply, ConsoleSessionsResult)
        return {each.session_id: each.open for each in reply.sessions}


@pytest.fixture
def watching(bench: Bench) -> Watching:
    return Watching(bench)


def test_a_console_shows_the_boot_and_the_facts_of_its_instance(watching: Watching) -> None:
    watching.grant("t")
    terminal = watching.open()
    assert "i-2-7-VM" in watching.seen and "dhcp: eth0 has 10.1.1.7/24" in watching.seen
    assert "9 bytes of user data" in watching.seen and watching.seen.endswith("web# ")
    watching.seen = ""
    terminal.feed(b"facts\r")
    assert "memory           1024 MiB" in watching.seen and watching.bench.a.name in watching.seen
    watching.seen = ""
    terminal.feed(b"ip\r")
    assert "eth0: 02:00:00:00:00:07, the default one" in watching.seen and "gateway 10.1.1.1" in watching.seen
    watching.seen = ""
    terminal.feed(b"reticulate\r")
    assert "reticulate: there is no such command" in watching.seen


def test_what_happens_to_the_instance_is_told_while_it_is_watched_and_in_its_log_afterwards(watching: Watching) -> None:
    bench = watching.bench
    watching.grant("t")
    terminal = watching.open()
    terminal.feed(b"upt")
    bench.do(bench.a.attach_volume("i-2-7-VM", bench.disk("data", device=1)))
    assert "disk 1 attached: volume data" in watching.seen
    assert watching.seen.endswith("web# upt"), "what was being typed goes on after the line between"
    terminal.feed(b"ime\r")
    assert re.search(r"up \d+ s, since 2026-01-01 00:00", watching.seen)
    watching.seen = ""
    terminal.feed(b"log\r")
    assert re.search(r"2026-01-01 00:00:\d\d  disk 1 attached", watching.seen)


def test_a_console_goes_with_its_instance_to_another_host(watching: Watching) -> None:
    bench = watching.bench
    watching.grant("t")
    terminal = watching.open()
    bench.do(bench.a.migrate_vm("i-2-7-VM", bench.b.address, False))
    assert f"moved from {bench.a.name} to {bench.b.name}" in watching.seen and not watching.over
    watching.seen = ""
    terminal.feed(b"facts\r")
    assert bench.b.name in watching.seen
    bench.do(bench.b.stop_vm("i-2-7-VM", False))
    assert watching.over and "The instance stopped." in watching.seen


def test_a_reboot_shows_the_boot_again_without_the_log_before_it(watching: Watching) -> None:
    bench = watching.bench
    watching.grant("t")
    watching.open()
    bench.do(bench.a.scale_vm("i-2-7-VM", 2, 1000, 2048))
    watching.seen = ""
    bench.do(bench.a.reboot_vm("i-2-7-VM", False))
    assert "2 CPUs of 1000 MHz" in watching.seen and "now 2 x 1000 MHz" not in watching.seen


def test_a_paused_instance_does_not_hear_keys(watching: Watching) -> None:
    bench = watching.bench
    watching.grant("t")
    terminal = watching.open()
    bench.do(bench.a.suspend_vm("i-2-7-VM"))
    watching.seen = ""
    terminal.feed(b"facts\r")
    assert watching.seen == ""
    bench.do(bench.a.resume_vm("i-2-7-VM"))
    terminal.feed(b"help\r")
    assert "goes on" in watching.seen and "ping ADDRESS" in watching.seen


def test_keys_edit_the_line(watching: Watching) -> None:
    watching.grant("t")
    terminal = watching.open()
    for keys in (b"fax\x7fcts\r", b"nonsense\x15\x1b[Ahelp\r", b"nonsense\x03help\r"):
        watching.seen = ""
        terminal.feed(keys)
        assert "there is no such command" not in watching.seen
        assert "memory" in watching.seen or "ping ADDRESS" in watching.seen


def test_ping_asks_who_reaches_whom(watching: Watching) -> None:
    bench = watching.bench
    other = NicSpec("n2", "02:00:00:00:00:08", "net", ip="10.1.1.8", netmask="255.255.255.0", gateway="10.1.1.1")
    bench.do(bench.b.start_vm(bench.vm("i-2-8-VM", bench.disk("second"), nics=(other,))))
    watching.grant("t")
    terminal = watching.open()
    terminal.feed(b"ping 10.1.1.8\r")
    assert "10.1.1.8 answers" in watching.seen
    terminal.feed(b"ping 10.1.1.9\r")
    assert "10.1.1.9 does not answer" in watching.seen
    terminal.feed(b"ping web\r")
    assert "web is no IPv4 address" in watching.seen


def test_a_token_opens_once_and_only_before_it_expires_in_simulated_time(watching: Watching) -> None:
    first = watching.grant("t")
    watching.grant("late", lasts=10.0)
    terminal = watching.open()
    assert terminal is not None and watching.open() is None and watching.open("guessed") is None
    assert watching.open_sessions() == {first: True}
    watching.bench.do(watching.bench.a.spend(11.0))
    assert watching.open("late") is None


def test_a_revoked_session_is_told_once_to_have_ended(watching: Watching) -> None:
    session = watching.grant("t")
    watching.open()
    assert watching.ask(RevokeConsole(session_id=session)).error is None
    assert watching.open_sessions() == {session: False}
    assert watching.open_sessions() == {}


def test_a_proxy_that_reboots_has_forgotten_its_tokens(watching: Watching) -> None:
    watching.grant("t")
    proxy = watching.proxy
    watching.bench.do(watching.bench.b.reboot_vm("v-1-VM", True))
    assert proxy.open("t", "") is None and watching.open_sessions() == {}


def test_an_instance_that_is_gone_or_cut_off_has_no_console(watching: Watching) -> None:
    bench = watching.bench
    for token in ("a", "b"):
        watching.grant(token)
    bench.world.cut_link(bench.a.name)
    with pytest.raises(HypervisorError, match="host does not answer"):
        watching.open("a")
    bench.world.restore_link(bench.a.name)
    bench.do(bench.a.stop_vm("i-2-7-VM", True))
    with pytest.raises(HypervisorError, match="does not run there any more"):
        watching.open("b")
