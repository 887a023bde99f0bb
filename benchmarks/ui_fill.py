"""Fills a folder of `cloudsim serve` with instances, so that pages can be looked at and measured on a large cloud.

    cloudsim serve --datacenter examples/datacenters/large.yaml --data /tmp/large     # once; then stop it
    python -m benchmarks.ui_fill /tmp/large --instances 100000
    cloudsim serve --data /tmp/large --pace max

Rows are written as the models have them, with no call of the API: a minute instead of an hour. Each instance has a
root disk on its rack's pool and a NIC on its zone's shared network, in one of 100 accounts. Seventeen of
twenty run, on hosts that are filled unevenly, as real ones are; the others are stopped, in error or destroyed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cloudsim.model import (
    ROW_TYPES,
    Account,
    Domain,
    GuestOs,
    Host,
    Network,
    NetworkOffering,
    Nic,
    PhysicalNetwork,
    Role,
    ServiceOffering,
    StoragePool,
    Template,
    TemplateOnPool,
    User,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.model.compute import VmState
from cloudsim.randomness import Randomness
from cloudsim.store import Row, Store
from server.database import DatabaseJournal, load_rows, open_database

ACCOUNTS = 100
ROLES = ("web", "api", "db", "cache", "queue", "batch", "build", "mail")
SIZES = ((1, 2048), (2, 4096), (4, 8192), (8, 16384), (16, 65536))
"""vCPUs and MiB of the offerings that are added."""
SHARES = (0.35, 0.3, 0.2, 0.1, 0.05)
MHZ = 1000
OTHER_STATES: tuple[VmState, ...] = ("Stopped", "Stopped", "Error", "Destroyed")
COMMIT = 5000
"""Rows of one transaction."""


class Filling:
    """The rows that are added to the cloud in `store`: `instances` of them, and what they need."""

    def __init__(self, store: Store, instances: int, seed: int) -> None:
        self._store = store
        self._instances = instances
        self._chance = Randomness(seed).branch("large cloud")
        self._new = self._chance.branch("ids").uuid
        self._now = time.time()
        self._domain = next(iter(store.table(Domain)))
        self._template = next(t for t in store.table(Template) if t.type == "BUILTIN")
        self._guest_os = next(iter(store.table(GuestOs)))
        self._hosts = [host for host in store.table(Host) if host.state == "Up"]
        if not self._hosts:
            raise click.ClickException("this cloud has no host that is up")
        if any(vm.name.startswith(ROLES) for vm in store.table(VirtualMachine)):
            raise click.ClickException("this cloud has been filled before")

    def rows(self) -> Iterator[Row]:
        """Owners first."""
        accounts = list(self._accounts())
        for account, user in accounts:
            yield account
            yield user
        offerings = list(self._offerings())
        yield from offerings
        networks = {zone.id: self._network(zone) for zone in self._store.table(Zone)}
        yield from networks.values()
        pools = {p.cluster_id: p for p in self._store.table(StoragePool) if p.scope == "CLUSTER"}
        for pool in pools.values():
            if self._store.table(TemplateOnPool).find(("template_id", "pool_id"), (self._template.id, pool.id)) is None:
                yield TemplateOnPool(
                    id=self._new(), template_id=self._template.id, pool_id=pool.id, state="Ready",
                    path=f"template-{self._template.id}", size=self._template.size,
                )  # fmt: skip
        yield from self._machines(accounts, offerings, networks, pools)

    def _accounts(self) -> Iterator[tuple[Account, User]]:
        role = next(role for role in self._store.table(Role) if role.name == "User")
        for number in range(1, ACCOUNTS + 1):
            account = Account(
                id=self._new(), name=f"team-{number:03}", type=0, domain_id=self._domain.id, role_id=role.id
            )
            user = User(
                id=self._new(), username=f"team-{number:03}", account_id=account.id,
                domain_id=self._domain.id, created=self._now,
            )  # fmt: skip
            yield account, user

    def _offerings(self) -> Iterator[ServiceOffering]:
        for cpus, memory in SIZES:
            name = f"{cpus} CPU, {memory >> 10} GiB"
            yield ServiceOffering(
                id=self._new(), name=name, display_text=name, cpus=cpus, cpu_mhz=MHZ, memory_mib=memory,
                created=self._now,
            )  # fmt: skip

    def _network(self, zone: Zone) -> Network:
        offerings = self._store.table(NetworkOffering)
        offering = next(o for o in offerings if o.name == "DefaultSharedNetworkOffering")
        wire = next(iter(self._store.table(PhysicalNetwork).where("zone_id", zone.id)))
        owner = next(account for account in self._store.table(Account) if account.name == "admin")
        return Network(
            id=self._new(), name=f"{zone.name}-shared", display_text="Shared by all accounts", zone_id=zone.id,
            network_offering_id=offering.id, account_id=owner.id, domain_id=self._domain.id,
            physical_network_id=wire.id, guest_type="Shared", cidr="10.64.0.0/10", gateway="10.64.0.1",
            netmask="255.192.0.0", start_ip="10.64.0.2", end_ip="10.127.255.250", vlan="3000", acl_type="Domain",
            state="Setup", created=self._now,
        )  # fmt: skip

    def _machines(
        self,
        accounts: list[tuple[Account, User]],
        offerings: list[ServiceOffering],
        networks: dict[str, Network],
        pools: dict[str | None, StoragePool],
    ) -> Iterator[Row]:
        """Instances with disk and NIC. A host takes as many as its share of the cloud's room; a quarter take few."""
        chance = self._chance.generator
        numbers = range(self._instances)
        sizes = chance.choice(len(SIZES), size=self._instances, p=SHARES)
        wish = chance.beta(2.2, 1.6, len(self._hosts)) * chance.choice([1.0, 0.25], len(self._hosts), p=[0.78, 0.22])
        order = chance.choice(len(self._hosts), size=self._instances, p=wish / wish.sum())
        owners = chance.integers(0, ACCOUNTS, self._instances)
        running = chance.random(self._instances) < 0.85
        left = {host.id: [host.cpus * host.cpu_mhz, host.memory_mib] for host in self._hosts}
        next_host = 0
        for number in numbers:
            offering = offerings[sizes[number]]
            cpu, memory = (offering.cpus or 0) * MHZ, offering.memory_mib or 0
            host = self._hosts[order[number]]
            if running[number]:
                for _ in self._hosts:
                    if left[host.id][0] >= cpu and left[host.id][1] >= memory:
                        break
                    host, next_host = self._hosts[next_host], (next_host + 1) % len(self._hosts)
                else:
                    raise click.ClickException(f"the hosts are full after {number} instances")
                left[host.id][0] -= cpu
                left[host.id][1] -= memory
            state: Any = "Running" if running[number] else OTHER_STATES[number % len(OTHER_STATES)]
            account, user = accounts[owners[number]]
            yield from self._machine(number, account, user, offering, host, state, networks, pools)

    def _machine(
        self,
        number: int,
        account: Account,
        user: User,
        offering: ServiceOffering,
        host: Host,
        state: Any,
        networks: dict[str, Network],
        pools: dict[str | None, StoragePool],
    ) -> Iterator[Row]:
        new, created = self._new, self._now - 86_400 * 30 * (1 - number / self._instances)
        name = f"{ROLES[number % len(ROLES)]}-{number // len(ROLES) + 1}"
        is_on = state == "Running"
        pool = pools.get(host.cluster_id)
        vm = VirtualMachine(
            id=new(), name=name, display_name=name, instance_name=f"i-{number + 100}-VM", account_id=account.id,
            domain_id=account.domain_id, zone_id=host.zone_id, template_id=self._template.id,
            service_offering_id=offering.id, cpus=offering.cpus or 1, cpu_mhz=MHZ,
            memory_mib=offering.memory_mib or 1, user_id=user.id, host_id=host.id if is_on else None,
            last_host_id=None if state == "Error" else host.id, pod_id=host.pod_id, state=state,
            power_state="PowerOn" if is_on else "PowerOff", hypervisor=host.hypervisor, guest_os_id=self._guest_os.id,
            created=created, updated=created,
        )  # fmt: skip
        yield vm
        yield Nic(
            id=new(), vm_id=vm.id, network_id=networks[host.zone_id].id, created=created,
            mac=f"1e:00:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
            ip=f"10.{64 + (number + 2 >> 16)}.{number + 2 >> 8 & 255}.{number + 2 & 255}",
        )  # fmt: skip
        if state != "Error" and pool is not None:
            yield Volume(
                id=new(), name=f"ROOT-{number + 100}", account_id=account.id, domain_id=account.domain_id,
                zone_id=host.zone_id, type="ROOT", size=8 << 30, vm_id=vm.id, device_id=0, state="Ready",
                pool_id=pool.id, path=vm.id, template_id=self._template.id, created=created,
            )  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--instances", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(folder: Path, instances: int, seed: int) -> None:
    """Add instances to the cloud in FOLDER, which must not be served at the same time."""
    began = time.perf_counter()
    engine = open_database(str(folder / "cloud.db"))
    store = Store(ROW_TYPES)
    store.load(load_rows(engine))
    journal = DatabaseJournal(engine)
    store.journal = journal
    rows = Filling(store, instances, seed).rows()

    async def write() -> int:
        written = 0
        while True:
            with store.transaction():
                for _ in range(COMMIT):
                    row = next(rows, None)
                    if row is None:
                        break
                    store.tables[type(row).__name__].insert(row)
                    written += 1
            await store.durable()
            if row is None:
                return written

    written = asyncio.run(write())
    journal.close()
    engine.dispose()
    click.echo(f"{instances} instances, {written} rows in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
