"""What libvirt has no call for, asked of QEMU itself by its monitor.

See https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html. All functions block, take a running
`libvirt.virDomain`, and raise HypervisorError with QEMU's own text.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple

import msgspec

from cloudsim.hypervisor import HypervisorError

_LOOK_AGAIN = 0.05


class Node(NamedTuple):
    """The image of a disk as QEMU has it open, its internal snapshots, and those of them that have memory."""

    name: str
    snapshots: frozenset[str]
    memories: frozenset[str]


def ask(domain: Any, command: str, **arguments: Any) -> Any:
    """One command of QEMU's monitor protocol; arguments with `-` in their names are written with `_`."""
    import libvirt_qemu

    order: dict[str, Any] = {"execute": command}
    if arguments:
        order["arguments"] = {name.replace("_", "-"): value for name, value in arguments.items()}
    text = libvirt_qemu.qemuMonitorCommand(domain, msgspec.json.encode(order).decode(), 0)
    answer = msgspec.json.decode(text)
    if "error" in answer:
        raise HypervisorError(f"QEMU: {answer['error'].get('desc', answer['error'])}")
    return answer.get("return")


def nodes(domain: Any, aliases: list[str]) -> list[Node]:
    """The images of the disks with these libvirt aliases, in that order."""
    blocks = ask(domain, "query-block")
    found = []
    for alias in aliases:
        block = next((b for b in blocks if alias in b.get("qdev", "").split("/")), None)
        inserted = block and block.get("inserted")
        if not inserted:
            raise HypervisorError(f"QEMU knows no disk {alias}")
        sizes = {s["name"]: s["vm-state-size"] for s in inserted["image"].get("snapshots", ())}
        memories = frozenset(name for name, size in sizes.items() if size)
        found.append(Node(inserted["node-name"], frozenset(sizes), memories))
    return found


def snapshot_disks(domain: Any, names: list[str], snapshot: str) -> None:
    """Of these images, at one moment; of all or of none."""
    actions = [
        {"type": "blockdev-snapshot-internal-sync", "data": {"device": name, "name": snapshot}}
        for name in names
    ]
    ask(domain, "transaction", actions=actions)


def save(domain: Any, names: list[str], snapshot: str) -> None:
    """Of these images and of the memory, which goes into the first. The guest stands still meanwhile."""
    _job(domain, "snapshot-save", tag=snapshot, vmstate=names[0], devices=names)


def load(domain: Any, names: list[str], snapshot: str) -> None:
    """Images and memory go back. A guest that ran goes on; after a failure it stands still."""
    _job(domain, "snapshot-load", tag=snapshot, vmstate=names[0], devices=names)


def delete(domain: Any, name: str, snapshot: str) -> None:
    """From one image, with the memory if that is in it."""
    ask(domain, "blockdev-snapshot-delete-internal-sync", device=name, name=snapshot)


def _job(domain: Any, command: str, **arguments: Any) -> None:
    job = f"cloudsim-{secrets.token_hex(4)}"
    ask(domain, command, job_id=job, **arguments)
    while True:
        state = next((j for j in ask(domain, "query-jobs") if j["id"] == job), None)
        if state is None:
            raise HypervisorError(f"QEMU lost {command}")
        if state["status"] == "concluded":
            break
        time.sleep(_LOOK_AGAIN)
    ask(domain, "job-dismiss", id=job)
    if "error" in state:
        raise HypervisorError(f"QEMU: {state['error']}")
