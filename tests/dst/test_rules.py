"""Rules of a routed network while hosts, links, messages and the manager fail: once it is quiet, routers do what the rows
say, what was acknowledged is there, and nothing hangs half-way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from backends.simulated.faults import SimulatedFaultInjector
from cloudsim.errors import CloudError
from cloudsim.invariants import Fact, Violation
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.network.load_balancers import Balancing
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.management.network.port_forwarding import Forwarding
from cloudsim.management.network.rule_traffic import RuleTraffic
from cloudsim.management.systemvm.router_configuration import RouterConfigurations
from cloudsim.model import (
    AsyncJob,
    FirewallRule,
    Host,
    IpForwardingRule,
    LoadBalancerMember,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    PortForwardingRule,
    PublicIp,
    ServiceOffering,
    SystemVm,
    VirtualMachine,
)
from cloudsim.model.operations import JOB_IN_PROGRESS, JOB_SUCCEEDED
from cloudsim.store import Change, Row
from tests.dst.cloud import Complaints, DstCloud
from tests.dst.plan import ACTIVE, EPISODE, HOUR, Plan

RULES: tuple[type[Any], ...] = (FirewallRule, PortForwardingRule, IpForwardingRule, LoadBalancerRule)
ISOLATED = "DefaultIsolatedNetworkOfferingWithSourceNatService"


class RoutedRun:
    """One episode: rules are asked for while things fail; then calm, and the checks."""

    def __init__(self, seed: int) -> None:
        self.plan = Plan(seed=seed, episodes=1).complete()
        self.cloud = DstCloud(seed, racks=2, hosts=3)
        self.generator = np.random.default_rng([seed, 0x21E5])
        self.known: dict[str, Fact] = {}
        self._jobs: dict[str, tuple[type[Row], str, bool]] = {}
        self.succeeded = self.failed = self.refused = 0

    def run(self) -> list[Violation]:
        complaints = Complaints(self.cloud.violations)
        logger = logging.getLogger("cloudsim")
        logger.addHandler(complaints)
        propagate, logger.propagate = logger.propagate, False
        try:
            with asyncio.Runner(loop_factory=lambda: self.cloud.loop) as runner:
                runner.run(self._main())
        finally:
            logger.removeHandler(complaints)
            logger.propagate = propagate
        return self.cloud.violations

    async def _main(self) -> None:
        cloud = self.cloud
        await cloud.set_up()
        await self._network()
        cloud.on_new_server = lambda: cloud.store.subscribe(self._changed, AsyncJob)  # type: ignore[method-assign]
        cloud.on_new_server()
        injector = SimulatedFaultInjector(
            cloud.world, self.plan.faults or (), cloud.randomness.branch("faults"), self._restart
        )
        start = cloud.loop.time()
        injector.start()
        while cloud.loop.time() < start + ACTIVE:
            await asyncio.sleep(
                float(self.generator.exponential(40.0 if self.generator.random() < 0.5 else 2.0))
            )
            self._ask()
        await asyncio.sleep(max(start + EPISODE - cloud.loop.time(), 0))
        injector.stop()
        await self._settle()
        await cloud.server.stop()

    async def _network(self) -> None:
        """An isolated network with four addresses and three instances, behind a router."""
        cloud, server, store = self.cloud, self.cloud.server, self.cloud.store
        owner = cloud.caller.account
        wire = server.physical_networks.create(cloud.zone, name="wire", vlan="100-109")
        server.physical_networks.update(wire, state="Enabled")
        for traffic in ("Guest", "Management", "Public"):
            server.physical_networks.add_traffic_type(wire, traffic)
        server.physical_networks.providers.enable_all(wire)
        outside = RangeRequest(
            zone=cloud.zone,
            start_ip="203.0.113.10",
            end_ip="203.0.113.99",
            gateway="203.0.113.1",
            netmask="255.255.255.0",
            vlan="50",
            public=True,
        )
        server.ip_ranges.create(outside)
        offering = next(o for o in store.table(NetworkOffering) if o.name == ISOLATED)
        network = server.networks.create(
            cloud.caller, owner, cloud.zone, offering, NetworkRequest(name="front")
        )
        self.network_id = network.id
        small = next(o for o in store.table(ServiceOffering) if not o.is_system)
        for name in ("web", "db", "app"):
            vm = server.vms.allocate(
                cloud.caller,
                DeployRequest(
                    zone_id=cloud.zone.id,
                    template_id=cloud.template.id,
                    service_offering_id=small.id,
                    owner=owner,
                    name=name,
                    nics=(NicRequest(network.id),),
                ),
            )
            await server.vms.start(vm.id, first=True)
        for _ in range(4):
            ip = server.ip_association.acquire(cloud.caller, owner, network=network)
            await server.ip_association.bring_up(ip.id)

    async def _restart(self, away: float) -> None:
        """The manager dies in the middle of it all."""
        for _ in range(8):
            self._ask()
            await asyncio.sleep(0.003)
        await self.cloud.restart(away)

    # asking

    def _pick(self, rows: list[Any]) -> Any:
        if not rows:
            raise CloudError("there is none")
        return rows[int(self.generator.integers(len(rows)))]

    def _ask(self) -> None:
        """Something, if the manager is there."""
        kind = str(
            self.generator.choice(
                [
                    "forward",
                    "open",
                    "let out",
                    "balance",
                    "assign",
                    "enable",
                    "let in",
                    "disable",
                    "revoke",
                    "revoke",
                ]
            )
        )
        if self.cloud.up:
            try:
                getattr(self, "_" + kind.replace(" ", "_"))()
            except CloudError:
                self.refused += 1

    @property
    def _address(self) -> PublicIp:
        return self._pick([ip for ip in self.cloud.store.table(PublicIp) if ip.network_id == self.network_id])

    @property
    def _vm(self) -> VirtualMachine:
        return self._pick([vm for vm in self.cloud.store.table(VirtualMachine) if vm.type == "User"])

    @property
    def _port(self) -> int:
        return int(self.generator.integers(1, 30))

    def _submit(
        self,
        row: Any,
        work: Callable[[], Coroutine[Any, Any, Any]],
        *,
        gone: bool = False,
        about: str | None = None,
    ) -> None:
        self.known.pop(row.id, None)
        job = self.cloud.server.jobs.submit(self.cloud.caller, "rule", work, instance_id=about or row.id)
        self._jobs[job.id] = (type(row), row.id, gone)

    def _changed(self, changes: list[Change]) -> None:
        for _, _, job in changes:
            if job is None or job.status == JOB_IN_PROGRESS or job.id not in self._jobs:
                continue
            kind, row_id, gone = self._jobs.pop(job.id)
            done = job.status == JOB_SUCCEEDED
            self.succeeded, self.failed = self.succeeded + done, self.failed + (not done)
            if "Internal error" in (job.result or ""):
                self.cloud.violations.append(Violation("no internal error", job.result or ""))
            if done and kind in RULES:
                self.cloud.loop.create_task(self._acknowledge(Fact(kind, row_id, gone=gone), job.id))

    async def _acknowledge(self, fact: Fact, job_id: str) -> None:
        store = self.cloud.store
        await store.durable()
        if not any(row_id == fact.row_id for _, row_id, _ in self._jobs.values()):
            self.known[fact.row_id] = fact

    def _forward(self) -> None:
        rules, port = self.cloud.server.rules.port_forwarding, self._port
        asked = Forwarding(protocol="tcp", public_port=port, private_port=port)
        rule = rules.create(self._address, self._vm, asked)
        self._submit(rule, lambda: rules.enforce(rule))

    def _open(self) -> None:
        rules = self.cloud.server.rules.firewall
        rule = rules.create_ingress(self._address, RuleTraffic(protocol="udp", start_port=self._port))
        self._submit(rule, lambda: rules.enforce(rule))

    def _let_out(self) -> None:
        rules, network = self.cloud.server.rules.firewall, self.cloud.store.table(Network)[self.network_id]
        rule = rules.create_egress(network, RuleTraffic(protocol="tcp", start_port=self._port))
        self._submit(rule, lambda: rules.enforce(rule))

    def _balance(self) -> None:
        rules, port = self.cloud.server.rules.load_balancers, self._port
        rule = rules.create(
            self._address, Balancing(name="lb", public_port=port, private_port=port, algorithm="roundrobin")
        )
        self._submit(rule, lambda: rules.enforce(rule))

    def _assign(self) -> None:
        rule, members = (
            self._pick(list(self.cloud.store.table(LoadBalancerRule))),
            self.cloud.server.rules.members,
        )
        wanted = members.check_assign(rule, [self._vm], {})
        self.cloud.server.jobs.submit(
            self.cloud.caller, "assign", lambda: members.assign(rule, wanted), instance_id=rule.id
        )

    def _enable(self) -> None:
        nats, address, vm = self.cloud.server.rules.static_nats, self._address, self._vm
        self.cloud.server.jobs.submit(
            self.cloud.caller, "enable", lambda: nats.enable(address, vm), instance_id=address.id
        )

    def _let_in(self) -> None:
        rules = self.cloud.server.rules.static_nats
        rule = rules.create_rule(self._address, protocol="tcp", start_port=self._port)
        self._submit(rule, lambda: rules.enforce(rule))

    def _disable(self) -> None:
        nats, address = self.cloud.server.rules.static_nats, self._address
        nats.check_enabled(address)
        for kind in (FirewallRule, IpForwardingRule):
            for rule in self.cloud.store.table(kind).where("public_ip_id", address.id):
                self.known.pop(rule.id, None)
                self._jobs = {job: what for job, what in self._jobs.items() if what[1] != rule.id}
        self.cloud.server.jobs.submit(
            self.cloud.caller, "disable", lambda: nats.disable(address.id), instance_id=address.id
        )

    def _revoke(self) -> None:
        kind = RULES[int(self.generator.integers(len(RULES)))]
        rules: list[Any] = list(self.cloud.store.table(kind))
        rule = self._pick([r for r in rules if getattr(r, "related_id", None) is None])
        changes = self.cloud.server.rules.changes
        self._submit(rule, lambda: changes.revoke(rule), gone=True)

    # looking

    async def _settle(self) -> None:
        deadline = self.cloud.loop.time() + 8 * HOUR
        while left := self._unsettled():
            if self.cloud.loop.time() > deadline:
                self.cloud.violations += left
                return
            await asyncio.sleep(300)
            await self._use_network()

    async def _use_network(self) -> None:
        """What an instance does that starts in the network: it has its router run."""
        if self.cloud.up:
            with contextlib.suppress(CloudError):
                await self.cloud.server.network_life.implement(self.network_id)

    def _unsettled(self) -> list[Violation]:
        cloud, store = self.cloud, self.cloud.store
        if not cloud.up or any(host.state != "Up" for host in store.table(Host)):
            return [Violation("all come back", "not all are there")]
        found = [
            Violation("nothing is in motion", f"{job.command} of {job.instance_id}")
            for job in store.table(AsyncJob).where("status", JOB_IN_PROGRESS)
        ]
        for kind in RULES:
            for rule in store.table(kind):
                if rule.state != "Active":
                    found.append(
                        Violation("nothing is in motion", f"{kind.__name__} {rule.id} is {rule.state}")
                    )
        for fact in self.known.values():
            if (text := fact.broken(store)) is not None:
                found.append(Violation("acknowledged is kept", text))
        found += self._contradictions()
        row = next((r for r in store.table(SystemVm) if r.network_id == self.network_id), None)
        vm = store.table(VirtualMachine).get(row.id) if row is not None else None
        if row is None or vm is None or vm.state != "Running":
            return [*found, Violation("the router is at work", f"{row} is {vm.state if vm else 'not there'}")]
        machine = cloud.world.host(store.table(Host)[vm.host_id].guid).hypervisor
        told = machine.appliance(machine.guests[vm.instance_name]).configuration
        wanted = RouterConfigurations(cloud.server.foundation).of(row)
        if told != wanted:
            found.append(Violation("routers do what the rows say", f"{told} is not {wanted}"))
        return found

    def _contradictions(self) -> list[Violation]:
        store, found = self.cloud.store, []
        rules = {rule.id for kind in RULES for rule in store.table(kind)}
        for opened in store.table(FirewallRule):
            if opened.related_id is not None and opened.related_id not in rules:
                found.append(Violation("what was opened for a rule goes with it", opened.id))
        for member in store.table(LoadBalancerMember):
            if member.rule_id not in rules:
                found.append(Violation("members are of a rule", member.id))
        use = self.cloud.server.rules.use
        for address in store.table(PublicIp):
            claims = [(c.protocol, p) for c in use.claims(address) for p in range(c.ports[0], c.ports[1] + 1)]
            if len(claims) != len(set(claims)):
                found.append(Violation("a port is one rule's", address.ip))
        return found


@pytest.mark.parametrize("seed", [401, 403, 410, 418])
def test_rules_under_faults(seed: int) -> None:
    run = RoutedRun(seed)
    violations = run.run()
    assert not violations, "\n".join(map(str, violations))
    assert run.succeeded > 100
