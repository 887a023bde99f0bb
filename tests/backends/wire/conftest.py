"""Waits of the agent and the gateway that tests would only sit out."""

from __future__ import annotations

import pytest

from backends.wire import gateway
from cloudsim.agent import agent


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "RECONNECT_FIRST", 0.05)
    monkeypatch.setattr(gateway, "CHECK_EVERY", 0.05)
