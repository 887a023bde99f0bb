"""Bringing a plan about, as `backends.systemvm.plan` words it: what can be refused first, then what differs.

The plan in force is kept beside the files that it made, for an agent that is started anew.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from backends.systemvm.guest import counters, interfaces, metadata, routing, services
from backends.systemvm.guest.commands import run
from backends.systemvm.guest.errors import GuestError
from backends.systemvm.guest.files import Files, write

ROOT = Path("/run/systemvm")
_KEPT = ".plan.json"
_FILTER = ".filter.nft"


class Machine:
    """The machine, or the namespace, that this process is in."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
        (root / "control").mkdir(mode=0o700, exist_ok=True)
        self.services = services.Services(root)
        self.plan: dict[str, Any] = self._kept()
        """The plan in force, or the one that an earlier agent was told."""
        self._applying = threading.Lock()
        self._in_force: dict[str, Any] = {}
        """By part of the machine: what it was made of when it was last brought about."""

    @property
    def number(self) -> int:
        return int(self.plan.get("number") or 0)

    @property
    def role(self) -> str:
        return str(self.plan.get("role") or "")

    def resume(self) -> None:
        """Bring about what an earlier agent of this machine was told. Raises GuestError."""
        if self.plan:
            self.apply(self.plan)

    def _kept(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.root / _KEPT).read_text()))
        except (OSError, ValueError):
            return {}

    def apply(self, plan: dict[str, Any]) -> None:
        """Raises GuestError. If what it says was refused by a check, nothing has changed."""
        with self._applying:
            if int(plan.get("number") or 0) < self.number:
                raise GuestError(f"configuration {plan['number']} is older than that in force, {self.number}")
            changed = self._checked(plan)
            self._changed(plan, changed)

    def _checked(self, plan: dict[str, Any]) -> tuple[Files, set[str]]:
        """Files, what programs think of them, and the rules, which are in force at once or not at all."""
        before = {*(self.plan.get("files") or ()), *(self.plan.get("secret_files") or ())}
        files = Files(self.root, plan.get("files") or {}, plan.get("secret_files") or {}, before)
        changed = files.put()
        try:
            if changed:
                services.checked(plan.get("services") or (), changed)
            metadata.write(self.root, plan.get("metadata"))
            rules = str(plan.get("nft") or "")
            if rules != self._rules():
                run(["nft", "-f", "-"], rules)
                write(self.root / _FILTER, rules, 0o600)
        except BaseException:
            files.put_back()
            raise
        return files, changed

    def _changed(self, plan: dict[str, Any], made: tuple[Files, set[str]]) -> None:
        files, changed = made
        if plan.get("hostname"):
            with suppress(OSError):  # of a namespace without one of its own
                socket.sethostname(str(plan["hostname"]))
        for mount in plan.get("mounts") or ():
            _mount(str(mount["tag"]), str(mount["folder"]))
        ways = [plan.get(part) or () for part in ("interfaces", "routes", "rules", "sysctls")]
        if self._is_new("ways", [ways, interfaces.devices()]):
            names = interfaces.wait_for(plan.get("interfaces") or ())
            _set_kernel(plan.get("sysctls") or {})
            interfaces.bring_about(plan.get("interfaces") or (), names)
            routing.bring_about(plan.get("routes") or (), plan.get("rules") or ())
            self._in_force["ways"] = [ways, interfaces.devices()]
        if self._is_new("counted", plan.get("counted")):
            counters.bring_about(plan.get("counted") or ())
            self._in_force["counted"] = plan.get("counted")
        wanted = list(plan.get("services") or ())
        if plan.get("metadata") is not None:
            wanted.append(metadata.service(self.root, plan["metadata"]))
        self.services.bring_about(wanted, changed)
        files.remove_old()
        self.plan = plan
        write(self.root / _KEPT, json.dumps(plan), 0o600)

    def _is_new(self, part: str, wanted: Any) -> bool:
        return part not in self._in_force or self._in_force[part] != wanted

    def _rules(self) -> str:
        """The rule set in force."""
        try:
            return (self.root / _FILTER).read_text()
        except OSError:
            return ""


def _mount(tag: str, folder: str) -> None:
    if os.path.ismount(folder):
        return
    os.makedirs(folder, exist_ok=True)
    run(["modprobe", "9pnet_virtio"])
    options = "trans=virtio,version=9p2000.L,msize=262144,cache=none"
    run(["mount", "-t", "9p", "-o", options, tag, folder])


def _set_kernel(values: dict[str, str]) -> None:
    for name, value in values.items():
        path = Path("/proc/sys", *name.split("."))
        try:
            if path.read_text().strip() != value:
                path.write_text(value)
        except OSError as error:
            raise GuestError(f"{name} cannot be set to {value}: {error.strerror}") from None
