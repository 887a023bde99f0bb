"""The facts that test_conformance compares with, cut from a full description of CloudStack's API.

    python -m tests.server.api.facts path/to/cloudstack-api.json

writes `cloudstack_facts.json` beside this file, for the commands that the server declares. Run it when a command
has been added.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from server.api.command import COMMANDS
from server.api.commands import load

FACTS = Path(__file__).parent / "cloudstack_facts.json"


def cut(full: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Of each command: async, its parameters' type, required and length, its answer's fields and types."""
    facts = {}
    for name in names:
        api = full.get(name)
        if api is None:
            continue
        params = {}
        for parameter, said in api["params"].items():
            said = {key: said[key] for key in ("type", "required", "length", "of") if key in said}
            params[parameter] = said["type"] if set(said) == {"type"} else said
        facts[name] = {"async": api["async"], "params": params, "response": api["response"]}
    return facts


def main(path: str) -> None:
    load()
    names = sorted(command.name for command in COMMANDS.values())
    facts = cut(json.loads(Path(path).read_text())["apis"], names)
    rows = [f"{json.dumps(name)}: {json.dumps(fact, separators=(',', ':'))}" for name, fact in facts.items()]
    FACTS.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    print(f"{len(facts)} commands; not CloudStack's: {', '.join(n for n in names if n not in facts) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1])
