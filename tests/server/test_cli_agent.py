"""`cloudsim agent`: a host joins, its options are kept, and the manager's operator sees and revokes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from backends.wire.agent_process import AgentSettings
from backends.wire.authority import Authority
from backends.wire.gateway import Gateway
from backends.wire.identity import Identity
from cloudsim.protocol.specs import Place
from server import cli_agent
from server.cli import main

LOCAL = "127.0.0.1"


class Site:
    """A management server's folder with a gateway on it in a thread, and the folder of a host."""

    def __init__(self, folder: Path) -> None:
        self.cloud, self.host = folder / "cloud", folder / "host"
        self.cloud.mkdir()
        self.gateway = Gateway(Authority(self.cloud / "agents-ca"), LOCAL, 0, [LOCAL])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._do(self.gateway.start())

    @property
    def url(self) -> str:
        return f"wss://{LOCAL}:{self.gateway.port}"

    def close(self) -> None:
        self._do(self.gateway.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def token(self) -> str:
        found = agent("token", "--data", self.cloud)
        assert found.exit_code == 0, found.output
        return found.stdout.strip()

    def setup(self, *options: object) -> Result:
        return agent("setup", "--manager", self.url, "--token", self.token(), "--data", self.host, *options)


def agent(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["agent", *map(str, arguments)])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[AgentSettings]:
    """What agents were started with, instead of starting them."""
    found: list[AgentSettings] = []
    monkeypatch.setattr(cli_agent, "run_agent", found.append)
    return found


def test_a_host_is_set_up_and_runs_with_what_setup_kept(site: Site, started: list[AgentSettings]) -> None:
    done = site.setup("--zone", "z", "--pod", "p", "--cluster", "c", "--memory", 4096, "--name", "kvm1")
    assert done.exit_code == 0, done.output
    guid = Identity(site.host).guid
    assert (
        f"Host kvm1 at {LOCAL} is agent {guid}." in done.output and "joins cluster c by itself" in done.output
    )
    assert yaml.safe_load((site.host / "agent.yaml").read_text()) == {
        "manager": site.url,
        "zone": "z",
        "pod": "p",
        "cluster": "c",
        "name": "kvm1",
        "private_ip": LOCAL,
        "memory": 4096,
    }
    assert agent("--data", site.host, "--memory", 2048, "--emulate").exit_code == 0
    assert agent("run", "--data", site.host).exit_code == 0
    first, second = started
    assert (first.host.memory_mib, first.host.emulate) == (2048, True), "the command line wins"
    assert (second.host.memory_mib, second.host.emulate) == (4096, False)
    assert first.place == Place("z", "p", "c") and str(first.manager) == site.url
    host = first.host
    assert (host.name, host.guid, host.private_ip, host.data) == ("kvm1", guid, LOCAL, site.host)
    assert host.uri == "qemu:///system"
    assert host.migration_uri == f"qemu+tls://{{address}}/system?pkipath={site.host}/pki"


def test_the_command_of_the_manual_runs_the_agent(site: Site, started: list[AgentSettings]) -> None:
    assert site.setup().exit_code == 0
    done = agent(
        "--manager", "wss://other:9000", "--zone", "z", "--pod", "p", "--cluster", "c", "--private-ip", "10.0.0.5",
        "--data", site.host, "--hypervisor", "test:///default", "--stop-within", "5", "--wait-for-guest", "30",
        "--guest-device", "eth1", "--migration-uri", "qemu+tcp://{address}/system", "--cpus", "4", "--cpu-mhz", "1000",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (settings,) = started
    assert str(settings.manager) == "wss://other:9000" and settings.place == Place("z", "p", "c")
    host = settings.host
    assert (host.uri, host.stop_within, host.wait_for_guest) == ("test:///default", 5.0, 30.0)
    assert (host.guest_device, host.cpus, host.cpu_mhz) == ("eth1", 4, 1000)
    assert host.migration_uri == "qemu+tcp://{address}/system"


def test_set_up_again_keeps_the_guid_and_the_options(site: Site) -> None:
    assert site.setup("--memory", 4096).exit_code == 0
    guid = Identity(site.host).guid
    done = site.setup("--cpus", 2)
    assert done.exit_code == 0, done.output
    kept = yaml.safe_load((site.host / "agent.yaml").read_text())
    assert Identity(site.host).guid == guid and (kept["memory"], kept["cpus"]) == (4096, 2)
    assert f"url=http://{LOCAL}" in done.output, "no place: it waits for addHost"


def test_the_operator_lists_and_revokes_agents(site: Site) -> None:
    assert site.setup("--name", "kvm1").exit_code == 0
    guid = Identity(site.host).guid
    listed = agent("list", "--data", site.cloud).output.splitlines()
    assert [line.split()[:3] for line in listed] == [["GUID", "NAME", "ADDRESS"], [guid, "kvm1", LOCAL]]
    assert listed[1].endswith("good")
    assert agent("revoke", guid, "--data", site.cloud).output == f"Agent {guid}: 1 certificate revoked.\n"
    assert agent("list", "--data", site.cloud).output.splitlines()[1].endswith("revoked")
    again = agent("revoke", guid, "--data", site.cloud)
    assert again.exit_code == 1 and "has no certificate that is good" in again.output


def test_a_token_that_is_spent_is_told(site: Site) -> None:
    token = site.token()
    arguments = ("setup", "--manager", site.url, "--token", token, "--data", site.host)
    assert agent(*arguments).exit_code == 0
    done = agent(*arguments)
    assert done.exit_code == 1 and "used already" in done.output


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "--manager is missing"),
        (("--manager", "http://manager"), "expected wss://HOST:8250"),
        (("--manager", "wss://127.0.0.1", "--zone", "z"), "--zone, --pod and --cluster are given together"),
        (("--manager", "wss://manager.invalid"), "there is no way to wss://manager.invalid"),
    ],
)
def test_options_that_make_no_agent_are_told(tmp_path: Path, options: tuple[str, ...], text: str) -> None:
    done = agent("setup", "--token", "t." + "0" * 64, "--data", tmp_path, *options)
    assert done.exit_code == 1 and text in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("memry: 5", "memry"), ("memory: much", "memory"), ("[1", "agent.yaml"), ("a", "object")],
)
def test_a_file_that_is_wrong_is_told(site: Site, text: str, said: str) -> None:
    assert site.setup().exit_code == 0
    (site.host / "agent.yaml").write_text(text)
    done = agent("--data", site.host)
    assert done.exit_code == 1 and said in done.output


def test_without_setup_it_says_what_to_do(tmp_path: Path) -> None:
    done = agent("--manager", "wss://manager", "--data", tmp_path)
    assert done.exit_code == 1 and "run `cloudsim agent setup` here" in done.output


def test_options_before_a_command_are_not_lost_silently(tmp_path: Path) -> None:
    done = agent("--data", tmp_path, "list")
    assert done.exit_code == 2 and "options go after `list`" in done.output


def test_where_no_cloud_is_kept_there_are_no_tokens(tmp_path: Path) -> None:
    done = agent("token", "--data", tmp_path / "nothing")
    assert done.exit_code == 2 and "does not exist" in done.output
