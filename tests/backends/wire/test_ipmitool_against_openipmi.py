"""The driver `ipmitool` with the real program, against the management controller that OpenIPMI simulates.

Skipped where the two are not installed: on Debian, packages ipmitool and openipmi.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.wire.ipmitool import Ipmitool
from cloudsim.out_of_band import ManagementController, OutOfBandError
from tests.ports import free_port

pytestmark = pytest.mark.skipif(
    shutil.which("ipmitool") is None or shutil.which("ipmi_sim") is None,
    reason="needs ipmitool and OpenIPMI's ipmi_sim",
)

LAN = """name "simulated"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{folder}/chassis 0x20"
  user 1 true "" "nobody" user 10 none md2 md5 straight
  user 2 true "admin" "calvin" admin 10 none md2 md5 straight
"""
COMMANDS = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""
CHASSIS = """#!/bin/sh
# told: the controller's address, get or set, what, and to which value
case "$2 $3" in
  "get power") echo "power:$(cat {folder}/power)" ;;
  "set power") echo "$4" > {folder}/power ;;
  "set shutdown") echo 0 > {folder}/power ;;
esac
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where a simulated controller listens; the power of its host is in the file `power`."""
    port = free_port(socket.SOCK_DGRAM)
    (tmp_path / "lan.conf").write_text(LAN.format(port=port, folder=tmp_path))
    (tmp_path / "commands").write_text(COMMANDS)
    (tmp_path / "chassis").write_text(CHASSIS.format(folder=tmp_path))
    (tmp_path / "chassis").chmod(0o700)
    (tmp_path / "power").write_text("1\n")
    arguments = ("-c", "lan.conf", "-f", "commands", "-s", "state", "-n")
    process = subprocess.Popen(
        ["ipmi_sim", *arguments], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        asyncio.run(_until_it_answers(port))
        yield port
    finally:
        process.kill()
        process.communicate()


async def _until_it_answers(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await Ipmitool().is_on(controller(port))
                return
            except OutOfBandError:
                await asyncio.sleep(0.2)


def controller(port: int, password: str = "calvin") -> ManagementController:
    return ManagementController(
        guid="g", address="127.0.0.1", port=port, username="admin", password=password, options={"retries": "1"}
    )


def test_the_power_of_a_host_is_switched_and_seen(port: int, tmp_path: Path) -> None:
    async def switching() -> None:
        driver, bmc = Ipmitool(), controller(port)
        assert await driver.is_on(bmc)
        await driver.act(bmc, "OFF")
        assert not await driver.is_on(bmc) and (tmp_path / "power").read_text() == "0\n"
        await driver.act(bmc, "ON")
        await driver.act(bmc, "RESET")
        await driver.act(bmc, "CYCLE")
        assert await driver.is_on(bmc)
        await driver.act(bmc, "SOFT")
        assert not await driver.is_on(bmc)

    asyncio.run(switching())


def test_a_changed_password_is_the_only_one_that_opens(port: int) -> None:
    async def changing() -> None:
        driver = Ipmitool()
        await driver.change_password(controller(port), "tr0ub4dor&3")
        assert await driver.is_on(controller(port, "tr0ub4dor&3"))
        with pytest.raises(OutOfBandError, match="Unable to establish"):
            await driver.is_on(controller(port))

    asyncio.run(changing())
