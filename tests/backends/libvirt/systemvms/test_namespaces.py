"""Routers that are namespaces, on a host of namespaces: a story of one from its start to its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[4]
NEEDED = ("ip", "nft", "unshare", "nsenter", "setsid", "ps")
_MISSING = [name for name in NEEDED if shutil.which(name) is None]
_WORLD = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_BOOT = 'mount -t tmpfs none /run && mkdir /run/netns && mount -t sysfs none /sys && exec "$@"'

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or bool(_MISSING), reason="needs root" if os.geteuid() else f"needs {', '.join(_MISSING)}"
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What was found at each step."""
    argv = [sys.executable, "-m", "tests.backends.libvirt.systemvms.namespace_host", str(tmp_path_factory.mktemp("host"))]
    done = subprocess.run(
        [*_WORLD, "sh", "-c", _BOOT, "sh", *argv], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[Any]] = {}
    for line in done.stdout.splitlines():
        told = json.loads(line)
        found.setdefault(told["step"], []).append(told["found"])
    return found


def test_it_starts_without_a_console_and_answers(story: dict[str, list[Any]]) -> None:
    assert story["started"] == story["again"] == [None]
    (pong,) = story["ping"]
    assert (pong["type"], pong["role"]) == ("Pong", "router")


def test_it_becomes_the_router_that_it_is_told_to_be(story: dict[str, list[Any]]) -> None:
    assert story["configured"][0]["error"] is None
    assert story["older"][0]["error"] == "configuration 4 is older than that in force, 5"
    assert story["reached"] == [0]


def test_its_cards_are_in_the_bridges_of_their_traffic(story: dict[str, list[Any]]) -> None:
    (traces,) = story["traces"]
    assert traces["spaces"] == ["r-4-VM"] and traces["processes"] > 0
    assert traces["ports"] == {"vnr020000000001": "cloudbr0", "vnr020000000002": "cloudbr1"}


def test_it_outlives_its_hosts_agent(story: dict[str, list[Any]]) -> None:
    assert story["states"] == [[{"name": "r-4-VM", "id": "id-4", "state": "PowerOn"}]]
    assert story["number"] == [5]


def test_cards_are_plugged_in_and_taken_out_while_it_runs(story: dict[str, list[Any]]) -> None:
    assert story["plugged"][0]["error"] is None
    assert story["tier"][0][-1] == "10.1.2.1/24"
    assert story["unplugged"][0]["ports"] == story["traces"][0]["ports"]


def test_it_is_measured(story: dict[str, list[Any]]) -> None:
    assert story["measured"] == [["r-4-VM", True]]


def test_what_only_machines_can_is_refused(story: dict[str, list[Any]]) -> None:
    assert story["refused"] == [
        "router r-4-VM is a namespace on its host, and cannot be suspended",
        "router r-4-VM is a namespace on its host, and cannot be migrated",
        "router r-4-VM is a namespace on its host, and has no console",
    ]


def test_a_reboot_makes_it_forget(story: dict[str, list[Any]]) -> None:
    assert story["rebooted"] == [0]


def test_one_that_was_killed_is_off_and_cleared_away(story: dict[str, list[Any]]) -> None:
    nothing: dict[str, Any] = {"spaces": [], "ports": {}, "processes": 0}
    assert story["killed"] == [[]]
    assert story["cleared"] == story["stopped"] == [nothing]
    assert story["left"] == [[]]
