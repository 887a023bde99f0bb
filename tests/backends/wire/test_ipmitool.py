"""The driver `ipmitool`, with a program in its place that keeps the power of a host in a file."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from backends.wire.ipmitool import Ipmitool
from cloudsim.out_of_band import ManagementController, OutOfBandError

FAKE = """#!{python}
import os, sys, time
from pathlib import Path
folder = Path(__file__).parent
words = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(words) + "\\n")
password = folder / "password"
if os.environ.get("IPMI_PASSWORD") != password.read_text():
    sys.exit("Error: Unable to establish IPMI v2 / RMCP+ session")
rest = words[words.index("-E") + 1:]
power = folder / "power"
if rest[:2] == ["chassis", "power"]:
    if rest[2] == "cycle":
        time.sleep(60)
    if rest[2] in ("on", "off"):
        power.write_text(rest[2])
    print("Chassis Power is " + power.read_text())
elif rest == ["user", "list"]:
    print("ID  Name  Callin  Link Auth  IPMI Msg  Channel Priv Limit")
    print("2   admin  true    false      true       ADMINISTRATOR")
elif rest == ["exec", "/dev/stdin"]:
    command = sys.stdin.read().split()
    assert command[:4] == ["user", "set", "password", "2"], command
    password.write_text(command[4])
"""


class Bmc:
    """A management controller that the fake program speaks to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "ipmitool"
        self.program.write_text(FAKE.replace("{python}", sys.executable))
        self.program.chmod(0o700)
        (folder / "power").write_text("on")
        (folder / "password").write_text("calvin")
        self.driver = Ipmitool(str(self.program))

    def controller(self, **other: Any) -> ManagementController:
        known: dict[str, Any] = {
            "guid": "g",
            "address": "10.0.0.9",
            "port": 6230,
            "username": "admin",
            "password": "calvin",
            "options": {"interface": "lan", "retries": "4"},
        }
        return ManagementController(**known | other)

    def calls(self) -> str:
        return (self.folder / "calls").read_text()


@pytest.fixture
def bmc(tmp_path: Path) -> Bmc:
    return Bmc(tmp_path)


def do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_power_is_switched_and_told(bmc: Bmc) -> None:
    assert do(bmc.driver.is_on(bmc.controller())) is True
    do(bmc.driver.act(bmc.controller(), "OFF"))
    assert do(bmc.driver.is_on(bmc.controller())) is False
    do(bmc.driver.act(bmc.controller(), "ON"))
    assert do(bmc.driver.is_on(bmc.controller())) is True


def test_the_program_is_told_where_but_not_the_password(bmc: Bmc) -> None:
    do(bmc.driver.is_on(bmc.controller()))
    assert bmc.calls() == "-I lan -R 4 -H 10.0.0.9 -p 6230 -U admin -E chassis power status\n"


def test_what_the_program_says_is_the_error(bmc: Bmc) -> None:
    with pytest.raises(OutOfBandError, match="Unable to establish"):
        do(bmc.driver.is_on(bmc.controller(password="wrong")))


def test_a_program_that_does_not_end_is_ended_with_the_time_that_it_has(bmc: Bmc) -> None:
    async def hurried() -> None:
        async with asyncio.timeout(2.0):
            await bmc.driver.act(bmc.controller(), "CYCLE")

    with pytest.raises(TimeoutError):
        do(hurried())


def test_a_password_is_changed_and_never_on_a_command_line(bmc: Bmc) -> None:
    do(bmc.driver.change_password(bmc.controller(), "tr0ub4dor&3"))
    assert (bmc.folder / "password").read_text() == "tr0ub4dor&3" and "tr0ub4dor" not in bmc.calls()
    assert do(bmc.driver.is_on(bmc.controller(password="tr0ub4dor&3"))) is True


@pytest.mark.parametrize("password", ["two words", 'quo"te', "x" * 21, "new\nline", "ümlaut", ""])
def test_a_password_that_ipmi_would_not_take_whole_is_refused_before_anything_is_run(
    bmc: Bmc, password: str
) -> None:
    with pytest.raises(OutOfBandError, match="IPMI takes passwords") as refused:
        do(bmc.driver.change_password(bmc.controller(), password))
    assert not (bmc.folder / "calls").exists() and (not password or password not in str(refused.value))


def test_the_password_of_an_unknown_user_is_not_changed(bmc: Bmc) -> None:
    with pytest.raises(OutOfBandError, match="has no user root"):
        do(bmc.driver.change_password(bmc.controller(username="root"), "secret"))


def test_a_machine_without_the_program_says_so(bmc: Bmc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bmc.folder / "nothing"))
    with pytest.raises(OutOfBandError, match="has no ipmitool"):
        do(Ipmitool().is_on(bmc.controller()))
