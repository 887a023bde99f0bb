"""What the API costs the server on a cloud of 100,000 instances: milliseconds of one call.

    python -m benchmarks.bench_api

A call is timed around the dispatcher's `answer` and the making of its JSON text: signature, role, binding,
the query and the views are in it, HTTP is not. Rows are put into the Store directly: 100 accounts, 1,000 hosts,
each instance with a NIC and a root disk, in mixed states. Figures are medians; bytes are those of the answer.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

from cloudsim.certificate_authority import CertificateAuthority
from cloudsim.management.first_state import seed
from cloudsim.management.server import ManagementServer
from cloudsim.model import (
    ROW_TYPES,
    Account,
    AsyncJob,
    Domain,
    GuestOs,
    Host,
    Network,
    NetworkOffering,
    Nic,
    Role,
    ServiceOffering,
    StoragePool,
    Template,
    User,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.out_of_band import PowerDriver
from cloudsim.protocol.link import Link
from cloudsim.randomness import Randomness
from cloudsim.store import Row, Store
from cloudsim.world import HostDiscovery
from server.api.authentication import canonical, sign
from server.api.dispatch import Dispatcher
from server.api.request import Request

VMS, ACCOUNTS, HOSTS, POOLS, ZONES = 100_000, 100, 1_000, 20, 2
CALLS, SECONDS = 200, 3.0
"""Each figure is of at most so many calls, and of no more than that time."""
STATES = ("Running",) * 14 + ("Stopped",) * 4 + ("Destroyed", "Error")
EPOCH = 1_767_225_600.0


class StillWorld:
    """A world in which nothing happens."""

    hypervisor = "Simulator"
    out_of_band: Mapping[str, PowerDriver] = {}
    certificate_authorities: Mapping[str, CertificateAuthority] = {}

    def now(self) -> float:
        return EPOCH

    def attach(self, accept: Callable[[Link], None]) -> None:
        return None

    async def discover(self, host: HostDiscovery) -> str:
        raise AssertionError("nothing to discover")


class LargeCloud:
    """A management server over a store of 100,000 instances."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = Store(ROW_TYPES)
        world: Any = StillWorld()
        self.manager: Any = ManagementServer(self.store, world, Randomness(11))
        self.manager.identity.users.passwords.log_cost = 4
        seed(
            self.manager.foundation,
            self.manager.identity,
            self.manager.offerings,
            self.manager.guest_os,
        )
        self._ids = Randomness(12)
        with self.store.transaction():
            for row in self._rows():
                self.store.tables[type(row).__name__].insert(row)
        self.dispatcher = Dispatcher(self.manager)

    def _rows(self) -> Iterator[Row]:
        """What is in the cloud, owners first."""
        new, table = self._ids.uuid, self.store.table
        domain = next(iter(table(Domain)))
        role = next(role for role in table(Role) if role.name == "User")
        accounts = []
        for n in range(ACCOUNTS):
            account = Account(id=new(), name=f"account-{n}", type=0, domain_id=domain.id, role_id=role.id)
            accounts.append((account, new()))
            yield account
            yield User(
                id=accounts[-1][1],
                username=f"user-{n}",
                account_id=account.id,
                domain_id=domain.id,
                created=EPOCH,
            )
        zones = [Zone(id=new(), name=f"zone-{n}", network_type="Advanced", dns1="8.8.8.8", internal_dns1="10.0.0.1")
                 for n in range(ZONES)]  # fmt: skip
        yield from zones
        offering = next(o for o in table(NetworkOffering) if o.name == "DefaultSharedNetworkOffering")
        networks = [
            Network(
                id=new(), name="net", display_text="net", zone_id=zone.id, network_offering_id=offering.id,
                account_id=accounts[0][0].id, domain_id=domain.id, guest_type="Shared", cidr="10.0.0.0/8",
                gateway="10.0.0.1", netmask="255.0.0.0", vlan="100", state="Setup",
            )
            for zone in zones
        ]  # fmt: skip
        yield from networks
        pools = [
            StoragePool(
                id=new(), name=f"pool-{n}", zone_id=zones[n % ZONES].id, type="NetworkFilesystem",
                host_address="nfs", path=f"/{n}", scope="ZONE", state="Up", created=EPOCH,
            )
            for n in range(POOLS)
        ]  # fmt: skip
        yield from pools
        hosts = [self._host(n, zones[n % ZONES].id) for n in range(HOSTS)]
        yield from hosts
        yield from self._instances(accounts, zones, networks, pools, hosts)

    def _host(self, n: int, zone_id: str) -> Host:
        return Host(
            id=self._ids.uuid(), name=f"host-{n}", guid=f"guid-{n}", zone_id=zone_id, pod_id="pod",
            cluster_id=f"cluster-{n // 40}", hypervisor="Simulator", url=f"http://sim/{n}", private_ip="10.0.0.2",
            cpus=128, cpu_mhz=2000, memory_mib=1 << 20, state="Up", resource_state="Enabled", created=EPOCH,
        )  # fmt: skip

    def _instances(
        self,
        accounts: list[tuple[Account, str]],
        zones: list[Zone],
        networks: list[Network],
        pools: list[StoragePool],
        hosts: list[Host],
    ) -> Iterator[Row]:
        new, table = self._ids.uuid, self.store.table
        template = next(t for t in table(Template) if t.type == "BUILTIN")
        offerings = [o for o in table(ServiceOffering) if not o.is_system]
        guest_os = next(iter(table(GuestOs)))
        for n in range(VMS):
            account, user_id = accounts[n * 7919 % ACCOUNTS]
            offering, zone = offerings[n % len(offerings)], n % ZONES
            state: Any = STATES[n * 104_729 % len(STATES)]
            host = hosts[n * 31 % HOSTS - (n * 31 % HOSTS - zone) % ZONES] if state == "Running" else None
            vm = VirtualMachine(
                id=new(), name=f"vm-{n}", display_name=f"vm-{n}", instance_name=f"i-2-{n}-VM",
                account_id=account.id, domain_id=account.domain_id, zone_id=zones[zone].id,
                template_id=template.id, service_offering_id=offering.id, cpus=offering.cpus or 1,
                cpu_mhz=offering.cpu_mhz or 1, memory_mib=offering.memory_mib or 1, user_id=user_id,
                host_id=host.id if host else None, pod_id="pod", state=state, hypervisor="Simulator",
                guest_os_id=guest_os.id, created=EPOCH + n, updated=EPOCH + n,
            )  # fmt: skip
            yield vm
            yield Nic(
                id=new(), vm_id=vm.id, network_id=networks[zone].id, mac=f"02:00:{n >> 24:02x}:{n >> 16 & 255:02x}:"
                f"{n >> 8 & 255:02x}:{n & 255:02x}", ip=f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", created=EPOCH,
            )  # fmt: skip
            yield Volume(
                id=new(), name=f"ROOT-{n}", account_id=account.id, domain_id=account.domain_id,
                zone_id=zones[zone].id, type="ROOT", size=1 << 30, vm_id=vm.id, device_id=0, state="Ready",
                pool_id=pools[n % POOLS].id, path=str(n), template_id=template.id, created=EPOCH,
            )  # fmt: skip

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def keys(self, username: str) -> tuple[str, str]:
        user = next(user for user in self.store.table(User) if user.username == username)
        user = self.manager.identity.users.register_keys(user)
        return user.api_key or "", user.secret_key or ""

    def ask(self, keys: tuple[str, str], command: str, **parameters: str) -> Request:
        pairs = {"command": command, "response": "json", "apiKey": keys[0], **parameters}
        pairs["signature"] = sign(canonical(pairs), keys[1])
        return Request.of(pairs.items())

    async def _timed(self, request: Request) -> tuple[list[float], bytes]:
        took: list[float] = []
        text, end = b"", time.perf_counter() + SECONDS
        while len(took) < CALLS and (len(took) < 5 or time.perf_counter() < end):
            begin = time.perf_counter()
            reply = await self.dispatcher.answer(request)
            text = reply.text()
            took.append((time.perf_counter() - begin) * 1e3)
        assert reply.status == 200, text
        return took, text

    def median_ms(self, keys: tuple[str, str], command: str, **parameters: str) -> tuple[float, int]:
        """Median milliseconds of the call, and the bytes of its answer."""
        took, text = self.run(self._timed(self.ask(keys, command, **parameters)))
        return statistics.median(took), len(text)

    async def finished_job(self, keys: tuple[str, str]) -> AsyncJob:
        """A job that has deployed an instance, with such a job's result."""
        vm = self.store.table(VirtualMachine).page(0, 1)[0]
        request = self.ask(keys, "listVirtualMachines", id=vm.id)
        text = (await self.dispatcher.answer(request)).text().decode()
        admin = next(a for a in self.store.table(Account) if a.name == "admin")
        job = AsyncJob(
            id=self._ids.uuid(), command="deployVirtualMachine", account_id=admin.id, user_id=None, status=1,
            result=text[text.index(":") + 1 : -1], instance_type="VirtualMachine", instance_id=vm.id, created=EPOCH,
        )  # fmt: skip
        with self.store.transaction():
            return self.store.table(AsyncJob).insert(job)


def figures() -> dict[str, dict[str, Any]]:
    """name -> {"value", "unit"}; takes about half a minute, most of it to make the rows."""
    cloud = LargeCloud()
    gc.collect()
    gc.freeze()
    root, user = cloud.keys("admin"), cloud.keys("user-7")
    vm = cloud.store.table(VirtualMachine).page(VMS // 2, 1)[0]
    page = {"listall": "true", "page": "1", "pagesize": "100"}
    job = cloud.run(cloud.finished_job(root))
    calls: dict[str, tuple[tuple[str, str], str, dict[str, str]]] = {
        "list_vms_100k": (root, "listVirtualMachines", page),
        "list_vms_100k_by_id": (root, "listVirtualMachines", {"id": vm.id}),
        "list_vms_100k_by_state": (root, "listVirtualMachines", {**page, "state": "Running"}),
        "list_vms_100k_last_page": (root, "listVirtualMachines", {**page, "page": str(VMS // 100)}),
        "list_vms_100k_page20": (root, "listVirtualMachines", {**page, "pagesize": "20"}),
        "list_vms_100k_page500": (root, "listVirtualMachines", {**page, "pagesize": "500"}),
        "list_vms_100k_keyword": (root, "listVirtualMachines", {**page, "keyword": "vm-777"}),
        "list_vms_100k_user": (user, "listVirtualMachines", {"page": "1", "pagesize": "100"}),
        "query_job": (root, "queryAsyncJobResult", {"jobid": job.id}),
    }
    found: dict[str, dict[str, Any]] = {}
    try:
        for name, (keys, command, parameters) in calls.items():
            median, size = cloud.median_ms(keys, command, **parameters)
            found[f"api.{name}_ms"] = {"value": median, "unit": "ms"}
            if name in ("list_vms_100k", "list_vms_100k_page500"):
                found[f"api.{name}_kb"] = {"value": size / 1e3, "unit": "kB"}
    finally:
        gc.unfreeze()
        cloud.loop.close()
    return found


if __name__ == "__main__":
    for name, figure in figures().items():
        print(f"{name:36} {figure['value']:>12,.3f} {figure['unit']}")
