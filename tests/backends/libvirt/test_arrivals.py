"""When an instance that migrates is taken to have come, by what libvirt shows of it, look by look."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.libvirt import arrivals
from backends.libvirt.domain_state import Presence
from cloudsim.protocol.specs import VmSpec

VM = VmSpec("i-2-1-VM", "id-1", 1, 1000, 128)
MADE = (Presence("id-1", 5), "<domain/>")
"""Shut off: libvirt is making it, or taking it away."""
STARTING_UP = (Presence("id-1", 3, 11), "<domain/>")
COMING = (Presence("id-1", 3, 2), "<domain/>")
RUNNING = (Presence("id-1", 1), "<domain/>")


class Watching(arrivals.Arrivals):
    """What is there, one look after the other; the last lasts."""

    def __init__(self, *looks: tuple[Presence, str] | None) -> None:
        self.looks = list(looks)
        self.guarded = 0
        self.networks: Any = self
        self._starting: Any = {}

    async def guard(self, vm: VmSpec, taps: dict[str, str]) -> None:
        self.guarded += 1

    async def _seen_here(self, name: str) -> tuple[Presence, str] | None:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.mark.parametrize(
    ("looks", "came"),
    [
        ((None, MADE, STARTING_UP, COMING, COMING, RUNNING), True),
        ((COMING, MADE, None), False),
        ((STARTING_UP, COMING, None), False),
        ((RUNNING,), True),
    ],
    ids=["it comes", "it is taken away again", "it is gone", "it has come before anybody looked"],
)
def test_it_has_come_once_it_has_power_here(
    looks: tuple[Any, ...], came: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "LOOK_AGAIN", 0.001)
    watching = Watching(*looks)

    async def story() -> bool:
        events: Any = type("Events", (), {"news": asyncio.Event()})
        return await watching._comes(VM, events)

    assert asyncio.run(story()) is came
    assert watching.guarded == 1
