"""The host's scripts: how they are called, and what they say they would do. What they do is in test_networks.py."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from backends.libvirt import host_scripts
from cloudsim.hypervisor import HypervisorError

SCRIPTS = sorted(host_scripts.FOLDER.glob("*.sh"))
CALLED = [path for path in SCRIPTS if path.name != "running.sh"]
MAC = "02:00:00:00:00:0a"

DRY = {
    "guest-bridge.sh": "add vxlan --bridge brvx-7 --port vxlan7 --id 7 --device lo",
    "guest-services.sh": f"start --network net-1 --folder /nowhere --bridge brvx-7 --port svc7 --mac {MAC} "
    "--address 10.1.1.1/24 --dnsmasq --python /bin/python --server /s.py",
    "security.sh": f"guard --tap vnet7 --mac {MAC} --address 10.1.1.10 --bridge brvx-7 --zone 7 --gateway 10.1.1.1 "
    "--ingress tcp,80,81,0.0.0.0/0 --egress icmp,8,-1,10.0.0.0/8",
    "shaping.sh": f"set --mac {MAC} --tap lo --rate 8",
    "systemvm-namespace.sh": "start --name r-4-VM --folder /nowhere --python /bin/python --code / --version 1",
}


def call(script: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with these arguments, of which one may be several words."""
    path = host_scripts.FOLDER / script
    words = [word for argument in arguments for word in argument.split()]
    return subprocess.run(["bash", str(path), *words], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("needs shellcheck")
    done = subprocess.run(["shellcheck", "-x", str(script)], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("script", CALLED, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "arguments",
    [(), ("dance",), ("delete", "--what"), ("add",), ("forget", "--mac"), ("start", "--network", "a b")],
)
def test_a_wrong_call_is_told_how_to_call_and_ends_with_2(script: Path, arguments: tuple[str, ...]) -> None:
    done = call(script, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{script.name}: ") and f"\n{script.name} " in done.stderr


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("security.sh", f"guard --tap vnet0 --mac {MAC} --address 10.1.1.10;drop"),
        ("security.sh", "guard --tap vnet0 --mac 02:00"),
        ("security.sh", f"guard --tap vnet0 --mac {MAC} --bridge br --zone 1"),
        ("security.sh", f"guard --tap vnet0 --mac {MAC} --address 10.1.1.10 --bridge b --zone 1 --ingress tcp,x,1,::/0"),
        ("security.sh", f"guard --tap vnet0 --mac {MAC} --address 10.1.1.10 --bridge b --zone 1 --egress tcp,1,1,a/8"),
        ("security.sh", f"guard --tap vnet0 --mac {MAC} --address 10.1.1.10 --bridge b --zone 1 --egress gre,1,1,0.0.0.0/0"),
        ("security.sh", f"guard --tap vnet0 --mac {MAC} --address 10.1.1.10 --bridge b --zone 1 --egress 256,1,1,0.0.0.0/0"),
        ("security.sh", f"uplink --port vxlan7 --service {MAC}"),
        ("guest-bridge.sh", "add vxlan --bridge brvx-0 --port vxlan0 --id 0 --device lo"),
        ("guest-bridge.sh", "add vlan --bridge br --port lo.5000 --id 5000 --device lo"),
        ("guest-bridge.sh", "add vxlan --bridge a-name-that-is-too-long --port v --id 1 --device lo"),
        ("shaping.sh", f"set --mac {MAC} --tap lo --rate 0"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(script: str, arguments: str) -> None:
    assert call(script, arguments).returncode == 2


@pytest.mark.parametrize("script", CALLED, ids=lambda path: path.name)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(script: Path) -> None:
    if shutil.which("ip") is None or shutil.which("nft") is None:
        pytest.skip("needs iproute2 and nftables")
    before = call_output("ip", "link", "show"), call_output("ip", "netns", "list")
    done = call(script, DRY[script.name], "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert (call_output("ip", "link", "show"), call_output("ip", "netns", "list")) == before
    expected = {
        "guest-bridge.sh": "ip link add name vxlan7 mtu 1500 type vxlan id 7 dstport 4789 dev lo group 239.0.0.7 ttl 10 \n",
        "guest-services.sh": "ip netns add net-net-1 \n",
        "security.sh": "add rule ip cloudsim to-02000000000a tcp dport 80-81 return\n",
        "systemvm-namespace.sh": "ip netns add r-4-VM \n",
        "shaping.sh": "tc qdisc replace dev lo root tbf rate 8mbit burst 32768 latency 100ms \n",
    }
    assert expected[script.name] in done.stdout


def test_a_rule_of_a_protocol_without_a_name_goes_by_its_number() -> None:
    guarded = f"guard --tap vnet7 --mac {MAC} --address 10.1.1.10 --bridge brvx-7 --zone 7 --dry-run"
    done = call("security.sh", guarded, "--ingress 112,-1,-1,10.0.0.0/8")
    assert "add rule ip cloudsim to-02000000000a ip saddr 10.0.0.0/8 ip protocol 112 return\n" in done.stdout


def test_a_dry_run_shows_how_a_vlan_is_made() -> None:
    done = call("guest-bridge.sh", "add vlan --bridge brlo-101 --port lo.101 --id 101 --device lo --dry-run")
    assert "ip link add link lo name lo.101 type vlan id 101 \n" in done.stdout
    assert "ip link set dev lo.101 master brlo-101 up \n" in done.stdout


def test_a_device_that_is_not_there_is_named() -> None:
    done = call("guest-bridge.sh", "add vxlan --bridge brvx-7 --port vxlan7 --id 7 --device none7")
    assert (done.returncode, done.stderr) == (1, "device none7 is not on this host\n")
    done = call("guest-bridge.sh", "add plain --bridge lo")
    assert (done.returncode, done.stderr) == (1, "device lo is not a bridge on this host\n")


def test_a_failing_script_is_an_error_that_names_the_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fails.sh").write_text("echo no such device >&2\nexit 1\n")
    (tmp_path / "used.sh").write_text("echo still used\nexit 3\n")
    monkeypatch.setattr(host_scripts, "FOLDER", tmp_path)
    with pytest.raises(HypervisorError, match=r"^network 7: fails\.sh add: no such device$"):
        asyncio.run(host_scripts.run_script("network 7", "fails.sh", "add"))
    assert asyncio.run(host_scripts.run_script("network 7", "used.sh")) == (3, "still used\n")


def test_a_script_that_hangs_is_killed_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hangs.sh").write_text(f"sleep 60 & echo $! >{tmp_path}/pid; wait\n")
    monkeypatch.setattr(host_scripts, "FOLDER", tmp_path)
    with pytest.raises(HypervisorError, match=r"^network 7: hangs\.sh did not end within 0\.3 s$"):
        asyncio.run(host_scripts.run_script("network 7", "hangs.sh", limit=0.3))
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_the_scripts_are_packaged() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert "*.sh" in project["tool"]["setuptools"]["package-data"]["*"]


def call_output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout
