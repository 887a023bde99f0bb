"""Agents over TLS: who is let in, what happens when a connection breaks, and that a command is done once all the same."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from backends.wire import certificates as c
from backends.wire import gateway as gateway_module
from backends.wire import link
from backends.wire.authority import Authority
from backends.wire.connector import (
    AGENT,
    ENROL,
    ManagerConnector,
    ManagerUrl,
    manager_context,
    open_connection,
    own_context,
)
from backends.wire.gateway import Gateway, default_names
from cloudsim.protocol import commands
from cloudsim.protocol.messages import Connected, Ping, Startup
from cloudsim.protocol.specs import HostFacts
from tests.backends.wire.wire_harness import LOCAL, Bench, Host, Manager, Relay, new_guid, run, until


def test_an_agent_connects_and_does_what_it_is_told(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity, host = bench.enrolled(), Host()
            agent = bench.agent(identity, host)
            await bench.connected(agent)
            assert bench.manager.startups[0].guid == identity.guid
            answer = await bench.manager.ask(identity.guid, commands.StopCommand(vm="i-2-1-VM"))
            assert answer == commands.StopAnswer() and host.done == ["stop i-2-1-VM"]

    run(scene())


def test_links_close_at_both_ends_once_and_the_last_message_arrives(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            end = await ManagerConnector(bench.url, bench.enrolled()).connect()
            closed: list[str] = []
            end.on_close = lambda: closed.append("agent")
            heard: list[object] = []
            end.on_message = heard.append
            end.send(Startup(bench.authority.issued()[0].guid, "kvm1", "1", HostFacts("KVM", 1, 1, 1)))
            await bench.manager.wait(lambda m: m.links)
            (managers_end,) = bench.manager.links.values()
            managers_end.send(Connected("last", 1.0))
            managers_end.close()
            managers_end.send(Connected("too late", 1.0))
            await end.wait_closed()
            assert closed == ["agent"] and heard == [Connected("host", 60.0), Connected("last", 1.0)]
            assert bench.manager.lost == [], "it was the manager that closed"

    run(scene())


@pytest.mark.parametrize("kind", ["Startup", "Ping"])
def test_an_agent_that_says_it_is_another_is_cut_off(tmp_path: Path, kind: str) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            end = await ManagerConnector(bench.url, bench.enrolled()).connect()
            closed = asyncio.Event()
            end.on_close = closed.set
            other = new_guid()
            end.send(
                Startup(other, "kvm1", "1", HostFacts("KVM", 1, 1, 1)) if kind == "Startup" else Ping(other)
            )
            await closed.wait()
            assert bench.manager.heard == [] and bench.gateway.called("kvm1") == []

    run(scene())


def test_without_a_certificate_of_this_manager_nobody_gets_to_agents(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path / "a") as bench:
            stranger = manager_context(bench.authority.certificate_pem)
            with pytest.raises(ConnectionError, match="a certificate of this manager's is needed"):
                await open_connection(bench.url, AGENT, stranger)
            other = Bench(tmp_path / "b")
            identity = other.enrolled("kvm2")
            identity.authority.write_text(bench.authority.certificate_pem)
            with pytest.raises(ConnectionError):
                await ManagerConnector(bench.url, identity).connect()
            assert bench.manager.heard == []

    run(scene())


def test_an_agent_believes_only_the_manager_it_knows(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path / "a") as bench, Bench(tmp_path / "b") as other:
            with pytest.raises(ConnectionError, match="cannot prove who it is"):
                await ManagerConnector(other.url, bench.enrolled()).connect()

    run(scene())


def test_an_agent_believes_its_manager_only_at_a_name_that_it_has(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            bench.gateway.names = ("manager.example",)
            await bench.gateway.stop()
            await bench.gateway.start()
            with pytest.raises(ConnectionError, match=r"127\.0\.0\.1"):
                await ManagerConnector(bench.url, bench.enrolled()).connect()

    run(scene())


def test_an_agent_that_plays_the_manager_is_not_believed(tmp_path: Path) -> None:
    async def scene() -> None:
        bench = Bench(tmp_path)
        impostor, victim = bench.enrolled("localhost", LOCAL), bench.enrolled("kvm2")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(impostor.certificate, impostor.key)

        async def answer(connection: ServerConnection) -> None:
            raise AssertionError("the opening is over when the victim hangs up")

        async with serve(answer, LOCAL, 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ConnectionError, match="not the manager's"):
                await ManagerConnector(ManagerUrl(LOCAL, port), victim).connect()

    run(scene())


def test_nobody_there_is_a_connection_error_in_time(tmp_path: Path) -> None:
    async def scene() -> None:
        bench = Bench(tmp_path)
        identity = bench.enrolled()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, LOCAL, 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionError, match=r"did not answer within 0\.2 s"):
            await ManagerConnector(ManagerUrl(LOCAL, port), identity, timeout=0.2).connect()
        server.close()
        with pytest.raises(ConnectionError, match="cannot be reached"):
            await ManagerConnector(ManagerUrl(LOCAL, port), identity).connect()
        identity.certificate.write_text("nonsense")
        with pytest.raises(ConnectionError, match="cannot be used"):
            await ManagerConnector(ManagerUrl(LOCAL, port), identity).connect()

    run(scene())


def test_an_agent_is_refused_until_somebody_is_attached(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            bench.gateway.detach()
            connector = ManagerConnector(bench.url, bench.enrolled())
            with pytest.raises(ConnectionError, match="not ready"):
                await connector.connect()
            bench.gateway.attach(bench.manager.accept)
            (await connector.connect()).close()

    run(scene())


def test_a_revoked_agent_is_cut_off_and_stays_out(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity, other = bench.enrolled(), bench.enrolled("kvm2")
            agent, bystander = bench.agent(identity, Host()), bench.agent(other, Host())
            await bench.connected(agent)
            await bench.connected(bystander)
            assert Authority(tmp_path / "agents-ca").revoke(identity.guid) == 1, "as another process does it"
            await bench.manager.wait(lambda m: m.lost)
            assert bench.manager.lost == [identity.guid] and bystander.connected
            with pytest.raises(ConnectionError, match="revoked"):
                await ManagerConnector(bench.url, identity).connect()

    run(scene())


def test_agents_come_back_after_the_gateway_was_away(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity, host = bench.enrolled(), Host()
            agent = bench.agent(identity, host)
            await bench.connected(agent)
            await bench.gateway.stop()
            await until(lambda: not agent.connected)
            again = Manager()
            await bench.gateway.start()
            bench.gateway.attach(again.accept)
            await again.wait(lambda m: m.startups)
            answer = await again.ask(identity.guid, commands.StopCommand(vm="i-2-1-VM"))
            assert answer.ok

    run(scene())


def test_a_new_manager_takes_the_agents_over(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            agent = bench.agent(bench.enrolled(), Host())
            await bench.connected(agent)
            second = Manager()
            bench.gateway.attach(second.accept)
            await second.wait(lambda m: m.startups)
            assert bench.manager.lost == [], "links that it has lost with its place are not its business"

    run(scene())


def test_an_answer_that_got_lost_is_given_again_and_the_command_done_once(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            relay = await Relay(bench.gateway.port).start()
            identity, host = bench.enrolled(), Host()
            agent = bench.agent(identity, host, port=relay.port, journal=bench.journal(identity))
            await bench.connected(agent)
            relay.mute = True
            answer = bench.manager.ask(identity.guid, commands.RebootCommand(vm="i-2-1-VM"))
            await relay.swallows()
            assert host.done == ["reboot i-2-1-VM"] and not answer.done()
            relay.cut()
            assert (await answer) == commands.RebootAnswer()
            assert host.begun == ["reboot i-2-1-VM"] and len(bench.manager.startups) == 2
            relay.stop()

    run(scene())


def test_it_is_given_again_by_the_next_agent_of_the_host_too(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            relay = await Relay(bench.gateway.port).start()
            identity, host = bench.enrolled(), Host()
            first = bench.agent(identity, host, port=relay.port, journal=bench.journal(identity))
            await bench.connected(first)
            relay.mute = True
            answer = bench.manager.ask(identity.guid, commands.RebootCommand(vm="i-2-1-VM"))
            await relay.swallows()
            relay.cut()
            first.stop()
            bench.agent(identity, host, port=relay.port, journal=bench.journal(identity))
            assert (await answer) == commands.RebootAnswer()
            assert host.begun == ["reboot i-2-1-VM"]
            relay.stop()

    run(scene())


def test_what_an_agent_was_killed_in_is_repeated_or_answered_with_an_error(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity, host = bench.enrolled(), Host()
            host.gate.clear()
            first = bench.agent(identity, host, journal=bench.journal(identity))
            await bench.connected(first)
            stop = bench.manager.ask(identity.guid, commands.StopCommand(vm="i-2-1-VM"))
            reboot = bench.manager.ask(identity.guid, commands.RebootCommand(vm="i-2-2-VM"))
            await host.wait(lambda h: len(h.begun) == 2)
            first.stop()
            host.gate.set()
            bench.agent(identity, host, journal=bench.journal(identity))
            assert (await stop) == commands.StopAnswer()
            interrupted = await reboot
            assert interrupted.error == "the agent of kvm1 was restarted in the middle of RebootCommand"
            assert host.begun.count("reboot i-2-2-VM") == 1 and host.begun.count("stop i-2-1-VM") == 2

    run(scene())


@pytest.mark.parametrize("frame", ["no JSON", '{"Startup": {"guid": 7}}', "{}", b'{"Ping": {"guid": "x"}}'])
def test_what_is_no_message_ends_the_connection(
    tmp_path: Path, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            connection = await open_connection(bench.url, AGENT, own_context(bench.enrolled()))
            await connection.send(frame)
            await connection.wait_closed()
            assert connection.close_code in (1003, 1007)
            assert bench.manager.heard == []

    with caplog.at_level(logging.WARNING):
        run(scene())
    assert "is closed: a " in caplog.text


def test_a_message_that_cannot_be_dealt_with_does_not_stop_the_next(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            end = await ManagerConnector(bench.url, bench.enrolled()).connect()
            heard: list[object] = []

            def fail_at_first(message: object) -> None:
                heard.append(message)
                if len(heard) == 1:
                    raise ZeroDivisionError

            end.on_message = fail_at_first
            end.send(Startup(bench.authority.issued()[0].guid, "kvm1", "1", HostFacts("KVM", 1, 1, 1)))
            await bench.manager.wait(lambda m: m.links)
            next(iter(bench.manager.links.values())).send(Connected("second", 1.0))
            await until(lambda: len(heard) == 2)
            assert not end.closed

    run(scene())


def test_a_flood_blocks_nobody_and_arrives_in_order(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity, other, host = bench.enrolled(), bench.enrolled("kvm2"), Host()
            bystander = bench.agent(other, host)
            await bench.connected(bystander)
            end = await ManagerConnector(bench.url, identity).connect()
            before = asyncio.get_running_loop().time()
            guid = identity.guid
            end.send(Startup(guid, "kvm1", "1", HostFacts("KVM", 1, 1, 1)))
            for number in range(20_000):
                end.send(Ping(guid, ()) if number % 2 else Ping(guid))
            assert asyncio.get_running_loop().time() - before < 30.0, "handing over does not wait"
            answer = await bench.manager.ask(other.guid, commands.StopCommand(vm="i-2-1-VM"))
            assert answer.ok
            await bench.manager.wait(lambda m: sum(isinstance(x, Ping) for x in m.heard) >= 20_000)
            pings = [x.vms for x in bench.manager.heard if isinstance(x, Ping)]
            assert pings == [None, ()] * 10_000

    run(scene())


def test_a_peer_that_does_not_read_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MOST_WAITING", 2**20)

    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled()
            end = await ManagerConnector(bench.url, identity).connect()
            end.send(Startup(identity.guid, "kvm1", "1", HostFacts("KVM", 1, 1, 1)))
            await bench.manager.wait(lambda m: m.links)
            end._connection.transport.pause_reading()
            managers_end = bench.manager.links[identity.guid]
            text = "x" * 10_000
            for _ in range(200):
                managers_end.send(Connected(text, 1.0))
            assert bench.manager.lost == [], "its owner is never called from within send"
            await bench.manager.wait(lambda m: m.lost)

    run(scene())


def test_one_that_takes_too_long_to_read_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "SEND_WITHIN", 0.2)

    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled()
            end = await ManagerConnector(bench.url, identity).connect()
            end.send(Startup(identity.guid, "kvm1", "1", HostFacts("KVM", 1, 1, 1)))
            await bench.manager.wait(lambda m: m.links)
            end._connection.transport.pause_reading()
            for _ in range(5):  # more than the buffers of both ends' kernels take
                bench.manager.links[identity.guid].send(Connected("x" * 12 * 2**20, 1.0))
            await bench.manager.wait(lambda m: m.lost)

    run(scene())


def test_a_network_that_swallows_everything_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(link.SETTINGS, "ping_interval", 0.1)
    monkeypatch.setitem(link.SETTINGS, "ping_timeout", 0.2)
    monkeypatch.setitem(link.SETTINGS, "close_timeout", 0.1)

    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            relay = await Relay(bench.gateway.port).start()
            agent = bench.agent(bench.enrolled(), Host(), port=relay.port)
            await bench.connected(agent)
            relay.mute = True
            await bench.manager.wait(lambda m: m.lost)
            relay.cut()
            await bench.manager.wait(lambda m: len(m.startups) >= 2)  # a slow agent may be lost once more
            relay.stop()

    run(scene())


def test_a_stranger_cannot_make_the_gateway_remember_much(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            connection = await open_connection(
                bench.url, ENROL, manager_context(bench.authority.certificate_pem)
            )
            await connection.recv()
            await connection.send("x" * 100_000)
            await connection.wait_closed()
            assert connection.close_code == 1009
            with pytest.raises(ConnectionError, match="needed"):
                await open_connection(bench.url, "/other", manager_context(bench.authority.certificate_pem))
            with pytest.raises(ConnectionError, match="there is no /other"):
                await open_connection(bench.url, "/other", own_context(bench.enrolled()))

    run(scene())


def test_the_gateways_certificate_is_for_the_names_it_is_given(tmp_path: Path) -> None:
    async def scene() -> None:
        authority = Authority(tmp_path)
        gateway = Gateway(authority, LOCAL, 0, ["manager.example", "10.1.2.3"])
        await gateway.start()
        context = manager_context(authority.certificate_pem)
        async with connect(
            f"wss://manager.example:{gateway.port}{ENROL}", host=LOCAL, ssl=context, proxy=None
        ) as connection:
            shown = connection.transport.get_extra_info("peercert")
            assert ("IP Address", "10.1.2.3") in shown["subjectAltName"]
        await gateway.stop()

    run(scene())


def test_the_names_by_default_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module.socket, "gethostname", lambda: "manager")
    assert default_names("10.1.2.3") == ("manager", "localhost", "127.0.0.1", "10.1.2.3")
    assert default_names("0.0.0.0")[:3] == default_names("")[:3] == ("manager", "localhost", "127.0.0.1")
    monkeypatch.setattr(gateway_module.socket, "gethostname", lambda: "my machine")
    assert default_names(LOCAL) == ("localhost", LOCAL), "a certificate cannot be for such a name"


def test_a_certificate_that_ends_while_its_agent_is_connected_ends_the_connection(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            agent = bench.agent(bench.enrolled(), Host())
            await bench.connected(agent)
            now = bench.authority.now
            bench.authority.now = lambda: now() + (c.CERTIFICATE_DAYS + 1) * 86400
            await bench.manager.wait(lambda m: m.lost)
            agent.stop()

    run(scene())
