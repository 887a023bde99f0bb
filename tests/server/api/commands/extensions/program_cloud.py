"""Two racks of simulated hosts, and programs of extensions that really run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from backends.external.programs import ExtensionPrograms
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
