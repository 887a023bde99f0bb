"""What tests of faults need: hitting a deployment at a chosen moment, watching a cloud, and saying what must hold."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal

import msgspec

from backends.lab.errors import LabError
from backends.lab.hosts import LabHost
from backends.lab.processes import kill, process, wait_until
from server.lab.building import MANAGER
from server.lab.client import ApiClient, ApiError
from tests.lab.lab_cloud import LabCloud, eventually

Moment = Literal["template", "volume", "start"]
"""The template is being copied to the pool; the volume is being made; QEMU is there, and the start not answered."""

SILENT = "silent"
"""What stands for the manager's answers while it gives none."""

_GLANCE = 0.002
_ASK_EVERY = 1.0
_PAUSE = 0.05
_MISSES = 4
_QUIET_WITHIN = 180.0
_IN_MOTION = {"Starting", "Stopping", "Migrating", "Unknown"}


class Deployment(msgspec.Struct, frozen=True):
    """One that was hit at its moment. Its host is frozen until it is told to go on."""

    job: str
    id: str
    name: str
    instance: str
    host: LabHost

    def die(self, *pids: int | None) -> None:
        """Kill these processes of the host, as by kill -9, and let it go on."""
        for pid in pids:
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        self.host.thaw()


def catch(cloud: LabCloud, name: str, moment: Moment, **more: Any) -> Deployment:
    """Deploy an instance and freeze the host that works on it at that moment. One that was too quick is tried again."""
    for attempt in range(_MISSES):
        called = f"{name}-{attempt}"
        sent = cloud.submit(called, **more)
        instance = cloud.vm(sent["id"])["instancename"]
        host = _freeze(cloud, sent["jobid"], moment, instance)
        if host is not None:
            return Deployment(sent["jobid"], sent["id"], called, instance, host)
        cloud.ended(sent["jobid"])
        cloud.job("destroyVirtualMachine", id=sent["id"], expunge=True)
    raise AssertionError(f"{_MISSES} deployments were not caught at the moment {moment}")


def _freeze(cloud: LabCloud, job: str, moment: Moment, instance: str) -> LabHost | None:
    hosts = {(host.folder.agent / "guid").read_text().strip(): host for host in cloud.lab.hosts}
    look = _qemu_on if moment == "start" else _making
    ask_at = time.monotonic() + _ASK_EVERY
    while True:
        host = look(cloud, hosts, moment, instance)
        if host is not None:
            host.freeze()
            if look(cloud, hosts, moment, instance) is host and not cloud.has_ended(job):
                return host
            host.thaw()
            return None
        if time.monotonic() > ask_at:
            if cloud.has_ended(job):
                return None
            ask_at = time.monotonic() + _ASK_EVERY
        time.sleep(_GLANCE)


def _making(cloud: LabCloud, hosts: dict[str, LabHost], moment: str, _instance: str) -> LabHost | None:
    """The host whose unfinished file is in a pool."""
    for folder in cloud.pool_folders():
        for path in folder.glob(".new-*"):
            if ("-template-" in path.name) == (moment == "template"):
                return next(host for guid, host in hosts.items() if guid in path.name)
    return None


def _qemu_on(_cloud: LabCloud, hosts: dict[str, LabHost], _moment: str, instance: str) -> LabHost | None:
    return next((host for host in hosts.values() if instance in host.qemus()), None)


def kill_manager(cloud: LabCloud) -> None:
    pid = cloud.lab.pid_of(MANAGER)
    assert pid is not None
    kill(pid)
    assert wait_until(lambda: cloud.lab.pid_of(MANAGER) is None, 60.0)


class Watch:
    """While it is entered: what the manager shows of hosts and instances, and where their processes are.

    `seen` has, for each host and instance by its name, every state that it was seen in, in order.
    """

    def __init__(self, cloud: LabCloud, pause: float = 0.1) -> None:
        self.seen: dict[str, list[str]] = {}
        self.lines: list[str] = []
        self.on_two_hosts: set[str] = set()
        self.promised: dict[str, str] = {}
        """States of instances, by id, that jobs have acknowledged."""
        self._cloud = cloud
        self._pause = pause
        self._api = ApiClient.of_cloud(cloud.lab.cloud)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._began = time.monotonic()

    def __enter__(self) -> Watch:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        print("\n".join(self.lines))  # pytest shows it with -s, with -rP, and of tests that fail

    def note(self, what: str) -> None:
        self.lines.append(f"{time.monotonic() - self._began:7.2f}  {what}")

    def has_seen(self, name: str, *states: str) -> None:
        """Wait until these states of it, and no others, were seen in that order; the last one lasts."""
        try:
            eventually(f"{name}: {', '.join(states)}", lambda: self.seen.get(name) == list(states))
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {self.seen.get(name)}") from None

    def _run(self) -> None:
        while not self._ending.wait(self._pause):
            self._look()

    def _look(self) -> None:
        for name, state in self._shown().items():
            if name not in self.seen and state == "Stopped":
                continue  # an instance that has not been asked to start yet
            states = self.seen.setdefault(name, [])
            if not states or states[-1] != state:
                states.append(state)
                self.note(f"{name}: {state}")
        places: dict[str, list[tuple[str, int]]] = {}
        for host in self._cloud.lab.hosts:
            for instance, pid in host.qemus().items():
                places.setdefault(instance, []).append((host.name, pid))
        for instance, found in places.items():
            # Hosts are looked at one after the other: what was seen on an earlier one must still be there.
            if len(found) > 1 and all(process(pid) for _, pid in found[:-1]) and instance not in self.on_two_hosts:
                self.on_two_hosts.add(instance)
                self.note(f"{instance} is on {' and '.join(name for name, _ in found)}")

    def _shown(self) -> dict[str, str]:
        try:
            hosts = self._api.list("listHosts", type="Routing")
            vms = self._api.list("listVirtualMachines", listall=True)
        except ApiError:
            return {"manager": SILENT}
        return (
            {"manager": "answers"}
            | {host["name"]: host["state"] for host in hosts}
            | {vm["name"]: vm["state"] for vm in vms}
        )


def wrong(cloud: LabCloud, promised: dict[str, str]) -> list[str]:
    """What is not as it must be in a cloud at rest; `promised` are states of instances by id that were acknowledged."""
    found = [f"host {name} is {host['state']}" for name, host in cloud.hosts().items() if host["state"] != "Up"]
    vms = {vm["id"]: vm for vm in cloud.vms()}
    for vm_id, state in promised.items():
        now = vms[vm_id]["state"] if vm_id in vms else "gone"
        if now != state:
            found.append(f"instance {vm_id} was {state} by its job, and is {now}")
    places: dict[str, list[str]] = {}
    for host in cloud.lab.hosts:
        for instance in host.qemus():
            places.setdefault(instance, []).append(host.name)
        try:
            found += [f"{name} is paused on {host.name}" for name in paused(host)]
        except LabError as error:
            found.append(str(error))
    for vm in vms.values():
        expected = [vm["hostname"]] if vm["state"] == "Running" else []
        if vm["state"] in _IN_MOTION:
            found.append(f"{vm['name']} is {vm['state']}")
        there = places.pop(vm["instancename"], [])
        if there != expected:
            found.append(f"{vm['name']} is {vm['state']} on {expected}, and its processes are on {there}")
    found += [f"{name} runs on {hosts}, and no such instance is known" for name, hosts in places.items()]
    return found + _wrong_files(cloud)


def paused(host: LabHost) -> list[str]:
    """The instances that are there and do not run, as libvirt has it. Raises LabError."""
    return host.exec(["virsh", "--connect", "qemu:///system", "list", "--state-paused", "--name"]).stdout.split()


def _wrong_files(cloud: LabCloud) -> list[str]:
    """Each file of a pool is a Ready volume's, or a template's; each Ready volume has its file."""
    found = []
    volumes = cloud.cs.listVolumes(listall=True).get("volume", [])
    for pool in cloud.cs.listStoragePools()["storagepool"]:
        here = {volume["path"] for volume in volumes if volume["state"] == "Ready" and volume["storageid"] == pool["id"]}
        folder = next(folder for folder in cloud.pool_folders() if str(folder) == pool["path"])
        files = {path.name for path in folder.iterdir()}
        templates = {f"template-{cloud.template}"}
        found += [f"volume {path} has no file on {pool['name']}" for path in here - files]
        found += [f"{name} on {pool['name']} belongs to nothing" for name in files - here - templates]
    found += [f"volume {v['name']} is {v['state']}" for v in volumes if v["state"] not in ("Ready", "Allocated")]
    return found


def at_rest(cloud: LabCloud, promised: dict[str, str], within: float = _QUIET_WITHIN) -> None:
    """Wait until nothing is wrong; fails with what is."""
    last: list[str] = []

    def right() -> bool:
        nonlocal last
        last = wrong(cloud, promised)
        return not last

    try:
        eventually("a cloud at rest", right, within, 0.5)
    except AssertionError as error:
        raise AssertionError(f"{error}: {'; '.join(last)}") from None


def repeatedly(work: Callable[[int], None]) -> tuple[threading.Thread, threading.Event]:
    """Do it again and again with growing numbers on a thread, until the event is set or the API fails."""
    ending = threading.Event()

    def run() -> None:
        number = 0
        while not ending.is_set():
            try:
                work(number)
            except ApiError:
                return
            number += 1
            ending.wait(_PAUSE)

    thread = threading.Thread(target=run, name="repeatedly")
    thread.start()
    return thread, ending
