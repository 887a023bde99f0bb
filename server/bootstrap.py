"""A cloud begins, or goes on: what a served management server does before its first request.

Simulated time takes no real time here. A first start is one commit: a process that is killed in the middle of it
leaves an empty database, and the next start is the first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from backends.simulated.restore import restore_world
from backends.simulated.world import SimulatedWorld
from cloudsim.errors import CloudError
from cloudsim.management import first_state
from cloudsim.management.building import build_zone
from cloudsim.management.identity.identity import ADMIN
from cloudsim.management.server import ManagementServer
from cloudsim.model import Host, TemplateOnStore, User
from cloudsim.store import Change, Journal, Row, Store

FOUNDING = 300.0
"""Simulated seconds before the first start at which the datacenter's time begins, to be set up in."""
RETURN = 60.0
"""The same for later starts, for agents to connect in."""
_PAST = ("created", "updated", "completed", "attached", "disconnected", "last_pinged", "sent")


def latest(rows: Iterable[Row]) -> float:
    """The latest time at which something is recorded to have happened, in Unix seconds; 0 if nothing has."""
    fields: dict[type, tuple[str, ...]] = {}
    last = 0.0
    for row in rows:
        kind = type(row)
        if kind not in fields:
            fields[kind] = tuple(name for name in _PAST if name in kind.__struct_fields__)
        for name in fields[kind]:
            last = max(last, getattr(row, name) or 0.0)
    return last


def seed(
    manager: ManagementServer, hypervisor: str, password: str, keys: tuple[str, str] | None
) -> User:
    """Fill an empty store. The admin, who is returned, gets that password, and those API and secret keys or random ones."""
    first_state.seed(
        manager.foundation,
        manager.identity,
        manager.offerings,
        manager.guest_os,
        hypervisor=hypervisor,
        admin_password=password,
    )
    users = manager.identity.users
    user = admin(manager)
    if keys is None:
        return users.register_keys(user)
    return users.update(user, api_key=keys[0], secret_key=keys[1])


async def keep(store: Store, journal: Journal) -> None:
    """Make all that the store holds durable at once, and every change from now on."""
    journal.record(
        store.sequence, [Change(table, None, row) for table in store.tables.values() for row in table]
    )
    store.journal = journal
    await store.durable()


async def build(
    manager: ManagementServer, world: SimulatedWorld, past: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Start the server, and build the datacenter's zones. `past` is what happens in them before the present."""
    store = manager.store
    manager.start()
    for plan in world.layout.zones:
        await build_zone(manager, plan)
    copies = store.table(TemplateOnStore)
    await _wait(
        store, TemplateOnStore, lambda: all(copy.state in ("Ready", "Failed") for copy in copies), FOUNDING
    )
    if past is not None:
        await asyncio.sleep(max(0.0, world.epoch + FOUNDING - world.now()))
        await past()
    await _reach_the_present(world)


async def restore(manager: ManagementServer, world: SimulatedWorld) -> None:
    """Make the world what the store says, start the server, and give the agents time to connect."""
    store = manager.store
    hosts = store.table(Host)
    expected = hosts.count("state", "Up")
    restore_world(world, store)
    manager.start()
    await _wait(store, Host, lambda: hosts.count("state", "Up") >= expected, RETURN)
    await _reach_the_present(world)
    await store.durable()


def admin(manager: ManagementServer) -> User:
    """The user that the cloud was founded with. CloudError if it is gone."""
    user = manager.identity.users.named(ADMIN, manager.identity.domains.root.id)
    if user is None:
        raise CloudError(f"this cloud has no user {ADMIN}")
    return user


async def _wait(store: Store, row_type: type[Row], done: Callable[[], bool], at_most: float) -> None:
    """Return once a change to rows of that type has made it `done`, or after `at_most` simulated seconds."""
    reached = asyncio.Event()
    unsubscribe = store.subscribe(lambda changes: reached.set() if done() else None, row_type)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                if not done():
                    await reached.wait()
    finally:
        unsubscribe()


async def _reach_the_present(world: SimulatedWorld) -> None:
    """Let the rest of the time pass that the world's beginning was set back by."""
    await asyncio.sleep(max(0.0, time.time() - world.now()))
