"""A cloud on a lab of real hosts, used as its users do: by the public API through the `cs` client, and from the guests."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from cs import CloudStack

from backends.images.errors import ImageError
from backends.lab.errors import LabError
from backends.lab.hosts import LabHost
from backends.lab.lab import Lab
from backends.lab.requirements import check_machine
from server.lab.building import CloudPlan, build_cloud
from server.lab.client import ApiClient
from tests.ports import free_port

KEY = "tests"
T = TypeVar("T")
WITHIN = 180.0
"""Seconds for what takes a few on a machine without other work, where guests are emulated."""
Routers = Literal["none", "namespace", "machine"]


def needs_a_lab() -> None:
    """Skip the test, with the reason, where no lab can be made."""
    pytest.importorskip("libvirt", reason="libvirt-python is not installed: make kvm")
    try:
        check_machine()
    except LabError as error:
        pytest.skip(str(error))


def eventually(what: str, found: Callable[[], T | None], within: float = WITHIN, pause: float = 0.25) -> T:
    """The first true thing that `found` returns."""
    end = time.monotonic() + within
    while True:
        result = found()
        if result:
            return result
        assert time.monotonic() < end, f"{what}: not within {within:g} s"
        time.sleep(pause)


class LabCloud:
    """One zone, one cluster, one template, one offering, and a key that opens the guests."""

    def __init__(self, folder: Path, hosts: int, wait_for_guest: float = 90.0, routers: Routers = "none") -> None:
        self.lab = Lab(folder / "lab", f"t{os.getpid()}")
        self.port = free_port()
        self.said: list[str] = []
        plan = CloudPlan(
            hosts=hosts,
            port=self.port,
            wait_for_guest=wait_for_guest,
            memory_mib=2048 if routers == "none" else 4096,  # the system VMs take their share
            cpus=4,
            routers=routers,
        )
        began = time.monotonic()
        try:
            build_cloud(self.lab, plan, self.said.append)
        except ImageError as error:
            pytest.skip(str(error))
        except BaseException:
            self._show_logs()
            self.lab.down()
            raise
        self.built_in = time.monotonic() - began
        api = ApiClient.of_cloud(self.lab.cloud)
        self.cs = CloudStack(
            endpoint=api.endpoint, key=api._key, secret=api._secret, timeout=120, poll_interval=0.2, job_timeout=900
        )
        self.zone = self.cs.listZones()["zone"][0]["id"]
        self.template = self.cs.listTemplates(templatefilter="all", name="mini")["template"][0]["id"]
        self.offering = self.cs.listServiceOfferings(name="tiny")["serviceoffering"][0]["id"]
        pair = self.cs.createSSHKeyPair(name=KEY)["keypair"]
        self.key = folder / "key"
        self.key.write_text(pair["privatekey"])
        self.key.chmod(0o600)
        self.network = self._network() if routers == "none" else {}

    def _network(self) -> dict[str, Any]:
        name = "DefaultIsolatedNetworkOfferingWithSourceNatService"
        offering = self.cs.listNetworkOfferings(name=name)["networkoffering"][0]["id"]
        made = self.cs.createNetwork(
            name="web", displaytext="web", networkofferingid=offering, zoneid=self.zone
        )
        return dict(made["network"])

    def _show_logs(self) -> None:
        for log in sorted(log for log in self.lab.logs.rglob("*.log") if log.parent.name != "qemu"):
            with contextlib.suppress(OSError):
                print(f"== {log.relative_to(self.lab.logs)}\n{log.read_text(errors='replace')[-3000:]}")

    def close(self, failed: bool) -> None:
        if failed:
            self._show_logs()
        self.lab.down()

    # through the API

    def deploy(self, name: str, **more: Any) -> dict[str, Any]:
        """A running instance whose guest is up, with one card on the network `web`."""
        return dict(self.job("deployVirtualMachine", **self._wishes(name, more))["virtualmachine"])

    def submit(self, name: str, **more: Any) -> dict[str, Any]:
        """As `deploy`, but returns at once: the ids of the instance (`id`) and of its job (`jobid`)."""
        return dict(self.cs.deployVirtualMachine(**self._wishes(name, more)))

    def _wishes(self, name: str, more: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": name,
            "zoneid": self.zone,
            "templateid": self.template,
            "serviceofferingid": self.offering,
            "networkids": [self.network["id"]],
            "keypair": KEY,
            **more,
        }

    def has_ended(self, job: str) -> bool:
        return bool(self.cs.queryAsyncJobResult(jobid=job)["jobstatus"] != 0)

    def ended(self, job: str, within: float = WITHIN) -> str | None:
        """Wait until the job has ended; its error, or None if it succeeded."""
        eventually(f"the end of job {job}", lambda: self.has_ended(job), within)
        found = self.cs.queryAsyncJobResult(jobid=job)
        return None if found["jobstatus"] == 1 else str(found["jobresult"]["errortext"])

    def job(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The result of a job."""
        return dict(getattr(self.cs, command)(**parameters, fetch_result=True))

    def vm(self, vm_id: str) -> dict[str, Any]:
        return dict(self.cs.listVirtualMachines(id=vm_id)["virtualmachine"][0])

    def vms(self) -> list[dict[str, Any]]:
        return list(self.cs.listVirtualMachines(listall=True).get("virtualmachine", []))

    def hosts(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {host["name"]: host for host in self.cs.listHosts(type="Routing")["host"]}

    # on the hosts

    def pool_folders(self) -> list[Path]:
        """Where the storage pools are."""
        return [self.lab.primary, *(path for path in (self.lab.folder / "small").iterdir() if path.is_dir())]

    def host(self, name: str) -> LabHost:
        return next(host for host in self.lab.hosts if host.name == name)

    def running_on(self, instance: str) -> list[str]:
        """The names of the hosts on which a process of that instance runs, as the machine's process table has it."""
        return [host.name for host in self.lab.hosts if host.is_on and instance in host.qemus()]

    # in the guests

    def shell(self, vm: dict[str, Any], command: str, within: float = WITHIN) -> str:
        """What a command prints in the guest, as root, by ssh from the network's namespace on the guest's host."""
        vm = self.vm(vm["id"])
        return self.inside(
            vm["hostname"],
            [
                "ssh",
                "-i",
                str(self.key),
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "LogLevel=ERROR",
                "-o",
                "ConnectTimeout=30",
                f"root@{vm['nic'][0]['ipaddress']}",
                command,
            ],
            within,
        )

    def inside(self, host: str, argv: list[str], within: float = WITHIN) -> str:
        """What a command prints in the namespace that serves the network on that host, tried until it succeeds."""
        space = f"net-{self.network['id']}"
        last = ""

        def done() -> str | None:
            nonlocal last
            try:
                return self.host(host).exec(["ip", "netns", "exec", space, *argv], timeout=60.0).stdout + "\n"
            except LabError as error:
                last = str(error)
                return None

        try:
            return eventually(" ".join(argv), done, within, 0.5).strip()
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None


def lab_cloud(folder: Path, hosts: int, request: pytest.FixtureRequest, **more: Any) -> Iterator[LabCloud]:
    """What a fixture yields: the cloud, which is taken away afterwards, whatever happened."""
    needs_a_lab()
    cloud = LabCloud(folder, hosts, **more)
    before = request.session.testsfailed
    try:
        yield cloud
    finally:
        cloud.close(request.session.testsfailed > before)
