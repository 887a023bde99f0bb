"""A cloud that is served with a story, in this process, and what is asked of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backends.simulated.datacenter import Datacenter
from backends.simulated.world import SimulatedWorld
from cloudsim.model import Host, VirtualMachine
from server.api.envelope import Reply
from server.api.request import Request
from server.data_folder import DataFolder
from server.database import open_database
from server.demo.demo import Demo
from server.demo.story import Story
from server.pacing import MAX
from server.running import RunningCloud
from server.simulated_site import SimulatedSite

WITHIN = 120.0


class Served:
    """One start of the cloud in `folder`; with a story if it is the first."""

    def __init__(self, folder: Path, datacenter: Datacenter, story: Story | None = None) -> None:
        self.folder = DataFolder(folder)
        self._engine = open_database(self.folder.database)
        demo = None if story is None else Demo(story, folder)
        site = SimulatedSite(datacenter, MAX, demo=demo, experiments=folder)
        self.ended: list[str] = []
        seed = None if story is None else story.seed
        self.cloud = RunningCloud(self._engine, site, self.ended.append, seed)

    def begin(self) -> Served:
        self.cloud.begin("password", None, lambda user: None).result(WITHIN)
        return self

    def end(self) -> None:
        assert self.cloud.stop()
        self._engine.dispose()

    def __call__(self, command: str, **parameters: Any) -> Any:
        """What the command answers to whoever is root."""
        reply = self.reply(command, **parameters)
        body = next(iter(json.loads(reply.text()).values()))
        assert reply.status == 200, body
        return body

    def reply(self, command: str, **parameters: Any) -> Reply:
        assert self.cloud.dispatcher is not None
        pairs = [("command", command), ("response", "json")]
        pairs += [(name, str(value)) for name, value in parameters.items()]
        return self.cloud.submit(self.cloud.dispatcher.answer(Request.of(pairs), trusted=True)).result(WITHIN)

    def rows(self, command: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self(command, listall=True, pagesize=-1, **parameters).get(key, [])
        return found

    def lost(self) -> list[str]:
        """Names of instances that are said to run, and that the simulated host does not have."""
        world = self.cloud.world
        assert isinstance(world, SimulatedWorld)
        hosts = self.cloud.store.table(Host)
        return [
            vm.name
            for vm in self.cloud.store.table(VirtualMachine).where("state", "Running")
            if vm.instance_name not in world.hosts[hosts[vm.host_id or ""].guid].hypervisor.guests
        ]
