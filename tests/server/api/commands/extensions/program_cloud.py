"""Two racks of simulated hosts, and programs of extensions that really run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from backends.external.agents import LocalAgents
from backends.external.programs import ExtensionPrograms
from cloudsim.management.server import ManagementServer
from cloudsim.model import Host
from cloudsim.protocol.commands import ConsoleCommand
from cloudsim.randomness import Randomness
from server.api.dispatch import Dispatcher
from tests.server.api.api_harness import Client
from tests.server.api.cloud_harness import TwoRacks

T = TypeVar("T")

RECORDING = f'''#!{sys.executable}
"""Notes every call beside itself, keeps what instances there are, and answers what `answers.json` says."""
import json, pathlib, sys

here = pathlib.Path(__file__).parent
operation, payload_file, timeout = sys.argv[1:]
payload = json.loads(pathlib.Path(payload_file).read_text())
with open(here / "calls", "a") as calls:
    calls.write(json.dumps({{"operation": operation, "timeout": timeout, **payload}}) + "\\n")
kept = here / "machines.json"
machines = json.loads(kept.read_text()) if kept.exists() else {{}}
name = payload.get("virtualmachinename")
answers = here / "answers.json"
wanted = json.loads(answers.read_text()) if answers.exists() else {{}}
if operation in wanted:
    print(json.dumps(wanted[operation]))
    sys.exit(0)
answer = {{"status": "success"}}
if operation in ("create", "start", "reboot"):
    machines[name] = "poweron"
elif operation == "stop":
    machines[name] = "poweroff"
elif operation == "delete":
    machines.pop(name, None)
elif operation == "statuses":
    answer["power_state"] = machines
elif operation == "status":
    answer["power_state"] = machines.get(name, "poweroff")
kept.write_text(json.dumps(machines))
print(json.dumps(answer))
'''


async def inline(function: Callable[[], T]) -> T:
    """What a thread beside the loop would do: simulated time stands still meanwhile."""
    return function()


class ProgramCloud(TwoRacks):
    """`extension()` makes one whose program notes its calls."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self.folder = place / "extensions"
        self.manager.extensions.programs = ExtensionPrograms(self.folder, place / "payloads", inline)
        self.manager.external_hosts.agents = LocalAgents()

    def extension(self, name: str = "mine", **more: Any) -> dict[str, Any]:
        program = self.folder / name / "program.py"
        program.parent.mkdir(parents=True)
        program.write_text(RECORDING)
        program.chmod(0o700)
        made = self.admin("createExtension", name=name, type="Orchestrator", path="program.py", **more)
        return dict(made["extension"])

    def answer(self, name: str = "mine", **answers: Any) -> None:
        """What the program answers from now on, by operation."""
        (self.folder / name / "answers.json").write_text(json.dumps(answers))

    def calls(self, name: str = "mine") -> list[dict[str, Any]]:
        """What the program was called with, the first first."""
        noted = self.folder / name / "calls"
        return [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []

    def clusters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.admin("listClusters")["cluster"]
        return found

    def register(self, extension: dict[str, Any], **more: Any) -> None:
        """Have the extension see to all clusters that have no extension yet."""
        for cluster in self.clusters():
            if "extensionid" not in cluster:
                asked = {"extensionid": extension["id"], "resourcetype": "Cluster", "resourceid": cluster["id"]}
                self.admin("registerExtension", **asked, **more)

    def external_cluster(self, **more: Any) -> dict[str, Any]:
        """A cluster of hypervisor External, without hosts."""
        first = self.clusters()[0]
        where = {"zoneid": first["zoneid"], "podid": first["podid"], "clustername": "ext"}
        asked = {"hypervisor": "External", "clustertype": "CloudManaged", **where, **more}
        made: dict[str, Any] = self.admin("addCluster", **asked)["cluster"][0]
        return made

    def host_in(self, cluster: dict[str, Any], name: str = "node1", **details: Any) -> dict[str, Any]:
        """What addHost is asked for an External host."""
        return {
            "zoneid": cluster["zoneid"],
            "podid": cluster["podid"],
            "clusterid": cluster["id"],
            "hypervisor": "External",
            "url": f"http://{name}.example",
            "externaldetails": {"cpucores": 16, "cpuspeed": 2500, "rack": 7, **details},
        }

    def action(self, extension: dict[str, Any], name: str = "backup", **more: Any) -> dict[str, Any]:
        asked = {"extensionid": extension["id"], "name": name, "enabled": True, "resourcetype": "VirtualMachine"}
        made: dict[str, Any] = self.admin("addCustomAction", **{**asked, **more})["extensioncustomaction"]
        return made

    def act(
        self, action: dict[str, Any], vm: dict[str, Any], call: Client | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Run the action for an instance, and return what became of it."""
        more = {"parameters": parameters} if parameters else {}
        asked = {"customactionid": action["id"], "resourceid": vm["id"], **more}
        found: dict[str, Any] = (call or self.admin)("runCustomAction", **asked)["customactionresult"]
        return found


class ExternalCloud(ProgramCloud):
    """The same with a cluster of one External host, which `extension_made` sees to, a template of it, and a network."""

    def __init__(self, place: Path, **more: Any) -> None:
        super().__init__(place)
        self.extension_made = self.extension(details={"url": "http://backend"}, **more)
        self.cluster = self.external_cluster(extensionid=self.extension_made["id"])
        self.admin("addHost", **self.host_in(self.cluster))
        asked = self.template_of(self.extension_made)
        self.template: dict[str, Any] = self.admin("registerTemplate", **asked)["template"][0]
        offering = self.cloud.network_offering("DefaultL2NetworkOffering")
        self.net = self.network("flat", networkofferingid=offering.id)
        self.forget_calls()

    def template_of(self, extension: dict[str, Any]) -> dict[str, Any]:
        """What registerTemplate is asked."""
        return {
            "name": "ext",
            "url": "http://backend/debian",
            "format": "EXTERNAL",
            "hypervisor": "External",
            "extensionid": extension["id"],
            "ispublic": True,
            "externaldetails": {"image": "debian"},
        }

    def external(self, name: str, **more: Any) -> dict[str, Any]:
        """What deployVirtualMachine is asked for an External instance."""
        networks = {} if "networkids" in more else {"networkids": self.net["id"]}
        return self.wanted(**{"templateid": self.template["id"], "name": name, **networks, **more})

    def deploy_external(self, name: str, call: Client | None = None, **more: Any) -> dict[str, Any]:
        if call is not None and "networkids" not in more:
            offering = self.cloud.network_offering("DefaultL2NetworkOffering")
            more["networkids"] = self.network(f"net of {name}", call, networkofferingid=offering.id)["id"]
        made: dict[str, Any] = (call or self.admin)("deployVirtualMachine", **self.external(name, **more))
        return dict(made["virtualmachine"])

    def operations(self) -> list[str]:
        """What the program was asked to do, but for looks at power states."""
        return [call["operation"] for call in self.calls() if call["operation"] not in ("status", "statuses")]

    def forget_calls(self) -> None:
        (self.folder / "mine" / "calls").unlink(missing_ok=True)

    def machines(self) -> dict[str, str]:
        """Power states of the instances that the program has, by name."""
        kept = self.folder / "mine" / "machines.json"
        return dict(json.loads(kept.read_text())) if kept.exists() else {}

    def set_machines(self, machines: dict[str, str]) -> None:
        (self.folder / "mine" / "machines.json").write_text(json.dumps(machines))

    def pass_time(self, seconds: float) -> None:
        self.cloud.wait(seconds)

    def restart(self) -> None:
        """A new server on the same state."""
        self.cloud.close()
        before, self.cloud.manager = self.manager, ManagementServer(self.store, self.world, Randomness(6))
        self.manager = self.cloud.manager
        self.manager.identity.users.passwords.log_cost = 4
        self.manager.extensions.programs = before.extensions.programs
        self.manager.external_hosts.agents = LocalAgents()
        self.dispatcher = Dispatcher(self.manager)
        self.cloud.call(self.manager.start)

    def console(self, vm: dict[str, Any]) -> Any:
        """Where the instance's screen is, as its host tells; or the text of its refusal."""
        (host,) = [each for each in self.store.table(Host) if each.hypervisor == "External"]
        answer = self.run(self.manager.agents.send(host.id, ConsoleCommand(vm=vm["instancename"])))
        return answer.address if answer.ok else answer.error
