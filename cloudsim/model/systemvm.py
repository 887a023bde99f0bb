"""The cloud's own machines: routers, console proxies, secondary storage VMs; and the consoles that are watched."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

SystemVmKind = Literal["ConsoleProxy", "SecondaryStorageVm", "DomainRouter", "InternalLoadBalancerVm"]


class SystemVm(Row, frozen=True, kw_only=True):
    """What is known of a system VM beyond its VirtualMachine row, which has the same id.

    A router serves the network `network_id`, or the VPC `vpc_id` with all its tiers; an internal load balancer the
    tier `network_id` at its address `guest_ip`. `mode` Namespace: no machine, but a network namespace on its host.
    `agent_state` is whether it answers. `configured` counts the configurations that it has acknowledged.
    """

    keys: ClassVar[Keys] = Keys(indexes=("zone_id", "network_id", "vpc_id", "kind"), unique=())

    kind: SystemVmKind
    zone_id: str
    network_id: str | None = None
    vpc_id: str | None = None
    mode: Literal["VirtualMachine", "Namespace"] = "VirtualMachine"
    public_ip: str | None = None
    private_ip: str | None = None
    guest_ip: str | None = None
    agent_state: Literal["Up", "Down", "Disconnected"] = "Disconnected"
    template_version: str = ""
    configured: int = 0
    wanted: bool = True
    """Whether it is to run: False after an operator stopped it, who then has to start it."""
    failures: int = 0
    last_failure: str = ""
    created: float = 0.0


class RouterHealthCheck(Row, frozen=True, kw_only=True):
    """The latest result of one check that a router makes of itself."""

    keys: ClassVar[Keys] = Keys(indexes=("router_id",), unique=(("router_id", "name"),))

    router_id: str
    name: str
    type: Literal["basic", "advanced", "customised"] = "basic"
    success: bool = False
    details: str = ""
    updated: float = 0.0


class ConsoleSession(Row, frozen=True, kw_only=True):
    """A console that somebody was let to: its token (kept as a SHA-256 sum) opens it once, until `expires`."""

    keys: ClassVar[Keys] = Keys(
        indexes=("vm_id", "account_id", "proxy_id", "state"), unique=("token_hash",)
    )

    vm_id: str
    user_id: str
    account_id: str
    domain_id: str
    token_hash: str
    proxy_id: str | None = None
    host_id: str | None = None
    kind: Literal["vnc", "serial", "text"] = "vnc"
    state: Literal["Granted", "Acquired", "Closed", "Expired"] = "Granted"
    expires: float = 0.0
    created: float = 0.0
    acquired: float | None = None
    removed: float | None = None
    creator_address: str | None = None
    client_address: str | None = None


class Transfer(Row, frozen=True, kw_only=True):
    """A file on its way between secondary storage and the world outside, by a secondary storage VM.

    `Extract`: `url` is the path and query with which it may be fetched until `expires`. `Download`: where it comes
    from. `object_id` is the template, volume, ... it is of. Who fetches or sends proves it with a key whose
    SHA-256 sum is `key_hash`. `done` of `size` bytes have come. One that is Cancelling is over once a storage VM has
    removed what there is of it.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("object_id", "zone_id", "state", ("vm_id", "state"), ("zone_id", "state")), unique=()
    )

    kind: Literal["Download", "Upload", "Extract"]
    object_type: Literal["Template", "Iso", "Volume", "Snapshot"]
    object_id: str
    zone_id: str
    account_id: str
    domain_id: str
    store_id: str
    url: str = ""
    path: str = ""
    format: str = ""
    vm_id: str | None = None
    state: Literal["Waiting", "Running", "Published", "Done", "Failed", "Expired", "Cancelling"] = "Waiting"
    size: int = 0
    done: int = 0
    physical_size: int = 0
    virtual_size: int = 0
    checksum: str | None = None
    key_hash: str = ""
    name: str = ""
    error: str | None = None
    expires: float | None = None
    created: float = 0.0
    ended: float | None = None
