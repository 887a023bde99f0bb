"""The program in docs/extensions.md does what the guide says of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.server.api.commands.extensions.program_cloud import ExternalCloud

GUIDE = Path(__file__).parents[5] / "docs" / "extensions.md"


def test_the_guides_program_runs_an_instance_and_greets(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    external = ExternalCloud(tmp_path)
    try:
        (external.folder / "mine" / "program.py").write_text(program)
        kept = external.folder / "mine" / "program.json"
        vm = external.deploy_external("db")
        assert kept.read_text() == f'{{"{vm["instancename"]}": "poweron"}}'
        external.pass_time(400)
        assert external.state(vm["id"]) == "Running"
        action = external.action(
            external.extension_made,
            "greet",
            successmessage="{{actionName}} done for {{resourceName}}",
            **{"parameters[0].name": "whom", "parameters[0].required": "true"},
        )
        result = external.act(action, vm, whom="world")["result"]
        assert result == {"message": "greet done for db", "details": f"Hello world, says {vm['instancename']}"}
        external.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
        assert kept.read_text() == "{}"
    finally:
        external.cloud.close()
