"""A story is told as it is written: what is done, when, by whom, and what becomes of a story that goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.simulated.datacenter import from_yaml
from backends.simulated.loop import SimLoop
from backends.simulated.world import SimulatedWorld
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, Event, Host, Network, Role, User, VirtualMachine
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from server import bootstrap
from server.database import load_rows, open_database
from server.demo.demo import Demo
from server.demo.story import Story, StoryError, story_from
from tests.server.demo.served_demo import Served

ROOM = from_yaml(
    """
zones:
  - name: room
    public: {start_ip: 203.0.113.10, end_ip: 203.0.113.50, netmask: 255.255.255.0, gateway: 203.0.113.1}
    pods: [{racks: [{hosts: [{count: 3, cores: 8, memory_gib: 32}]}]}]
"""
)
EPOCH = 1_800_000_000.0
SMALL = """
seed: 3
hours: 3
settings: {allow.user.expunge.recover.vm: "true"}
roles:
  - {name: Guest, type: User, description: Looks around, without: ["create*", "deploy*"]}
people:
  - {username: ann, firstname: A, lastname: N, domain: ROOT/a/b}
  - {username: bob, firstname: B, lastname: O, domain: ROOT/a/b, joins: ann}
  - {username: guest, firstname: G, lastname: U, role: Guest}
chapters:
  - title: moving in
    at: "-2:55"
    by: ann
    steps:
      - {call: listZones, as: zone}
      - {call: listServiceOfferings, with: {name: Small Instance}, as: small}
      - {call: listTemplates, with: {templatefilter: featured}, as: image}
      - {call: deployVirtualMachine, count: 3, every: "0:05", as: vm,
         with: {name: "vm-{n}", zoneid: $zone, templateid: $image#1, serviceofferingid: $small}}
      - {call: stopVirtualMachine, by: bob, with: {id: $vm#2}}
      - {pause: "0:30"}
      - {call: listVirtualMachines, with: {state: Running}, as: running}
      - {call: createTags, each: running, with: {resourcetype: UserVm, resourceids: $each, tags: {kept: "yes"}}}
  - title: too much
    at: "-1:00"
    by: ann
    steps:
      - {call: deployVirtualMachine, fails: already exists,
         with: {name: vm-01, zoneid: $zone, templateid: $image#1, serviceofferingid: $small}}
      - {fault: {fault: HostCrash, host: room/pod-1/rack-1/host-3, at: 0, duration: 600}}
tenants:
  - by: ann
    name: "come-{n}"
    from: "-2:00"
    per_hour: 10
    lifetime: {distribution: exponential, mean_value: 600}
    offerings: {$small: 1}
    with: {zoneid: $zone, templateid: $image#1}
    ends: {expunge: 2, stop: 1}
"""


class Told:
    """What became of a cloud to which a story was told; its present is `EPOCH` and the story's span later."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        loop = SimLoop()
        randomness = Randomness(story.seed)
        self.world = SimulatedWorld(ROOM, randomness=randomness.branch("world"), loop=loop, epoch=EPOCH)
        self.store = Store(ROW_TYPES)
        self.manager: Any = ManagementServer(self.store, self.world, randomness.branch("management server"))
        self.manager.identity.users.passwords.log_cost = 4
        bootstrap.seed(self.manager, self.world.hypervisor, "password", None)
        demo = Demo(story, folder)
        demo.prepare(self.manager)
        self.present = EPOCH + bootstrap.FOUNDING + story.span

        async def tell() -> None:
            admin = bootstrap.admin(self.manager)
            try:
                await bootstrap.build(self.manager, self.world, lambda: demo.tell(self.manager, self.world, admin))
            finally:
                await self.manager.stop()

        loop.run_until_complete(tell())

    def rows(self, row_type: Any) -> list[Any]:
        return list(self.store.table(row_type))

    def vms(self) -> dict[str, Any]:
        return {vm.name: vm for vm in self.rows(VirtualMachine) if vm.type == "User"}


@pytest.fixture(autouse=True)
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall's clock has not come to the present of these stories: nothing is to be waited for after them."""
    monkeypatch.setattr(bootstrap.time, "time", lambda: EPOCH)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(story_from(SMALL), tmp_path)


def test_each_step_is_done_by_whom_and_when_the_story_says(told: Told) -> None:
    users = {user.id: user.username for user in told.rows(User)}
    vms = told.vms()
    times = [round((told.present - vms[f"vm-0{n}"].created) / 60) for n in (1, 2, 3)]
    assert times == [175, 170, 165]
    (stop,) = [e for e in told.rows(Event) if e.type == "VM.STOP" and e.resource_id == vms["vm-02"].id and e.user_id]
    assert users[stop.user_id] == "bob" and vms["vm-02"].state == "Stopped"
    tagged = {tag.resource_id for tag in told.store.tables["ResourceTag"]}
    assert {vms["vm-01"].id, vms["vm-03"].id} <= tagged and vms["vm-02"].id not in tagged


def test_tenants_come_and_go(told: Told) -> None:
    named = [e.description for e in told.rows(Event) if e.type == "VM.CREATE"]
    left = [name for name in told.vms() if name.startswith("come-")]
    assert len(left) < len(named) - 4
    assert {told.vms()[name].state for name in left} <= {"Running", "Stopped"}


def test_a_fault_strikes_the_world(told: Told) -> None:
    (host,) = [h for h in told.rows(Host) if h.name.startswith("host-3")]
    assert host.state == "Up" and told.world.host(host.name).hypervisor.boots > 0


def test_a_role_is_without_what_it_is_to_be_without(told: Told) -> None:
    (role,) = [role for role in told.rows(Role) if role.name == "Guest"]
    allowed = {rule for rule, permission in role.rules if permission == "allow"}
    assert "listVirtualMachines" in allowed and "listHosts" not in allowed
    assert not any(rule.startswith(("create", "deploy")) for rule in allowed)


def test_the_same_seed_gives_the_same_cloud(told: Told, tmp_path: Path) -> None:
    again = Told(story_from(SMALL), tmp_path)
    for row_type in (VirtualMachine, Network, Host, Event):
        assert again.rows(row_type) == told.rows(row_type)
    other = Told(story_from(SMALL.replace("seed: 3", "seed: 4")), tmp_path)
    assert {vm.id for vm in other.rows(VirtualMachine)} != {vm.id for vm in told.rows(VirtualMachine)}


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("name: Small Instance", "name: No Such Thing", "listServiceOfferings.*nothing to remember as small"),
        ("fails: already exists", "fails: too heavy", "step 1 .deployVirtualMachine.*already exists"),
        ("$image#1, serviceofferingid: $small}}\n      - {call: stop", "$picture#1}}\n      - {call: stop", "picture"),
        ("id: $vm#2", "id: $vm#7", "of vm there are 3"),
        ("listVirtualMachines, with: {state: Running}", "listHosts", "not available for user ann"),
    ],
)
def test_a_step_that_goes_otherwise_ends_the_story_and_is_named(
    tmp_path: Path, wrong: str, right: str, said: str
) -> None:
    assert wrong in SMALL
    with pytest.raises(StoryError, match=said):
        Told(story_from(SMALL.replace(wrong, right)), tmp_path)


def test_a_story_that_goes_wrong_leaves_an_empty_database(tmp_path: Path) -> None:
    served = Served(tmp_path, ROOM, story_from(SMALL.replace("id: $vm#2", "id: $vm#7")))
    with pytest.raises(StoryError):
        served.begin()
    served.end()
    engine = open_database(served.folder.database)
    assert list(load_rows(engine)) == []
    engine.dispose()
