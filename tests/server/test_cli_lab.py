"""`cloudsim lab`: a cloud on a real host of this machine, from `up` to `down`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backends.lab.lab import Lab
from backends.lab.leftovers import leftovers, sweep
from backends.lab.names import names_of
from backends.lab.requirements import missing
from server.cli_lab import lab_command
from server.lab.building import CLOUDSIM
from server.lab.client import ApiClient, wait_for
from tests.ports import free_port

_LACKS = missing()
NAME = f"cli{os.getpid()}"


def lab(*argv: str | Path) -> Result:
    return CliRunner().invoke(lab_command, [str(word) for word in argv])


def test_a_lab_that_is_nowhere_is_an_error_and_has_nothing_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("kill-host", "1"), ("exec", "1", "--", "true"), ("screenshot", "vm", "a.png")):
        result = lab(command[0], "--name", "pytest-nowhere", *command[1:])
        assert (result.exit_code, result.output) == (1, "Error: no lab pytest-nowhere is up on this machine\n")
    assert lab("status", "--name", "pytest-nowhere").output == "no lab pytest-nowhere is up on this machine\n"
    assert lab("down", "--data", tmp_path).output == f"Error: no lab is in {tmp_path}\n"


def test_names_and_numbers_are_checked(tmp_path: Path) -> None:
    assert "cannot be a lab's name" in lab("up", "--data", tmp_path / "x", "--name", "No Name").output
    assert "0 is not in the range" in lab("up", "--hosts", "0").output


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("lab") / "data"
    port = free_port()
    try:
        options = ["--hosts", "1", "--name", NAME, "--port", port, "--memory", "512", "--template", "none"]
        options += ["--routers", "none"]
        result = lab("up", "--data", data, *map(str, options))
        assert result.exit_code == 0, result.output
        assert f"http://127.0.0.1:{port}" in result.output
        yield data
    finally:
        sweep(NAME)


@pytest.mark.lab
@pytest.mark.skipif(bool(_LACKS), reason="; ".join(_LACKS))
class TestLab:
    def test_the_zone_is_open_and_its_host_has_the_size_that_was_asked_for(self, up: Path) -> None:
        api = ApiClient.of_cloud(Lab(up).cloud)
        (zone,) = api.list("listZones")
        (host,) = api.list("listHosts", type="Routing")
        (pool,) = api.list("listStoragePools")
        (offering,) = api.list("listServiceOfferings", name="tiny")
        assert (zone["name"], zone["allocationstate"]) == ("lab", "Enabled")
        assert (host["name"], host["state"], host["ipaddress"]) == ("h1", "Up", Lab(up).host(1).address)
        assert host["memorytotal"] == 512 * 1024 * 1024
        assert (pool["type"], pool["path"], pool["state"]) == ("SharedMountPoint", str(up / "primary"), "Up")
        assert (offering["cpunumber"], offering["memory"]) == (1, 128)

    def test_status_tells_what_runs(self, up: Path) -> None:
        shown = lab("status", "--data", up).output
        assert f"lab {NAME} in {up}" in shown
        assert "manager  process " in shown
        assert f"{Lab(up).host(1).address}  on  libvirtd " in shown
        assert "does not run" not in shown

    def test_commands_run_inside_a_host_and_end_as_they_end(self, up: Path) -> None:
        argv = [CLOUDSIM, "lab", "exec", "--name", NAME, "1", "--", "sh", "-c", "uname -n; exit 7"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        assert (done.stdout, done.returncode) == ("h1\n", 7)

    def test_power_and_a_crash_of_the_manager_are_survived(self, up: Path) -> None:
        assert lab("kill-host", "--data", up, "1").exit_code == 0
        assert "off" in lab("status", "--data", up).output
        assert lab("kill-host", "--data", up, "1").output == "Error: h1 is off already\n"
        assert lab("restart-manager", "--data", up).exit_code == 0
        assert lab("power-on", "--data", up, "1").exit_code == 0
        api = ApiClient.of_cloud(Lab(up).cloud)
        wait_for("the host", lambda: api.list("listHosts", type="Routing", state="Up"), 180)

    def test_a_cut_cable_is_seen(self, up: Path) -> None:
        lab("cut-link", "--data", up, "1")
        assert "cable cut" in lab("status", "--data", up).output
        lab("restore-link", "--data", up, "1")
        assert "cable cut" not in lab("status", "--data", up).output

    def test_a_frozen_host_takes_no_commands(self, up: Path) -> None:
        lab("freeze", "--data", up, "1")
        assert "frozen" in lab("status", "--data", up).output
        assert lab("exec", "--data", up, "1", "--", "true").output == "Error: h1 hangs\n"
        lab("thaw", "--data", up, "1")
        assert "frozen" not in lab("status", "--data", up).output

    def test_what_is_up_is_not_made_again_nor_taken_down_from_elsewhere(self, up: Path, tmp_path: Path) -> None:
        for data in (up, tmp_path / "other"):
            assert f"lab {NAME} is up already, in {up}" in lab("up", "--data", data, "--name", NAME).output
        assert f"but in {up}" in lab("down", "--data", tmp_path / "other", "--name", NAME).output
        assert Lab(up).host(1).is_on

    def test_down_leaves_logs_and_nothing_else(self, up: Path) -> None:
        for _ in range(2):
            result = lab("down", "--data", up)
            assert result.output == f"Lab {NAME} is down; nothing of it is left on this machine.\n"
        assert leftovers(NAME) == []
        assert not names_of(NAME).note.is_symlink()
        assert sorted(entry.name for entry in up.iterdir()) == ["lab.json", "logs"]
        assert json.loads((up / "logs" / "commands.jsonl").read_text().splitlines()[0])["host"] == "h1"
