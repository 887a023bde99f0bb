"""The GPUs of hosts, as their agents have told of them and as instances have them: cards, devices, and whole cards as profiles.

Nothing of it is kept: a card is a model that some host has, a device is one of a host's GPUs, by its number there. Their
ids follow from that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from uuid import NAMESPACE_OID, uuid5

import msgspec
import numpy as np

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.model import Host, VirtualMachine
from cloudsim.placement import HostCapacity

PASSTHROUGH = "passthrough"
"""The profile of a card that is given to instances whole, as CloudStack calls it."""


class GpuCard(msgspec.Struct, frozen=True):
    """A model of GPU. `hosts` of those that have it are up."""

    model: str
    hosts: int = 0

    @property
    def id(self) -> str:
        return str(uuid5(NAMESPACE_OID, f"gpu card {self.model}"))

    @property
    def profile_id(self) -> str:
        """The id of its only profile."""
        return str(uuid5(NAMESPACE_OID, f"gpu profile {PASSTHROUGH} of {self.model}"))


class GpuDevice(msgspec.Struct, frozen=True):
    """One GPU of a host, and the instances that have it or a share of it."""

    host: Host
    number: int
    card: GpuCard
    state: Literal["Free", "Allocated", "PartiallyAllocated"]
    vms: tuple[VirtualMachine, ...] = ()

    @property
    def id(self) -> str:
        return str(uuid5(NAMESPACE_OID, f"gpu {self.number} of host {self.host.id}"))


class Gpus:
    """What GPUs there are."""

    def __init__(self, foundation: Foundation, capacity: HostCapacity) -> None:
        self._capacity = capacity
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)

    def hosts(self) -> Iterator[Host]:
        """The hosts with GPUs."""
        capacity = self._capacity
        if capacity.gpu_free.shape[1] == 0:
            return
        for slot in np.flatnonzero((capacity.gpu_free[: capacity.size] >= 0).any(axis=1)):
            host = self._hosts.get(capacity.ids[slot])
            if host is not None and host.gpus:
                yield host

    def cards(self) -> list[GpuCard]:
        """The models that hosts have, by name."""
        up: dict[str, int] = {}
        for host in self.hosts():
            up[host.gpu_model] = up.get(host.gpu_model, 0) + (host.state == "Up")
        return [GpuCard(model, count) for model, count in sorted(up.items())]

    def card_of_profile(self, profile_id: str) -> GpuCard:
        """The card that a profile is of. Raises InvalidParameterValue."""
        for card in self.cards():
            if card.profile_id == profile_id:
                return card
        raise InvalidParameterValue(f"Unable to find vGPU profile {profile_id} (parameter vgpuprofileid)")

    def devices(self, host: Host) -> list[GpuDevice]:
        """The host's GPUs by number."""
        slot = self._capacity.slot.get(host.id)
        if slot is None or not host.gpus:
            return []
        users: dict[int, list[VirtualMachine]] = {}
        for vm in self._vms.where("host_id", host.id):
            for number in vm.gpu_devices:
                users.setdefault(number, []).append(vm)
        found = []
        for number in range(host.gpus):
            free = int(self._capacity.gpu_free[slot, number])
            state: Literal["Free", "Allocated", "PartiallyAllocated"] = (
                "Free" if free >= 1000 else "Allocated" if free <= 0 else "PartiallyAllocated"
            )
            found.append(
                GpuDevice(host, number, GpuCard(host.gpu_model), state, tuple(users.get(number, ())))
            )
        return found
