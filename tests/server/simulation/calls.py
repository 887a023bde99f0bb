"""What tests of a served simulation ask of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.serving import Connection, Refused

WITHIN = 180.0
"""Real seconds that anything may take."""


def refusal(call: Connection, command: str, **parameters: Any) -> str:
    """The text of the error that the command is answered with: one of bad parameters."""
    with pytest.raises(Refused) as refused:
        call(command, **parameters)
    assert refused.value.status == 431, refused.value.body
    return str(next(iter(refused.value.body.values()))["errortext"])


def until(found: Callable[[], Any]) -> Any:
    """What `found` gives, once it gives something."""
    end = time.monotonic() + WITHIN
    while not (value := found()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
    return value


def deployment(call: Connection) -> dict[str, str]:
    """The parameters that every deployVirtualMachine needs."""
    return {
        "zoneid": call("listZones")["zone"][0]["id"],
        "templateid": call("listTemplates", templatefilter="featured")["template"][0]["id"],
        "serviceofferingid": call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"],
    }
