"""The agent's process: one for each folder, patient with its hypervisor, and gone in good order when told."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest

from backends.libvirt.settings import HostSettings
from backends.wire import agent_process, answers
from backends.wire import certificates as c
from backends.wire.agent_process import AgentError, AgentSettings, OpenHypervisor, live, run_agent
from backends.wire.connector import ManagerUrl
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol import commands
from cloudsim.protocol.specs import Place
from tests.backends.wire.wire_harness import LOCAL, Bench, Host, run, until


class Process:
    """`live` as a task, on a host that is made up; the first `fails` attempts to open it fail."""

    def __init__(self, settings: AgentSettings, fails: int = 0) -> None:
        self.settings = settings
        self.machine = Host()
        self.fails = fails
        self.stopping = asyncio.Event()
        self.task = asyncio.create_task(live(settings, self.open, self.stopping))

    async def open(self, settings: HostSettings) -> OpenHypervisor:
        if self.fails:
            self.fails -= 1
            raise HypervisorError("connecting: no libvirtd at qemu:///system")
        return self.machine  # type: ignore[return-value]

    async def stop(self) -> None:
        self.stopping.set()
        await self.task


def settings(bench: Bench, port: int = 0) -> AgentSettings:
    identity = bench.enrolled()
    host = HostSettings(name="kvm1", guid=identity.guid, data=identity.folder, private_ip=LOCAL)
    return AgentSettings(
        manager=ManagerUrl(LOCAL, port or bench.gateway.port), host=host, place=Place("z", "p", "c")
    )


def test_it_works_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench))
            await bench.manager.wait(lambda m: m.startups)
            assert bench.manager.startups[0].place == Place("z", "p", "c")
            guid = process.settings.host.guid
            assert (await bench.manager.ask(guid, commands.StopCommand(vm="i-2-1-VM"))).ok
            await process.stop()
            assert process.machine.closed and process.machine.done == ["stop i-2-1-VM"]
            await bench.manager.wait(lambda m: m.lost == [guid])

    run(scene())


def test_commands_that_a_stop_interrupts_take_back_what_is_half_made(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench))
            machine, undone = process.machine, []

            async def stop_vm(name: str, forced: bool) -> None:
                try:
                    machine.begun.append(name)
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    await asyncio.sleep(0.01)
                    assert not machine.closed, "it can still use the hypervisor"
                    undone.append(name)
                    raise

            machine.stop_vm = stop_vm  # type: ignore[method-assign]
            await bench.manager.wait(lambda m: m.startups)
            bench.manager.ask(process.settings.host.guid, commands.StopCommand(vm="i-2-1-VM"))
            await until(lambda: machine.begun)
            await process.stop()
            assert undone == ["i-2-1-VM"]

    run(scene())


def test_one_folder_has_one_agent(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            first = Process(settings(bench))
            await bench.manager.wait(lambda m: m.startups)
            with pytest.raises(AgentError, match="another agent is running on"):
                await Process(first.settings).task
            await first.stop()
            second = Process(first.settings)
            await bench.manager.wait(lambda m: len(m.startups) == 2)
            await second.stop()

    run(scene())


def test_a_hypervisor_that_does_not_open_is_tried_again_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(agent_process, "OPEN_FIRST", 0.01)

    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench), fails=3)
            await bench.manager.wait(lambda m: m.startups)
            await process.stop()

    with caplog.at_level(logging.WARNING):
        run(scene())
    said = [r.getMessage() for r in caplog.records if r.name == agent_process.__name__]
    assert said == [
        f"the hypervisor of kvm1 cannot be opened, again in {wait:g} s: connecting: no libvirtd at qemu:///system"
        for wait in (0.01, 0.02, 0.04)
    ]


def test_it_can_be_stopped_while_its_hypervisor_does_not_open(tmp_path: Path) -> None:
    async def scene() -> None:
        bench = Bench(tmp_path)
        process = Process(settings(bench, port=1), fails=99)
        await until(lambda: process.fails < 99)
        await process.stop()

    run(scene())


def test_without_a_certificate_it_says_what_to_do(tmp_path: Path) -> None:
    host = HostSettings(name="kvm1", guid="g", data=tmp_path, private_ip=LOCAL)
    with pytest.raises(AgentError, match="run `cloudsim agent setup` here"):
        run_agent(AgentSettings(manager=ManagerUrl(LOCAL), host=host))


def test_a_journal_that_is_damaged_is_not_guessed_at(tmp_path: Path) -> None:
    async def scene() -> None:
        bench = Bench(tmp_path)
        told = settings(bench, port=1)
        (told.host.data / "answers.journal").write_bytes(b"damaged\nmore\n")
        with pytest.raises(AgentError, match="the checksum is wrong"):
            await Process(told).task

    run(scene())


def test_an_agent_that_can_keep_no_answers_ends_and_does_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench))
            await bench.manager.wait(lambda m: m.startups)
            monkeypatch.setattr(answers.os, "fdatasync", full)
            bench.manager.ask(process.settings.host.guid, commands.StopCommand(vm="i-2-1-VM"))
            with pytest.raises(AgentError, match=r"answers can no longer be kept in .*No space"):
                await process.task
            assert process.machine.begun == [] and process.machine.closed

    run(scene())


def test_its_certificate_is_renewed_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_process, "LOOK_EVERY", 0.01)

    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            process = Process(settings(bench))
            await bench.manager.wait(lambda m: m.startups)
            assert len(bench.authority.issued()) == 1
            two_thirds = c.CERTIFICATE_DAYS * 86400 * 0.7
            real = agent_process.time.time
            monkeypatch.setattr(agent_process.time, "time", lambda: real() + two_thirds)
            await until(lambda: len(bench.authority.issued()) >= 2)
            monkeypatch.undo()
            await process.stop()

    run(scene())


def test_a_signal_stops_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    told = settings(bench, port=1)
    machine = Host()

    async def open_and_signal(host: HostSettings) -> OpenHypervisor:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        return machine  # type: ignore[return-value]

    run_agent(told, open_and_signal)
    assert machine.closed
