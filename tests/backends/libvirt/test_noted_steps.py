"""What is done on a libvirt host is told step by step: calls with their XML, programs with their arguments."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from backends.libvirt.bounded import in_process, in_thread
from backends.libvirt.connection import Connection
from cloudsim.agent.noting import NOTES, StepNotes
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.messages import Step

FAKE = "test:///default"
DOMAIN = """\
<domain type='test'>
  <name>i-2-7-VM</name>
  <memory>65536</memory>
  <os><type>hvm</type></os>
  <devices><graphics type='vnc' port='5900' passwd='Unspeakable'/></devices>
</domain>"""


def steps(work: Callable[[], Awaitable[object]]) -> list[Step]:
    """What is told of the work."""

    async def followed() -> list[Step]:
        notes = StepNotes(asyncio.get_running_loop().time())
        NOTES.set(notes)
        await work()
        return notes.steps

    return asyncio.run(followed())


def test_a_call_to_libvirt_is_told_with_its_xml_but_no_password() -> None:
    pytest.importorskip("libvirt")

    async def start() -> None:
        connection = Connection(FAKE, 30.0)
        await connection.call("starting i-2-7-VM", lambda c: c.createXML(DOMAIN, 0), payload=DOMAIN)
        await connection.close()

    (step,) = steps(start)
    assert (step.name, step.format, step.error) == ("starting i-2-7-VM", "xml", "")
    assert "<name>i-2-7-VM</name>" in step.payload
    assert "Unspeakable" not in step.payload and "passwd='********'" in step.payload


def test_what_libvirt_refuses_is_told_with_its_error() -> None:
    pytest.importorskip("libvirt")

    async def look() -> None:
        connection = Connection(FAKE, 30.0)
        with pytest.raises(HypervisorError):
            await connection.domain_call("absent", "stopping absent", lambda domain: domain.destroy())
        await connection.close()

    (step,) = steps(look)
    assert step.name == "stopping absent"
    assert "not on this host" in step.error


def test_a_program_is_told_with_its_arguments() -> None:
    async def run() -> None:
        await in_process("saying it", "echo", "one", "two words")

    (step,) = steps(run)
    assert (step.name, json.loads(step.payload)) == ("saying it", {"program": ["echo", "one", "two words"]})
    assert step.seconds > 0


def test_work_on_files_is_told_by_what_it_is_for() -> None:
    async def look() -> None:
        await in_thread("looking for it", lambda: True)

    assert [step.name for step in steps(look)] == ["looking for it"]
